// TaskDag: edits, running, and its invariants under 100,000 random calls.
#include <cmath>
#include <map>
#include <set>

#include "turnout/plan/measure.hpp"
#include "turnout/plan/task_dag.hpp"

#include "allocations.hpp"
#include "check.hpp"
#include "dags.hpp"

using namespace turnout;
using plan::Dependents;
using plan::Edit;
using plan::TaskDag;
using plan::TaskState;
using Ids = std::vector<TaskDag::Id>;

namespace {

std::string refusal(const std::function<void()>& f) { return check::message_of<Error>(f); }

// a -> b -> d, a -> c -> d
struct Diamond {
  TaskDag dag;
  TaskDag::Id a = dag.add("a"), b = dag.add("b"), c = dag.add("c"), d = dag.add("d");
  Diamond() {
    dag.connect(a, b);
    dag.connect(a, c, 0.5);
    dag.connect(b, d);
    dag.connect(c, d);
  }
  void run(TaskDag::Id task) {
    dag.start(task, "agent");
    dag.complete(task);
  }
};

Ids ready(const TaskDag& dag) {
  Ids out;
  dag.ready(out);
  return out;
}
Ids blocked(const TaskDag& dag) {
  Ids out;
  dag.blocked(out);
  return out;
}
Ids order(const TaskDag& dag) {
  Ids out;
  dag.order(out);
  return out;
}

// The invariants from the public answers alone, in O(V E).
bool holds_together(const TaskDag& dag) {
  const auto tasks = dag.tasks();
  std::map<TaskDag::Id, const plan::Task*> by_id;
  for (const auto& t : tasks) by_id[t.id] = &t;
  std::map<TaskDag::Id, std::size_t> place;
  const Ids sequence = order(dag);
  for (std::size_t i = 0; i < sequence.size(); ++i) place[sequence[i]] = i;
  if (by_id.size() != tasks.size() || place.size() != tasks.size() || dag.size() != static_cast<int>(tasks.size()))
    return false;
  int edges = 0, counts[6] = {};
  std::set<TaskDag::Id> is_ready;
  for (const auto& t : tasks) {
    bool inputs_done = true;
    for (const auto& input : t.inputs) {
      if (!by_id.contains(input.task) || place[input.task] >= place[t.id]) return false;  // I2
      inputs_done = inputs_done && by_id[input.task]->state == TaskState::done;
      const auto outputs = dag.dependents(input.task);
      if (std::ranges::count(outputs, t.id) != 1) return false;
      ++edges;
    }
    const bool ran = t.state == TaskState::running || t.state == TaskState::done || t.state == TaskState::failed;
    if (ran && (!inputs_done || t.agent.empty() || t.attempts < 1)) return false;  // I1
    if (t.state == TaskState::pending && inputs_done) is_ready.insert(t.id);
    ++counts[static_cast<int>(t.state)];
  }
  for (int s = 0; s < 6; ++s)
    if (counts[s] != dag.count(static_cast<TaskState>(s))) return false;
  const Ids got = ready(dag);
  return edges == dag.edges() && std::set<TaskDag::Id>(got.begin(), got.end()) == is_ready &&
         got.size() == is_ready.size();
}

// I3: what had left the pending state is still there, as it was but for its state.
bool finished_stay(const std::vector<plan::Task>& before, const TaskDag& after) {
  return std::ranges::all_of(before, [&](const plan::Task& t) {
    if (t.state == TaskState::pending) return true;
    if (!after.contains(t.id)) return false;
    const plan::Task& now = after.task(t.id);
    return now.name == t.name && now.attributes == t.attributes && now.inputs == t.inputs;
  });
}

// Would `to` then run before itself? By a plain search from the inputs of `from`.
bool closes_cycle(const TaskDag& dag, TaskDag::Id from, TaskDag::Id to) {
  std::set<TaskDag::Id> seen = {from};
  for (Ids left = {from}; !left.empty();) {
    const auto id = left.back();
    left.pop_back();
    if (id == to) return true;
    for (const auto& input : dag.task(id).inputs)
      if (seen.insert(input.task).second) left.push_back(input.task);
  }
  return false;
}

}  // namespace

TEST(a_diamond_runs) {
  Diamond x;
  CHECK(ready(x.dag) == Ids{x.a});
  x.run(x.a);
  CHECK(ready(x.dag) == (Ids{x.b, x.c}));
  x.dag.start(x.c, "one");
  CHECK(ready(x.dag) == Ids{x.b} && x.dag.task(x.c).agent == "one" && x.dag.count(TaskState::running) == 1);
  x.run(x.b);
  CHECK(ready(x.dag).empty());
  x.dag.complete(x.c);
  x.run(x.d);
  CHECK(x.dag.count(TaskState::done) == 4 && ready(x.dag).empty() && holds_together(x.dag));
}

