#include "live.hpp"

namespace turnout::python {
namespace {

Live make_live(const Array<double>& health, const Array<double>& slowdown, const Array<std::uint8_t>& rules,
               std::uint64_t version) {
  Live live;
  live.version = version;
  live.conditions.resize(static_cast<std::size_t>(health.size()));
  for (std::size_t i = 0; i < live.conditions.size(); ++i) {
    const auto at = static_cast<py::ssize_t>(i);
    live.conditions[i] = {health.at(at), slowdown.at(at), static_cast<trace::Rule>(rules.at(at))};
  }
  return live;
}

}  // namespace

void bind_live(py::module_& m) {
  py::class_<Live>(m, "Live", "Conditions of one router's LLMs.")
      .def(py::init([](const py::object& health, const py::object& slowdown, const py::object& rules,
                       std::uint64_t version) {
             return make_live(exact<double>(health, "health", 1), exact<double>(slowdown, "slowdown", 1),
                              exact<std::uint8_t>(rules, "rules", 1), version);
           }),
           py::kw_only(), py::arg("health"), py::arg("slowdown"), py::arg("rules"), py::arg("version"));
}

}  // namespace turnout::python
