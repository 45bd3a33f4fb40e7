#include "live.hpp"

#include "budget.hpp"

namespace turnout::python {
namespace {

Live fixed(const Array<double>& health, const Array<double>& slowdown, const Array<std::uint8_t>& rules) {
  Live live;
  live.fixed.resize(static_cast<std::size_t>(health.size()));
  for (std::size_t i = 0; i < live.fixed.size(); ++i) {
    const auto at = static_cast<py::ssize_t>(i);
    live.fixed[i] = {health.at(at), slowdown.at(at), static_cast<trace::Rule>(rules.at(at))};
  }
  return live;
}

// `arms` comes from turnout.live, which looked the LLMs up by name.
Live watching(std::shared_ptr<telemetry::Telemetry> telemetry, const std::vector<std::int32_t>& arms,
              const py::object& clock) {
  for (std::size_t i = 0; i < arms.size(); ++i)
    if (arms[i] >= telemetry->arms())
      throw Error(ErrorKind::input, "arms[" + std::to_string(i) + "]", "there is no such arm");
  Live live;
  live.telemetry = std::move(telemetry);
  live.arms = arms;
  live.clock = clock;
  return live;
}

}  // namespace

void Live::read(Request& request) const {
  if (!telemetry) {
    request.conditions = fixed;
    return;
  }
  const double now = read_clock(clock);  // Python code: it may come here itself, so the buffer is filled after it
  thread_local std::vector<trace::Condition> buffer;
  buffer.resize(arms.size());
  request.telemetry_version = read_conditions(*telemetry, arms, now, buffer);
  request.conditions = buffer;
}

void bind_live(py::module_& m) {
  py::class_<Live>(m, "Live", "What a call reads of the present: conditions of one router's LLMs.")
      .def_static(
          "fixed",
          [](const py::object& health, const py::object& slowdown, const py::object& rules) {
            return fixed(exact<double>(health, "health", 1), exact<double>(slowdown, "slowdown", 1),
                         exact<std::uint8_t>(rules, "rules", 1));
          },
          py::arg("health"), py::arg("slowdown"), py::arg("rules"))
      .def_static("watching", watching, py::arg("telemetry"), py::arg("arms"), py::arg("clock"));
}

}  // namespace turnout::python
