// All tasks of a TaskDag at once, a batch of edits, and the checks of what a task may say.
#include <algorithm>

#include "plan/checks.hpp"
#include "plan/tasks.hpp"

namespace turnout::plan {
namespace {

std::string element(std::size_t i) { return "tasks[" + std::to_string(i) + "]."; }

// Runs f; an error's path is then one of `at`.
template <class F>
void within(const std::string& at, const F& f) {
  try {
    f();
  } catch (const Error& e) {
    const std::string what = e.what();
    throw Error(e.kind, at + e.path, what.substr(e.path.empty() ? 0 : e.path.size() + 2));
  }
}

}  // namespace

void check_text(std::string_view text, const char* path) {
  if (text.size() > kMaxTaskText)
    throw Error(ErrorKind::input, path,
                "expected at most " + std::to_string(kMaxTaskText) + " bytes, got " + std::to_string(text.size()));
  if (std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }))
    throw Error(ErrorKind::input, path, "expected no control characters");
}

void check_attributes(const TaskAttributes& a) {
  check_text(a.operator_name, "operator");
  check_text(a.device_class, "device_class");
  check_between(a.seconds, 0, kMaxTaskSeconds, "seconds");
  check_between(a.cost, 0, kMaxTaskCost, "cost");
}

TaskDag::TaskDag(std::vector<Task> tasks, Id next_id) {
  std::vector<Edge> edges;
  std::vector<Id> index;
  for (std::size_t i = 0; i < tasks.size(); ++i) within(element(i), [&] { load(std::move(tasks[i]), edges, index); });
  if (next_id != 0 && (next_id < this->next_id() || next_id > kMaxTaskIds))
    throw Error(ErrorKind::input, "next_id",
                "expected " + std::to_string(this->next_id()) + " to " + std::to_string(kMaxTaskIds) + ", got " +
                    std::to_string(next_id));
  Node removed;
  removed.alive = false;
  if (next_id != 0) nodes_.resize(static_cast<std::size_t>(next_id), removed);
  load_edges(edges, index);
  check_states();
}

// Its inputs become edges from id to id; what they point to may follow later.
void TaskDag::load(Task task, std::vector<Edge>& edges, std::vector<Id>& index) {
  if (task.id < next_id() || task.id >= kMaxTaskIds)
    throw Error(ErrorKind::input, "id",
                "expected ids that ascend, below " + std::to_string(kMaxTaskIds) + ", got " + std::to_string(task.id));
  if (task.state > TaskState::cancelled) throw Error(ErrorKind::input, "state", "expected a state");
  check_text(task.agent, "agent");
  Node removed;
  removed.alive = false;
  nodes_.resize(static_cast<std::size_t>(task.id), removed);
  const Id id = add(task.name, std::move(task.attributes));
  for (const Input& input : task.inputs) {
    check_between(input.coupling, 0, 1, "inputs.coupling");
    edges.push_back({input.task, id});
  }
  std::ranges::sort(task.inputs, {}, &Input::task);
  const auto twice = std::ranges::adjacent_find(task.inputs, {}, &Input::task);
  if (twice != task.inputs.end())
    throw Error(ErrorKind::input, "inputs", "the task with id " + std::to_string(twice->task) + " is there twice");
  Task& own = node(id).task;
  own.agent = std::move(task.agent);
  own.attempts = task.attempts;
  own.inputs = std::move(task.inputs);
  move_to(id, task.state);
  index.push_back(id);
}

// The edges as a Dag, which checks them; its order becomes ours.
void TaskDag::load_edges(const std::vector<Edge>& edges, const std::vector<Id>& index) {
  std::vector<std::int32_t> place(nodes_.size(), -1);
  for (std::size_t i = 0; i < index.size(); ++i) place[static_cast<std::size_t>(index[i])] = static_cast<Id>(i);
  std::vector<Edge> dense;
  dense.reserve(edges.size());
  for (const Edge& e : edges) {
    if (!contains(e.from))
      throw Error(ErrorKind::input, "tasks[" + std::to_string(place[static_cast<std::size_t>(e.to)]) + "].inputs",
                  "there is no task with id " + std::to_string(e.from));
    dense.push_back({place[static_cast<std::size_t>(e.from)], place[static_cast<std::size_t>(e.to)]});
  }
  Dag dag;
  dag.assign(size_, dense, [&](int i) { return quoted(index[static_cast<std::size_t>(i)]); });
  edges_ = dag.edges();
  at_.clear();
  for (const int i : dag.order()) {
    const Id id = index[static_cast<std::size_t>(i)];
    Node& n = node(id);
    n.position = static_cast<std::int32_t>(at_.size());
    at_.push_back(id);
    for (const int child : dag.children(i)) n.outputs.push_back(index[static_cast<std::size_t>(child)]);
    n.waiting = static_cast<std::int32_t>(std::ranges::count_if(
        n.task.inputs, [&](const Input& input) { return node(input.task).task.state != TaskState::done; }));
    refresh_ready(id);
  }
}

// What ran had an agent, and all of its inputs were done.
void TaskDag::check_states() const {
  for (const Node& n : nodes_) {
    if (!n.alive) continue;
    const TaskState state = n.task.state;
    const bool ran = state == TaskState::running || state == TaskState::done || state == TaskState::failed;
    if (n.task.attempts < 0 || (ran && (n.waiting > 0 || n.task.agent.empty() || n.task.attempts == 0)))
      throw Error(ErrorKind::input, "tasks",
                  quoted(n.task.id) + " is " + state_name(state) + ", but its agent, attempts or inputs say otherwise");
  }
}

TaskDag::Id TaskDag::named(const std::string& name, const char* path) const {
  const Id id = find(name);
  if (id < 0) throw Error(ErrorKind::input, path, "there is no task '" + name + "'");
  return id;
}

void TaskDag::apply(const Edit& edit) {
  using enum Edit::Kind;
  switch (edit.kind) {
    case add:
      this->add(edit.task, edit.attributes);
      return;
    case remove:
      this->remove(named(edit.task, "task"));
      return;
    case connect:
      this->connect(named(edit.from, "from"), named(edit.task, "to"), edit.coupling);
      return;
    case disconnect:
      this->disconnect(named(edit.from, "from"), named(edit.task, "to"));
      return;
    case change:
      this->change(named(edit.task, "task"), edit.attributes);
      return;
  }
  throw Error(ErrorKind::input, "kind", "expected a kind of edit");
}

void TaskDag::apply(std::span<const Edit> edits) {
  TaskDag edited = *this;
  for (std::size_t i = 0; i < edits.size(); ++i)
    within("edits[" + std::to_string(i) + "].", [&] { edited.apply(edits[i]); });
  *this = std::move(edited);
}

}  // namespace turnout::plan
