#include "turnout/graph/healing.hpp"

#include <algorithm>

#include "allocations.hpp"
#include "check.hpp"

using namespace turnout;
using namespace turnout::healing;

namespace {

using Nodes = std::vector<Node>;

struct Edges {
  Nodes sources, targets;
  std::vector<double> weights;
  void add(Node u, Node v, double w) {
    sources.push_back(u);
    targets.push_back(v);
    weights.push_back(w);
  }
  ToolGraph build(int nodes) const { return ToolGraph(nodes, sources, targets, weights); }
};

// 0 -> {1 or 2} -> {3 or 4} -> 5, the upper way cheaper.
ToolGraph ladder() {
  Edges e;
  e.add(0, 1, 1), e.add(0, 2, 2);
  for (const Node u : {1, 2}) e.add(u, 3, 1), e.add(u, 4, 3);
  e.add(3, 5, 1), e.add(4, 5, 1);
  return e.build(6);
}

Nodes step(Run& run) {
  Nodes out;
  run.step(out);
  return out;
}

// Runs to the end or to an escalation; tools of `bad` fail.
Nodes drive(Run& run, const Nodes& bad = {}) {
  Nodes called;
  for (Nodes now = step(run); !now.empty(); now = step(run))
    for (const Node v : now) {
      called.push_back(v);
      if (std::count(bad.begin(), bad.end(), v))
        run.failed(v);
      else
        run.succeeded(v);
    }
  return called;
}

bool is(const Record& r, Kind kind, Reason reason, Node tool, double cost) {
  return r.kind == kind && r.reason == reason && r.tool == tool && r.cost == cost;
}

const Node kStart[] = {0};

}  // namespace

TEST(without_failures_the_cheapest_path_is_run) {
  Run run(ladder(), kStart, {{5, kInfinity, {}}});
  CHECK(drive(run) == (Nodes{1, 3, 5}) && run.state() == State::done);
  CHECK(run.log().size() == 1 && is(run.log()[0], Kind::plan, Reason::none, -1, 3));
}

TEST(a_failure_is_one_reroute_and_goes_on_from_what_was_executed) {
  Run run(ladder(), kStart, {{5, kInfinity, {}}});
  CHECK(step(run) == Nodes{1} && step(run).empty());
  run.succeeded(1);
  CHECK(step(run) == Nodes{3});
  CHECK(is(run.failed(3), Kind::reroute, Reason::tool_failed, 3, 4));  // 1 -> 4 -> 5, not from 0 again
  CHECK(drive(run) == (Nodes{4, 5}) && run.state() == State::done && run.log().size() == 2);
}

TEST(a_dead_end_goes_back_to_the_best_tool_that_was_executed) {
  Edges e;
  e.add(0, 1, 1), e.add(1, 2, 1), e.add(2, 5, 1), e.add(0, 3, 5), e.add(3, 4, 1), e.add(4, 5, 1), e.add(1, 4, 3);
  Run run(e.build(6), kStart, {{5, kInfinity, {}}});
  CHECK(drive(run, {2}) == (Nodes{1, 2, 4, 5}));
  CHECK(run.log().back().cost == 4);
}

TEST(no_path_escalates_with_what_is_down_and_what_cuts) {
  Run run(ladder(), kStart, {{5, kInfinity, {}}});
  CHECK(drive(run, {3, 4}) == (Nodes{1, 3, 4}) && run.state() == State::escalated);
  CHECK(is(run.log()[1], Kind::reroute, Reason::tool_failed, 3, 4));
  CHECK(is(run.log()[2], Kind::escalate, Reason::no_path, 4, kInfinity));
  CHECK(run.down() == (Nodes{3, 4}) && run.cut() == (Nodes{3, 4}));
  CHECK(!run.demotion().found && step(run).empty());
  CHECK_ERROR(run.demote(), ErrorKind::input, "goals");
  CHECK(is(run.restored(4), Kind::restore, Reason::none, 4, 4));
  CHECK(drive(run) == (Nodes{4, 5}) && run.state() == State::done);
}

