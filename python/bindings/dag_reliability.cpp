#include "turnout/plan/reliability.hpp"

#include "dag.hpp"
#include "read.hpp"

namespace turnout::python {
namespace {

plan::Dag dag_of(int nodes, const py::object& edges) {
  plan::Dag dag;
  dag.assign(nodes, edges_of(edges));
  return dag;
}

// (method, width, lower, upper, sinks_lower, sinks_upper, all)
py::tuple reliability(const py::object& edges, const py::object& p, const py::object& q, const py::object& retries,
                      int max_width, bool bounds) {
  const auto success = column<double>(p, "p"), degraded = column<double>(q, "q");
  const auto tries = column<std::int32_t>(retries, "retries");
  const plan::Dag dag = dag_of(static_cast<int>(success.size()), edges);
  plan::Reliability r;
  {
    const py::gil_scoped_release release;
    r = plan::reliability(dag, success, degraded, tries, {max_width, bounds});
  }
  return py::make_tuple(plan::method_name(r.method), r.width, tuple_of(r.lower), tuple_of(r.upper), r.sinks_lower,
                        r.sinks_upper, r.all);
}

// (nodes, success, cost, seconds, held), or None.
py::object best_path(const py::object& edges, const py::object& success, const py::object& cost,
                     const py::object& seconds, const py::object& needs, const py::object& releases, double max_cost,
                     double max_seconds, double capacity, int source, int target) {
  const plan::PathColumns columns{column<double>(success, "success"), column<double>(cost, "cost"),
                                  column<double>(seconds, "seconds"), column<double>(needs, "needs"),
                                  column<double>(releases, "releases")};
  const plan::Dag dag = dag_of(static_cast<int>(columns.success.size()), edges);
  plan::Path path;
  {
    const py::gil_scoped_release release;
    path = plan::best_path(dag, columns, {max_cost, max_seconds, capacity}, source, target);
  }
  if (!path.found) return py::none();
  return py::make_tuple(tuple_of(path.nodes), path.success, path.cost, path.seconds, path.held);
}

}  // namespace

void bind_reliability(py::module_& m) {
  m.attr("max_frontier_width") = plan::kMaxFrontierWidth;
  m.def(
      "with_retries",
      [](const py::handle& p, const py::handle& retries) {
        return plan::with_retries(real_of(p, "p"), integer_of<int>(retries, "retries"));
      },
      py::arg("p"), py::arg("retries"));
  m.def("dag_reliability", reliability, py::arg("edges"), py::arg("p"), py::arg("q"), py::arg("retries"),
        py::arg("max_width"), py::arg("bounds"));
  m.def("dag_best_path", best_path, py::arg("edges"), py::arg("success"), py::arg("cost"), py::arg("seconds"),
        py::arg("needs"), py::arg("releases"), py::arg("max_cost"), py::arg("max_seconds"), py::arg("capacity"),
        py::arg("source"), py::arg("target"));
}

}  // namespace turnout::python
