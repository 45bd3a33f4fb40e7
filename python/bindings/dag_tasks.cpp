#include "dag_tasks.hpp"

#include "turnout/plan/agents.hpp"

namespace turnout::python {
namespace {

plan::Dependents dependents_of(const std::string& name) {
  if (name == "block") return plan::Dependents::block;
  if (name == "skip") return plan::Dependents::skip;
  throw Error(ErrorKind::input, "dependents", "expected 'block' or 'skip', got '" + name + "'");
}

std::vector<plan::Input> inputs_by_name(const TaskDag& dag, const Inputs& inputs) {
  std::vector<plan::Input> out;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    out.push_back({named(dag, inputs[i].first, ("inputs[" + std::to_string(i) + "]").c_str()), inputs[i].second});
  return out;
}

void add(PyTaskDag& self, const std::string& name, const Inputs& inputs, const std::string& operator_name,
         const std::string& device_class, double seconds, double cost, std::int32_t priority, std::uint64_t skills) {
  locked(self, [&](TaskDag& dag) {
    dag.add(name, attributes(operator_name, device_class, seconds, cost, priority, skills),
            inputs_by_name(dag, inputs));
  });
}

// One edit: (kind, task, attributes or None, from, coupling).
plan::Edit edit_of(const py::tuple& edit) {
  const auto kind = edit[0].cast<int>();
  plan::Edit out{static_cast<plan::Edit::Kind>(kind),
                 edit[1].cast<std::string>(),
                 {},
                 edit[3].cast<std::string>(),
                 edit[4].cast<double>()};
  if (!edit[2].is_none()) {
    const auto a = edit[2].cast<py::tuple>();
    out.attributes = attributes(a[0].cast<std::string>(), a[1].cast<std::string>(), a[2].cast<double>(),
                                a[3].cast<double>(), a[4].cast<std::int32_t>(), a[5].cast<std::uint64_t>());
  }
  return out;
}

void apply(PyTaskDag& self, const py::list& edits) {
  std::vector<plan::Edit> all;
  for (const auto& edit : edits) all.push_back(edit_of(edit.cast<py::tuple>()));
  locked(self, [&](TaskDag& dag) { dag.apply(all); });
}

template <void (TaskDag::*question)(Ids&) const>
std::vector<std::string> ask(PyTaskDag& self) {
  return locked(self, [&](const TaskDag& dag) {
    Ids ids;
    (dag.*question)(ids);
    return names(dag, ids);
  });
}

template <void (TaskDag::*action)(TaskDag::Id)>
void act(PyTaskDag& self, const std::string& name) {
  locked(self, [&](TaskDag& dag) { (dag.*action)(named(dag, name)); });
}

template <void (TaskDag::*action)(TaskDag::Id, std::string_view)>
void act_with(PyTaskDag& self, const std::string& name, const std::string& agent) {
  locked(self, [&](TaskDag& dag) { (dag.*action)(named(dag, name), agent); });
}

template <void (TaskDag::*action)(TaskDag::Id, plan::Dependents)>
void give_up(PyTaskDag& self, const std::string& name, const std::string& dependents) {
  const auto d = dependents_of(dependents);
  locked(self, [&](TaskDag& dag) { (dag.*action)(named(dag, name), d); });
}

// Agents are (name, device_class, skills, load, slots); gives (task, agent, possible) a task, the agents' loads and
// slots, and whose turn it is.
py::tuple assign_agents(PyTaskDag& self, const std::string& policy, const py::sequence& agents, int turn) {
  static constexpr const char* kPolicies[] = {"round_robin", "capability_match", "load_balance"};
  int p = 0;
  while (p < 3 && policy != kPolicies[p]) ++p;
  if (p == 3)
    throw Error(ErrorKind::input, "policy",
                "expected 'round_robin', 'capability_match' or 'load_balance', got '" + policy + "'");
  std::vector<plan::Agent> all;
  for (const auto& agent : agents) {
    const auto a = agent.cast<py::tuple>();
    all.push_back({a[0].cast<std::string>(), a[1].cast<std::string>(), a[2].cast<std::uint64_t>(), a[3].cast<double>(),
                   a[4].cast<std::int32_t>()});
  }
  std::vector<plan::Assignment> out;
  Ids ids;
  const auto task_names = locked(self, [&](const TaskDag& dag) {
    plan::assign_agents(dag, static_cast<plan::AgentPolicy>(p), all, turn, out);
    for (const auto& a : out) ids.push_back(a.task);
    return names(dag, ids);
  });
  py::list assigned, state;
  for (std::size_t i = 0; i < out.size(); ++i)
    assigned.append(py::make_tuple(task_names[i], out[i].agent, out[i].possible));
  for (const auto& a : all) state.append(py::make_tuple(a.load, a.slots));
  return py::make_tuple(assigned, state, turn);
}

// Copied under the first lock, compared under the second: never both, so that no two threads wait for each other.
bool equal(PyTaskDag& self, PyTaskDag& other) {
  if (&self == &other) return true;
  const TaskDag copy = locked(other, [](const TaskDag& dag) { return dag; });
  return locked(self, [&](const TaskDag& dag) { return dag == copy; });
}

}  // namespace

void bind_task_dag(py::module_& m) {
  m.def("task_dag_from_columns", from_columns, py::arg("names"), py::arg("edges"), py::arg("coupling"),
        py::arg("seconds"), py::arg("cost"), py::arg("priority"), py::arg("skills"));
  py::class_<PyTaskDag>(m, "TaskDag", "A DAG of tasks that is edited while it runs.")
      .def(py::init<>())
      .def_static("restore", restore, py::arg("tasks"), py::arg("next_id"))
      .def("copy",
           [](PyTaskDag& self) {
             return std::make_unique<PyTaskDag>(locked(self, [](const TaskDag& dag) { return dag; }));
           })
      .def("add", add)
      .def("remove", act<&TaskDag::remove>)
      .def("connect",
           [](PyTaskDag& self, const std::string& from, const std::string& to, double coupling) {
             locked(self, [&](TaskDag& dag) { dag.connect(named(dag, from, "from"), named(dag, to, "to"), coupling); });
           })
      .def("disconnect",
           [](PyTaskDag& self, const std::string& from, const std::string& to) {
             locked(self, [&](TaskDag& dag) { dag.disconnect(named(dag, from, "from"), named(dag, to, "to")); });
           })
      .def("change",
           [](PyTaskDag& self, const std::string& name, const std::string& operator_name,
              const std::string& device_class, double seconds, double cost, std::int32_t priority,
              std::uint64_t skills) {
             auto a = attributes(operator_name, device_class, seconds, cost, priority, skills);
             locked(self, [&](TaskDag& dag) { dag.change(named(dag, name), std::move(a)); });
           })
      .def("apply", apply)
      .def("assign", act_with<&TaskDag::assign>)
      .def("start", act_with<&TaskDag::start>)
      .def("complete", act<&TaskDag::complete>)
      .def("retry", act<&TaskDag::retry>)
      .def("fail", give_up<&TaskDag::fail>)
      .def("cancel", give_up<&TaskDag::cancel>)
      .def("ready", ask<&TaskDag::ready>)
      .def("blocked", ask<&TaskDag::blocked>)
      .def("order", ask<&TaskDag::order>)
      .def("task", task)
      .def("tasks", records)
      .def("names",
           [](PyTaskDag& self) {
             return locked(self, [](const TaskDag& dag) {
               std::vector<std::string> out;
               for (const auto& t : dag.tasks()) out.push_back(t.name);
               return out;
             });
           })
      .def("dependents",
           [](PyTaskDag& self, const std::string& name) {
             return locked(self, [&](const TaskDag& dag) {
               const auto ids = dag.dependents(named(dag, name));
               return names(dag, Ids(ids.begin(), ids.end()));
             });
           })
      .def("contains",
           [](PyTaskDag& self, const std::string& name) {
             return locked(self, [&](const TaskDag& dag) { return dag.find(name) >= 0; });
           })
      .def("count",
           [](PyTaskDag& self, const std::string& state) {
             const auto s = state_of(state);
             return locked(self, [&](const TaskDag& dag) { return dag.count(s); });
           })
      .def("size", [](PyTaskDag& self) { return locked(self, [](const TaskDag& dag) { return dag.size(); }); })
      .def("edges", [](PyTaskDag& self) { return locked(self, [](const TaskDag& dag) { return dag.edges(); }); })
      .def("next_id", [](PyTaskDag& self) { return locked(self, [](const TaskDag& dag) { return dag.next_id(); }); })
      .def("digest", [](PyTaskDag& self) { return locked(self, [](const TaskDag& dag) { return dag.digest(); }); })
      .def("equals", equal)
      .def("measure", measure)
      .def("columns", columns)
      .def("assign_agents", assign_agents, py::arg("policy"), py::arg("agents"), py::arg("turn"));
}

}  // namespace turnout::python
