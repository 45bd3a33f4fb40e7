#include "dag_tasks.hpp"

#include "turnout/plan/agents.hpp"

namespace turnout::python {
namespace {

plan::Dependents dependents_of(const std::string& name) {
  if (name == "block") return plan::Dependents::block;
  if (name == "skip") return plan::Dependents::skip;
  throw Error(ErrorKind::input, "dependents", "expected 'block' or 'skip', got '" + name + "'");
}

using Inputs = std::vector<std::pair<std::string, double>>;

Inputs inputs_of(const py::list& pairs) {
  Inputs out;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const auto pair = pairs[i].cast<py::tuple>();
    out.push_back(
        at_element("inputs", i, [&] { return std::pair(text_of(pair[0], ""), real_of(pair[1], "coupling")); }));
  }
  return out;
}

std::vector<plan::Input> inputs_by_name(const TaskDag& dag, const Inputs& inputs) {
  std::vector<plan::Input> out;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    out.push_back({named(dag, inputs[i].first, ("inputs[" + std::to_string(i) + "]").c_str()), inputs[i].second});
  return out;
}

void add(PyTaskDag& self, const py::handle& task, const py::list& pairs, const py::handle& operator_name,
         const py::handle& device_class, const py::handle& seconds, const py::handle& cost, const py::handle& priority,
         const py::handle& skills) {
  const std::string name = text_of(task, "name");
  const Inputs inputs = inputs_of(pairs);
  const auto own = attributes(operator_name, device_class, seconds, cost, priority, skills);
  locked(self, [&](TaskDag& dag) { dag.add(name, own, inputs_by_name(dag, inputs)); });
}

// What a change says of each attribute; what it does not say stays.
struct Change {
  std::optional<std::string> operator_name, device_class;
  std::optional<double> seconds, cost;
  std::optional<std::int32_t> priority;
  std::optional<std::uint64_t> skills;

  explicit Change(const py::dict& fields) {
    const auto read = [&](const char* name, auto& field, const auto& of) {
      if (fields.contains(name)) field = of(fields[name], name);
    };
    read("operator", operator_name, text_of);
    read("device_class", device_class, text_of);
    read("seconds", seconds, real_of);
    read("cost", cost, real_of);
    const auto integer = [](const py::handle& value, const char* path) {
      return integer_of<std::int32_t>(value, path);
    };
    const auto bits = [](const py::handle& value, const char* path) { return integer_of<std::uint64_t>(value, path); };
    read("priority", priority, integer);
    read("skills", skills, bits);
  }

