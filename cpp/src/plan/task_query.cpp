// Questions to a TaskDag.
#include <algorithm>

#include "plan/tasks.hpp"

namespace turnout::plan {

bool TaskDag::contains(Id task) const { return task >= 0 && task < next_id() && node(task).alive; }

TaskDag::Id TaskDag::find(std::string_view name) const {
  const auto found = ids_.find(name);
  return found == ids_.end() ? -1 : found->second;
}

const Task& TaskDag::task(Id task) const {
  if (!contains(task)) throw Error(ErrorKind::input, "task", "there is no task with id " + std::to_string(task));
  return node(task).task;
}

std::span<const TaskDag::Id> TaskDag::dependents(Id id) const {
  task(id);
  return node(id).outputs;
}

bool TaskDag::is_ready(Id id) const {
  task(id);
  return node(id).ready_at >= 0;
}

void TaskDag::ready(std::vector<Id>& out) const {
  out.assign(ready_.begin(), ready_.end());
  std::ranges::sort(out, [&](Id a, Id b) {
    const auto first = node(a).task.attributes.priority, second = node(b).task.attributes.priority;
    return first != second ? first > second : a < b;
  });
}

void TaskDag::blocked(std::vector<Id>& out) const {
  out.clear();
  std::vector<bool> dead(nodes_.size());
  for (const Id id : at_) {
    if (id < 0) continue;
    const auto& [task, outputs, position, waiting, ready_at, alive] = node(id);
    const bool pending = task.state == TaskState::pending;
    const bool behind = pending && std::ranges::any_of(task.inputs, [&](const Input& i) {
                          return dead[static_cast<std::size_t>(i.task)];
                        });
    if (behind) out.push_back(id);
    dead[static_cast<std::size_t>(id)] = behind || task.state >= TaskState::failed;
  }
}

void TaskDag::order(std::vector<Id>& out) const {
  out.clear();
  for (const Id id : at_)
    if (id >= 0) out.push_back(id);
}

std::vector<Task> TaskDag::tasks() const {
  std::vector<Task> out;
  out.reserve(static_cast<std::size_t>(size_));
  for (const Node& n : nodes_)
    if (n.alive) out.push_back(n.task);
  return out;
}

bool TaskDag::operator==(const TaskDag& other) const {
  if (size_ != other.size_ || next_id() != other.next_id()) return false;
  return std::ranges::equal(nodes_, other.nodes_,
                            [](const Node& a, const Node& b) { return a.alive == b.alive && a.task == b.task; });
}

void TaskDag::snapshot(Snapshot& out) const {
  out.ids.clear();
  out.seconds.clear();
  out.coupling.clear();
  out.edges.clear();
  out.index.resize(nodes_.size());
  for (const Node& n : nodes_) {
    if (!n.alive) continue;
    out.index[static_cast<std::size_t>(n.task.id)] = static_cast<std::int32_t>(out.ids.size());
    out.ids.push_back(n.task.id);
    out.seconds.push_back(n.task.attributes.seconds);
  }
  for (const Id id : out.ids)
    for (const Input& input : node(id).task.inputs) {
      out.edges.push_back({out.index[static_cast<std::size_t>(input.task)], out.index[static_cast<std::size_t>(id)]});
      out.coupling.push_back(input.coupling);
    }
  out.dag.assign(size_, out.edges);
}

}  // namespace turnout::plan
