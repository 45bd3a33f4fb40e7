// A DAG of tasks that is edited while it runs. Three invariants hold after every call (after UFO3, arXiv 2511.11332):
// I1 an attempt at a task belongs to one agent, I2 there is no cycle, I3 only pending tasks change, and with them their
// inputs. A call that would break one throws and leaves the DAG as it was, bit for bit.
#pragma once

#include <string_view>
#include <unordered_map>

#include "turnout/plan/dag.hpp"

namespace turnout::plan {

inline constexpr int kMaxTaskIds = 1 << 20;        // that a DAG gives out over its life; none is used twice
inline constexpr std::size_t kMaxTaskText = 1024;  // bytes of a name, an operator, a device class, an agent

enum class TaskState : std::uint8_t { pending, running, done, failed, skipped, cancelled };
const char* state_name(TaskState state);

// What becomes of the pending tasks behind one that failed or was cancelled.
enum class Dependents : std::uint8_t {
  block,  // they stay pending and never get ready, until an edit takes the dependency away
  skip,   // they are skipped, for good
};

struct TaskAttributes {
  std::string operator_name, device_class;  // empty: none, any
  double seconds = 0, cost = 0;             // expected
  std::int32_t priority = 0;                // higher first
  std::uint64_t skills = 0;                 // bits that its agent must have
  bool operator==(const TaskAttributes&) const = default;
};

struct Input {
  std::int32_t task = 0;
  double coupling = 0;  // in [0, 1]
  bool operator==(const Input&) const = default;
};

// All there is to know of one task.
struct Task {
  std::int32_t id = 0;
  std::string name;
  TaskAttributes attributes;
  TaskState state = TaskState::pending;
  std::string agent;          // of the attempt that runs or ran last; empty while none has it
  std::int32_t attempts = 0;  // that were started
  std::vector<Input> inputs;  // lowest id first
  bool operator==(const Task&) const = default;
};

// One edit of a batch. Tasks go by name, because those that the batch adds have no id yet.
struct Edit {
  enum class Kind : std::uint8_t { add, remove, connect, disconnect, change };
  Kind kind = Kind::add;
  std::string task;           // of connect and disconnect: the one that depends
  TaskAttributes attributes;  // of add and change
  std::string from;           // of connect and disconnect
  double coupling = 0;        // of connect
};

class TaskDag {
 public:
  using Id = std::int32_t;

  TaskDag() = default;
  // All tasks at once, in O(V + E): new ones, or those that tasks() gave (ids ascend; states must hold together).
  // `next_id`: what the next task is called; at least one more than the highest.
  explicit TaskDag(std::vector<Task> tasks, Id next_id = 0);

  // Edits. O(affected part) for an edge that the order must give way to (Pearce and Kelly, JEA 2006), else O(degree).
  Id add(std::string_view name, TaskAttributes attributes = {}, std::span<const Input> inputs = {});
  void remove(Id task);  // with its edges
  void connect(Id from, Id to, double coupling = 0);
  void disconnect(Id from, Id to);
  void change(Id task, TaskAttributes attributes);
  // All or none; on an error its path begins with "edits[i].". O(V + E): works on a copy.
  void apply(std::span<const Edit> edits);

  // Running. An agent is named once an attempt: by assign() or by start().
  void assign(Id task, std::string_view agent);
  void start(Id task, std::string_view agent = {});
  void complete(Id task);
  void retry(Id task);  // a running task that failed: pending again, without an agent
  void fail(Id task, Dependents dependents);
  void cancel(Id task, Dependents dependents);

  // Questions.
  int size() const { return size_; }
  int edges() const { return edges_; }
  int count(TaskState state) const { return counts_[static_cast<std::size_t>(state)]; }
  Id next_id() const { return static_cast<Id>(nodes_.size()); }
  bool contains(Id task) const;
  Id find(std::string_view name) const;  // -1 where there is none
  const Task& task(Id task) const;       // Error(input) where there is none
  std::span<const Id> dependents(Id task) const;
  bool is_ready(Id task) const;
  // Pending tasks whose inputs are all done, by (priority descending, id ascending).
  void ready(std::vector<Id>& out) const;
  // Pending tasks behind one that failed, was skipped or cancelled; in topological order.
  void blocked(std::vector<Id>& out) const;
  // Every task after its inputs, as the edits left it.
  void order(std::vector<Id>& out) const;
  std::vector<Task> tasks() const;  // lowest id first
  // Of everything but the order: equal DAGs have equal digests.
  std::uint64_t digest() const;
  bool operator==(const TaskDag& other) const;

  // Tasks as a Dag, lowest id first, with what measure() needs.
  struct Snapshot {
    Dag dag;
    std::vector<Id> ids;
    std::vector<double> seconds, coupling;
    std::vector<Edge> edges;
    std::vector<std::int32_t> index;  // of each id
  };
  void snapshot(Snapshot& out) const;

 private:
  struct Node {
    Task task;
    std::vector<Id> outputs;  // lowest first
    std::int32_t position = 0, waiting = 0, ready_at = -1;
    bool alive = true;
  };
  struct NameHash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  Node& node(Id id) { return nodes_[static_cast<std::size_t>(id)]; }
  const Node& node(Id id) const { return nodes_[static_cast<std::size_t>(id)]; }
  Node& known(Id id, const char* path);
  Node& in_state(Id id, TaskState state, const char* path, const char* action);
  std::string quoted(Id id) const;

  void check_inputs(std::span<const Input> inputs);
  void link(Id from, Id to, double coupling);
  void unlink(Id from, Id to);
  void make_way(Id from, Id to);  // keeps the order topological for from -> to; throws where that closes a cycle
  void begin_search();
  bool mark(Id id, Id via);
  bool collect_after(Id start, Id goal);
  void collect_before(Id start, std::int32_t first);
  [[noreturn]] void refuse_cycle(Id from, Id to) const;
  void reorder();

  void move_to(Id id, TaskState state);
  void refresh_ready(Id id);
  void skip_behind(Id id);
  void give_up(Id id, TaskState state, Dependents dependents);

  void load(Task task, std::vector<Edge>& edges, std::vector<Id>& index);
  void load_edges(const std::vector<Edge>& edges, const std::vector<Id>& index);
  void check_states() const;
  void apply(const Edit& edit);
  Id named(const std::string& name, const char* path) const;

  std::vector<Node> nodes_;  // by id
  std::vector<Id> at_;       // by position; -1 where a task was removed
  std::vector<Id> ready_;    // in no order
  std::unordered_map<std::string, Id, NameHash, std::equal_to<>> ids_;
  int size_ = 0, edges_ = 0;
  int counts_[6] = {};
  // Scratch of a search: what the search has seen, from where, and in which order.
  struct Search {
    std::vector<std::uint32_t> seen;
    std::vector<Id> via, after, before;
    std::vector<std::int32_t> positions;
    std::uint32_t stamp = 0;
  } search_;
};

}  // namespace turnout::plan
