// What a TaskDag answers, as tuples and arrays.
#include <algorithm>

#include "dag_tasks.hpp"

namespace turnout::python {
namespace {

// (id, name, operator, device_class, seconds, cost, priority, skills, state, agent, attempts), then the inputs by name.
py::tuple task_tuple(const plan::Task& t, const std::vector<std::string>& inputs) {
  const auto& a = t.attributes;
  py::tuple after(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) after[i] = py::make_tuple(inputs[i], t.inputs[i].coupling);
  return py::make_tuple(t.id, t.name, a.operator_name, a.device_class, a.seconds, a.cost, a.priority, a.skills,
                        plan::state_name(t.state), t.agent, t.attempts, after);
}

}  // namespace

py::tuple task(PyTaskDag& self, const py::handle& task_name) {
  const std::string name = text_of(task_name, "task");
  plan::Task copy;
  const auto inputs = locked(self, [&](const TaskDag& dag) {
    copy = dag.task(named(dag, name));
    return input_names(dag, copy);
  });
  return task_tuple(copy, inputs);
}

py::tuple records(PyTaskDag& self) {
  std::vector<std::vector<std::string>> inputs;
  const auto tasks = locked(self, [&](const TaskDag& dag) {
    auto all = dag.tasks();
    for (const auto& t : all) inputs.push_back(input_names(dag, t));
    return all;
  });
  py::tuple out(tasks.size());
  for (std::size_t i = 0; i < tasks.size(); ++i) out[i] = task_tuple(tasks[i], inputs[i]);
  return out;
}

py::tuple measure(PyTaskDag& self) {
  DagScratch& own = dag_scratch();
  const auto critical = locked(self, [&](const TaskDag& dag) {
    TaskDag::Snapshot& s = own.snapshot;
    dag.snapshot(s);
    plan::measure(s.dag, s.seconds, s.coupling, own.workspace, own.metrics);
    Ids ids;
    for (const auto i : own.metrics.critical_nodes) ids.push_back(s.ids[static_cast<std::size_t>(i)]);
    return names(dag, ids);
  });
  py::list out(metrics_tuple(own.metrics));
  out[9] = tuple_of(critical);
  return py::tuple(out);
}

// (names, edges int32[E, 2], seconds float64[V], coupling float64[E]), by id.
py::tuple columns(PyTaskDag& self) {
  TaskDag::Snapshot& s = dag_scratch().snapshot;
  const auto task_names = locked(self, [&](const TaskDag& dag) {
    dag.snapshot(s);
    return names(dag, s.ids);
  });
  const auto edge_count = static_cast<py::ssize_t>(s.edges.size());
  Array<std::int32_t> edges({edge_count, py::ssize_t{2}});
  Array<double> seconds(static_cast<py::ssize_t>(s.seconds.size())), coupling(edge_count);
  for (std::size_t i = 0; i < s.edges.size(); ++i) {
    edges.mutable_data()[2 * i] = s.edges[i].from;
    edges.mutable_data()[2 * i + 1] = s.edges[i].to;
  }
  std::copy(s.seconds.begin(), s.seconds.end(), seconds.mutable_data());
  std::copy(s.coupling.begin(), s.coupling.end(), coupling.mutable_data());
  return py::make_tuple(task_names, edges, seconds, coupling);
}

}  // namespace turnout::python