  plan::TaskAttributes of(const plan::TaskAttributes& a) const {
    return {operator_name.value_or(a.operator_name),
            device_class.value_or(a.device_class),
            seconds.value_or(a.seconds),
            cost.value_or(a.cost),
            priority.value_or(a.priority),
            skills.value_or(a.skills)};
  }
};

// Read and written under one lock, so that threads that change different attributes lose none.
void change(PyTaskDag& self, const py::handle& task, const py::dict& fields) {
  const std::string name = text_of(task, "task");
  const Change change(fields);
  locked(self, [&](TaskDag& dag) {
    const auto id = named(dag, name);
    dag.change(id, change.of(dag.task(id).attributes));
  });
}

// One edit: (kind, task, attributes as a tuple or changes as a dict or None, from, coupling).
plan::Edit edit_of(const py::tuple& edit) {
  const auto kind = static_cast<plan::Edit::Kind>(edit[0].cast<int>());
  const bool edge = kind == plan::Edit::Kind::connect || kind == plan::Edit::Kind::disconnect;
  plan::Edit out{
      kind, text_of(edit[1], edge ? "to" : "task"), {}, text_of(edit[3], "from"), real_of(edit[4], "coupling")};
  if (kind == plan::Edit::Kind::add) {
    const auto a = edit[2].cast<py::tuple>();
    out.attributes = attributes(a[0], a[1], a[2], a[3], a[4], a[5]);
  }
  return out;
}

using Changes = std::vector<std::optional<Change>>;

// Gives each change of a batch the attributes that the edits before it leave, or those in the DAG.
void complete(const TaskDag& dag, const Changes& changes, std::vector<plan::Edit>& edits) {
  std::unordered_map<std::string_view, const plan::TaskAttributes*> latest;
  for (std::size_t i = 0; i < edits.size(); ++i) {
    plan::Edit& edit = edits[i];
    if (changes[i]) {
      const auto id = dag.find(edit.task);
      if (const auto found = latest.find(edit.task); found != latest.end())
        edit.attributes = changes[i]->of(*found->second);
      else if (id >= 0)
        edit.attributes = changes[i]->of(dag.task(id).attributes);
    }
    if (changes[i] || edit.kind == plan::Edit::Kind::add) latest[edit.task] = &edit.attributes;
  }
}

void apply(PyTaskDag& self, const py::list& edits) {
  std::vector<plan::Edit> all;
  Changes changes(edits.size());
  for (std::size_t i = 0; i < edits.size(); ++i)
    at_element("edits", i, [&] {
      const auto edit = edits[i].cast<py::tuple>();
      all.push_back(edit_of(edit));
      if (all.back().kind == plan::Edit::Kind::change) changes[i].emplace(edit[2].cast<py::dict>());
    });
  locked(self, [&](TaskDag& dag) {
    complete(dag, changes, all);
    dag.apply(all);
  });
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
void act(PyTaskDag& self, const py::handle& task) {
  const std::string name = text_of(task, "task");
  locked(self, [&](TaskDag& dag) { (dag.*action)(named(dag, name)); });
}

template <void (TaskDag::*action)(TaskDag::Id, std::string_view)>
void act_with(PyTaskDag& self, const py::handle& task, const py::handle& agent) {
  const std::string name = text_of(task, "task"), who = text_of(agent, "agent");
  locked(self, [&](TaskDag& dag) { (dag.*action)(named(dag, name), who); });
}

template <void (TaskDag::*action)(TaskDag::Id, plan::Dependents)>
void give_up(PyTaskDag& self, const py::handle& task, const py::handle& dependents) {
  const std::string name = text_of(task, "task");
  const auto d = dependents_of(text_of(dependents, "dependents"));
  locked(self, [&](TaskDag& dag) { (dag.*action)(named(dag, name), d); });
}

// Agents are (name, device_class, skills, load, slots); gives (task, agent, possible) a task, the agents' loads and
// slots, and whose turn it is.
py::tuple assign_agents(PyTaskDag& self, const py::handle& policy_name, const py::list& agents,
                        const py::handle& first) {
  const std::string policy = text_of(policy_name, "policy");
  int turn = integer_of<int>(first, "turn");
  static constexpr const char* kPolicies[] = {"round_robin", "capability_match", "load_balance"};
  int p = 0;
  while (p < 3 && policy != kPolicies[p]) ++p;
  if (p == 3)
    throw Error(ErrorKind::input, "policy",
                "expected 'round_robin', 'capability_match' or 'load_balance', got '" + policy + "'");
  std::vector<plan::Agent> all;
  for (std::size_t i = 0; i < agents.size(); ++i) {
    const auto a = agents[i].cast<py::tuple>();
    all.push_back(at_element("agents", i, [&] {
      return plan::Agent{text_of(a[0], "name"), text_of(a[1], "device_class"),
                         integer_of<std::uint64_t>(a[2], "skills"), real_of(a[3], "load"),
                         integer_of<std::int32_t>(a[4], "slots")};
    }));
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
           [](PyTaskDag& self, const py::handle& source, const py::handle& target, const py::handle& coupling) {
             const std::string from = text_of(source, "from"), to = text_of(target, "to");
             const double c = real_of(coupling, "coupling");
             locked(self, [&](TaskDag& dag) { dag.connect(named(dag, from, "from"), named(dag, to, "to"), c); });
           })
      .def("disconnect",
           [](PyTaskDag& self, const py::handle& source, const py::handle& target) {
             const std::string from = text_of(source, "from"), to = text_of(target, "to");
             locked(self, [&](TaskDag& dag) { dag.disconnect(named(dag, from, "from"), named(dag, to, "to")); });
           })
      .def("change", change)
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
           [](PyTaskDag& self, const py::handle& task) {
             const std::string name = text_of(task, "task");
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
           [](PyTaskDag& self, const py::handle& state) {
             const auto s = state_of(text_of(state, "state"));
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
