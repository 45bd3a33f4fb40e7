#include "turnout/router.hpp"

#include <limits>
#include <mutex>
#include <thread>

#include "batch.hpp"
#include "decision.hpp"
#include "difficulty.hpp"
#include "query.hpp"

namespace turnout::python {
namespace {

// Workspaces are kept and handed out, so that a warm call finds its buffers grown and its tensors bound.
class WorkspacePool {
 public:
  explicit WorkspacePool(const Router& router) : router_(router) {}
  using Pointer = decltype(std::declval<Router>().workspace());

  Pointer take() {
    {
      const std::lock_guard lock(mutex_);
      if (!free_.empty()) {
        Pointer ws = std::move(free_.back());
        free_.pop_back();
        return ws;
      }
    }
    return router_.workspace();
  }
  void give(Pointer ws) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(ws));
  }

 private:
  const Router& router_;
  std::mutex mutex_;
  std::vector<Pointer> free_;
};

class Lease {
 public:
  explicit Lease(WorkspacePool& pool) : pool_(pool), ws_(pool.take()) {}
  ~Lease() { pool_.give(std::move(ws_)); }
  Router::Workspace& operator*() { return *ws_; }

 private:
  WorkspacePool& pool_;
  WorkspacePool::Pointer ws_;
};

struct PyRouter {
  explicit PyRouter(Snapshot snapshot)
      : router(std::move(snapshot)), names(std::make_shared<const trace::Names>(router.snapshot().names)), pool(router) {
    pool.give(router.workspace());
  }
  Router router;
  SharedNames names;
  WorkspacePool pool;
};

double or_unlimited(const std::optional<double>& value) {
  return value.value_or(std::numeric_limits<double>::infinity());
}

struct Options {
  double value_usd, usd_per_second;
  std::optional<double> budget_usd, max_seconds;
  std::optional<int> in_tokens;
  int statistic, tools;
  std::optional<std::uint64_t> seed;
  const Constraints* constraints;
};

Request request_of(const Options& o) {
  Request r;
  r.value_usd = o.value_usd;
  r.usd_per_second = o.usd_per_second;
  r.budget = Usd(or_unlimited(o.budget_usd));
  r.max_seconds = Seconds(or_unlimited(o.max_seconds));
  if (o.in_tokens.value_or(0) < 0)
    throw Error(ErrorKind::input, "in_tokens", "expected a number >= 0, got " + std::to_string(*o.in_tokens));
  r.in_tokens = o.in_tokens.value_or(-1);
  r.statistic = static_cast<trace::Statistic>(o.statistic);
  r.tools = o.tools;
  r.sample = o.seed.has_value();
  r.seed = o.seed.value_or(0);
  r.constraints = o.constraints;
  return r;
}

// A limit that depends on the query's length needs that length.
void check_tokens(const Request& r) {
  if (r.vector != nullptr && r.in_tokens < 0 && r.budget.limited())
    throw Error(ErrorKind::input, "in_tokens", "a budget with a vector needs the query's length: pass in_tokens=");
}

std::unique_ptr<PyDecision> route(PyRouter& self, const py::object& query, const Options& options) {
  Request request = request_of(options);
  std::optional<TextView> text;
  if (is_text(query)) {
    text.emplace(query);
    request.text = text->view();
  } else {
    request.vector = vector_data(query, self.router.dim(), self.names->embedder);
    check_tokens(request);
  }
  std::unique_ptr<PyDecision> decision(new PyDecision{self.names, {}});
  {
    const py::gil_scoped_release release;
    Lease ws(self.pool);
    self.router.route(request, *ws, decision->d);
  }
  return decision;
}

// Rows are split over threads in equal runs; each run is what one thread alone would have given.
template <class Run>
void in_threads(int rows, int threads, const Run& run) {
  const int workers = std::clamp(threads, 1, std::max(1, rows));
  std::vector<std::exception_ptr> errors(static_cast<std::size_t>(workers));
  const auto work = [&](int w) {
    try {
      run(rows * w / workers, rows * (w + 1) / workers);
    } catch (...) {
      errors[static_cast<std::size_t>(w)] = std::current_exception();
    }
  };
  std::vector<std::thread> others;
  for (int w = 1; w < workers; ++w) others.emplace_back(work, w);
  work(0);
  for (auto& thread : others) thread.join();
  for (const auto& error : errors)
    if (error) std::rethrow_exception(error);
}

// Decisions are made a window at a time and kept packed: memory follows what is used of each record.
constexpr int kWindow = kMaxBatch;

