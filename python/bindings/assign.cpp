#include "turnout/assign.hpp"

#include <chrono>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

#include "bindings.hpp"
#include "turnout/catalog.hpp"

namespace turnout::python {
namespace {

using Matrix = Array<double>;

[[noreturn]] void refuse(const std::string& path, const std::string& expected, double got) {
  throw Error(ErrorKind::input, path, "expected " + expected + ", got " + std::string(py::str(py::float_(got))));
}

void check_not_negative(const std::string& path, double x) {
  if (!(x >= 0 && std::isfinite(x))) refuse(path, "a finite number >= 0", x);
}

void check_share(const std::string& path, double x) {
  if (!(x >= 0 && x <= 1)) refuse(path, "a number in [0, 1]", x);
}

void check_shape(const std::string& path, const py::array& a, py::ssize_t slots, py::ssize_t llms) {
  if (a.shape(0) != slots || a.shape(1) != llms)
    throw Error(ErrorKind::input, path,
                "expected shape [" + std::to_string(slots) + ", " + std::to_string(llms) +
                    "] (slots of the stages, LLMs), got " + std::string(py::str(a.attr("shape"))));
}

// What the C++ core only points to.
struct Columns {
  std::vector<assign::Stage> stages;
  std::vector<std::vector<double>> curves, weights;
  Array<double> quality;
  Matrix usd, usd_bound, seconds, seconds_bound;
  Array<bool> allowed;
  assign::Problem problem;
};

void check_curve(const std::string& path, const std::vector<double>& curve) {
  if (curve.size() != catalog::kCurveKnots)
    refuse(path, std::to_string(catalog::kCurveKnots) + " values", static_cast<double>(curve.size()));
  for (std::size_t k = 0; k < curve.size(); ++k) {
    check_share(path + "[" + std::to_string(k) + "]", curve[k]);
    if (k > 0 && curve[k] < curve[k - 1])
      refuse(path + "[" + std::to_string(k) + "]", "at least the value before it", curve[k]);
  }
}

void check_weights(const std::string& path, const std::vector<double>& weights) {
  if (weights.empty()) throw Error(ErrorKind::input, path, "expected one weight a slot, got none");
  for (std::size_t i = 0; i < weights.size(); ++i) check_share(path + "[" + std::to_string(i) + "]", weights[i]);
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  if (std::abs(sum - 1) > 1e-6) refuse(path, "weights that sum to 1", sum);
}

void add_stage(Columns& c, const py::handle& object) {
  const std::string path = "stages[" + std::to_string(c.stages.size()) + "]";
  assign::Stage stage;
  c.weights.push_back(object.attr("weights").cast<std::vector<double>>());
  c.curves.push_back(object.attr("curve").cast<std::vector<double>>());
  stage.first_slot = c.problem.slots;
  stage.slots = static_cast<int>(c.weights.back().size());
  stage.optional = object.attr("optional").cast<bool>();
  stage.parallel = object.attr("parallel").cast<bool>();
  stage.distinct = object.attr("distinct").cast<bool>();
  stage.fix = object.attr("fix").cast<double>();
  stage.break_ = object.attr("break_").cast<double>();
  check_weights(path + ".weights", c.weights.back());
  check_curve(path + ".curve", c.curves.back());
  check_share(path + ".fix", stage.fix);
  check_share(path + ".break_", stage.break_);
  c.stages.push_back(stage);
  c.problem.slots += stage.slots;
}

void add_stages(Columns& c, const py::sequence& stages) {
  if (stages.size() == 0 || stages.size() > kMaxStages)
    refuse("stages", "1 to " + std::to_string(kMaxStages) + " stages", static_cast<double>(stages.size()));
  for (const py::handle stage : stages) add_stage(c, stage);
  if (c.problem.slots > kMaxNodes)
    refuse("stages", "at most " + std::to_string(kMaxNodes) + " slots in all", c.problem.slots);
  for (std::size_t t = 0; t < c.stages.size(); ++t) {
    c.stages[t].curve = c.curves[t].data();
    c.stages[t].weights = c.weights[t].data();
  }
  c.problem.stages = c.stages;
}

void add_quality(Columns& c, const py::object& quality) {
  c.quality = exact<double>(quality, "quality", 1);
  c.problem.llms = static_cast<int>(c.quality.size());
  if (c.quality.size() == 0 || c.quality.size() > kMaxLlms)
    refuse("quality", "1 to " + std::to_string(kMaxLlms) + " LLMs", static_cast<double>(c.quality.size()));
  for (py::ssize_t m = 0; m < c.quality.size(); ++m) check_share("quality[" + std::to_string(m) + "]", c.quality.at(m));
  c.problem.quality = c.quality.data();
}

Matrix matrix(const Columns& c, const py::object& object, const char* name) {
  Matrix a = exact<double>(object, name, 2);
  check_shape(name, a, c.problem.slots, c.problem.llms);
  for (py::ssize_t s = 0; s < a.shape(0); ++s)
    for (py::ssize_t m = 0; m < a.shape(1); ++m)
      check_not_negative(std::string(name) + "[" + std::to_string(s) + ", " + std::to_string(m) + "]", a.at(s, m));
  return a;
}

double limit(const std::optional<double>& value, const char* name) {
  if (value && !(*value >= 0)) refuse(name, "a number >= 0 or None", *value);
  return value.value_or(std::numeric_limits<double>::infinity());
}

struct Arguments {
  py::object quality, usd, usd_bound, seconds, seconds_bound, allowed;
  double value_usd, usd_per_second;
  std::optional<double> budget, max_seconds;
};

void fill(Columns& c, const py::sequence& stages, const Arguments& a) {
  add_stages(c, stages);
  add_quality(c, a.quality);
  assign::Problem& p = c.problem;
  p.usd = (c.usd = matrix(c, a.usd, "usd")).data();
  p.usd_bound = (c.usd_bound = matrix(c, a.usd_bound, "usd_bound")).data();
  p.seconds = (c.seconds = matrix(c, a.seconds, "seconds")).data();
  p.seconds_bound = (c.seconds_bound = matrix(c, a.seconds_bound, "seconds_bound")).data();
  c.allowed = exact<bool>(a.allowed, "allowed", 2);
  check_shape("allowed", c.allowed, p.slots, p.llms);
  p.allowed = reinterpret_cast<const std::uint8_t*>(c.allowed.data());
  check_not_negative("value_usd", p.value_usd = a.value_usd);
  check_not_negative("usd_per_second", p.usd_per_second = a.usd_per_second);
  p.budget = Usd(limit(a.budget, "budget"));
  p.max_seconds = Seconds(limit(a.max_seconds, "max_seconds"));
}

py::tuple result(const assign::Problem& p, const assign::Solution& s) {
  py::tuple llms(p.slots), skipped(p.stages.size());
  for (int i = 0; i < p.slots; ++i) llms[static_cast<std::size_t>(i)] = static_cast<int>(s.llm[i]);
  for (std::size_t t = 0; t < p.stages.size(); ++t) skipped[t] = s.skipped[t];
  return py::make_tuple(assign::status_name(s.status), llms, skipped, s.quality, s.usd.value, s.usd_bound.value,
                        s.seconds.value, s.seconds_bound.value, s.utility, s.gap, s.labels);
}

assign::Workspace& workspace() {
  thread_local assign::Workspace ws;
  return ws;
}

py::tuple solved(const assign::Problem& p) {
  assign::Solution solution;
  {
    const py::gil_scoped_release release;
    assign::solve(p, workspace(), solution);
  }
  return result(p, solution);
}

Array<double> timed(const assign::Problem& p, int repeats) {
  if (repeats < 1) refuse("repeats", "at least 1", repeats);
  Array<double> us(repeats);
  assign::Solution solution;
  for (int i = 0; i < repeats; ++i) {
    const auto start = std::chrono::steady_clock::now();
    assign::solve(p, workspace(), solution);
    us.mutable_at(i) = std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
  }
  return us;
}

}  // namespace

void bind_assign(py::module_& m) {
  const auto define = [&m](const char* name, const auto& run, const auto&... more) {
    m.def(
        name,
        [run](const py::sequence& stages, py::object quality, py::object usd, py::object usd_bound, py::object seconds,
              py::object seconds_bound, py::object allowed, double value_usd, double usd_per_second,
              std::optional<double> budget, std::optional<double> max_seconds, int repeats) {
          Columns c;
          fill(c, stages,
               {quality, usd, usd_bound, seconds, seconds_bound, allowed, value_usd, usd_per_second, budget,
                max_seconds});
          return run(c.problem, repeats);
        },
        py::arg("stages"), py::arg("quality"), py::arg("usd"), py::arg("usd_bound"), py::arg("seconds"),
        py::arg("seconds_bound"), py::arg("allowed"), py::arg("value_usd"), py::arg("usd_per_second"),
        py::arg("budget"), py::arg("max_seconds"), more...);
  };
  define(
      "assign_solve", [](const assign::Problem& p, int) { return solved(p); }, py::arg("repeats") = 1,
      "See turnout.assign.solve; the fields of its Solution, in their order.");
  define("assign_time", timed, py::arg("repeats"), "Microseconds of each of `repeats` solutions, float64[repeats].");
}

}  // namespace turnout::python
