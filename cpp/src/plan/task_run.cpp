// Running a TaskDag: states, agents, and which tasks are ready.
#include <algorithm>

#include "plan/tasks.hpp"

namespace turnout::plan {

const char* state_name(TaskState state) {
  static constexpr const char* kNames[] = {"pending", "running", "done", "failed", "skipped", "cancelled"};
  return kNames[static_cast<std::size_t>(state)];
}

// ready_ holds exactly the pending tasks that wait for nothing.
void TaskDag::refresh_ready(Id id) {
  Node& n = node(id);
  const bool is = n.alive && n.task.state == TaskState::pending && n.waiting == 0;
  if (is == (n.ready_at >= 0)) return;
  if (is) {
    n.ready_at = static_cast<std::int32_t>(ready_.size());
    ready_.push_back(id);
    return;
  }
  node(ready_.back()).ready_at = n.ready_at;
  ready_[static_cast<std::size_t>(n.ready_at)] = ready_.back();
  ready_.pop_back();
  n.ready_at = -1;
}

void TaskDag::move_to(Id id, TaskState state) {
  Node& n = node(id);
  --counts_[static_cast<std::size_t>(n.task.state)];
  ++counts_[static_cast<std::size_t>(state)];
  n.task.state = state;
  refresh_ready(id);
}

void TaskDag::assign(Id task, std::string_view agent) {
  Node& n = in_state(task, TaskState::pending, "task", "be assigned");
  check_text(agent, "agent");
  if (agent.empty()) throw Error(ErrorKind::input, "agent", "expected the name of an agent");
  if (!n.task.agent.empty())
    throw Error(ErrorKind::input, "agent", quoted(task) + " is assigned to '" + n.task.agent + "' already");
  n.task.agent = agent;
}

void TaskDag::start(Id task, std::string_view agent) {
  Node& n = in_state(task, TaskState::pending, "task", "start");
  if (n.waiting > 0) {
    const auto missing =
        std::ranges::find_if(n.task.inputs, [&](const Input& i) { return node(i.task).task.state != TaskState::done; });
    throw Error(ErrorKind::input, "task",
                quoted(task) + " depends on " + quoted(missing->task) + ", which is " +
                    state_name(node(missing->task).task.state));
  }
  if (n.task.agent.empty())
    assign(task, agent);
  else if (!agent.empty() && agent != n.task.agent)
    throw Error(ErrorKind::input, "agent", quoted(task) + " is assigned to '" + n.task.agent + "' already");
  ++n.task.attempts;
  move_to(task, TaskState::running);
}

void TaskDag::complete(Id task) {
  in_state(task, TaskState::running, "task", "complete");
  move_to(task, TaskState::done);
  for (const Id output : node(task).outputs) {
    --node(output).waiting;
    refresh_ready(output);
  }
}

void TaskDag::retry(Id task) {
  in_state(task, TaskState::running, "task", "be retried").task.agent.clear();
  move_to(task, TaskState::pending);
}

void TaskDag::fail(Id task, Dependents dependents) {
  in_state(task, TaskState::running, "task", "fail");
  give_up(task, TaskState::failed, dependents);
}

void TaskDag::cancel(Id task, Dependents dependents) {
  if (known(task, "task").task.state != TaskState::running)
    in_state(task, TaskState::pending, "task", "be cancelled, or a running one");
  give_up(task, TaskState::cancelled, dependents);
}

void TaskDag::give_up(Id id, TaskState state, Dependents dependents) {
  move_to(id, state);
  if (dependents == Dependents::skip) skip_behind(id);
}

// All pending tasks behind it, also behind those that were skipped or cancelled before.
void TaskDag::skip_behind(Id id) {
  begin_search();
  std::vector<Id> left = {id};
  while (!left.empty()) {
    const Id next = left.back();
    left.pop_back();
    for (const Id output : node(next).outputs) {
      if (!mark(output, next)) continue;
      if (node(output).task.state == TaskState::pending) move_to(output, TaskState::skipped);
      left.push_back(output);
    }
  }
}

}  // namespace turnout::plan