TEST(the_cut_names_only_tools_that_matter_and_could_run) {
  Edges e;  // 1 and 3 are down; 3 waits behind 1; 4 is down and leads nowhere
  e.add(0, 1, 1), e.add(1, 3, 1), e.add(3, 2, 1), e.add(0, 4, 1);
  const Node down[] = {1, 3, 4};
  Run run(e.build(5), kStart, {{2, kInfinity, {}}}, {}, 3, down);
  CHECK(run.state() == State::escalated && run.cut() == Nodes{1} && run.down() == (Nodes{1, 3, 4}));
  Run apart(e.build(6), kStart, {{5, kInfinity, {}}});
  CHECK(apart.state() == State::escalated && apart.cut().empty());  // not even with every tool up
}

TEST(the_cheapest_demotion_counts_loss_and_cost) {
  Edges e;
  e.add(0, 1, 1), e.add(1, 5, 1), e.add(0, 2, 4), e.add(0, 3, 1), e.add(0, 4, 1);
  const Goal goal{5, 9, {{2, 1}, {3, 3}, {4, 3}}};  // 5, 4, 4, and 9 to give it up
  Run run(e.build(6), kStart, {goal});
  drive(run, {1});
  const Demotion d = run.demotion();
  CHECK(d.found && d.changes.size() == 1 && d.changes[0].goal == 5 && d.changes[0].instead == 3 && d.loss == 3);
  CHECK(is(run.demote(), Kind::demote, Reason::none, -1, 1));
  CHECK(drive(run, {3}) == Nodes{3} && run.demotion().changes[0].instead == 4);  // the others stay
  run.demote();
  CHECK(drive(run) == Nodes{4} && run.state() == State::done);
}

TEST(of_several_goals_the_lost_ones_are_replaced_or_dropped) {
  Edges e;
  for (Node v = 1; v <= 4; ++v) e.add(0, v, v);
  Run run(e.build(5), kStart, {{1, 2, {}}, {2, kInfinity, {{4, 1}}}, {3, kInfinity, {}}});
  CHECK(run.plan().cost == 6);
  CHECK(step(run) == (Nodes{1, 2, 3}));  // all at once
  run.succeeded(3);
  run.failed(1);
  run.failed(2);
  CHECK(run.state() == State::escalated && run.log().size() == 3 && run.cut() == (Nodes{1, 2}));
  const Demotion d = run.demotion();
  CHECK(d.found && d.loss == 3 && d.changes.size() == 2 && d.changes[0].instead == -1 && d.changes[1].instead == 4);
  CHECK(run.demote().cost == 4 && run.goals().size() == 2);
  CHECK(drive(run) == Nodes{4} && run.state() == State::done);
}

TEST(giving_up_every_goal_is_no_demotion) {
  Edges e;
  e.add(0, 1, 1);
  Run run(e.build(2), kStart, {{1, 0, {}}});
  drive(run, {1});
  CHECK(run.state() == State::escalated && !run.demotion().found);
}

TEST(where_every_goal_would_be_given_up_the_cheapest_one_to_keep_stays) {
  Edges e;
  e.add(0, 1, 1), e.add(0, 2, 1), e.add(0, 3, 4), e.add(0, 4, 1);
  Run one(e.build(5), kStart, {{1, 0, {{3, 1}}}});  // a stand-in at 5, though giving it up would be for nothing
  drive(one, {1});
  const Demotion d = one.demotion();
  CHECK(d.found && d.changes.size() == 1 && d.changes[0].instead == 3 && d.loss == 1);
  Run two(e.build(5), kStart, {{1, 0, {{3, 1}}}, {2, 1, {{3, 9}, {4, 3}}}});  // 5 - 0 against 4 - 1
  drive(two, {1, 2});
  const Demotion both = two.demotion();
  CHECK(both.found && both.changes[0].instead == -1 && both.changes[1].instead == 4 && both.loss == 3);
  CHECK(two.demote().cost == 1 && drive(two) == Nodes{4} && two.state() == State::done);
}

TEST(the_cut_counts_an_input_once_however_many_tools_give_it) {
  Edges e;  // 2 needs an input of 0, which 257 edges bring, and one of 1; 4 waits behind it
  JoinSpec joins{{}, {2}, {{2, 1}, {2, 2}}};
  for (int i = 0; i < 257; ++i) e.add(0, 2, 0), joins.inputs.push_back(1);
  e.add(0, 1, 1), e.add(1, 2, 1), e.add(2, 3, 1);
  joins.inputs.insert(joins.inputs.end(), {0, 2, 0});
  const Node down[] = {1, 3};
  Run run(e.build(4), kStart, {{3, kInfinity, {}}}, joins, 3, down);
  CHECK(run.state() == State::escalated && run.cut() == Nodes{1});
  Edges many;
  for (int i = 0; i < 256; ++i) many.add(1, 2, 1);
  many.add(0, 1, 1);
  Run parallel(many.build(3), kStart, {{2, kInfinity, {}}}, {}, 3, std::span(down).first(1));
  CHECK(parallel.cut() == Nodes{1});
}