template <class RouteRows>
std::unique_ptr<PyBatch> collect(PyRouter& self, int rows, int threads, const RouteRows& route_rows) {
  auto batch = std::make_unique<PyBatch>(self.names, rows);
  const py::gil_scoped_release release;
  in_threads(rows, threads, [&](int from, int to) {
    Lease ws(self.pool);
    std::vector<trace::Decision> window(static_cast<std::size_t>(std::min(kWindow, to - from)));
    for (int start = from; start < to; start += kWindow) {
      const int n = std::min(kWindow, to - start);
      route_rows(start, n, *ws, window.data());
      batch->store(start, n, window.data());
    }
  });
  return batch;
}

std::unique_ptr<PyBatch> route_vectors(PyRouter& self, const py::object& rows, const Options& options, int threads) {
  const auto array = exact<float>(rows, "queries", 2);
  if (array.shape(1) != self.router.dim())
    throw Error(ErrorKind::input, "queries",
                "expected float32[N, " + std::to_string(self.router.dim()) + "], as '" + self.names->embedder + "' gives, got [N, " +
                    std::to_string(array.shape(1)) + "]");
  Request common = request_of(options);
  common.vector = array.data();
  check_tokens(common);
  const float* data = array.data();
  const std::ptrdiff_t dim = self.router.dim();
  return collect(self, static_cast<int>(array.shape(0)), threads,
                 [&](int start, int n, Router::Workspace& ws, trace::Decision* out) {
                   self.router.route_batch(data + start * dim, n, common, ws, out);
                 });
}

std::unique_ptr<PyBatch> route_texts(PyRouter& self, const py::sequence& texts, const Options& options, int threads) {
  std::vector<TextView> views;
  std::vector<std::string_view> data;
  views.reserve(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const py::object item = texts[i];
    if (!is_text(item))
      throw py::type_error("queries[" + std::to_string(i) + "]: expected str or bytes, got " +
                           std::string(py::str(py::type::of(item).attr("__name__"))));
    views.emplace_back(item);
    data.push_back(views.back().view());
  }
  const Request common = request_of(options);
  return collect(self, static_cast<int>(data.size()), threads,
                 [&](int start, int n, Router::Workspace& ws, trace::Decision* out) {
                   self.router.route_batch({data.data() + start, static_cast<std::size_t>(n)}, common, ws, out);
                 });
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
  if (!embedder) throw Error(ErrorKind::input, "query", "this router has no text embedder to count tokens with: pass in_tokens=");
  if (!is_text(query)) throw py::type_error("query: expected str or bytes");
  const TextView text(query);
  const py::gil_scoped_release release;
  embed::Workspace ws;
  return embedder->count(text.view(), ws);
}

trace::Names names_of(const catalog::Catalog& c, const operators::Config& config, const std::string& bundle,
                      const std::string& version, const std::string& embedder) {
  trace::Names n{bundle, version, embedder, {}, {}, {}, {}, {}};
  for (const auto& llm : c.llms) n.llms.push_back(llm.id);
  for (const auto& capability : c.capabilities) n.capabilities.push_back(capability.id);
  for (const auto& oper : c.operators) {
    n.operators.push_back(oper.id);
    n.roles.emplace_back();
    for (const auto& slot : oper.slots) n.roles.back().push_back(slot.role);
  }
  if (config.depth_rule == operators::DepthRule::cut_points) n.cut_points = config.cut_points;
  return n;
}

std::unique_ptr<PyRouter> make_router(std::vector<catalog::Llm> llms, std::vector<catalog::Operator> opers,
                                      std::vector<catalog::Capability> capabilities,
                                      std::shared_ptr<embed::Embedder> embedder, const SharedModel& model,
                                      std::shared_ptr<capability::Index> index, const operators::Config& config,
                                      const std::string& bundle, const std::string& version, const std::string& embedder_name) {
  Snapshot s;
  s.catalog.llms = std::move(llms);
  s.catalog.operators = std::move(opers);
  s.catalog.capabilities = std::move(capabilities);
  s.embedder = std::move(embedder);
  s.difficulty = std::shared_ptr<const difficulty::Model>(model, &model->model);
  s.capability = std::move(index);
  s.operators = config;
  s.names = names_of(s.catalog, config, bundle, version, embedder_name);
  return std::make_unique<PyRouter>(std::move(s));
}

std::vector<std::uint8_t> flags(const std::vector<bool>& bits) { return {bits.begin(), bits.end()}; }

