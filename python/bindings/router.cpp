#include "router.hpp"

#include <algorithm>
#include <limits>

#include "batch.hpp"
#include "decision.hpp"
#include "difficulty.hpp"
#include "learner.hpp"
#include "live.hpp"
#include "turnout/router/note.hpp"

namespace turnout::python {
namespace {

// The options of a call travel as one tuple: fewer arguments than pybind11 keeps without a heap allocation. What it
// cannot read is a Python TypeError or OverflowError; turnout.arguments says which option it was.
class OptionReader {
 public:
  explicit OptionReader(const py::tuple& options) : options_(options) {
    if (options.size() != 15) throw py::type_error("options: expected 15, got " + std::to_string(options.size()));
  }

  double number() { return checked(PyFloat_AsDouble(next().ptr())); }
  double limit() { return peek().is_none() ? skip(std::numeric_limits<double>::infinity()) : number(); }
  int integer() {
    const long value = checked(PyLong_AsLong(index(next()).ptr()));
    if (value < std::numeric_limits<int>::min() || value > std::numeric_limits<int>::max())
      throw py::type_error("an option is no int of 32 bits");
    return static_cast<int>(value);
  }
  std::optional<int> maybe_integer() { return peek().is_none() ? skip(std::optional<int>()) : integer(); }
  std::optional<std::uint64_t> maybe_seed() {
    if (peek().is_none()) return skip(std::optional<std::uint64_t>());
    return checked(PyLong_AsUnsignedLongLong(index(next()).ptr()));
  }
  std::optional<std::int64_t> maybe_count() {
    if (peek().is_none()) return skip(std::optional<std::int64_t>());
    return checked(PyLong_AsLongLong(index(next()).ptr()));
  }
  const PyAccount* account() {
    const py::handle given = next();
    if (given.is_none()) return nullptr;
    if (!py::isinstance<PyAccount>(given)) throw py::type_error("account: no account of a ledger");
    return given.cast<const PyAccount*>();
  }
  const Live* live() { return next().cast<const Live*>(); }
  const Constraints* constraints() { return next().cast<const Constraints*>(); }
  const Attachment* learning() { return next().cast<const Attachment*>(); }

 private:
  py::handle peek() const { return PyTuple_GET_ITEM(options_.ptr(), at_); }
  py::handle next() { return PyTuple_GET_ITEM(options_.ptr(), at_++); }
  template <class T>
  T skip(T value) {
    ++at_;
    return value;
  }
  static py::object index(py::handle value) {
    py::object number = py::reinterpret_steal<py::object>(PyNumber_Index(value.ptr()));
    if (!number) throw py::error_already_set();
    return number;
  }
  template <class T>
  static T checked(T value) {
    if (value == static_cast<T>(-1) && PyErr_Occurred() != nullptr) throw py::error_already_set();
    return value;
  }