TEST(ready_is_by_priority_then_id) {
  TaskDag dag;
  for (const int priority : {0, 5, -1, 5}) dag.add("t" + std::to_string(dag.size()), {"", "", 0, 0, priority, 0});
  CHECK(ready(dag) == (Ids{1, 3, 0, 2}));
}

TEST(an_attempt_belongs_to_one_agent) {
  Diamond x;
  x.dag.assign(x.a, "one");
  CHECK(refusal([&] { x.dag.assign(x.a, "two"); }) == "agent: 'a' is assigned to 'one' already");
  CHECK(refusal([&] { x.dag.start(x.a, "two"); }) == "agent: 'a' is assigned to 'one' already");
  x.dag.start(x.a);
  CHECK(refusal([&] { x.dag.start(x.a, "one"); }) == "task: 'a' is running; only a pending task can start");
  CHECK(refusal([&] { x.dag.assign(x.a, "two"); }) == "task: 'a' is running; only a pending task can be assigned");
  x.dag.retry(x.a);
  CHECK(x.dag.task(x.a).agent.empty() && x.dag.task(x.a).attempts == 1 && ready(x.dag) == Ids{x.a});
  CHECK(refusal([&] { x.dag.start(x.a); }) == "agent: expected the name of an agent");
  x.dag.start(x.a, "two");
  CHECK(x.dag.task(x.a).agent == "two" && x.dag.task(x.a).attempts == 2);
}

TEST(a_task_starts_after_its_inputs) {
  Diamond x;
  CHECK(refusal([&] { x.dag.start(x.d, "one"); }) == "task: 'd' depends on 'b', which is pending");
  CHECK(refusal([&] { x.dag.complete(x.a); }) == "task: 'a' is pending; only a running task can complete");
  CHECK(refusal([&] { x.dag.fail(x.a, Dependents::skip); }) == "task: 'a' is pending; only a running task can fail");
  CHECK(refusal([&] { x.dag.start(99, "one"); }) == "task: there is no task with id 99");
}

TEST(failure_blocks_or_skips_what_is_behind) {
  Diamond x;
  x.run(x.a);
  x.dag.start(x.b, "one");
  x.dag.fail(x.b, Dependents::block);
  CHECK(blocked(x.dag) == Ids{x.d} && ready(x.dag) == Ids{x.c});
  x.run(x.c);
  CHECK(ready(x.dag).empty());
  x.dag.disconnect(x.b, x.d);  // an edit heals it
  CHECK(blocked(x.dag).empty() && ready(x.dag) == Ids{x.d} && holds_together(x.dag));

  Diamond y;
  y.run(y.a);
  y.dag.start(y.b, "one");
  y.dag.fail(y.b, Dependents::skip);
  CHECK(y.dag.task(y.d).state == TaskState::skipped && ready(y.dag) == Ids{y.c} && holds_together(y.dag));
  CHECK(refusal([&] { y.dag.disconnect(y.b, y.d); }) == "to: 'd' is skipped; only a pending task can lose an input");
}

TEST(pending_and_running_tasks_can_be_cancelled) {
  Diamond x;
  x.dag.cancel(x.c, Dependents::block);
  CHECK(blocked(x.dag) == Ids{x.d});
  x.dag.start(x.a, "one");
  x.dag.cancel(x.a, Dependents::skip);
  CHECK(x.dag.count(TaskState::cancelled) == 2 && x.dag.count(TaskState::skipped) == 2 && holds_together(x.dag));
  CHECK(refusal([&] { x.dag.cancel(x.a, Dependents::skip); }) ==
        "task: 'a' is cancelled; only a pending task can be cancelled, or a running one");
}

TEST(skipping_goes_on_behind_what_was_cancelled_before) {
  Diamond x;
  x.dag.cancel(x.b, Dependents::block);
  x.dag.cancel(x.c, Dependents::block);
  x.dag.cancel(x.a, Dependents::skip);
  CHECK(x.dag.task(x.d).state == TaskState::skipped && x.dag.task(x.b).state == TaskState::cancelled);
}

