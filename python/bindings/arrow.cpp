// The Arrow C Data Interface (struct layouts from its specification), so that pyarrow, polars, duckdb and pandas take a
// batch without a dependency on any of them.
#include <cerrno>
#include <cstring>
#include <functional>
#include <memory>

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
Column integers(const char* name, const std::vector<std::int32_t>& values) {
  return {name, "i", {{}, bytes_of(values)}, 0};
}

Column booleans(const char* name, const std::vector<std::uint8_t>& values) {
  return {name, "b", {{}, bitmap(values.size(), [&](std::size_t i) { return values[i] != 0; })}, 0};
}

Column strings(const char* name, std::size_t n, const std::function<const std::string*(std::size_t)>& at) {
  std::vector<std::int64_t> offsets{0};
  std::string data;
  std::int64_t nulls = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (const std::string* text = at(i))
      data += *text;
    else
      ++nulls;
    offsets.push_back(static_cast<std::int64_t>(data.size()));
  }
  auto valid = nulls == 0 ? std::vector<std::byte>{} : bitmap(n, [&](std::size_t i) { return at(i) != nullptr; });
  return {
      name, "U", {std::move(valid), bytes_of(offsets), bytes_of(std::vector<char>(data.begin(), data.end()))}, nulls};
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

using Columns = std::shared_ptr<const std::vector<Column>>;

// Room for the children is made before there are any: from then on nothing can throw that would leave one behind.
template <class Struct>
class Children {
 public:
  explicit Children(std::size_t n) {
    items_.reserve(n);
    pointers_.reserve(n);
  }
  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;
  ~Children() {
    for (Struct& child : items_)
      if (child.release != nullptr) child.release(&child);  // else the consumer has taken it
  }
  void add(const Struct& child) {
    items_.push_back(child);
    pointers_.push_back(&items_.back());
  }
  std::int64_t size() const { return static_cast<std::int64_t>(pointers_.size()); }
  Struct** data() { return pointers_.data(); }

 private:
  std::vector<Struct> items_;
  std::vector<Struct*> pointers_;
};

// What a schema or array keeps alive until its release. Arrays share the columns: nothing is copied.
struct SchemaOwner {
  SchemaOwner(Columns shared, std::size_t n) : columns(std::move(shared)), children(n) {}
  Columns columns;
  Children<ArrowSchema> children;
};

struct ArrayOwner {
  ArrayOwner(Columns shared, std::size_t n) : columns(std::move(shared)), children(n) {}
  Columns columns;
  std::vector<const void*> buffers;
  Children<ArrowArray> children;
};

template <class Struct, class Owner>
void release(Struct* s) {
  delete static_cast<Owner*>(s->private_data);
  s->release = nullptr;
}

ArrowSchema schema(const char* format, const char* name, std::int64_t flags, std::unique_ptr<SchemaOwner> owner) {
  auto* o = owner.release();
  return {
      format, name, nullptr, flags, o->children.size(), o->children.data(), nullptr, release<ArrowSchema, SchemaOwner>,
      o};
}

ArrowArray array(std::int64_t length, std::int64_t nulls, std::unique_ptr<ArrayOwner> owner) {
  auto* o = owner.release();
  return {length,
          nulls,
          0,
          static_cast<std::int64_t>(o->buffers.size()),
          o->children.size(),
          o->buffers.data(),
          o->children.data(),
          nullptr,
          release<ArrowArray, ArrayOwner>,
          o};
}

ArrowSchema schema_of(const Columns& columns) {
  auto owner = std::make_unique<SchemaOwner>(columns, columns->size());
  for (const Column& c : *columns)
    owner->children.add(schema(c.format.c_str(), c.name.c_str(), kNullable, std::make_unique<SchemaOwner>(columns, 0)));
  return schema("+s", "", 0, std::move(owner));
}

ArrowArray array_of(std::int64_t rows, const Columns& columns) {
  auto owner = std::make_unique<ArrayOwner>(columns, columns->size());
  owner->buffers.push_back(nullptr);  // a struct's validity
  for (const Column& c : *columns) {
    auto child = std::make_unique<ArrayOwner>(columns, 0);
    for (const auto& buffer : c.buffers) child->buffers.push_back(buffer.empty() ? nullptr : buffer.data());
    owner->children.add(array(rows, c.nulls, std::move(child)));
  }
  return array(rows, 0, std::move(owner));
}

template <class Struct>
void destroy(Struct* s) {
  if (s->release != nullptr) s->release(s);
  delete s;
}

// `fill` writes a Struct; what it has written is released with the capsule.
template <class Struct, class Fill>
py::capsule capsule(const char* name, const Fill& fill) {
  std::unique_ptr<Struct, void (*)(Struct*)> held(new Struct{}, destroy<Struct>);
  fill(*held);
  PyObject* object = PyCapsule_New(held.get(), name, [](PyObject* o) {
    destroy(static_cast<Struct*>(PyCapsule_GetPointer(o, PyCapsule_GetName(o))));
  });
  if (object == nullptr) throw py::error_already_set();
  held.release();
  return py::reinterpret_steal<py::capsule>(object);
}

// A stream of one record batch.
struct StreamOwner {
  Columns columns;
  std::int64_t rows = 0;
  bool done = false;
  const char* error = nullptr;
};

// Runs what fills `out`. No exception may cross into a C caller; all that can go wrong here is memory.
template <class Make>
int guarded(ArrowArrayStream* s, const Make& make) {
  auto& owner = *static_cast<StreamOwner*>(s->private_data);
  try {
    make(owner);
    owner.error = nullptr;
    return 0;
  } catch (const std::exception&) {
    owner.error = "turnout: not enough memory for the record batch";
    return ENOMEM;
  }
}

int stream_schema(ArrowArrayStream* s, ArrowSchema* out) {
  return guarded(s, [out](const StreamOwner& owner) { *out = schema_of(owner.columns); });
}

int stream_next(ArrowArrayStream* s, ArrowArray* out) {
  return guarded(s, [out](StreamOwner& owner) {
    *out = owner.done ? ArrowArray{} : array_of(owner.rows, owner.columns);
    owner.done = true;
  });
}

const char* stream_error(ArrowArrayStream* s) { return static_cast<StreamOwner*>(s->private_data)->error; }

void stream_release(ArrowArrayStream* s) {
  delete static_cast<StreamOwner*>(s->private_data);
  s->release = nullptr;
}

Columns shared_columns(const PyBatch& batch) { return std::make_shared<const std::vector<Column>>(columns_of(batch)); }

}  // namespace

py::tuple arrow_array(const PyBatch& batch) {
  const Columns columns = shared_columns(batch);
  return py::make_tuple(
      capsule<ArrowSchema>("arrow_schema", [&](ArrowSchema& s) { s = schema_of(columns); }),
      capsule<ArrowArray>("arrow_array", [&](ArrowArray& a) { a = array_of(batch.rows(), columns); }));
}

py::capsule arrow_stream(const PyBatch& batch) {
  return capsule<ArrowArrayStream>("arrow_array_stream", [&](ArrowArrayStream& s) {
    s = {stream_schema, stream_next, stream_error, stream_release,
         new StreamOwner{shared_columns(batch), batch.rows()}};
  });
}

}  // namespace turnout::python