Constraints make_constraints(const std::vector<bool>& allowed, const std::vector<bool>& denied, const std::vector<bool>& disabled,
                             std::uint32_t needs, std::uint32_t kinds, std::uint32_t granted, double cost_bias) {
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

Array<float> predict(PyRouter& self, const py::object& rows) {
  const auto array = exact<float>(rows, "queries", 2);
  if (array.shape(1) != self.router.dim()) throw Error(ErrorKind::input, "queries", "expected float32[N, " + std::to_string(self.router.dim()) + "]");
  const auto llms = static_cast<py::ssize_t>(self.names->llms.size());
  Array<float> out({array.shape(0), llms});
  const float* x = array.data();
  float* row = out.mutable_data();
  const py::ssize_t n = array.shape(0), dim = array.shape(1);
  const py::gil_scoped_release release;
  const auto& model = *self.router.snapshot().difficulty;
  auto ws = model.workspace();
  std::vector<double> quality(static_cast<std::size_t>(llms));
  difficulty::Assessment a;
  for (py::ssize_t i = 0; i < n; ++i, x += dim, row += llms) {
    model.assess(x, ws, a);
    self.router.predict(a, quality.data());
    std::copy(quality.begin(), quality.end(), row);
  }
  return out;
}

}  // namespace

void bind_router(py::module_& m) {
  py::class_<Constraints>(m, "Constraints", "Rules of one caller, compiled against one router's pool.")
      .def(py::init(&make_constraints), py::kw_only(), py::arg("allowed"), py::arg("denied"), py::arg("disabled"),
           py::arg("needs"), py::arg("kinds"), py::arg("granted"), py::arg("cost_bias"));

  const auto options = [](double value_usd, std::optional<double> budget_usd, std::optional<double> max_seconds, std::optional<int> in_tokens,
                          int statistic, const Constraints* constraints, std::optional<std::uint64_t> seed, int tools,
                          double usd_per_second) {
    return Options{value_usd, usd_per_second, budget_usd, max_seconds, in_tokens, statistic, tools, seed, constraints};
  };
  py::class_<PyRouter>(m, "Router")
      .def(py::init(&make_router), py::kw_only(), py::arg("llms"), py::arg("operators"), py::arg("capabilities"), py::arg("embedder"),
           py::arg("difficulty"), py::arg("index"), py::arg("config"), py::arg("bundle"), py::arg("version"), py::arg("embedder_name"))
      .def(
          "route",
          [options](PyRouter& self, const py::object& query, double value_usd, std::optional<double> budget_usd,
                    std::optional<double> max_seconds, std::optional<int> in_tokens, int statistic, const Constraints* constraints,
                    std::optional<std::uint64_t> seed, int tools, double usd_per_second) {
            return route(self, query,
                         options(value_usd, budget_usd, max_seconds, in_tokens, statistic, constraints, seed, tools, usd_per_second));
          })
      .def("route_vectors",
           [options](PyRouter& self, const py::object& rows, double value_usd, std::optional<double> budget_usd,
                     std::optional<double> max_seconds, std::optional<int> in_tokens, int statistic, const Constraints* constraints,
                     std::optional<std::uint64_t> seed, int tools, double usd_per_second, int threads) {
             return route_vectors(self, rows,
                                  options(value_usd, budget_usd, max_seconds, in_tokens, statistic, constraints, seed, tools, usd_per_second),
                                  threads);
           })
      .def("route_texts",
           [options](PyRouter& self, const py::sequence& texts, double value_usd, std::optional<double> budget_usd,
                     std::optional<double> max_seconds, std::optional<int> in_tokens, int statistic, const Constraints* constraints,
                     std::optional<std::uint64_t> seed, int tools, double usd_per_second, int threads) {
             return route_texts(self, texts,
                                options(value_usd, budget_usd, max_seconds, in_tokens, statistic, constraints, seed, tools, usd_per_second),
                                threads);
           })
      .def("embed", embed)
      .def("count_tokens", count_tokens)
      .def("predict", predict)
      .def_property_readonly("embedder_name", [](const PyRouter& self) { return self.names->embedder; })
      .def("capsule", [](const PyRouter& self) { return py::capsule(&self.router, "turnout.Router"); },
           "The C++ Router, for a binding of one's own over the same build; valid while this object lives.")
      .def_property_readonly("dim", [](const PyRouter& self) { return self.router.dim(); })
      .def_property_readonly("llms", [](const PyRouter& self) { return self.names->llms; })
      .def_property_readonly("operators", [](const PyRouter& self) { return self.names->operators; })
      .def_property_readonly("capabilities", [](const PyRouter& self) { return self.names->capabilities; });
}

}  // namespace turnout::python
