// Task DAGs from tuples and columns.
#include "dag_tasks.hpp"

namespace turnout::python {
namespace {

// A task tuple whose inputs go by id.
plan::Task record_of(const py::tuple& t) {
  plan::Task out;
  out.id = integer_of<std::int32_t>(t[0], "id");
  out.name = text_of(t[1], "name");
  out.attributes = attributes(t[2], t[3], t[4], t[5], t[6], t[7]);
  out.state = state_of(text_of(t[8], "state"));
  out.agent = text_of(t[9], "agent");
  out.attempts = integer_of<std::int32_t>(t[10], "attempts");
  for (const auto& input : t[11].cast<py::sequence>()) {
    const auto pair = input.cast<py::tuple>();
    out.inputs.push_back({integer_of<std::int32_t>(pair[0], "inputs"), real_of(pair[1], "inputs.coupling")});
  }
  return out;
}

}  // namespace

plan::TaskState state_of(const std::string& name) {
  for (int s = 0; s < 6; ++s)
    if (name == plan::state_name(static_cast<plan::TaskState>(s))) return static_cast<plan::TaskState>(s);
  throw Error(ErrorKind::input, "state", "there is no state '" + name + "'");
}

std::unique_ptr<PyTaskDag> restore(const py::list& tasks, const py::handle& next_id) {
  const auto next = integer_of<std::int32_t>(next_id, "next_id");
  std::vector<plan::Task> all;
  all.reserve(tasks.size());
  for (std::size_t i = 0; i < tasks.size(); ++i)
    all.push_back(at_element("tasks", i, [&] { return record_of(tasks[i].cast<py::tuple>()); }));
  const py::gil_scoped_release release;
  return std::make_unique<PyTaskDag>(TaskDag(std::move(all), next));
}

// Columns, one entry a task; those that are None keep their defaults.
std::unique_ptr<PyTaskDag> from_columns(const py::list& task_names, const py::object& edges, const py::object& coupling,
                                        const py::object& seconds, const py::object& cost, const py::object& priority,
                                        const py::object& skills) {
  const auto n = task_names.size();
  std::vector<plan::Task> tasks(n);
  for (std::size_t i = 0; i < n; ++i)
    tasks[i].name = at_element("names", i, [&] { return text_of(task_names[i], ""); });
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
  for (std::size_t i = 0; i < n; ++i) tasks[i].id = static_cast<std::int32_t>(i);
  plan::Dag().assign(static_cast<int>(n), list,
                     [&](int i) { return "'" + tasks[static_cast<std::size_t>(i)].name + "'"; });
  for (std::size_t i = 0; i < list.size(); ++i)
    tasks[static_cast<std::size_t>(list[i].to)].inputs.push_back({list[i].from, couplings.empty() ? 0 : couplings[i]});
  return std::make_unique<PyTaskDag>(TaskDag(std::move(tasks)));
}

}  // namespace turnout::python
