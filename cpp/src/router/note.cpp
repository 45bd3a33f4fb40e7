// The record of a decision for replays: what it was asked, and what it answered. All that the caller asked but the
// query, the rules and the number of tools stands in the decision itself.
#include <algorithm>
#include <cstring>

#include "router/stages.hpp"
#include "turnout/router/note.hpp"

namespace turnout {
namespace {

constexpr std::uint32_t kMagic = 0x324e5254;  // "TRN2"
constexpr std::uint32_t kMostBytes = 1u << 24;
constexpr std::int32_t kMostCapabilities = 1 << 24;  // what damaged bytes may make us allocate

template <class T>
void put(std::vector<std::byte>& out, const T& value) {
  const auto at = out.size();
  out.resize(at + sizeof value);
  std::memcpy(out.data() + at, &value, sizeof value);
}

void put_bytes(std::vector<std::byte>& out, const void* data, std::size_t n) {
  put(out, static_cast<std::uint32_t>(n));
  const auto at = out.size();
  out.resize(at + n);
  if (n > 0) std::memcpy(out.data() + at, data, n);
}

void put_names(std::vector<std::byte>& out, const std::vector<std::string>& names) {
  put(out, static_cast<std::uint32_t>(names.size()));
  for (const std::string& name : names) put_bytes(out, name.data(), name.size());
}

// All LLMs and operators, and of the capabilities those that are mentioned.
void put_all_names(std::vector<std::byte>& out, const trace::Names& names, const trace::Decision& d) {
  put_names(out, names.llms);
  put_names(out, names.operators);
  for (const auto& roles : names.roles) put_names(out, roles);
  put_bytes(out, names.cut_points.data(), names.cut_points.size() * sizeof(double));
  put(out, static_cast<std::uint32_t>(d.tool_count));
  for (int i = 0; i < d.tool_count; ++i) {
    const std::string& name = names.capabilities[static_cast<std::size_t>(d.tools[i].id)];
    put_bytes(out, name.data(), name.size());
  }
}

void put_constraints(std::vector<std::byte>& out, const Constraints* c) {
  put(out, static_cast<std::uint8_t>(c != nullptr));
  if (c == nullptr) return;
  for (const auto* flags : {&c->allowed, &c->denied, &c->disabled}) put_bytes(out, flags->data(), flags->size());
  put(out, c->needs);
  put(out, c->filter.kinds);
  put(out, c->filter.granted);
  put(out, c->filter.cost_bias);
}

class Reader {
 public:
  explicit Reader(std::span<const std::byte> in) : in_(in) {}
  template <class T>
  T get() {
    T value;
    std::memcpy(&value, bytes(sizeof value).data(), sizeof value);
    return value;
  }
  std::span<const std::byte> block() {
    const auto n = get<std::uint32_t>();
    if (n > kMostBytes) throw Error(ErrorKind::input, "note", "a part is longer than 16 MiB");
    return bytes(n);
  }
  std::span<const std::byte> rest() const { return in_; }