TEST(a_join_waits_for_all_its_inputs_and_heals_input_by_input) {
  Edges e;  // 4 needs text (from 1 or 3) and images (from 2)
  e.add(0, 1, 1), e.add(0, 2, 1), e.add(0, 3, 5), e.add(1, 4, 0), e.add(2, 4, 0), e.add(3, 4, 0);
  const JoinSpec joins{{0, 0, 0, 1, 2, 1}, {4}, {{4, 1}, {4, 2}}};
  Run run(e.build(5), kStart, {{4, kInfinity, {}}}, joins);
  CHECK(run.plan().cost == 2 && step(run) == (Nodes{1, 2}));
  run.succeeded(2);
  CHECK(step(run).empty());
  CHECK(is(run.failed(1), Kind::reroute, Reason::tool_failed, 1, 5));
  CHECK(drive(run) == (Nodes{3, 4}) && run.state() == State::done);

  Run lost(e.build(5), kStart, {{4, kInfinity, {}}}, joins);
  CHECK(drive(lost, {2}).size() == 2 && lost.state() == State::escalated && lost.cut() == Nodes{2});
}

TEST(more_failures_than_retries_escalate_although_there_is_a_path) {
  Edges e;
  for (Node v = 1; v <= 6; ++v) e.add(0, v, v), e.add(v, 7, 0);
  Run run(e.build(8), kStart, {{7, kInfinity, {}}}, {}, 2);
  CHECK(drive(run, {1, 2, 3, 4}) == (Nodes{1, 2, 3}) && run.state() == State::escalated);
  CHECK(is(run.log().back(), Kind::escalate, Reason::retries_spent, 3, kInfinity));
  CHECK(run.cut().empty() && !run.demotion().found);
  CHECK(is(run.resume(5), Kind::resume, Reason::none, -1, 4));
  CHECK(drive(run, {4}) == (Nodes{4, 5, 7}) && run.state() == State::done);
}

TEST(resuming_grants_its_retries_beside_those_that_are_spent) {
  Edges e;
  for (Node v = 1; v <= 6; ++v) e.add(0, v, v), e.add(v, 7, 0);
  Run run(e.build(8), kStart, {{7, kInfinity, {}}}, {}, 1);
  CHECK(drive(run, {1, 2}) == (Nodes{1, 2}) && run.log().back().reason == Reason::retries_spent);
  run.resume(1);
  CHECK(drive(run, {3, 4}) == (Nodes{3, 4}) && run.log().back().reason == Reason::retries_spent);
  CHECK(run.resume().kind == Kind::resume && drive(run) == (Nodes{5, 7}));
}

TEST(a_tool_that_trips_is_masked_before_it_is_called) {
  Run run(ladder(), kStart, {{5, kInfinity, {}}});
  Record r;
  CHECK(run.tripped(1, r) && is(r, Kind::reroute, Reason::tool_down, 1, 4));
  CHECK(!run.tripped(1, r) && !run.tripped(0, r) && run.failures() == 0);
  CHECK(step(run) == Nodes{2});
  CHECK(run.tripped(2, r) && r.kind == Kind::escalate);
  run.succeeded(2);  // the call was under way, and came through
  CHECK(run.resume().cost == 2 && drive(run) == (Nodes{3, 5}));
}

TEST(a_call_that_was_not_made_costs_no_retry) {
  Run run(ladder(), kStart, {{5, kInfinity, {}}}, {}, 0);
  CHECK(step(run) == Nodes{1} && is(run.refused(1), Kind::reroute, Reason::tool_down, 1, 4));
  CHECK(run.failures() == 0 && drive(run) == (Nodes{2, 3, 5}));
}

