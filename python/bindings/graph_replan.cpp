#include "graph.hpp"

namespace turnout::python {
namespace {

using graph::Node;
using graph::Path;
using graph::ToolGraph;

struct PyReplanner {
  PyReplanner(SharedGraph g, Node start, Node goal) : graph(std::move(g)), replanner(graph->graph, start, goal) {}
  SharedGraph graph;  // outlives the replanner
  graph::Replanner replanner;
  std::mutex mutex;
  Path path;
};

py::object replan(PyReplanner& self) {
  Path path;
  std::vector<double> costs;
  self.graph->read([&](const ToolGraph& g) {
    const std::lock_guard lock(self.mutex);
    self.replanner.replan(self.path);
    path = self.path;
    costs = costs_of(g, path);
  });
  return path_tuple(path, costs);
}

void move_start(PyReplanner& self, Node start) {
  const py::gil_scoped_release release;
  const std::lock_guard lock(self.mutex);
  self.replanner.move_start(start);
}

}  // namespace

void bind_replanner(py::module_& m) {
  py::class_<PyReplanner>(m, "GraphReplanner", "Paths to one goal that follow the changes of a graph.")
      .def(py::init<SharedGraph, Node, Node>(), py::arg("graph"), py::arg("start"), py::arg("goal"))
      .def("replan", replan)
      .def("move_start", move_start, py::arg("start"))
      .def_property_readonly("start", [](const PyReplanner& r) { return r.replanner.start(); })
      .def_property_readonly("goal", [](const PyReplanner& r) { return r.replanner.goal(); })
      .def_property_readonly("settled", [](const PyReplanner& r) { return r.replanner.settled(); })
      .def_property_readonly("fresh", [](const PyReplanner& r) { return r.replanner.fresh(); });
}

}  // namespace turnout::python