TEST(only_pending_tasks_change) {
  Diamond x;
  x.dag.start(x.a, "one");
  x.dag.connect(x.dag.add("e"), x.b);
  const auto before = x.dag.digest();
  CHECK(refusal([&] { x.dag.remove(x.a); }) == "task: 'a' is running; only a pending task can be removed");
  CHECK(refusal([&] { x.dag.change(x.a, {}); }) == "task: 'a' is running; only a pending task can change");
  CHECK(refusal([&] { x.dag.connect(x.b, x.a); }) == "to: 'a' is running; only a pending task can be given an input");
  CHECK(x.dag.digest() == before);
  x.dag.cancel(x.d, Dependents::block);
  CHECK(refusal([&] { x.dag.remove(x.b); }) == "task: 'b' is an input of 'd', which is cancelled");
}

TEST(a_cycle_is_named_and_leaves_no_trace) {
  Diamond x;
  const TaskDag before = x.dag;
  CHECK(refusal([&] { x.dag.connect(x.d, x.a); }) == "from: nodes depend on each other: 'd' -> 'b' -> 'a' -> 'd'");
  CHECK(refusal([&] { x.dag.connect(x.a, x.a); }) == "from: 'a' cannot depend on itself");
  CHECK(refusal([&] { x.dag.connect(x.a, x.b); }) == "from: 'b' depends on 'a' already");
  CHECK(refusal([&] { x.dag.connect(7, x.b); }) == "from: there is no task with id 7");
  CHECK(refusal([&] { x.dag.disconnect(x.a, x.d); }) == "from: 'd' does not depend on 'a'");
  CHECK(refusal([&] { x.dag.connect(x.a, x.d, 1.5); }) == "coupling: expected a number in [0, 1], got 1.5");
  CHECK(x.dag == before && x.dag.digest() == before.digest() && order(x.dag) == order(before));
}

TEST(wrong_tasks_are_refused) {
  TaskDag dag;
  dag.add("a");
  const auto add = [&](const std::string& name, plan::TaskAttributes attributes) {
    return refusal([&] { dag.add(name, attributes); });
  };
  CHECK(add("a", {}) == "name: there is a task 'a' already" && add("", {}) == "name: expected a name");
  CHECK(add("x\n", {}) == "name: expected no control characters");
  CHECK(add(std::string(1025, 'x'), {}) == "name: expected at most 1024 bytes, got 1025");
  CHECK(add("b", {"", "", -1, 0, 0, 0}) == "seconds: expected a number in [0, 1e+09], got -1");
  CHECK(add("b", {"", "", 0, NAN, 0, 0}).rfind("cost: ", 0) == 0);
  CHECK(dag.size() == 1 && dag.next_id() == 1);
}

TEST(a_task_may_come_with_its_inputs) {
  Diamond x;
  const TaskDag before = x.dag;
  const auto add = [&](const std::vector<plan::Input>& inputs) { return refusal([&] { x.dag.add("e", {}, inputs); }); };
  CHECK(add({{0, 0}, {9, 0}}) == "inputs[1]: there is no task with id 9");
  CHECK(add({{0, 0}, {1, -1}}) == "inputs[1].coupling: expected a number in [0, 1], got -1");
  CHECK(add({{2, 0}, {1, 0}, {2, 1}}) == "inputs: 'c' is there twice");
  CHECK(x.dag == before && order(x.dag) == order(before));
  CHECK(add({{3, 1}, {0, 0.5}}).empty() && holds_together(x.dag));
  CHECK(x.dag.task(4).inputs == (std::vector<plan::Input>{{0, 0.5}, {3, 1}}));
}

TEST(a_batch_is_all_or_nothing) {
  Diamond x;
  const TaskDag before = x.dag;
  using K = Edit::Kind;
  std::vector<Edit> edits = {{K::add, "e", {}, "", 0},
                             {K::connect, "e", {}, "d", 0.25},
                             {K::remove, "b", {}, "", 0},
                             {K::connect, "a", {}, "e", 0}};
  CHECK(refusal([&] { x.dag.apply(edits); }) ==
        "edits[3].from: nodes depend on each other: 'e' -> 'd' -> 'c' -> 'a' -> 'e'");
  CHECK(x.dag == before && x.dag.digest() == before.digest() && order(x.dag) == order(before));
  edits.back() = {K::disconnect, "d", {}, "c", 0};
  x.dag.apply(edits);
  CHECK(x.dag.size() == 4 && x.dag.edges() == 2 && x.dag.find("b") == -1 && holds_together(x.dag));
  const std::vector<Edit> unknown = {{K::change, "zz", {}, "", 0}};
  CHECK(refusal([&] { x.dag.apply(unknown); }) == "edits[0].task: there is no task 'zz'");
}

