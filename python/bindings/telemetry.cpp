#include "turnout/telemetry.hpp"

#include <cmath>

#include "bindings.hpp"
#include "clock.hpp"

namespace turnout::python {
namespace {

using namespace telemetry;
using Now = std::optional<double>;  // None: the steady clock

double at(const Now& now) { return now ? *now : steady_seconds(); }

py::bytes to_bytes(const std::vector<std::byte>& data) {
  return {reinterpret_cast<const char*>(data.data()), data.size()};
}
std::span<const std::byte> view(const py::bytes& data) {
  const std::string_view text = data;
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

Kind kind_of(int code) {
  if (code < 0 || code >= kKinds) throw Error(ErrorKind::input, "kind", "there is no kind " + std::to_string(code));
  return static_cast<Kind>(code);
}

Config make_config(double half_life, double prior_weight, const BreakerConfig& breaker, int shards, bool quantiles,
                   const std::vector<int>& capacity, const std::vector<std::tuple<double, double, double>>& limits) {
  Config c{half_life, prior_weight, breaker, shards, quantiles, {}};
  if (limits.size() != capacity.size()) throw Error(ErrorKind::config, "telemetry.limits", "expected one an arm");
  for (std::size_t i = 0; i < capacity.size(); ++i)
    c.arms.push_back({capacity[i], {std::get<0>(limits[i]), std::get<1>(limits[i]), std::get<2>(limits[i])}});
  return c;
}

std::shared_ptr<Telemetry> make(int arms, double half_life, double prior_weight, const BreakerConfig& breaker,
                                int shards, bool quantiles, const std::vector<int>& capacity,
                                const std::vector<std::tuple<double, double, double>>& limits) {
  return std::make_shared<Telemetry>(
      arms, make_config(half_life, prior_weight, breaker, shards, quantiles, capacity, limits));
}

// sequence, now, arm, from, to, cause.
py::tuple event(const Event& e) {
  return py::make_tuple(e.sequence, e.now, e.arm, breaker_name(e.transition.from), breaker_name(e.transition.to),
                        cause_name(e.transition.cause));
}

std::vector<py::tuple> events(const Telemetry& t, std::uint64_t after) {
  std::vector<Event> all(kMaxEvents);
  all.resize(static_cast<std::size_t>(t.events(after, all)));
  std::vector<py::tuple> out;
  for (const Event& e : all) out.push_back(event(e));
  return out;
}

py::object transition(const Transition& t) {
  if (!t) return py::none();
  return py::make_tuple(breaker_name(t.from), breaker_name(t.to), cause_name(t.cause));
}

// A breaker on a caller's clock, which may jump.
struct LoneBreaker {
  CircuitBreaker breaker;
  mutable Timeline timeline;
  explicit LoneBreaker(const BreakerConfig& config) : breaker(config) {}
  double at(double now) const {
    if (!(std::abs(now) <= 1e15))
      throw Error(ErrorKind::input, "now", "expected a number from -1e15 to 1e15, got " + std::to_string(now));
    return timeline.at(now);
  }
};

void bind_breaker(py::module_& m) {
  const BreakerConfig d;
  py::class_<BreakerConfig>(m, "BreakerConfig")
      .def(py::init([](int consecutive, double rate, double min_calls, double cool_down, double backoff, double most,
                       int probes) {
             const BreakerConfig c{consecutive, rate, min_calls, cool_down, backoff, most, probes};
             validate(c);
             return c;
           }),
           py::kw_only(), py::arg("consecutive_failures") = d.consecutive_failures,
           py::arg("failure_rate") = d.failure_rate, py::arg("min_calls") = d.min_calls,
           py::arg("cool_down_seconds") = d.cool_down_seconds, py::arg("backoff") = d.backoff,
           py::arg("max_cool_down_seconds") = d.max_cool_down_seconds, py::arg("probes") = d.probes)
      .def_readonly("consecutive_failures", &BreakerConfig::consecutive_failures)
      .def_readonly("failure_rate", &BreakerConfig::failure_rate)
      .def_readonly("min_calls", &BreakerConfig::min_calls)
      .def_readonly("cool_down_seconds", &BreakerConfig::cool_down_seconds)
      .def_readonly("backoff", &BreakerConfig::backoff)
      .def_readonly("max_cool_down_seconds", &BreakerConfig::max_cool_down_seconds)
      .def_readonly("probes", &BreakerConfig::probes);
  py::class_<LoneBreaker>(m, "CircuitBreaker")
      .def(py::init<const BreakerConfig&>(), py::arg("config"))
      .def(
          "admits", [](const LoneBreaker& b, double now) { return b.breaker.admits(b.at(now)); }, py::arg("now"))
      .def(
          "try_acquire",
          [](LoneBreaker& b, double now) {
            Transition t;
            const bool ok = b.breaker.try_acquire(b.at(now), t);
            return py::make_tuple(ok, transition(t));
          },
          py::arg("now"))
      .def(
          "record",
          [](LoneBreaker& b, bool ok, double now, bool too_many) {
            return transition(b.breaker.record(ok, b.at(now), too_many));
          },
          py::arg("ok"), py::arg("now"), py::arg("too_many"))
      .def(
          "due", [](const LoneBreaker& b, double now) { return b.breaker.due(b.at(now)); }, py::arg("now"))
      .def(
          "state", [](const LoneBreaker& b, double now) { return breaker_name(b.breaker.state(b.at(now))); },
          py::arg("now"))
      .def(
          "retry_after", [](const LoneBreaker& b, double now) { return b.breaker.retry_after(b.at(now)); },
          py::arg("now"));
}

void bind_arm_state(py::module_& m) {
  py::class_<ArmState>(m, "ArmState")
      .def_readonly("health", &ArmState::health)
      .def_readonly("latency_ratio", &ArmState::latency_ratio)
      .def_readonly("seconds", &ArmState::seconds)
      .def_readonly("load", &ArmState::load)
      .def_readonly("rate_limit_proximity", &ArmState::rate_limit_proximity)
      .def_property_readonly("breaker", [](const ArmState& s) { return breaker_name(s.breaker); })
      .def_readonly("updates", &ArmState::updates)
      .def_readonly("calls", &ArmState::calls)
      .def_readonly("calls_per_second", &ArmState::calls_per_second)
      .def_readonly("usd", &ArmState::usd)
      .def_readonly("tokens", &ArmState::tokens)
      .def_readonly("idle_seconds", &ArmState::idle_seconds)
      .def_readonly("retry_after", &ArmState::retry_after)
      .def_readonly("in_flight", &ArmState::in_flight)
      .def_property_readonly("by_kind", [](const ArmState& s) { return std::vector(s.by_kind, s.by_kind + kKinds); })
      .def_property_readonly("transitions",
                             [](const ArmState& s) { return std::vector(s.transitions, s.transitions + 3); });
}

void bind_sketch(py::module_& m) {
  py::class_<QuantileSketch>(m, "QuantileSketch")
      .def(py::init<>())
      .def("add", &QuantileSketch::add, py::arg("value"), py::arg("times") = 1)
      .def(
          "extend",
          [](QuantileSketch& s, const py::object& values) {
            const auto x = exact<double>(values, "values", 1);
            for (py::ssize_t i = 0; i < x.size(); ++i)
              if (!(x.data()[i] >= 0 && x.data()[i] <= buckets::kLargest))
                throw Error(ErrorKind::input, "values[" + std::to_string(i) + "]",
                            "expected a number from 0 to 2^28, got " + std::to_string(x.data()[i]));
            for (py::ssize_t i = 0; i < x.size(); ++i) s.add(x.data()[i]);
          },
          py::arg("values"))
      .def("merge", &QuantileSketch::merge, py::arg("other"))
      .def("quantile", &QuantileSketch::quantile, py::arg("q"))
      .def("share_at_most", &QuantileSketch::share_at_most, py::arg("value"))
      .def("copy", [](const QuantileSketch& s) { return s; })
      .def_property_readonly("count", &QuantileSketch::count)
      .def("save", [](const QuantileSketch& s) { return to_bytes(s.save()); })
      .def_static(
          "load", [](const py::bytes& data) { return QuantileSketch::load(view(data)); }, py::arg("data"))
      .def(py::pickle([](const QuantileSketch& s) { return to_bytes(s.save()); },
                      [](const py::bytes& data) { return QuantileSketch::load(view(data)); }))
      .def("__eq__", [](const QuantileSketch& a, const QuantileSketch& b) { return a == b; }, py::is_operator());
  m.attr("sketch_largest") = buckets::kLargest;
  m.def("sketch_index", &buckets::index, py::arg("value"));
  m.def("sketch_upper_edge", &buckets::upper_edge, py::arg("index"));
}

void bind_drift(py::module_& m) {
  m.def(
      "jensen_shannon",
      [](const py::object& p, const py::object& q, double smoothing) {
        const auto x = exact<double>(p, "p", 1), y = exact<double>(q, "q", 1);
        return jensen_shannon({x.data(), static_cast<std::size_t>(x.size())},
                              {y.data(), static_cast<std::size_t>(y.size())}, smoothing);
      },
      py::arg("p"), py::arg("q"), py::arg("smoothing"));
  py::class_<Drift>(m, "Drift")
      .def(py::init([](int clusters, int arms, double window, double smoothing, int min_count) {
             return std::make_unique<Drift>(clusters, arms, DriftConfig{window, smoothing, min_count});
           }),
           py::arg("clusters"), py::arg("arms"), py::kw_only(), py::arg("window_seconds"), py::arg("smoothing"),
           py::arg("min_count"))
      .def(
          "record", [](Drift& d, int cluster, int arm, const Now& now) { d.record(cluster, arm, at(now)); },
          py::arg("cluster"), py::arg("arm"), py::arg("now"))
      .def(
          "read",
          [](const Drift& d, int cluster, const Now& now) {
            const DriftReport r = d.read(cluster, at(now));
            return py::make_tuple(r.divergence, r.before, r.after, r.enough);
          },
          py::arg("cluster"), py::arg("now"));
}

std::vector<ArmState> read_all(const Telemetry& t, const Now& now) {
  std::vector<ArmState> out(static_cast<std::size_t>(t.arms()));
  t.read(at(now), out);
  return out;
}

std::vector<int> refusing(const Telemetry& t, const Now& now) {
  const double time = at(now);
  std::vector<int> out;
  for (int arm = 0; arm < t.arms(); ++arm)
    if (!t.admits(arm, time)) out.push_back(arm);
  return out;
}

void bind_class(py::module_& m) {
  py::class_<Telemetry, std::shared_ptr<Telemetry>>(m, "Telemetry", "Telemetry of arms by number.")
      .def(py::init(&make), py::arg("arms"), py::kw_only(), py::arg("half_life"), py::arg("prior_weight"),
           py::arg("breaker"), py::arg("shards"), py::arg("quantiles"), py::arg("capacity"), py::arg("limits"))
      .def(
          "record",
          [](Telemetry& t, int arm, bool ok, double seconds, double expected, double usd, double tokens, int kind,
             const Now& now) { t.record(arm, {ok, seconds, expected, usd, tokens, kind_of(kind)}, at(now)); },
          py::arg("arm"), py::arg("ok"), py::arg("seconds"), py::arg("expected_seconds"), py::arg("usd"),
          py::arg("tokens"), py::arg("kind"), py::arg("now"))
      .def(
          "begin", [](Telemetry& t, int arm, const Now& now) { t.begin(arm, at(now)); }, py::arg("arm"), py::arg("now"))
      .def(
          "end", [](Telemetry& t, int arm, const Now& now) { t.end(arm, at(now)); }, py::arg("arm"), py::arg("now"))
      .def(
          "report_rate_limit",
          [](Telemetry& t, int arm, double share, double reset, const Now& now) {
            t.report_rate_limit(arm, share, reset, at(now));
          },
          py::arg("arm"), py::arg("used_share"), py::arg("reset_seconds"), py::arg("now"))
      .def(
          "admits", [](const Telemetry& t, int arm, const Now& now) { return t.admits(arm, at(now)); }, py::arg("arm"),
          py::arg("now"))
      .def(
          "try_acquire", [](Telemetry& t, int arm, const Now& now) { return t.try_acquire(arm, at(now)); },
          py::arg("arm"), py::arg("now"))
      .def(
          "read", [](const Telemetry& t, int arm, const Now& now) { return t.read(arm, at(now)); }, py::arg("arm"),
          py::arg("now"))
      .def("refusing", refusing, py::arg("now"))
      .def("read_all", read_all, py::arg("now"))
      .def("sketch", &Telemetry::sketch, py::arg("arm"))
      .def("quantile", &Telemetry::quantile, py::arg("arm"), py::arg("q"))
      .def("events", events, py::arg("after"))
      .def_property_readonly("version", [](const Telemetry& t) { return t.version(); })
      .def(
          "save", [](const Telemetry& t, const Now& now, std::uint64_t tag) { return to_bytes(t.save(at(now), tag)); },
          py::arg("now"), py::arg("tag"))
      .def(
          "restore",
          [](Telemetry& t, const py::bytes& data, const Now& now, std::uint64_t tag) {
            t.restore(view(data), at(now), tag);
          },
          py::arg("data"), py::arg("now"), py::arg("tag"));
}

}  // namespace

void bind_telemetry(py::module_& m) {
  bind_breaker(m);
  bind_arm_state(m);
  bind_sketch(m);
  bind_drift(m);
  bind_class(m);
  m.def("steady_seconds", steady_seconds, "The steady clock.");
}

}  // namespace turnout::python
