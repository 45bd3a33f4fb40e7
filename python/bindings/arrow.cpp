// The Arrow C Data Interface (struct layouts from its specification), so that pyarrow, polars, duckdb and pandas take a
// batch without a dependency on any of them.
#include <cstring>
#include <functional>

#include "batch.hpp"

namespace turnout::python {
namespace {

struct ArrowSchema {
  const char* format;
  const char* name;
  const char* metadata;
  std::int64_t flags;
  std::int64_t n_children;
  ArrowSchema** children;
  ArrowSchema* dictionary;
  void (*release)(ArrowSchema*);
  void* private_data;
};

struct ArrowArray {
  std::int64_t length;
  std::int64_t null_count;
  std::int64_t offset;
  std::int64_t n_buffers;
  std::int64_t n_children;
  const void** buffers;
  ArrowArray** children;
  ArrowArray* dictionary;
  void (*release)(ArrowArray*);
  void* private_data;
};

struct ArrowArrayStream {
  int (*get_schema)(ArrowArrayStream*, ArrowSchema*);
  int (*get_next)(ArrowArrayStream*, ArrowArray*);
  const char* (*get_last_error)(ArrowArrayStream*);
  void (*release)(ArrowArrayStream*);
  void* private_data;
};

constexpr std::int64_t kNullable = 2;

// One column: its format, its buffers (owned), whether nulls occur.
struct Column {
  std::string name, format;
  std::vector<std::vector<std::byte>> buffers;  // validity first; empty: no nulls
  std::int64_t nulls = 0;
};

template <class T>
std::vector<std::byte> bytes_of(const std::vector<T>& values) {
  std::vector<std::byte> out(values.size() * sizeof(T));
  if (!out.empty()) std::memcpy(out.data(), values.data(), out.size());
  return out;
}

std::vector<std::byte> bitmap(std::size_t n, const std::function<bool(std::size_t)>& set) {
  std::vector<std::byte> bits((n + 7) / 8);
  for (std::size_t i = 0; i < n; ++i)
    if (set(i)) bits[i / 8] |= static_cast<std::byte>(1u << (i % 8));
  return bits;
}

Column numbers(const char* name, const std::vector<double>& values) { return {name, "g", {{}, bytes_of(values)}, 0}; }
Column integers(const char* name, const std::vector<std::int32_t>& values) { return {name, "i", {{}, bytes_of(values)}, 0}; }

Column booleans(const char* name, const std::vector<std::uint8_t>& values) {
  return {name, "b", {{}, bitmap(values.size(), [&](std::size_t i) { return values[i] != 0; })}, 0};
}

Column strings(const char* name, std::size_t n, const std::function<const std::string*(std::size_t)>& at) {
  std::vector<std::int64_t> offsets{0};
  std::string data;
  std::int64_t nulls = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (const std::string* text = at(i)) data += *text;
    else ++nulls;
    offsets.push_back(static_cast<std::int64_t>(data.size()));
  }
  auto valid = nulls == 0 ? std::vector<std::byte>{} : bitmap(n, [&](std::size_t i) { return at(i) != nullptr; });
  return {name, "U", {std::move(valid), bytes_of(offsets), bytes_of(std::vector<char>(data.begin(), data.end()))}, nulls};
}

std::vector<Column> columns_of(const PyBatch& b) {
  const auto n = static_cast<std::size_t>(b.rows());
  const auto name_of = [](const std::vector<std::string>& names, std::int32_t i) {
    return i < 0 ? nullptr : &names[static_cast<std::size_t>(i)];
  };
  std::vector<std::string> plans(n), reasons(n);
  for (std::size_t i = 0; i < n; ++i) {
    const auto d = b.decision(static_cast<int>(i));
    plans[i] = trace::operators_text(d, *b.names);
    reasons[i] = trace::reasons_text(d);
  }
  return {strings("llm", n, [&](std::size_t i) { return name_of(b.names->llms, b.llm[i]); }),
          strings("operators", n, [&](std::size_t i) { return &plans[i]; }),
          strings("tool", n, [&](std::size_t i) { return name_of(b.names->capabilities, b.tool[i]); }),
          numbers("difficulty", b.difficulty),
          integers("depth", b.depth),
          integers("calls", b.calls),
          numbers("p_correct", b.p_correct),
          numbers("usd", b.usd),
          numbers("usd_bound", b.usd_bound),
          numbers("seconds", b.seconds),
          numbers("utility", b.utility),
          booleans("feasible", b.feasible),
          strings("reasons", n, [&](std::size_t i) { return &reasons[i]; })};
}

// What a schema or array keeps alive until its release.
struct SchemaOwner {
  std::string name, format;
  std::vector<ArrowSchema> children;
  std::vector<ArrowSchema*> pointers;
};

struct ArrayOwner {
  Column column;
  std::vector<const void*> buffers;
  std::vector<ArrowArray> children;
  std::vector<ArrowArray*> pointers;
};

template <class Struct, class Owner>
void release(Struct* s) {
  auto* owner = static_cast<Owner*>(s->private_data);
  for (Struct* child : owner->pointers)
    if (child->release != nullptr) child->release(child);
  delete owner;
  s->release = nullptr;
}

ArrowSchema schema(const std::string& name, const std::string& format, std::vector<ArrowSchema> children) {
  auto* owner = new SchemaOwner{name, format, std::move(children), {}};
  for (auto& child : owner->children) owner->pointers.push_back(&child);
  const auto count = static_cast<std::int64_t>(owner->pointers.size());
  return {owner->format.c_str(), owner->name.c_str(), nullptr, count == 0 ? kNullable : 0, count,
          owner->pointers.data(), nullptr, release<ArrowSchema, SchemaOwner>, owner};
}

ArrowArray array(std::int64_t length, Column column, std::vector<ArrowArray> children) {
  auto* owner = new ArrayOwner{std::move(column), {}, std::move(children), {}};
  for (const auto& buffer : owner->column.buffers) owner->buffers.push_back(buffer.empty() ? nullptr : buffer.data());
  for (auto& child : owner->children) owner->pointers.push_back(&child);
  return {length, owner->column.nulls, 0, static_cast<std::int64_t>(owner->buffers.size()),
          static_cast<std::int64_t>(owner->pointers.size()), owner->buffers.data(), owner->pointers.data(), nullptr,
          release<ArrowArray, ArrayOwner>, owner};
}

ArrowSchema schema_of(const std::vector<Column>& columns) {
  std::vector<ArrowSchema> children;
  for (const auto& c : columns) children.push_back(schema(c.name, c.format, {}));
  return schema("", "+s", std::move(children));
}

ArrowArray array_of(std::int64_t rows, std::vector<Column> columns) {
  std::vector<ArrowArray> children;
  for (auto& c : columns) children.push_back(array(rows, std::move(c), {}));
  return array(rows, Column{"", "+s", {{}}, 0}, std::move(children));
}

template <class Struct>
py::capsule capsule(Struct value, const char* name) {
  auto* held = new Struct(value);
  PyObject* object = PyCapsule_New(held, name, [](PyObject* o) {
    auto* s = static_cast<Struct*>(PyCapsule_GetPointer(o, PyCapsule_GetName(o)));
    if (s->release != nullptr) s->release(s);
    delete s;
  });
  return py::reinterpret_steal<py::capsule>(object);
}

// A stream of one record batch.
struct StreamOwner {
  std::vector<Column> columns;
  std::int64_t rows = 0;
  bool done = false;
};

int stream_schema(ArrowArrayStream* s, ArrowSchema* out) {
  *out = schema_of(static_cast<StreamOwner*>(s->private_data)->columns);
  return 0;
}

int stream_next(ArrowArrayStream* s, ArrowArray* out) {
  auto* owner = static_cast<StreamOwner*>(s->private_data);
  if (owner->done) {
    std::memset(static_cast<void*>(out), 0, sizeof *out);
    return 0;
  }
  owner->done = true;
  *out = array_of(owner->rows, owner->columns);
  return 0;
}

void stream_release(ArrowArrayStream* s) {
  delete static_cast<StreamOwner*>(s->private_data);
  s->release = nullptr;
}

}  // namespace

py::tuple arrow_array(const PyBatch& batch) {
  auto columns = columns_of(batch);
  const auto schema_capsule = capsule(schema_of(columns), "arrow_schema");
  return py::make_tuple(schema_capsule, capsule(array_of(batch.rows(), std::move(columns)), "arrow_array"));
}

py::capsule arrow_stream(const PyBatch& batch) {
  auto* owner = new StreamOwner{columns_of(batch), batch.rows(), false};
  return capsule(ArrowArrayStream{stream_schema, stream_next, [](ArrowArrayStream*) -> const char* { return nullptr; },
                                  stream_release, owner},
                 "arrow_array_stream");
}

}  // namespace turnout::python
