#include "graph.hpp"

namespace turnout::python {
namespace {

using graph::Edge;
using graph::Node;
using graph::PheromoneConfig;
using graph::Pheromones;
using graph::ToolGraph;

struct PyPheromones {
  PyPheromones(SharedGraph g, int tasks, const PheromoneConfig& config)
      : graph(std::move(g)), pheromones(graph->graph.edges(), tasks, config) {}
  SharedGraph graph;
  Pheromones pheromones;
};

std::unique_ptr<PyPheromones> make(SharedGraph graph, int tasks, double evaporation, double deposit, double cost_floor,
                                   double pheromone_power, double desirability_power, double initial, double least,
                                   double most) {
  return std::make_unique<PyPheromones>(
      std::move(graph), tasks,
      PheromoneConfig{evaporation, deposit, cost_floor, pheromone_power, desirability_power, initial, least, most});
}

py::object walk(const PyPheromones& self, Node source, Node goal, const py::object& task_weights, const py::object& eta,
                Philox& rng) {
  const auto w = exact<double>(task_weights, "task_weights", 1), h = exact<double>(eta, "eta", 1);
  graph::Path path;
  std::vector<double> costs;
  Philox drawn = rng;  // of this call alone while the GIL is released
  self.graph->read([&](const ToolGraph& g) {
    Pheromones::Workspace ws;
    self.pheromones.walk(g, source, goal, span_of(w), span_of(h), drawn, ws, path);
    costs = costs_of(g, path);
  });
  rng = drawn;
  return path_tuple(path, costs);
}

void update(PyPheromones& self, const std::vector<Edge>& path, const py::object& task_weights, double cost, bool gate) {
  const auto w = exact<double>(task_weights, "task_weights", 1);
  const py::gil_scoped_release release;
  self.pheromones.update(path, span_of(w), cost, gate);
}

// float64[tasks, E].
Array<double> values(const PyPheromones& self) {
  const Pheromones& p = self.pheromones;
  Array<double> out({static_cast<py::ssize_t>(p.tasks()), static_cast<py::ssize_t>(p.edges())});
  double* at = out.mutable_data();
  for (int t = 0; t < p.tasks(); ++t)
    for (Edge e = 0; e < p.edges(); ++e) *at++ = p.at(t, e);
  return out;
}

void set_values(PyPheromones& self, const py::object& rows) {
  const auto array = exact<double>(rows, "pheromones.values", 2);
  Pheromones& p = self.pheromones;
  if (array.shape(0) != p.tasks() || array.shape(1) != p.edges())
    throw Error(ErrorKind::input, "pheromones.values", "expected one row a task and one column an edge");
  const double* const data = array.data();
  for (py::ssize_t i = 0; i < array.size(); ++i)
    if (!(data[i] >= p.config().least && data[i] <= p.config().most))
      throw Error(ErrorKind::input, "pheromones.values", "expected numbers from `least` to `most`");
  for (int t = 0; t < p.tasks(); ++t)
    for (Edge e = 0; e < p.edges(); ++e) p.set(t, e, data[static_cast<py::ssize_t>(t) * p.edges() + e]);
}

Array<double> desirability(const py::object& ability, const py::object& load, const py::object& seconds,
                           double ability_weight, double load_weight, double seconds_weight) {
  const auto a = exact<double>(ability, "ability", 1), l = exact<double>(load, "load", 1);
  const auto s = exact<double>(seconds, "seconds", 1);
  Array<double> out(a.size());
  graph::desirability({span_of(a), span_of(l), span_of(s)}, ability_weight, load_weight, seconds_weight,
                      {out.mutable_data(), static_cast<std::size_t>(out.size())});
  return out;
}

}  // namespace

void bind_pheromones(py::module_& m) {
  const PheromoneConfig d;
  m.attr("max_graph_tasks") = graph::kMaxTasks;
  py::class_<PyPheromones>(m, "GraphPheromones", "Pheromones of each task on each edge.")
      .def(py::init(&make), py::arg("graph"), py::arg("tasks"), py::kw_only(), py::arg("evaporation") = d.evaporation,
           py::arg("deposit") = d.deposit, py::arg("cost_floor") = d.cost_floor,
           py::arg("pheromone_power") = d.pheromone_power, py::arg("desirability_power") = d.desirability_power,
           py::arg("initial") = d.initial, py::arg("least") = d.least, py::arg("most") = d.most)
      .def("walk", walk, py::arg("source"), py::arg("goal"), py::arg("task_weights"), py::arg("eta"), py::arg("rng"))
      .def("update", update, py::arg("path"), py::arg("task_weights"), py::arg("cost"), py::arg("gate"))
      .def("values", values)
      .def("set_values", set_values, py::arg("values"));
  m.def("graph_desirability", desirability, py::arg("ability"), py::arg("load"), py::arg("seconds"),
        py::arg("ability_weight"), py::arg("load_weight"), py::arg("seconds_weight"));
}

}  // namespace turnout::python
