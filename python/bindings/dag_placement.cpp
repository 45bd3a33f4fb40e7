#include "turnout/plan/placement.hpp"

#include "turnout/plan/epochs.hpp"

#include "dag.hpp"

namespace turnout::python {
namespace {

// A matrix, which may be None: empty then.
std::span<const double> matrix(const py::object& object, const char* name) {
  if (object.is_none()) return {};
  const auto array = exact<double>(object, name, 2);
  return {array.data(), static_cast<std::size_t>(array.size())};
}

// Rows and columns of the matrix that says how many tasks and devices there are.
std::pair<int, int> shape(const py::object& object, const char* name) {
  const auto array = exact<double>(object, name, 2);
  for (const auto n : {array.shape(0), array.shape(1)})
    if (n > plan::kMaxTasks)
      throw Error(ErrorKind::input, name, "expected at most " + std::to_string(plan::kMaxTasks) + " rows and columns");
  return {static_cast<int>(array.shape(0)), static_cast<int>(array.shape(1))};
}

// (tasks: (device, slot, start, end), cost, seconds, seconds_over, memory_over, optimal, lower_bound, nodes)
py::tuple place(const py::object& edges, const py::object& seconds, const py::object& cost, const py::object& memory,
                const py::object& capacity, const py::object& slots, const py::object& data, const py::object& latency,
                const py::object& seconds_per_unit, const py::object& cost_per_unit, double deadline,
                std::int64_t max_nodes) {
  const auto [nodes, devices] = shape(seconds, "seconds");
  plan::Dag dag;
  dag.assign(nodes, edges_of(edges));
  const plan::PlacementProblem problem{dag,
                                       devices,
                                       matrix(seconds, "seconds"),
                                       matrix(cost, "cost"),
                                       column<double>(memory, "memory"),
                                       column<double>(capacity, "capacity"),
                                       column<std::int32_t>(slots, "slots"),
                                       column<double>(data, "data"),
                                       matrix(latency, "latency"),
                                       matrix(seconds_per_unit, "seconds_per_unit"),
                                       matrix(cost_per_unit, "cost_per_unit"),
                                       deadline};
  plan::Placement p;
  {
    const py::gil_scoped_release release;
    p = plan::place(problem, max_nodes);
  }
  py::tuple tasks(p.tasks.size());
  for (std::size_t i = 0; i < p.tasks.size(); ++i)
    tasks[i] = py::make_tuple(p.tasks[i].device, p.tasks[i].slot, p.tasks[i].start, p.tasks[i].end);
  return py::make_tuple(tasks, p.score.cost, p.score.seconds, p.score.seconds_over, p.score.memory_over, p.optimal,
                        p.lower_bound, p.nodes);
}

// (steps: (task, device, epoch, cost), cost, exact, states)
py::tuple plan_epochs(const py::object& edges, const py::object& run, const py::object& model, const py::object& load,
                      const py::object& cached, const py::object& transfer, int beam) {
  const auto [nodes, devices] = shape(run, "run");
  plan::Dag dag;
  dag.assign(nodes, edges_of(edges));
  const plan::EpochProblem problem{dag,
                                   devices,
                                   matrix(run, "run"),
                                   column<std::int32_t>(model, "model"),
                                   matrix(load, "load"),
                                   column<double>(cached, "cached"),
                                   matrix(transfer, "transfer")};
  plan::EpochPlan p;
  {
    const py::gil_scoped_release release;
    p = plan::plan_epochs(problem, beam);
  }
  py::tuple steps(p.steps.size());
  for (std::size_t i = 0; i < p.steps.size(); ++i)
    steps[i] = py::make_tuple(p.steps[i].task, p.steps[i].device, p.steps[i].epoch, p.steps[i].cost);
  return py::make_tuple(steps, p.cost, p.exact, p.states);
}

}  // namespace

void bind_placement(py::module_& m) {
  m.attr("max_placed_tasks") = plan::kMaxPlacedTasks;
  m.attr("max_exact_tasks") = plan::kMaxExactTasks;
  m.def("dag_place", place, py::arg("edges"), py::arg("seconds"), py::arg("cost"), py::arg("memory"),
        py::arg("capacity"), py::arg("slots"), py::arg("data"), py::arg("latency"), py::arg("seconds_per_unit"),
        py::arg("cost_per_unit"), py::arg("deadline"), py::arg("max_nodes"));
  m.def("dag_plan_epochs", plan_epochs, py::arg("edges"), py::arg("run"), py::arg("model"), py::arg("load"),
        py::arg("cached"), py::arg("transfer"), py::arg("beam"));
}

}  // namespace turnout::python