  const py::tuple& options_;
  py::ssize_t at_ = 0;
};

struct Asked {
  Request request;
  const Live* live = nullptr;          // null: as the catalog says
  const PyAccount* account = nullptr;  // null: none
  double ttl = 60;
};

Asked read_options(const py::tuple& options) {
  OptionReader read(options);
  Asked asked;
  Request& r = asked.request;
  r.value_usd = read.number();
  r.budget = Usd(read.limit());
  r.max_seconds = Seconds(read.limit());
  const std::optional<int> in_tokens = read.maybe_integer();
  if (in_tokens.value_or(0) < 0)
    throw Error(ErrorKind::input, "in_tokens", "expected a number >= 0, got " + std::to_string(*in_tokens));
  r.in_tokens = in_tokens.value_or(-1);
  r.statistic = static_cast<trace::Statistic>(read.integer());
  r.constraints = read.constraints();
  const std::optional<std::uint64_t> seed = read.maybe_seed();
  r.sample = seed.has_value();
  r.seed = seed.value_or(0);
  r.tools = read.integer();
  r.usd_per_second = read.number();
  r.max_calls = read.maybe_count().value_or(trace::kNoCallLimit);
  r.max_tokens = read.limit();
  asked.live = read.live();
  asked.account = read.account();
  asked.ttl = read.number();
  r.learning = read.learning();
  return asked;
}

// A limit that depends on the query's length needs that length, and so does a reservation.
void check_tokens(const Asked& asked) {
  const Request& r = asked.request;
  if (r.vector == nullptr || r.in_tokens >= 0) return;
  if (r.budget.limited() || r.max_tokens < std::numeric_limits<double>::infinity() || asked.account != nullptr)
    throw Error(ErrorKind::input, "in_tokens",
                "a budget, a limit on tokens or an account with a vector needs the query's length: pass in_tokens=");
}

// LLMs that the learner suspends join those that telemetry excludes.
void leave_out(Request& request, bool batch) {
  Learner& learner = *request.learning->learner;
  if (!learner.suspends()) return;
  thread_local std::vector<trace::Condition> buffer;
  buffer.resize(request.learning->arms.size());
  std::fill(buffer.begin(), buffer.end(), trace::Condition());
  std::copy(request.conditions.begin(), request.conditions.end(), buffer.begin());
  if (learner.suspend(request.learning->arms, !batch, buffer)) request.conditions = buffer;
}

// Last of all that may run Python code, for what it reads holds until this thread reads again.
void read_present(Asked& asked, bool batch = false) {
  if (asked.live != nullptr) asked.live->read(asked.request);
  if (asked.request.learning != nullptr) leave_out(asked.request, batch);
}

void route_on(PyRouter& self, Asked& asked, PyDecision& out) {
  const PyAccount account = *asked.account;  // holds the ledger while the GIL is not held
  const Purse purse{&account.owner->ledger, account.id, account.owner->now(), asked.ttl};
  read_present(asked);
  {
    const py::gil_scoped_release release;
    Lease ws(self.pool);
    self.router.route(asked.request, purse, *ws, out.d);
  }
  if (out.d.reservation != 0) out.ledger = account.owner;
}

std::unique_ptr<PyDecision> route(PyRouter& self, const py::object& query, const py::tuple& options) {
  Asked asked = read_options(options);
  Request& request = asked.request;
  std::optional<TextView> text;
  if (is_text(query)) {
    text.emplace(query);
    request.text = text->view();
  } else {
    request.vector = vector_data(query, self.router.dim(), self.names->embedder);
    check_tokens(asked);
  }
  std::unique_ptr<PyDecision> decision(new PyDecision{self.names, {}});
  if (asked.account != nullptr) {
    route_on(self, asked, *decision);
    return decision;
  }
  read_present(asked);
  {
    const py::gil_scoped_release release;
    Lease ws(self.pool);
    self.router.route(request, *ws, decision->d);
  }
  return decision;
}

// Decisions are made a window at a time and kept packed: memory follows what is used of each record.
template <class RouteRows>
std::unique_ptr<PyBatch> collect(PyRouter& self, int rows, int threads, const RouteRows& route_rows) {
  auto batch = std::make_unique<PyBatch>(self.names, rows);
  const py::gil_scoped_release release;
  in_threads(rows, threads, [&](int from, int to) {
    Lease ws(self.pool);
    std::vector<trace::Decision> window(static_cast<std::size_t>(std::min(kMaxBatch, to - from)));
    for (int start = from; start < to; start += kMaxBatch) {
      const int n = std::min(kMaxBatch, to - start);
      route_rows(start, n, *ws, window.data());
      batch->store(start, n, window.data());
    }
  });
  return batch;
}

// Of a batch's rows, whichever thread decides them.
std::uint64_t draws(const Request& common, std::int64_t rows) {
  return common.learning == nullptr ? 0 : common.learning->learner->draws(static_cast<std::uint64_t>(rows));
}

std::unique_ptr<PyBatch> route_vectors(PyRouter& self, const py::object& rows, const py::tuple& options, int threads) {
  const auto array = vectors_of(self, rows);
  Asked asked = read_options(options);
  asked.request.vector = array.data();
  check_tokens(asked);
  read_present(asked, true);
  const Request& common = asked.request;
  const std::uint64_t draw = draws(common, array.shape(0));
  const float* data = array.data();
  const std::ptrdiff_t dim = self.router.dim();
  return collect(self, static_cast<int>(array.shape(0)), threads,
                 [&](int start, int n, Router::Workspace& ws, trace::Decision* out) {
                   Request in = common;
                   in.row = start;
                   in.draw = static_cast<std::int64_t>(draw) + start;
                   self.router.route_batch(data + start * dim, n, in, ws, out);
                 });
}

std::unique_ptr<PyBatch> route_texts(PyRouter& self, const py::sequence& texts, const py::tuple& options, int threads) {
  const Texts held(texts);
  Asked asked = read_options(options);
  read_present(asked, true);
  const Request& common = asked.request;
  const std::uint64_t draw = draws(common, static_cast<std::int64_t>(held.views.size()));
  return collect(self, static_cast<int>(held.views.size()), threads,
                 [&](int start, int n, Router::Workspace& ws, trace::Decision* out) {
                   Request in = common;
                   in.row = start;
                   in.draw = static_cast<std::int64_t>(draw) + start;
                   self.router.route_batch(held.rows(start, n), in, ws, out);
                 });
}

// What a vector in place of its text cannot tell, and what an account said, which is in the limits and the value.
void take_over(const trace::Decision& was, bool text, trace::Decision& anew) {
  anew.on_account = was.on_account;
  anew.pressure = was.pressure;
  if (text) return;
  anew.from_vector = was.from_vector;
  anew.kept_tokens = was.kept_tokens;
  anew.reasons |= was.reasons & trace::bit(trace::Reason::truncated);
}

// A logged decision and the same question again: (the ids it stands for, recorded, anew).
py::tuple replay(PyRouter& self, const py::bytes& bytes, const Attachment* learning) {
  const std::string_view view = bytes;
  Note note = read_note({reinterpret_cast<const std::byte*>(view.data()), view.size()});
  auto names = std::make_shared<trace::Names>(note.names);
  names->bundle = self.names->bundle;
  names->bundle_version = self.names->bundle_version;
  names->embedder = self.names->embedder;
  auto anew = std::make_unique<PyDecision>(PyDecision{self.names, {}});
  rename(note, *self.names);
  Request request = request_of(note, self.router.dim());
  const trace::Decision& was = note.decision;
  request.learning = learning;
  {
    const py::gil_scoped_release release;
    Lease ws(self.pool);
    self.router.decide(request, *ws, anew->d);
  }
  take_over(was, note.is_text, anew->d);
  return py::make_tuple(PyDecision{std::move(names), note.decision}, std::move(anew));
}

Array<float> embed(PyRouter& self, const py::object& query) {
  const auto& embedder = self.router.snapshot().embedder;
  if (!embedder) throw Error(ErrorKind::input, "query", "this router has no text embedder");
  if (!is_text(query)) throw py::type_error("query: expected str or bytes");
  const TextView text(query);
  Array<float> out(self.router.dim());
  float* data = out.mutable_data();
  {
    const py::gil_scoped_release release;
    embed::Workspace ws;
    embedder->embed(text.view(), ws, data);
  }
  out.attr("flags").attr("writeable") = false;
  return out;
}

int count_tokens(PyRouter& self, const py::object& query) {
  const auto& embedder = self.router.snapshot().embedder;
  if (!embedder)
    throw Error(ErrorKind::input, "query", "this router has no text embedder to count tokens with: pass in_tokens=");
  if (!is_text(query)) throw py::type_error("query: expected str or bytes");
  const TextView text(query);
  const py::gil_scoped_release release;
  embed::Workspace ws;
  return embedder->count(text.view(), ws);
}

std::unique_ptr<PyRouter> make_router(std::vector<catalog::Llm> llms, std::vector<catalog::Operator> opers,
                                      std::vector<catalog::Capability> capabilities,
                                      std::shared_ptr<embed::Embedder> embedder, const SharedModel& model,
                                      std::shared_ptr<capability::Index> index, const operators::Config& config,
                                      const std::string& bundle, const std::string& version,
                                      const std::string& embedder_name) {
  Snapshot s;
  s.catalog.llms = std::move(llms);
  s.catalog.operators = std::move(opers);
  s.catalog.capabilities = std::move(capabilities);
  s.embedder = std::move(embedder);
  s.difficulty = std::shared_ptr<const difficulty::Model>(model, &model->model);
  s.capability = std::move(index);
  s.operators = config;
  s.names.bundle = bundle;
  s.names.bundle_version = version;
  s.names.embedder = embedder_name;
  return std::make_unique<PyRouter>(std::move(s));
}

std::vector<std::uint8_t> flags(const std::vector<bool>& bits) { return {bits.begin(), bits.end()}; }

Constraints make_constraints(const std::vector<bool>& allowed, const std::vector<bool>& denied,
                             const std::vector<bool>& disabled, std::uint32_t needs, std::uint32_t kinds,
                             std::uint32_t granted, double cost_bias) {
  Constraints c;
  c.allowed = flags(allowed);
  c.denied = flags(denied);
  c.disabled = flags(disabled);
  c.needs = needs;
  c.filter.kinds = kinds;
  c.filter.granted = granted;
  c.filter.cost_bias = cost_bias;
  return c;
}

}  // namespace

void bind_router(py::module_& m) {
  m.def(
      "note_state_version",
      [](const py::bytes& bytes) {
        const std::string_view view = bytes;
        return read_note({reinterpret_cast<const std::byte*>(view.data()), view.size()}).decision.state_version;
      },
      "Of the decision in a note: the version of the state that it read.");
  py::class_<Constraints>(m, "Constraints", "Rules of one caller, compiled against one router's pool.")
      .def(py::init(&make_constraints), py::kw_only(), py::arg("allowed"), py::arg("denied"), py::arg("disabled"),
           py::arg("needs"), py::arg("kinds"), py::arg("granted"), py::arg("cost_bias"));

  py::class_<PyRouter> router(m, "Router");
  router
      .def(py::init(&make_router), py::kw_only(), py::arg("llms"), py::arg("operators"), py::arg("capabilities"),
           py::arg("embedder"), py::arg("difficulty"), py::arg("index"), py::arg("config"), py::arg("bundle"),
           py::arg("version"), py::arg("embedder_name"))
      .def("route", route)
      .def("route_vectors", route_vectors)
      .def("route_texts", route_texts)
      .def("replay", replay)
      .def("attach", [](const PyRouter& self, const SharedLearner& learner) { return attach(learner, self.router); })
      .def("embed", embed)
      .def("count_tokens", count_tokens)
      .def_property_readonly("embedder_name", [](const PyRouter& self) { return self.names->embedder; })
      .def(
          "capsule", [](const PyRouter& self) { return py::capsule(&self.router, "turnout.Router"); },
          "The C++ Router, for a binding of one's own over the same build; valid while this object lives.")
      .def_property_readonly("dim", [](const PyRouter& self) { return self.router.dim(); })
      .def_property_readonly("llms", [](const PyRouter& self) { return self.names->llms; })
      .def_property_readonly("operators", [](const PyRouter& self) { return self.names->operators; })
      .def_property_readonly("capabilities", [](const PyRouter& self) { return self.names->capabilities; });
  bind_predict(router);
}

}  // namespace turnout::python
