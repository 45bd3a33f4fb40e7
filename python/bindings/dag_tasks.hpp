// A TaskDag as Python holds it, and what the files that bind it share.
#pragma once

#include <memory>
#include <mutex>

#include "dag.hpp"
#include "read.hpp"

namespace turnout::python {

using plan::TaskDag;
using Ids = std::vector<TaskDag::Id>;

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

inline TaskDag::Id named(const TaskDag& dag, const std::string& name, const char* path = "task") {
  const auto id = dag.find(name);
  if (id < 0) throw Error(ErrorKind::input, path, "there is no task '" + name + "'");
  return id;
}

// In the order of turnout.dag.task.ATTRIBUTES.
inline plan::TaskAttributes attributes(const py::handle& operator_name, const py::handle& device_class,
                                       const py::handle& seconds, const py::handle& cost, const py::handle& priority,
                                       const py::handle& skills) {
  return {text_of(operator_name, "operator"),
          text_of(device_class, "device_class"),
          real_of(seconds, "seconds"),
          real_of(cost, "cost"),
          integer_of<std::int32_t>(priority, "priority"),
          integer_of<std::uint64_t>(skills, "skills")};
}

inline std::vector<std::string> names(const TaskDag& dag, const Ids& ids) {
  std::vector<std::string> out;
  out.reserve(ids.size());
  for (const auto id : ids) out.push_back(dag.task(id).name);
  return out;
}

inline std::vector<std::string> input_names(const TaskDag& dag, const plan::Task& task) {
  std::vector<std::string> out;
  for (const auto& input : task.inputs) out.push_back(dag.task(input.task).name);
  return out;
}

plan::TaskState state_of(const std::string& name);

// Building.
std::unique_ptr<PyTaskDag> restore(const py::list& tasks, const py::handle& next_id);
std::unique_ptr<PyTaskDag> from_columns(const py::list& task_names, const py::object& edges, const py::object& coupling,
                                        const py::object& seconds, const py::object& cost, const py::object& priority,
                                        const py::object& skills);

// Answers.
py::tuple task(PyTaskDag& self, const py::handle& task_name);
py::tuple records(PyTaskDag& self);
py::tuple measure(PyTaskDag& self);
py::tuple columns(PyTaskDag& self);

}  // namespace turnout::python
