#include "turnout/plan.hpp"

#include "bindings.hpp"

namespace turnout::python {
namespace {

using Sets = std::vector<plan::NodeSet>;

std::vector<int> topological_order(const Sets& depends_on) {
  std::vector<int> order(depends_on.size());
  plan::topological_order(depends_on, order);
  return order;
}

plan::NodeSet ready(const Sets& depends_on, plan::NodeSet done) {
  plan::validate(depends_on);
  return plan::ready(depends_on, done);
}

}  // namespace

void bind_plan(py::module_& m) {
  using plan::Metrics;
  py::class_<Metrics>(m, "PlanMetrics", "Shape and time of a plan.")
      .def_readonly("nodes", &Metrics::nodes)
      .def_readonly("edges", &Metrics::edges)
      .def_readonly("depth", &Metrics::depth)
      .def_readonly("width", &Metrics::width)
      .def_property_readonly("critical_path", [](const Metrics& x) { return x.critical_path.value; })
      .def_readonly("critical_nodes", &Metrics::critical_nodes);
  m.attr("max_nodes") = kMaxNodes;
  m.def("plan_validate", [](const Sets& depends_on) { plan::validate(depends_on); }, py::arg("depends_on"));
  m.def("plan_ready", ready, py::arg("depends_on"), py::arg("done"));
  m.def("plan_order", topological_order, py::arg("depends_on"));
  m.def(
      "plan_metrics",
      [](const Sets& depends_on, const std::vector<double>& seconds) { return plan::metrics(depends_on, seconds); },
      py::arg("depends_on"), py::arg("seconds"));
}

}  // namespace turnout::python