TEST(stragglers_after_an_escalation_are_records_too) {
  Edges e;
  for (Node v = 1; v <= 3; ++v) e.add(0, v, 1);
  Run run(e.build(4), kStart, {{1, 1, {}}, {2, 1, {}}, {3, 1, {}}});
  step(run);
  CHECK(run.failed(1).kind == Kind::escalate && run.failed(2).kind == Kind::escalate);
  run.succeeded(3);
  CHECK(run.state() == State::escalated && run.demote().kind == Kind::demote && run.state() == State::done);
}

TEST(a_signal_escalates_and_resuming_goes_on) {
  Run run(ladder(), kStart, {{5, kInfinity, {}}});
  CHECK(is(run.escalate(), Kind::escalate, Reason::signal, -1, kInfinity) && step(run).empty());
  CHECK(is(run.resume(), Kind::resume, Reason::none, -1, 3) && drive(run).size() == 3);
}

TEST(a_new_goal_keeps_what_was_executed) {
  Run run(ladder(), kStart, {{5, kInfinity, {}}});
  run.succeeded(step(run)[0]);
  CHECK(is(run.retarget({{4, kInfinity, {}}}), Kind::retarget, Reason::none, -1, 3));
  CHECK(drive(run) == Nodes{4} && run.state() == State::done);
}

TEST(weights_change_for_the_next_plan) {
  Run run(ladder(), kStart, {{5, kInfinity, {}}});
  const Edge edges[] = {1};
  const double weights[] = {0.5};
  run.set_weights(edges, weights);
  CHECK(run.resume().cost == 2.5 && drive(run) == (Nodes{2, 3, 5}));
  const Edge wrong[] = {8};
  CHECK_ERROR(run.set_weights(wrong, weights), ErrorKind::input, "edges[0]");
}

TEST(wrong_calls_are_named_and_change_nothing) {
  const ToolGraph g = ladder();
  const auto make = [&](std::vector<Goal> goals, int retries = 3) { Run(g, kStart, std::move(goals), {}, retries); };
  CHECK_ERROR(make({}), ErrorKind::input, "goals");
  CHECK_ERROR(make({{9, 0, {}}}), ErrorKind::input, "goals[0].node");
  CHECK_ERROR(make({{5, 0, {}}, {5, 0, {}}}), ErrorKind::input, "goals[1].node");
  CHECK_ERROR(make({{5, -1, {}}}), ErrorKind::input, "goals[0].drop_loss");
  CHECK_ERROR(make({{5, 0, {{1, std::nan("")}}}}), ErrorKind::input, "goals[0].fallbacks[0].loss");
  CHECK_ERROR(make({{5, 0, {{6, 1}}}}), ErrorKind::input, "goals[0].fallbacks[0].node");
  CHECK_ERROR(make({{5, 0, {}}}, -1), ErrorKind::input, "max_retries");
  CHECK_ERROR(Run(g, {}, {{5, 0, {}}}), ErrorKind::input, "starts");
  Run run(g, kStart, {{5, 0, {}}});
  CHECK_ERROR(run.succeeded(1), ErrorKind::input, "tool");
  CHECK_ERROR(run.failed(6), ErrorKind::input, "tool");
  CHECK_ERROR(run.restored(1), ErrorKind::input, "tool");
  CHECK_ERROR(run.retarget({}), ErrorKind::input, "goals");
  CHECK(run.log().size() == 1 && drive(run) == (Nodes{1, 3, 5}));
}

namespace {

ToolGraph random_graph(Philox& rng, int nodes) {
  Edges e;
  for (Node u = 0; u < nodes; ++u)
    for (Node v = 0; v < nodes; ++v)
      if (u != v && rng.uniform() < 0.3) e.add(u, v, std::floor(rng.uniform() * 4));  // many ties, some for nothing
  return e.build(nodes);
}

// What a run must hold whatever fails, kept beside it.
struct Oracle {
  ToolGraph graph;
  Node goal;
  Nodes executed = {0};
  graph::Workspace ws{};
  graph::Path path{};

