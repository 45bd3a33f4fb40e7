#include "graph.hpp"

namespace turnout::python {

using graph::Edge;
using graph::Node;
using graph::Path;
using graph::ToolGraph;
using graph::Workspace;

namespace {

using Nodes = std::vector<Node>;
constexpr int kFormat = 1;

SharedGraph make(int nodes, const py::object& sources, const py::object& targets, const py::object& weights) {
  const auto s = exact<Node>(sources, "graph.sources", 1), t = exact<Node>(targets, "graph.targets", 1);
  const auto w = exact<double>(weights, "graph.weights", 1);
  const py::gil_scoped_release release;
  return std::make_shared<PyGraph>(ToolGraph(nodes, span_of(s), span_of(t), span_of(w)));
}

// One value an edge, or one a node.
template <class T, class F>
Array<T> column(const PyGraph& self, bool by_node, const F& of) {
  const auto n = by_node ? self.graph.nodes() : self.graph.edges();
  Array<T> out(n);
  T* const values = out.mutable_data();
  self.read([&](const ToolGraph& g) {
    for (std::int32_t i = 0; i < n; ++i) values[i] = static_cast<T>(of(g, i));
  });
  return out;
}

Array<Node> sources(const PyGraph& self) {
  return column<Node>(self, false, [](const ToolGraph& g, Edge e) { return g.source(e); });
}
Array<Node> targets(const PyGraph& self) {
  return column<Node>(self, false, [](const ToolGraph& g, Edge e) { return g.target(e); });
}
Array<double> weights(const PyGraph& self) {
  return column<double>(self, false, [](const ToolGraph& g, Edge e) { return g.weight(e); });
}
Array<double> built_weights(const PyGraph& self) {
  return column<double>(self, false, [](const ToolGraph& g, Edge e) { return g.built_weight(e); });
}
Array<double> costs(const PyGraph& self) {
  return column<double>(self, false, [](const ToolGraph& g, Edge e) { return g.cost(e); });
}
Array<bool> edge_masked(const PyGraph& self) {
  return column<bool>(self, false, [](const ToolGraph& g, Edge e) { return g.edge_masked(e); });
}
Array<bool> node_masked(const PyGraph& self) {
  return column<bool>(self, true, [](const ToolGraph& g, Node v) { return g.node_masked(v); });
}

std::vector<Edge> edges_between(const PyGraph& self, Node u, Node v) {
  std::vector<Edge> edges;
  self.read([&](const ToolGraph& g) {
    g.check_node(u, "source");
    g.check_node(v, "target");
    g.edges_between(u, v, edges);
  });
  return edges;
}

void set_weights(PyGraph& self, const py::object& edges, const py::object& weights) {
  const auto e = exact<Edge>(edges, "edges", 1);
  const auto w = exact<double>(weights, "weights", 1);
  self.change([&](ToolGraph& g) { g.set_weights(span_of(e), span_of(w)); });
}

template <class Search>
py::object found(const PyGraph& self, const Search& search) {
  Path path;
  std::vector<double> costs;
  self.search([&](const ToolGraph& g, Workspace& ws) {
    search(g, ws, path);
    costs = costs_of(g, path);
  });
  return path_tuple(path, costs);
}

py::object shortest_path(const PyGraph& self, const Nodes& sources, const Nodes& goals) {
  return found(self,
               [&](const ToolGraph& g, Workspace& ws, Path& p) { graph::shortest_path(g, sources, goals, ws, p); });
}

py::object a_star(const PyGraph& self, const Nodes& sources, const Nodes& goals, const py::object& h, bool check) {
  const auto values = exact<double>(h, "heuristic", 1);
  return found(self, [&](const ToolGraph& g, Workspace& ws, Path& p) {
    if (check) graph::check_heuristic(g, goals, span_of(values));
    graph::shortest_path(g, sources, goals, span_of(values), ws, p);
  });
}

// Ids as arrays, or None.
py::object path_arrays(const PyGraph& self, Node source, Node goal) {
  Path path;
  self.search([&](const ToolGraph& g, Workspace& ws) { graph::shortest_path(g, {&source, 1}, {&goal, 1}, ws, path); });
  if (!path.found()) return py::none();
  return py::make_tuple(array_of(path.nodes), array_of(path.edges), path.cost);
}

template <class F>
Array<double> distances(const PyGraph& self, const Nodes& nodes, const F& f) {
  Array<double> out(self.graph.nodes());
  const std::span<double> costs{out.mutable_data(), static_cast<std::size_t>(out.size())};
  self.search([&](const ToolGraph& g, Workspace& ws) { f(g, nodes, ws, costs); });
  return out;
}

py::tuple state_of(const PyGraph& self) {
  return py::make_tuple(kFormat, self.graph.nodes(), sources(self), targets(self), built_weights(self), weights(self),
                        edge_masked(self), node_masked(self));
}

SharedGraph graph_from(const py::tuple& state) {
  if (state.size() != 8 || state[0].cast<int>() != kFormat) throw Error(ErrorKind::input, "pickle", "unknown format");
  const SharedGraph self = make(state[1].cast<int>(), state[2], state[3], state[4]);
  const auto w = exact<double>(state[5], "graph.weights", 1);
  const auto edges = exact<bool>(state[6], "graph.edge_masked", 1),
             nodes = exact<bool>(state[7], "graph.node_masked", 1);
  ToolGraph& g = self->graph;
  if (w.size() != g.edges() || edges.size() != g.edges() || nodes.size() != g.nodes())
    throw Error(ErrorKind::input, "pickle", "columns of other lengths");
  for (Edge e = 0; e < g.edges(); ++e) {
    g.set_weight(e, w.data()[e]);
    g.mask_edge(e, edges.data()[e]);
  }
  for (Node v = 0; v < g.nodes(); ++v) g.mask_node(v, nodes.data()[v]);
  return self;
}

}  // namespace

std::vector<double> costs_of(const ToolGraph& g, const Path& path) {
  std::vector<double> costs;
  for (const Edge e : path.edges) costs.push_back(g.cost(e));
  return costs;
}

py::object path_tuple(const Path& path, const std::vector<double>& costs) {
  if (!path.found()) return py::none();
  return py::make_tuple(py::tuple(py::cast(path.nodes)), py::tuple(py::cast(path.edges)), py::tuple(py::cast(costs)),
                        path.cost);
}

void bind_graph(py::module_& m) {
  m.attr("max_graph_nodes") = graph::kMaxGraphNodes;
  m.attr("max_graph_edges") = graph::kMaxGraphEdges;
  m.attr("max_graph_weight") = graph::kMaxWeight;
  py::class_<PyGraph, SharedGraph>(m, "ToolGraph",
                                   "Compressed sparse rows with weights and masks that change in place.")
      .def(py::init(&make), py::arg("nodes"), py::arg("sources"), py::arg("targets"), py::arg("weights"))
      .def_property_readonly("nodes", [](const PyGraph& g) { return g.graph.nodes(); })
      .def_property_readonly("edges", [](const PyGraph& g) { return g.graph.edges(); })
      .def_property_readonly("version",
                             [](const PyGraph& g) { return g.read([](const ToolGraph& x) { return x.version(); }); })
      .def("sources", sources)
      .def("targets", targets)
      .def("weights", weights)
      .def("built_weights", built_weights)
      .def("costs", costs)
      .def("edge_masked", edge_masked)
      .def("node_masked", node_masked)
      .def("edges_between", edges_between, py::arg("source"), py::arg("target"))
      .def(
          "set_weight", [](PyGraph& g, Edge e, double w) { g.change([&](ToolGraph& x) { x.set_weight(e, w); }); },
          py::arg("edge"), py::arg("weight"))
      .def("set_weights", set_weights, py::arg("edges"), py::arg("weights"))
      .def(
          "mask_edge", [](PyGraph& g, Edge e, bool on) { g.change([&](ToolGraph& x) { x.mask_edge(e, on); }); },
          py::arg("edge"), py::arg("masked") = true)
      .def(
          "mask_node", [](PyGraph& g, Node v, bool on) { g.change([&](ToolGraph& x) { x.mask_node(v, on); }); },
          py::arg("node"), py::arg("masked") = true)
      .def("reset", [](PyGraph& g) { g.change([](ToolGraph& x) { x.reset(); }); })
      .def("shortest_path", shortest_path, py::arg("sources"), py::arg("goals"))
      .def("a_star", a_star, py::arg("sources"), py::arg("goals"), py::arg("heuristic"), py::arg("check"))
      .def("path_arrays", path_arrays, py::arg("source"), py::arg("goal"))
      .def(
          "distances_from",
          [](const PyGraph& g, const Nodes& nodes) { return distances(g, nodes, graph::distances_from); },
          py::arg("sources"))
      .def(
          "distances_to", [](const PyGraph& g, const Nodes& nodes) { return distances(g, nodes, graph::distances_to); },
          py::arg("goals"))
      .def(py::pickle(&state_of, &graph_from));
  bind_replanner(m);
  bind_graph_plans(m);
  bind_pheromones(m);
}

}  // namespace turnout::python
