// k shortest paths, Pareto sets, plans with and-joins.
#include "graph.hpp"

namespace turnout::python {
namespace {

using graph::Edge;
using graph::Node;
using graph::Step;
using graph::ToolGraph;

py::list k_shortest_paths(const PyGraph& self, Node source, Node goal, int k) {
  std::vector<graph::Path> paths;
  std::vector<std::vector<double>> costs;
  const int found = self.read([&](const ToolGraph& g) {
    graph::YenWorkspace ws;
    const int n = graph::k_shortest_paths(g, source, goal, k, ws, paths);
    for (int i = 0; i < n; ++i) costs.push_back(costs_of(g, paths[static_cast<std::size_t>(i)]));
    return n;
  });
  py::list out;
  for (std::size_t i = 0; i < static_cast<std::size_t>(found); ++i) out.append(path_tuple(paths[i], costs[i]));
  return out;
}

// Rows of (USD, seconds, quality), float64[N, 3].
std::vector<Step> steps_of(const py::object& rows, const char* path) {
  const auto array = exact<double>(rows, path, 2);
  if (array.shape(1) != 3) throw Error(ErrorKind::input, path, "expected 3 columns: USD, seconds, quality");
  std::vector<Step> steps;
  for (py::ssize_t i = 0; i < array.shape(0); ++i)
    steps.push_back({array.data()[3 * i], array.data()[3 * i + 1], array.data()[3 * i + 2]});
  return steps;
}

struct PyCriteria {
  PyCriteria(SharedGraph g, const py::object& edges, const py::object& nodes)
      : graph(std::move(g)),
        criteria(graph->graph, steps_of(edges, "criteria.edges"), steps_of(nodes, "criteria.nodes")) {}
  SharedGraph graph;
  mutable std::shared_mutex mutex;
  graph::Criteria criteria;
};

void set_edge(PyCriteria& self, Edge e, double usd, double seconds, double quality) {
  const py::gil_scoped_release release;
  const std::unique_lock lock(self.mutex);
  self.criteria.set_edge(self.graph->graph, e, {usd, seconds, quality});
}

void set_node(PyCriteria& self, Node v, double usd, double seconds, double quality) {
  const py::gil_scoped_release release;
  const std::unique_lock lock(self.mutex);
  self.criteria.set_node(v, {usd, seconds, quality});
}

// ([(nodes, edges, usd, seconds, quality)], complete, labels).
py::tuple pareto_paths(const PyCriteria& self, Node source, Node goal, const graph::Limits& limits, int max_labels) {
  graph::ParetoFront front;
  self.graph->read([&](const ToolGraph& g) {
    const std::shared_lock lock(self.mutex);
    graph::ParetoWorkspace ws;
    graph::pareto_paths(g, self.criteria, source, goal, limits, max_labels, ws, front);
  });
  py::list paths;
  for (int i = 0; i < front.count; ++i) {
    const graph::ParetoPath& p = front.paths[static_cast<std::size_t>(i)];
    paths.append(py::make_tuple(py::tuple(py::cast(p.nodes)), py::tuple(py::cast(p.edges)), p.total.usd,
                                p.total.seconds, p.total.quality));
  }
  return py::make_tuple(paths, front.complete, front.labels);
}

struct PyJoins {
  SharedGraph graph;
  graph::Joins joins;
};

PyJoins make_joins(SharedGraph graph, const py::object& inputs, const py::object& joins,
                   const std::vector<std::pair<Node, std::int32_t>>& required) {
  const auto i = exact<std::int32_t>(inputs, "joins.inputs", 1);
  const auto j = exact<std::uint8_t>(joins, "joins.nodes", 1);
  std::vector<graph::Joins::Requirement> needs;
  for (const auto& [node, input] : required) needs.push_back({node, input});
  graph::Joins made(graph->graph, span_of(i), span_of(j), needs);
  return {std::move(graph), std::move(made)};
}

// (nodes, edges, cost, set cost), or None.
py::object cheapest_plan(const PyJoins& self, const std::vector<Node>& sources, Node goal, const py::object& node_cost,
                         bool side_by_side) {
  std::vector<double> own;
  if (!node_cost.is_none()) {
    const auto array = exact<double>(node_cost, "node_cost", 1);
    own.assign(array.data(), array.data() + array.size());
    if (own.empty()) throw Error(ErrorKind::input, "node_cost", "expected one a node");
  }
  graph::JoinPlan plan;
  self.graph->read([&](const ToolGraph& g) {
    graph::JoinWorkspace ws;
    graph::cheapest_plan(g, self.joins, sources, goal, own,
                         side_by_side ? graph::Objective::max : graph::Objective::sum, ws, plan);
  });
  if (!plan.found()) return py::none();
  return py::make_tuple(py::tuple(py::cast(plan.nodes)), py::tuple(py::cast(plan.edges)), plan.cost, plan.set_cost);
}

Array<double> health_weights(const py::object& base, const py::object& latency, const py::object& reliability,
                             const py::object& proximity) {
  const auto b = exact<double>(base, "base", 1), l = exact<double>(latency, "latency_ms", 1);
  const auto r = exact<double>(reliability, "reliability", 1), p = exact<double>(proximity, "rate_limit_proximity", 1);
  Array<double> out(b.size());
  graph::health_weights({span_of(b), span_of(l), span_of(r), span_of(p)},
                        {out.mutable_data(), static_cast<std::size_t>(out.size())});
  return out;
}

}  // namespace

void bind_graph_plans(py::module_& m) {
  m.attr("max_graph_paths") = graph::kMaxPaths;
  m.attr("max_pareto_labels") = graph::kMaxParetoLabels;
  m.def("graph_k_shortest_paths", k_shortest_paths, py::arg("graph"), py::arg("source"), py::arg("goal"), py::arg("k"));
  m.def("graph_health_weights", health_weights, py::arg("base"), py::arg("latency_ms"), py::arg("reliability"),
        py::arg("rate_limit_proximity"));
  m.def("graph_costa_score", &graph::costa_score, py::arg("cost"), py::arg("quality"), py::arg("a"));
  m.def(
      "graph_weighted_score",
      [](double usd, double seconds, double quality, double usd_weight, double seconds_weight, double quality_weight) {
        return graph::weighted_score({usd, seconds, quality}, usd_weight, seconds_weight, quality_weight);
      },
      py::arg("usd"), py::arg("seconds"), py::arg("quality"), py::arg("usd_weight"), py::arg("seconds_weight"),
      py::arg("quality_weight"));
  py::class_<PyCriteria>(m, "GraphCriteria", "USD, seconds and quality of edges and nodes.")
      .def(py::init<SharedGraph, const py::object&, const py::object&>(), py::arg("graph"), py::arg("edges"),
           py::arg("nodes"))
      .def("set_edge", set_edge, py::arg("edge"), py::arg("usd"), py::arg("seconds"), py::arg("quality"))
      .def("set_node", set_node, py::arg("node"), py::arg("usd"), py::arg("seconds"), py::arg("quality"))
      .def(
          "pareto_paths",
          [](const PyCriteria& self, Node source, Node goal, double usd, double seconds, double quality, int labels) {
            return pareto_paths(self, source, goal, {usd, seconds, quality}, labels);
          },
          py::arg("source"), py::arg("goal"), py::arg("max_usd"), py::arg("max_seconds"), py::arg("min_quality"),
          py::arg("max_labels"));
  py::class_<PyJoins>(m, "GraphJoins", "Which inputs each node of a graph needs.")
      .def(py::init(&make_joins), py::arg("graph"), py::arg("inputs"), py::arg("joins"), py::arg("required"))
      .def("cheapest_plan", cheapest_plan, py::arg("sources"), py::arg("goal"), py::arg("node_cost"),
           py::arg("side_by_side"));
}

}  // namespace turnout::python
