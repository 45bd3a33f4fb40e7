#include "turnout/graph/healing.hpp"

#include "graph.hpp"

namespace turnout::python {
namespace {

using namespace healing;
using GoalTuple = std::tuple<Node, double, std::vector<std::pair<Node, double>>>;
using Ids = std::vector<Node>;

std::vector<Goal> goals_of(const std::vector<GoalTuple>& goals) {
  std::vector<Goal> out;
  for (const auto& [node, drop_loss, fallbacks] : goals) {
    out.push_back({node, drop_loss, {}});
    for (const auto& [instead, loss] : fallbacks) out.back().fallbacks.push_back({instead, loss});
  }
  return out;
}

py::tuple tuple_of(const Record& r) {
  return py::make_tuple(r.sequence, kind_name(r.kind), reason_name(r.reason), r.tool, r.cost);
}

std::unique_ptr<Run> make(const SharedGraph& graph, const Ids& starts, const std::vector<GoalTuple>& goals,
                          std::vector<std::int32_t> inputs, Ids joins,
                          const std::vector<std::pair<Node, std::int32_t>>& required, int max_retries,
                          const Ids& down) {
  JoinSpec spec{std::move(inputs), std::move(joins), {}};
  for (const auto& [node, input] : required) spec.required.push_back({node, input});
  return graph->read([&](const ToolGraph& g) {
    return std::make_unique<Run>(g, starts, goals_of(goals), std::move(spec), max_retries, down);
  });
}

Ids step(Run& run) {
  Ids out;
  run.step(out);
  return out;
}

py::object tripped(Run& run, Node tool) {
  Record r;
  return run.tripped(tool, r) ? py::object(tuple_of(r)) : py::none();
}

py::object demotion(const Run& run) {
  const Demotion d = run.demotion();
  if (!d.found) return py::none();
  std::vector<std::tuple<Node, Node, double>> changes;
  for (const auto& c : d.changes) changes.emplace_back(c.goal, c.instead, c.loss);
  return py::make_tuple(changes, d.loss);
}

void check_tool(const Run& run, Node tool) {
  if (tool < 0 || tool >= run.nodes())
    throw Error(ErrorKind::input, "tool", "there is no node " + std::to_string(tool));
}

void bind_events(py::class_<Run>& c) {
  c.def("step", step)
      .def("succeeded", &Run::succeeded, py::arg("tool"))
      .def(
          "failed", [](Run& r, Node tool) { return tuple_of(r.failed(tool)); }, py::arg("tool"))
      .def(
          "refused", [](Run& r, Node tool) { return tuple_of(r.refused(tool)); }, py::arg("tool"))
      .def("tripped", tripped, py::arg("tool"))
      .def(
          "restored", [](Run& r, Node tool) { return tuple_of(r.restored(tool)); }, py::arg("tool"))
      .def("escalate", [](Run& r) { return tuple_of(r.escalate()); })
      .def(
          "resume", [](Run& r, int more) { return tuple_of(r.resume(more)); }, py::arg("more_retries"))
      .def("demote", [](Run& r) { return tuple_of(r.demote()); })
      .def(
          "retarget", [](Run& r, const std::vector<GoalTuple>& goals) { return tuple_of(r.retarget(goals_of(goals))); },
          py::arg("goals"))
      .def(
          "set_weights",
          [](Run& r, const py::object& edges, const py::object& weights) {
            const auto e = exact<Edge>(edges, "edges", 1);
            const auto w = exact<double>(weights, "weights", 1);
            r.set_weights(span_of(e), span_of(w));
          },
          py::arg("edges"), py::arg("weights"));
}

void bind_views(py::class_<Run>& c) {
  c.def_property_readonly("state", [](const Run& r) { return state_name(r.state()); })
      .def_property_readonly("plan",
                             [](const Run& r) { return py::make_tuple(r.plan().nodes, r.plan().edges, r.plan().cost); })
      .def_property_readonly("log",
                             [](const Run& r) {
                               std::vector<py::tuple> out;
                               for (const Record& record : r.log()) out.push_back(tuple_of(record));
                               return out;
                             })
      .def_property_readonly("goals",
                             [](const Run& r) {
                               Ids out;
                               for (const Goal& g : r.goals()) out.push_back(g.node);
                               return out;
                             })
      .def_property_readonly("failures", &Run::failures)
      .def(
          "executed", [](const Run& r, Node v) { return check_tool(r, v), r.executed(v); }, py::arg("tool"))
      .def(
          "in_flight", [](const Run& r, Node v) { return check_tool(r, v), r.in_flight(v); }, py::arg("tool"))
      .def(
          "masked", [](const Run& r, Node v) { return check_tool(r, v), r.graph().node_masked(v); }, py::arg("tool"))
      .def("down", &Run::down)
      .def("cut", &Run::cut)
      .def("demotion", demotion);
}

}  // namespace

void bind_healing(py::module_& m) {
  py::class_<Run> c(m, "HealingRun", "A run through a tool graph that survives failures; by ids.");
  c.def(py::init(&make), py::arg("graph"), py::arg("starts"), py::arg("goals"), py::kw_only(), py::arg("inputs"),
        py::arg("joins"), py::arg("required"), py::arg("max_retries"), py::arg("down"));
  bind_events(c);
  bind_views(c);
}

}  // namespace turnout::python