  double optimum() {
    graph::shortest_path(graph, executed, {&goal, 1}, ws, path);
    return path.cost;
  }
};

// Calls tools in random order, each of which fails with probability p; returns how many calls failed.
int fuzz(Run& run, Oracle& o, Philox& rng, double p) {
  int failures = 0;
  for (Nodes now = step(run); !now.empty(); now = step(run))
    for (const Node v : now) {
      CHECK(!o.graph.node_masked(v) && !std::count(o.executed.begin(), o.executed.end(), v));
      if (rng.uniform() >= p) {
        run.succeeded(v);
        o.executed.push_back(v);
        continue;
      }
      const std::size_t before = run.log().size();
      const Record r = run.failed(v);
      o.graph.mask_node(v);
      ++failures;
      const double best = o.optimum();
      CHECK(run.log().size() == before + 1 && r.tool == v && r.cost == best);
      CHECK(r.kind == (best == kInfinity ? Kind::escalate : Kind::reroute));
    }
  return failures;
}

}  // namespace

TEST(random_paths_heal_to_the_optimum) {
  Philox rng(11);
  int failures = 0, escalated = 0;
  for (int trial = 0; trial < 3000; ++trial) {
    const int nodes = 2 + static_cast<int>(rng.uniform() * 12);
    const ToolGraph g = random_graph(rng, nodes);
    Run run(g, kStart, {{nodes - 1, kInfinity, {}}}, {}, 1000);
    Oracle o{g, nodes - 1};
    CHECK(run.log()[0].cost == o.optimum());
    failures += fuzz(run, o, rng, 0.4);
    CHECK(run.state() == (run.executed(nodes - 1) ? State::done : State::escalated));
    if (run.state() != State::escalated) continue;
    ++escalated;
    const Nodes cut = run.cut();  // with the cut back there is at least one more tool to call, without it none
    for (const Node v : cut) CHECK(o.graph.node_masked(v));
    for (Node v = 0; v < nodes; ++v)
      if (o.graph.node_masked(v) && !std::count(cut.begin(), cut.end(), v)) o.graph.mask_node(v, false);
    CHECK(o.optimum() == kInfinity);  // the others alone do not help: the cut separates
  }
  CHECK(failures > 1000 && escalated > 300);
}

TEST(random_joins_never_call_what_is_not_ready_and_end_in_a_goal_or_an_escalation) {
  Philox rng(12);
  int failures = 0, done = 0;
  for (int trial = 0; trial < 2000; ++trial) {
    const int nodes = 4 + static_cast<int>(rng.uniform() * 10);
    const ToolGraph g = random_graph(rng, nodes);
    JoinSpec joins;
    for (Edge e = 0; e < g.edges(); ++e) joins.inputs.push_back(static_cast<std::int32_t>(rng.uniform() * 2));
    const Node join = nodes - 1;
    joins.nodes = {join};
    joins.required = {{join, 0}, {join, 1}};
    Run run(g, kStart, {{join, kInfinity, {}}, {nodes - 2, 5, {}}}, joins, 1000);
    std::vector<int> calls(static_cast<std::size_t>(nodes), 0);
    std::size_t recorded = run.log().size();
    for (Nodes now = step(run); !now.empty(); now = step(run))
      for (const Node v : now) {
        bool fed[2] = {false, false};
        for (const graph::Arc a : g.in(v))
          if (run.executed(g.row(a).source)) fed[joins.inputs[static_cast<std::size_t>(g.edge(a))]] = true;
        CHECK(v == join ? fed[0] && fed[1] : fed[0] || fed[1]);
        CHECK(++calls[static_cast<std::size_t>(v)] == 1);
        if (rng.uniform() < 0.3) {
          run.failed(v);
          ++failures;
          CHECK(run.log().size() == ++recorded);
          CHECK(run.log().back().kind == Kind::reroute || run.log().back().kind == Kind::escalate);
        } else {
          run.succeeded(v);
        }
      }
    CHECK(run.state() != State::running);
    done += run.state() == State::done;
    if (run.state() == State::escalated && run.demotion().found) {
      const double loss = run.demotion().loss;
      CHECK(loss == 5 && run.demote().kind == Kind::demote);
    }
  }
  CHECK(failures > 500 && done > 100);
}

TEST(a_failure_takes_no_memory) {
  Run warm(ladder(), kStart, {{5, kInfinity, {}}});
  Nodes out;
  out.reserve(10);
  Record r;
  warm.tripped(4, r), warm.restored(4);
  warm.step(out);
  const long before = allocations::count();
  warm.failed(1);
  warm.step(out);
  warm.succeeded(2);
  warm.step(out);
  warm.failed(3);
  CHECK(allocations::count() == before);
}