TEST(tasks_rebuild_an_equal_dag) {
  Diamond x;
  x.run(x.a);
  x.dag.start(x.b, "one");
  x.dag.add("e");
  x.dag.remove(x.dag.find("e"));  // its id is never used again
  const TaskDag again(x.dag.tasks(), x.dag.next_id());
  CHECK(again == x.dag && again.digest() == x.dag.digest() && ready(again) == ready(x.dag) && holds_together(again));
  CHECK(again.next_id() == 5);
  auto tasks = x.dag.tasks();
  tasks[3].state = TaskState::running;  // though c is pending
  CHECK(refusal([&] { TaskDag bad(tasks); }).rfind("tasks: 'd' is running, but its agent", 0) == 0);
  tasks = x.dag.tasks();
  tasks[0].inputs = {{3, 0}};
  CHECK(refusal([&] { TaskDag bad(tasks); }) == "edges: nodes depend on each other: 'a' -> 'd' -> 'b' -> 'a'");
  tasks[0].inputs = {{9, 0}};
  CHECK(refusal([&] { TaskDag bad(tasks); }) == "tasks[0].inputs: there is no task with id 9");
  tasks[0].inputs = {};
  tasks[3].inputs = {{1, 0}, {2, 0}, {1, 1}};
  CHECK(refusal([&] { TaskDag bad(tasks); }) == "tasks[3].inputs: the task with id 1 is there twice");
  tasks[1].name = "a";
  CHECK(refusal([&] { TaskDag bad(tasks); }) == "tasks[1].name: there is a task 'a' already");
}

TEST(the_order_of_edits_does_not_show) {
  Diamond x;
  TaskDag other;
  for (const char* name : {"a", "b", "c", "d"}) other.add(name);
  other.connect(2, 3);
  other.connect(0, 2, 0.5);
  other.connect(1, 3);
  other.connect(0, 1);
  CHECK(other == x.dag && other.digest() == x.dag.digest());
  other.change(0, {"", "", -0.0, 0, 0, 0});
  CHECK(other == x.dag && other.digest() == x.dag.digest());
  other.change(0, {"", "", 1, 0, 0, 0});
  CHECK(!(other == x.dag) && other.digest() != x.dag.digest());
}

// a12, T: random edits and completions, legal or not. Each is predicted by the slow rules; after each the invariants
// hold, and a refused one leaves the DAG bit-identical.
TEST(a_hundred_thousand_random_calls_keep_the_invariants) {
  Philox rng(12);
  TaskDag dag;
  int named = 0, refused = 0, cycles = 0;
  for (int step = 0; step < 100000; ++step) {
    if (step % 400 == 0) dag = TaskDag();  // else it fills up with finished tasks
    const auto pick = [&] { return static_cast<TaskDag::Id>(dags::below(rng, dag.next_id() + 1)); };
    const auto a = pick(), b = pick();
    const auto state = [&](TaskDag::Id id) { return dag.task(id).state; };
    const bool has_a = dag.contains(a), has_b = dag.contains(b);
    const bool pending_a = has_a && state(a) == TaskState::pending, pending_b = has_b && state(b) == TaskState::pending;
    const bool linked = has_a && has_b && std::ranges::count(dag.dependents(a), b) > 0;
    const auto digest = dag.digest();
    const Ids sequence = order(dag);
    const auto tasks = dag.tasks();
    bool legal = true;
    std::string message;
    const auto attempt = [&](bool may, const std::function<void()>& f) {
      legal = may;
      message = refusal(f);
    };
    const auto behind = rng.uniform() < 0.5 ? Dependents::block : Dependents::skip;
    switch (const int kind = dags::below(rng, 24); kind) {
      case 0:
      case 1:
      case 2:
        attempt(dag.size() < 60, [&] {
          if (dag.size() >= 60) throw Error(ErrorKind::input, "", "enough");
          dag.add("t" + std::to_string(named++), {"", "", rng.uniform(), 0, dags::below(rng, 3), 0});
        });
        break;
      case 3:
        attempt(pending_a &&
                    std::ranges::all_of(dag.dependents(a), [&](auto id) { return state(id) == TaskState::pending; }),
                [&] { dag.remove(a); });
        break;
      case 4:
      case 5:
      case 6:
      case 7:
      case 8:
      case 16:
      case 17:
      case 18:
      case 19:
      case 20:
      case 21:
      case 22:
      case 23: {
        const bool cycle = has_a && has_b && closes_cycle(dag, a, b);
        cycles += cycle && pending_b && a != b;
        attempt(has_a && pending_b && !linked && !cycle, [&] { dag.connect(a, b, rng.uniform()); });
        break;
      }
      case 9:
        attempt(pending_b && linked, [&] { dag.disconnect(a, b); });
        break;
      case 10:
        attempt(pending_a, [&] { dag.change(a, {"", "", rng.uniform(), 0, 0, 0}); });
        break;
      case 11:
      case 12:
        attempt(has_a && dag.is_ready(a), [&] { dag.start(a, dag.task(a).agent.empty() ? "x" : ""); });
        break;
      case 13:
        attempt(has_a && state(a) == TaskState::running, [&] { dag.complete(a); });
        break;
      case 14:
        attempt(pending_a && dag.task(a).agent.empty(), [&] { dag.assign(a, "y"); });
        break;
      default:
        if (rng.uniform() < 0.5)
          attempt(has_a && state(a) == TaskState::running, [&] { dag.retry(a); });
        else if (rng.uniform() < 0.5)
          attempt(has_a && state(a) == TaskState::running, [&] { dag.fail(a, behind); });
        else
          attempt(has_a && (pending_a || state(a) == TaskState::running), [&] { dag.cancel(a, behind); });
    }
    CHECK(legal == message.empty() && finished_stay(tasks, dag));
    if (!legal) {
      ++refused;
      if (dag.digest() != digest || order(dag) != sequence) CHECK(dag.digest() == digest);
    }
    if (step % 10 == 0 && !holds_together(dag)) CHECK(holds_together(dag));
  }
  CHECK(refused > 20000 && refused < 90000 && cycles > 1000);
}

