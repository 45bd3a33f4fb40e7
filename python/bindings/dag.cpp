#include "dag.hpp"

#include "turnout/plan/antichain.hpp"
#include "turnout/plan/topology.hpp"

namespace turnout::python {
namespace {

py::tuple measure(int nodes, const py::object& edges, const py::object& seconds, const py::object& coupling) {
  const auto list = edges_of(edges);
  const auto s = column<double>(seconds, "seconds"), c = column<double>(coupling, "coupling");
  DagScratch& own = dag_scratch();
  {
    const py::gil_scoped_release release;
    own.snapshot.dag.assign(nodes, list);
    plan::measure(own.snapshot.dag, s, c, own.workspace, own.metrics);
  }
  return metrics_tuple(own.metrics);
}

std::vector<int> antichain(int nodes, const py::object& edges) {
  const auto list = edges_of(edges);
  const py::gil_scoped_release release;
  plan::Dag dag;
  dag.assign(nodes, list);
  return plan::largest_antichain(dag);
}

std::vector<int> order(int nodes, const py::object& edges) {
  const auto list = edges_of(edges);
  plan::Dag dag;
  dag.assign(nodes, list);
  return {dag.order().begin(), dag.order().end()};
}

py::tuple topology(int nodes, int width, int depth, double coupling, double wide_share, double loose, double deep_share,
                   double tight, int layers) {
  const auto choice =
      plan::choose_topology(nodes, width, depth, coupling, {wide_share, loose, deep_share, tight, layers});
  return py::make_tuple(plan::topology_name(choice.topology), plan::rule_name(choice.rule));
}

}  // namespace

DagScratch& dag_scratch() {
  static thread_local DagScratch own;
  return own;
}

py::tuple metrics_tuple(const plan::DagMetrics& m) {
  return py::make_tuple(m.nodes, m.edges, m.depth, m.width, m.coupling, m.density, m.work.value, m.critical_path.value,
                        m.parallelism, tuple_of(m.critical_nodes), tuple_of(m.slack));
}

void bind_dag(py::module_& m) {
  m.attr("max_tasks") = plan::kMaxTasks;
  m.attr("max_edges") = plan::kMaxEdges;
  m.attr("max_antichain_nodes") = plan::kMaxAntichainNodes;
  m.def("dag_measure", measure, py::arg("nodes"), py::arg("edges"), py::arg("seconds"), py::arg("coupling"));
  m.def("dag_order", order, py::arg("nodes"), py::arg("edges"));
  m.def("dag_antichain", antichain, py::arg("nodes"), py::arg("edges"));
  m.def("dag_topology", topology, py::arg("nodes"), py::arg("width"), py::arg("depth"), py::arg("coupling"),
        py::arg("wide_share"), py::arg("loose"), py::arg("deep_share"), py::arg("tight"), py::arg("layers"));
  bind_task_dag(m);
  bind_reliability(m);
  bind_placement(m);
  bind_merge(m);
}

}  // namespace turnout::python