 private:
  std::span<const std::byte> bytes(std::size_t n) {
    if (in_.size() < n) throw Error(ErrorKind::input, "note", "ends too early");
    const auto out = in_.first(n);
    in_ = in_.subspan(n);
    return out;
  }
  std::span<const std::byte> in_;
};

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::vector<std::string> get_names(Reader& in) {
  const auto n = in.get<std::uint32_t>();
  if (n > kMaxLlms) throw Error(ErrorKind::input, "note", "has more than 256 names of a kind");
  std::vector<std::string> names(n);
  for (auto& name : names) name = text_of(in.block());
  return names;
}

std::vector<std::uint8_t> get_flags(Reader& in) {
  const auto block = in.block();
  std::vector<std::uint8_t> flags(block.size());
  if (!flags.empty()) std::memcpy(flags.data(), block.data(), flags.size());
  return flags;
}

Constraints get_constraints(Reader& in) {
  Constraints c;
  c.allowed = get_flags(in);
  c.denied = get_flags(in);
  c.disabled = get_flags(in);
  c.needs = in.get<catalog::Policy>();
  c.filter.kinds = in.get<std::uint32_t>();
  c.filter.granted = in.get<std::uint32_t>();
  c.filter.cost_bias = in.get<decltype(c.filter.cost_bias)>();
  return c;
}

template <class T>
std::vector<T> get_vector(Reader& in) {
  const auto block = in.block();
  if (block.size() % sizeof(T) != 0) throw Error(ErrorKind::input, "note", "a vector has a broken number");
  std::vector<T> vector(block.size() / sizeof(T));
  if (!vector.empty()) std::memcpy(vector.data(), block.data(), block.size());
  return vector;
}

// Capabilities follow: their ids are in the decision.
void get_all_names(Reader& in, trace::Names& names, std::vector<std::string>& tools) {
  names.llms = get_names(in);
  names.operators = get_names(in);
  for (std::size_t i = 0; i < names.operators.size(); ++i) names.roles.push_back(get_names(in));
  names.cut_points = get_vector<double>(in);
  tools = get_names(in);
}

void name_tools(const trace::Decision& d, const std::vector<std::string>& tools, trace::Names& names) {
  for (int i = 0; i < d.tool_count && static_cast<std::size_t>(i) < tools.size(); ++i) {
    const std::int32_t id = d.tools[i].id;
    if (id > kMostCapabilities) throw Error(ErrorKind::input, "note", "the id of a tool is out of range");
    if (names.capabilities.size() <= static_cast<std::size_t>(id))
      names.capabilities.resize(static_cast<std::size_t>(id) + 1);
    names.capabilities[static_cast<std::size_t>(id)] = tools[static_cast<std::size_t>(i)];
  }
}

}  // namespace

void stages::pack_note(const Context& c, std::vector<std::byte>& out) {
  const bool text = c.request.learning->learner->config().notes == Notes::texts && !c.out.from_vector;
  put(out, kMagic);
  put(out, static_cast<std::int32_t>(c.request.tools));
  put_constraints(out, c.request.constraints);
  put(out, c.ws.allowance);
  put_all_names(out, c.snapshot.names, c.out);
  put(out, static_cast<std::uint8_t>(text));
  if (text)
    put_bytes(out, c.request.text.data(), c.request.text.size());
  else
    put_bytes(out, c.ws.x, static_cast<std::size_t>(c.snapshot.difficulty->dim()) * sizeof(float));
  trace::pack(c.out, out);
}

Note read_note(std::span<const std::byte> bytes) {
  Reader in(bytes);
  if (in.get<std::uint32_t>() != kMagic) throw Error(ErrorKind::input, "note", "unknown format");
  Note note;
  note.tools = in.get<std::int32_t>();
  if (in.get<std::uint8_t>() != 0) note.constraints = get_constraints(in);
  note.allowance = in.get<double>();
  std::vector<std::string> tools;
  get_all_names(in, note.names, tools);
  note.is_text = in.get<std::uint8_t>() != 0;
  if (note.is_text)
    note.text = text_of(in.block());
  else
    note.vector = get_vector<float>(in);
  note.decision = trace::unpack(in.rest());
  const trace::Decision& d = note.decision;
  name_tools(d, tools, note.names);
  trace::check_names(d, note.names);
  note.conditions.assign(d.conditions, d.conditions + d.condition_count);
  return note;
}

namespace {

template <class T>
std::vector<T> renamed(const std::vector<T>& items, const std::vector<std::string>& from,
                       const std::vector<std::string>& to) {
  if (items.empty()) return {};
  std::vector<T> out(to.size());
  for (std::size_t i = 0; i < to.size(); ++i) {
    const auto at = static_cast<std::size_t>(std::find(from.begin(), from.end(), to[i]) - from.begin());
    if (at < items.size()) out[i] = items[at];
  }
  return out;
}

const float* vector_of(const Note& note, int dim) {
  const std::size_t given = note.vector.size();
  if (given != static_cast<std::size_t>(dim))
    throw Error(ErrorKind::input, "note",
                "its vector has " + std::to_string(given) + " numbers, this router's have " + std::to_string(dim));
  return note.vector.data();
}

}  // namespace

void rename(Note& note, const trace::Names& names) {
  note.conditions = renamed(note.conditions, note.names.llms, names.llms);
  if (!note.constraints) return;
  Constraints& c = *note.constraints;
  c.allowed = renamed(c.allowed, note.names.llms, names.llms);
  c.denied = renamed(c.denied, note.names.llms, names.llms);
  c.disabled = renamed(c.disabled, note.names.operators, names.operators);
}

Request request_of(const Note& note, int dim) {
  const trace::Decision& d = note.decision;
  Request in;
  if (note.is_text)
    in.text = note.text;
  else if (!d.has(trace::Reason::no_text))  // which has no vector
    in.vector = vector_of(note, dim);
  in.in_tokens = d.in_tokens;
  in.value_usd = d.value_usd;
  in.usd_per_second = d.usd_per_second;
  in.budget = d.budget;
  in.max_seconds = d.max_seconds;
  in.statistic = d.statistic;
  in.max_calls = d.max_calls;
  in.max_tokens = d.max_tokens;
  in.sample = d.has(trace::Reason::sampled);
  in.seed = d.seed;
  in.tools = note.tools;
  if (note.constraints) in.constraints = &*note.constraints;
  in.conditions = note.conditions;
  in.telemetry_version = d.telemetry_version;
  in.draw = static_cast<std::int64_t>(d.draw);
  in.allowance = note.allowance;
  return in;
}

}  // namespace turnout