TEST(limits_of_tasks_and_ids) {
  TaskDag dag;
  for (int i = 0; i < plan::kMaxTasks; ++i) dag.add(std::to_string(i));
  CHECK(refusal([&] { dag.add("more"); }) == "name: a DAG holds at most 131072 tasks");
  for (int i = 0; i < 100; ++i) dag.remove(i);
  for (int i = plan::kMaxTasks; i < plan::kMaxTaskIds; ++i) {
    dag.remove(i - plan::kMaxTasks + 100);
    dag.add(std::to_string(i));
  }
  CHECK(refusal([&] { dag.add("more"); }) == "name: a DAG gives out at most 1048576 ids over its life");
  CHECK(dag.size() == plan::kMaxTasks - 100);
}

TEST(limits_of_edges) {
  std::vector<plan::Task> tasks(2000);
  int edges = 0;
  for (int i = 0; i < 2000; ++i) {
    tasks[static_cast<std::size_t>(i)].id = i;
    tasks[static_cast<std::size_t>(i)].name = std::to_string(i);
    for (int j = 0; j < i && edges < plan::kMaxEdges; ++j, ++edges)
      tasks[static_cast<std::size_t>(i)].inputs.push_back({j, 0});
  }
  TaskDag dag(tasks);
  CHECK(dag.edges() == plan::kMaxEdges);
  CHECK(refusal([&] { dag.connect(0, 1999); }) == "from: a DAG holds at most 1048576 edges");
  const std::vector<plan::Input> one = {{0, 0}};
  CHECK(refusal([&] { dag.add("more", {}, one); }) == "inputs: a DAG holds at most 1048576 edges");
}

TEST(a_snapshot_is_the_same_dag) {
  Diamond x;
  x.dag.remove(x.b);
  TaskDag::Snapshot snapshot;
  x.dag.snapshot(snapshot);
  CHECK(snapshot.ids == (Ids{0, 2, 3}) && snapshot.dag.edges() == 2);
  CHECK(snapshot.coupling == (std::vector<double>{0.5, 0}));
}

TEST(warm_questions_take_no_memory) {
  const auto g = dags::random(3, 500, 1500, 500);
  TaskDag dag;
  for (int i = 0; i < g.nodes; ++i) dag.add("t" + std::to_string(i), {"", "", 1, 0, 0, 0});
  for (const auto& e : g.edges) dag.connect(e.from, e.to);
  CHECK(holds_together(dag));
  Ids out;
  TaskDag::Snapshot snapshot;
  plan::MeasureWorkspace ws;
  plan::DagMetrics metrics;
  const auto run = [&] {
    dag.ready(out);
    dag.snapshot(snapshot);
    plan::measure(snapshot.dag, snapshot.seconds, snapshot.coupling, ws, metrics);
    dag.start(out.front(), "x");
    dag.retry(out.front());
    CHECK(dag.digest() != 0 && dag.find("t7") == 7);
  };
  run();
  const long before = allocations::count();
  run();
  CHECK(allocations::count() == before);
}
