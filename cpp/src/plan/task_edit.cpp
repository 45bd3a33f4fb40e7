// Edits of a TaskDag: each checks first and changes after, so that a refused one leaves no trace.
#include <algorithm>

#include "plan/checks.hpp"
#include "plan/tasks.hpp"

namespace turnout::plan {
namespace {

[[noreturn]] void refuse(const char* path, const std::string& what) { throw Error(ErrorKind::input, path, what); }

template <class Inputs>
auto place_of(Inputs& inputs, TaskDag::Id from) {
  return std::ranges::lower_bound(inputs, from, {}, &Input::task);
}

bool has_input(const Task& task, TaskDag::Id from) {
  const auto place = place_of(task.inputs, from);
  return place != task.inputs.end() && place->task == from;
}

}  // namespace

std::string TaskDag::quoted(Id id) const { return "'" + node(id).task.name + "'"; }

TaskDag::Node& TaskDag::known(Id id, const char* path) {
  if (!contains(id)) refuse(path, "there is no task with id " + std::to_string(id));
  return node(id);
}

TaskDag::Node& TaskDag::in_state(Id id, TaskState state, const char* path, const char* action) {
  Node& n = known(id, path);
  if (n.task.state != state)
    refuse(path,
           quoted(id) + " is " + state_name(n.task.state) + "; only a " + state_name(state) + " task can " + action);
  return n;
}

// Nothing runs after a new task, so its inputs close no cycle.
TaskDag::Id TaskDag::add(std::string_view name, TaskAttributes attributes, std::span<const Input> inputs) {
  check_text(name, "name");
  if (name.empty()) refuse("name", "expected a name");
  check_attributes(attributes);
  if (find(name) >= 0) refuse("name", "there is a task '" + std::string(name) + "' already");
  if (size_ == kMaxTasks) refuse("name", "a DAG holds at most " + std::to_string(kMaxTasks) + " tasks");
  if (next_id() == kMaxTaskIds)
    refuse("name", "a DAG gives out at most " + std::to_string(kMaxTaskIds) + " ids over its life");
  check_inputs(inputs);
  const Id id = next_id();
  Node n;
  n.task.id = id;
  n.task.name = name;
  n.task.attributes = std::move(attributes);
  n.position = static_cast<std::int32_t>(at_.size());
  nodes_.push_back(std::move(n));
  at_.push_back(id);
  ids_.emplace(name, id);
  ++size_;
  ++counts_[static_cast<std::size_t>(TaskState::pending)];
  refresh_ready(id);
  for (const Input& input : inputs) link(input.task, id, input.coupling);
  return id;
}

void TaskDag::check_inputs(std::span<const Input> inputs) {
  if (inputs.size() > static_cast<std::size_t>(kMaxEdges - edges_))
    refuse("inputs", "a DAG holds at most " + std::to_string(kMaxEdges) + " edges");
  std::vector<Id> ids;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::string path = element("inputs", i);
    ids.push_back(known(inputs[i].task, path.c_str()).task.id);
    check_between(inputs[i].coupling, 0, 1, path + ".coupling");
  }
  std::ranges::sort(ids);
  const auto twice = std::ranges::adjacent_find(ids);
  if (twice != ids.end()) refuse("inputs", quoted(*twice) + " is there twice");
}

void TaskDag::remove(Id task) {
  const Node& n = in_state(task, TaskState::pending, "task", "be removed");
  for (const Id output : n.outputs)
    if (node(output).task.state != TaskState::pending)
      refuse("task",
             quoted(task) + " is an input of " + quoted(output) + ", which is " + state_name(node(output).task.state));
  while (!node(task).task.inputs.empty()) unlink(node(task).task.inputs.back().task, task);
  while (!node(task).outputs.empty()) unlink(task, node(task).outputs.back());
  --counts_[static_cast<std::size_t>(TaskState::pending)];
  ids_.erase(ids_.find(node(task).task.name));
  at_[static_cast<std::size_t>(node(task).position)] = -1;
  node(task).alive = false;
  refresh_ready(task);
  node(task) = Node{};
  node(task).alive = false;
  --size_;
}

void TaskDag::connect(Id from, Id to, double coupling) {
  known(from, "from");
  const Node& n = in_state(to, TaskState::pending, "to", "be given an input");
  check_between(coupling, 0, 1, "coupling");
  if (from == to) refuse("from", quoted(to) + " cannot depend on itself");
  if (has_input(n.task, from)) refuse("from", quoted(to) + " depends on " + quoted(from) + " already");
  if (edges_ == kMaxEdges) refuse("from", "a DAG holds at most " + std::to_string(kMaxEdges) + " edges");
  make_way(from, to);
  link(from, to, coupling);
}

void TaskDag::disconnect(Id from, Id to) {
  known(from, "from");
  const Node& n = in_state(to, TaskState::pending, "to", "lose an input");
  if (!has_input(n.task, from)) refuse("from", quoted(to) + " does not depend on " + quoted(from));
  unlink(from, to);
}

void TaskDag::change(Id task, TaskAttributes attributes) {
  Node& n = in_state(task, TaskState::pending, "task", "change");
  check_attributes(attributes);
  n.task.attributes = std::move(attributes);
}

void TaskDag::link(Id from, Id to, double coupling) {
  auto& inputs = node(to).task.inputs;
  inputs.insert(place_of(inputs, from), {from, coupling});
  auto& outputs = node(from).outputs;
  outputs.insert(std::ranges::lower_bound(outputs, to), to);
  ++edges_;
  if (node(from).task.state != TaskState::done) ++node(to).waiting;
  refresh_ready(to);
}

void TaskDag::unlink(Id from, Id to) {
  auto& inputs = node(to).task.inputs;
  inputs.erase(place_of(inputs, from));
  auto& outputs = node(from).outputs;
  outputs.erase(std::ranges::lower_bound(outputs, to));
  --edges_;
  if (node(from).task.state != TaskState::done) --node(to).waiting;
  refresh_ready(to);
}

}  // namespace turnout::plan
