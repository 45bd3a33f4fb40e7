// Task DAGs from tuples and columns.
#include "dag_tasks.hpp"

namespace turnout::python {
namespace {

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

}  // namespace

plan::TaskState state_of(const std::string& name) {
  for (int s = 0; s < 6; ++s)
    if (name == plan::state_name(static_cast<plan::TaskState>(s))) return static_cast<plan::TaskState>(s);
  throw Error(ErrorKind::input, "state", "there is no state '" + name + "'");
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

}  // namespace turnout::python
