// A TaskDag as Python holds it, and what the files that bind it share.
#pragma once

#include <memory>
#include <mutex>

#include "dag.hpp"

namespace turnout::python {

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

inline TaskDag::Id named(const TaskDag& dag, const std::string& name, const char* path = "task") {
  const auto id = dag.find(name);
  if (id < 0) throw Error(ErrorKind::input, path, "there is no task '" + name + "'");
  return id;
}

inline plan::TaskAttributes attributes(const std::string& operator_name, const std::string& device_class,
                                       double seconds, double cost, std::int32_t priority, std::uint64_t skills) {
  return {operator_name, device_class, seconds, cost, priority, skills};
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
std::unique_ptr<PyTaskDag> restore(const py::sequence& tasks, std::int32_t next_id);
std::unique_ptr<PyTaskDag> from_columns(const std::vector<std::string>& task_names, const py::object& edges,
                                        const py::object& coupling, const py::object& seconds, const py::object& cost,
                                        const py::object& priority, const py::object& skills);

// Answers.
py::tuple task(PyTaskDag& self, const std::string& name);
py::tuple records(PyTaskDag& self);
py::tuple measure(PyTaskDag& self);
py::tuple columns(PyTaskDag& self);

}  // namespace turnout::python
