#include <algorithm>
#include <mutex>

#include "turnout/plan/agents.hpp"

#include "dag.hpp"

namespace turnout::python {
namespace {

using plan::TaskDag;
using Ids = std::vector<TaskDag::Id>;
using Inputs = std::vector<std::pair<std::string, double>>;

// A TaskDag that threads may share: one call at a time.
struct PyTaskDag {
  TaskDag dag;
  std::mutex mutex;

  PyTaskDag() = default;
  explicit PyTaskDag(TaskDag other) : dag(std::move(other)) {}
};

// Runs f(self) while no other call does, without the GIL, so that waiting for it holds up nobody.
template <class F>
auto locked(PyTaskDag& self, const F& f) {
  const py::gil_scoped_release release;
  const std::lock_guard lock(self.mutex);
  return f(self.dag);
}

TaskDag::Id named(const TaskDag& dag, const std::string& name, const char* path = "task") {
  const auto id = dag.find(name);
  if (id < 0) throw Error(ErrorKind::input, path, "there is no task '" + name + "'");
  return id;
}

plan::Dependents dependents_of(const std::string& name) {
  if (name == "block") return plan::Dependents::block;
  if (name == "skip") return plan::Dependents::skip;
  throw Error(ErrorKind::input, "dependents", "expected 'block' or 'skip', got '" + name + "'");
}

plan::TaskAttributes attributes(const std::string& operator_name, const std::string& device_class, double seconds,
                                double cost, std::int32_t priority, std::uint64_t skills) {
  return {operator_name, device_class, seconds, cost, priority, skills};
}

// (id, name, operator, device_class, seconds, cost, priority, skills, state, agent, attempts), then the inputs by name.
py::tuple task_tuple(const plan::Task& t, const std::vector<std::string>& inputs) {
  const auto& a = t.attributes;
  py::tuple after(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) after[i] = py::make_tuple(inputs[i], t.inputs[i].coupling);
  return py::make_tuple(t.id, t.name, a.operator_name, a.device_class, a.seconds, a.cost, a.priority, a.skills,
                        plan::state_name(t.state), t.agent, t.attempts, after);
}

std::vector<std::string> names(const TaskDag& dag, const Ids& ids) {
  std::vector<std::string> out;
  out.reserve(ids.size());
  for (const auto id : ids) out.push_back(dag.task(id).name);
  return out;
}

std::vector<std::string> input_names(const TaskDag& dag, const plan::Task& task) {
  std::vector<std::string> out;
  for (const auto& input : task.inputs) out.push_back(dag.task(input.task).name);
  return out;
}

py::tuple task(PyTaskDag& self, const std::string& name) {
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

py::tuple measure(PyTaskDag& self) {
  Scratch& own = scratch();
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
  TaskDag::Snapshot& s = scratch().snapshot;
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

plan::TaskState state_of(const std::string& name) {
  for (int s = 0; s < 6; ++s)
    if (name == plan::state_name(static_cast<plan::TaskState>(s))) return static_cast<plan::TaskState>(s);
  throw Error(ErrorKind::input, "state", "there is no state '" + name + "'");
}

// A task tuple whose inputs go by id.
plan::Task record_of(const py::tuple& t) {
  plan::Task out;
  out.id = t[0].cast<std::int32_t>();
  out.name = t[1].cast<std::string>();
  out.attributes = attributes(t[2].cast<std::string>(), t[3].cast<std::string>(), t[4].cast<double>(),
                              t[5].cast<double>(), t[6].cast<std::int32_t>(), t[7].cast<std::uint64_t>());
  out.state = state_of(t[8].cast<std::string>());
  out.agent = t[9].cast<std::string>();
  out.attempts = t[10].cast<std::int32_t>();
  for (const auto& input : t[11].cast<py::sequence>()) {
    const auto pair = input.cast<std::pair<std::int32_t, double>>();
    out.inputs.push_back({pair.first, pair.second});
  }
  return out;
}

std::unique_ptr<PyTaskDag> restore(const py::sequence& tasks, std::int32_t next_id) {
  std::vector<plan::Task> all;
  all.reserve(tasks.size());
  for (const auto& t : tasks) all.push_back(record_of(t.cast<py::tuple>()));
  const py::gil_scoped_release release;
  return std::make_unique<PyTaskDag>(TaskDag(std::move(all), next_id));
}

// Columns, one entry a task; those that are None keep their defaults.
std::unique_ptr<PyTaskDag> from_columns(const std::vector<std::string>& task_names, const py::object& edges,
                                        const py::object& coupling, const py::object& seconds, const py::object& cost,
                                        const py::object& priority, const py::object& skills) {
  const auto n = task_names.size();
  std::vector<plan::Task> tasks(n);
  const auto fill = [&](auto values, const char* name, const auto& set) {
    if (values.empty()) return;
    if (values.size() != n)
      throw Error(ErrorKind::input, name,
                  "expected one a task (" + std::to_string(n) + "), got " + std::to_string(values.size()));
    for (std::size_t i = 0; i < n; ++i) set(tasks[i].attributes, values[i]);
  };
  fill(column<double>(seconds, "seconds"), "seconds", [](auto& a, double x) { a.seconds = x; });
  fill(column<double>(cost, "cost"), "cost", [](auto& a, double x) { a.cost = x; });
  fill(column<std::int32_t>(priority, "priority"), "priority", [](auto& a, std::int32_t x) { a.priority = x; });
  fill(column<std::uint64_t>(skills, "skills"), "skills", [](auto& a, std::uint64_t x) { a.skills = x; });
  const auto list = edges_of(edges);
  const auto couplings = column<double>(coupling, "coupling");
  const py::gil_scoped_release release;
  if (!couplings.empty() && couplings.size() != list.size())
    throw Error(ErrorKind::input, "coupling",
                "expected one an edge (" + std::to_string(list.size()) + "), got " + std::to_string(couplings.size()));
  for (std::size_t i = 0; i < n; ++i) {
    tasks[i].id = static_cast<std::int32_t>(i);
    tasks[i].name = task_names[i];
  }
  plan::Dag().assign(static_cast<int>(n), list,
                     [&](int i) { return "'" + tasks[static_cast<std::size_t>(i)].name + "'"; });
  for (std::size_t i = 0; i < list.size(); ++i)
    tasks[static_cast<std::size_t>(list[i].to)].inputs.push_back({list[i].from, couplings.empty() ? 0 : couplings[i]});
  return std::make_unique<PyTaskDag>(TaskDag(std::move(tasks)));
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
