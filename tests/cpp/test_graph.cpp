#include "turnout/graph.hpp"

#include <atomic>
#include <limits>
#include <set>
#include <thread>

#include "allocations.hpp"
#include "check.hpp"
#include "tool_graphs.hpp"

using namespace tool_graphs;
using graph::kInfinity;
using graph::Path;
using graph::Replanner;
using graph::Workspace;

namespace {

// a -> b -> d and a -> c -> d, a -> d directly: by the upper way 3, the lower 3.5, straight 4.
Arrays diamond() {
  Arrays a;
  a.nodes = 4;
  a.add(0, 1, 1);
  a.add(0, 2, 1.5);
  a.add(1, 3, 2);
  a.add(2, 3, 2);
  a.add(0, 3, 4);
  return a;
}

Path shortest(const ToolGraph& g, Node from, Node to) {
  Workspace ws;
  Path path;
  graph::shortest_path(g, {&from, 1}, {&to, 1}, ws, path);
  return path;
}

using Edges = std::vector<Edge>;

// By rounds over all edges, as Bellman and Ford do.
std::vector<double> relaxed(const ToolGraph& g, Node from) {
  std::vector<double> cost(static_cast<std::size_t>(g.nodes()), kInfinity);
  if (!g.node_masked(from)) cost[static_cast<std::size_t>(from)] = 0;
  for (bool changed = true; changed;) {
    changed = false;
    for (Edge e = 0; e < g.edges(); ++e) {
      const double next = cost[static_cast<std::size_t>(g.source(e))] + g.cost(e);
      double& at = cost[static_cast<std::size_t>(g.target(e))];
      if (next < at) at = next, changed = true;
    }
  }
  return cost;
}

void check_walk(const ToolGraph& g, const Path& p) {
  CHECK(p.nodes.size() == p.edges.size() + 1);
  double cost = 0;
  for (std::size_t i = 0; i < p.edges.size(); ++i) {
    CHECK(g.source(p.edges[i]) == p.nodes[i] && g.target(p.edges[i]) == p.nodes[i + 1]);
    cost += g.cost(p.edges[i]);
  }
  CHECK(cost == p.cost);
}

void change_something(ToolGraph& g, Philox& rng, bool exact) {
  const Edge e = below(rng, g.edges());
  switch (below(rng, 6)) {
    case 0:
      return g.mask_edge(e, below(rng, 2) == 0);
    case 1:
      return g.mask_node(below(rng, g.nodes()), below(rng, 3) == 0);
    case 2:
      return below(rng, 40) == 0 ? g.reset() : g.set_weight(e, 0);
    default:
      return g.set_weight(e, exact ? below(rng, 3) : rng.uniform());
  }
}

}  // namespace

TEST(the_cheapest_path_and_its_cost) {
  const ToolGraph g = diamond().build();
  const Path p = shortest(g, 0, 3);
  CHECK(p.cost == 3 && p.edges == (Edges{0, 2}) && p.nodes == (std::vector<Node>{0, 1, 3}));
  CHECK(shortest(g, 2, 2).cost == 0 && shortest(g, 2, 2).nodes == (std::vector<Node>{2}));
  CHECK(!shortest(g, 3, 0).found() && shortest(g, 3, 0).cost == kInfinity);
}

TEST(weights_and_masks_change_in_place) {
  ToolGraph g = diamond().build();
  g.set_weight(2, 3);
  CHECK(shortest(g, 0, 3).edges == (Edges{1, 3}) && g.weight(2) == 3 && g.built_weight(2) == 2);
  g.mask_node(2);
  CHECK(g.node_masked(2) && g.cost(1) == kInfinity && g.weight(1) == 1.5);
  CHECK(shortest(g, 0, 3).edges == (Edges{4}));  // costs 4 as does 0, 2, with fewer edges
  g.mask_edge(4);
  CHECK(shortest(g, 0, 3).edges == (Edges{0, 2}) && shortest(g, 0, 3).cost == 4);
  g.mask_node(3);
  CHECK(!shortest(g, 0, 3).found() && !shortest(g, 3, 3).found());
  g.reset();
  CHECK(shortest(g, 0, 3).cost == 3 && !g.node_masked(2) && !g.edge_masked(0));
}

TEST(ties_prefer_fewer_edges_then_the_lower_predecessor_then_the_lower_edge) {
  Arrays a = diamond();
  a.weights = {1, 1, 2, 2, 3};
  CHECK(shortest(a.build(), 0, 3).edges == (Edges{4}));
  a.weights[4] = 4;
  CHECK(shortest(a.build(), 0, 3).edges == (Edges{0, 2}));
  a.add(1, 3, 2);
  CHECK(shortest(a.build(), 0, 3).edges == (Edges{0, 2}));
  std::swap(a.targets[0], a.targets[1]);
  CHECK(shortest(a.build(), 0, 3).edges == (Edges{1, 2}));
}

TEST(several_sources_and_goals) {
  const ToolGraph g = diamond().build();
  Workspace ws;
  Path p;
  const Node sources[] = {1, 2}, goals[] = {3, 2}, both[] = {3, 1, 2};
  CHECK(graph::shortest_path(g, std::vector<Node>{0}, goals, ws, p) && p.nodes.back() == 2 && p.cost == 1.5);
  CHECK(graph::shortest_path(g, sources, std::vector<Node>{3}, ws, p) && p.edges == (Edges{2}));
  CHECK(graph::shortest_path(g, both, both, ws, p) && p.nodes == (std::vector<Node>{1}));
}

TEST(wrong_graphs_are_refused_with_the_path) {
  Arrays a = diamond();
  a.sources[3] = 4;
  CHECK_ERROR(a.build(), ErrorKind::input, "graph.sources[3]");
  a = diamond();
  a.targets[1] = -1;
  CHECK_ERROR(a.build(), ErrorKind::input, "graph.targets[1]");
  for (const double w : {-1.0, kInfinity, std::numeric_limits<double>::quiet_NaN(), graph::kMaxWeight * 1.01}) {
    a = diamond();
    a.weights[2] = w;
    CHECK_ERROR(a.build(), ErrorKind::input, "graph.weights[2]");
  }
  a = diamond();
  a.weights.pop_back();
  CHECK_ERROR(a.build(), ErrorKind::input, "graph.weights");
  a = {};
  CHECK_ERROR(a.build(), ErrorKind::input, "graph.nodes");
  a.nodes = graph::kMaxGraphNodes + 1;
  CHECK_ERROR(a.build(), ErrorKind::input, "graph.nodes");
}

TEST(refused_changes_leave_the_graph_as_it_was) {
  ToolGraph g = diamond().build();
  const Edge edges[] = {0, 9};
  const Edge fine[] = {0, 1};
  const double weights[] = {7, 7}, wrong[] = {7, -1};
  CHECK_ERROR(g.set_weights(edges, weights), ErrorKind::input, "edges[1]");
  CHECK_ERROR(g.set_weights(fine, wrong), ErrorKind::input, "weights[1]");
  CHECK_ERROR(g.set_weights(fine, {weights, 1}), ErrorKind::input, "weights");
  CHECK_ERROR(g.set_weight(-1, 1), ErrorKind::input, "edge");
  CHECK_ERROR(g.set_weight(0, kInfinity), ErrorKind::input, "weight");
  CHECK_ERROR(g.mask_node(4), ErrorKind::input, "node");
  CHECK_ERROR(g.mask_edge(5), ErrorKind::input, "edge");
  CHECK(g.version() == 0 && g.weight(0) == 1);
}

TEST(the_log_says_what_changed) {
  ToolGraph g = diamond().build();
  std::span<const graph::Arc> arcs;
  g.set_weight(4, 9);
  g.set_weight(4, 9);
  CHECK(g.version() == 1 && g.changes_since(0, arcs) && arcs.size() == 1 && g.edge(arcs[0]) == 4);
  CHECK(g.changes_since(1, arcs) && arcs.empty());
  CHECK(!g.changes_since(2, arcs));
  for (int i = 0; i < 1000; ++i) g.set_weight(4, i % 2);
  CHECK(g.version() == 1001 && !g.changes_since(1, arcs) && g.changes_since(1000, arcs) && arcs.size() == 1);
}

TEST(distances_equal_those_by_rounds) {
  Philox rng(1);
  Workspace ws;
  for (int i = 0; i < 300; ++i) {
    const int n = 1 + below(rng, 12);
    ToolGraph g = random(n, below(rng, 40), below(rng, 3), rng).build();
    if (g.edges() > 0) change_something(g, rng, true);
    const Node from = below(rng, n);
    std::vector<double> out(static_cast<std::size_t>(n));
    graph::distances_from(g, {&from, 1}, ws, out);
    CHECK(out == relaxed(g, from));
    for (Node v = 0; v < n; ++v) {
      const Path p = shortest(g, from, v);
      CHECK(p.cost == out[static_cast<std::size_t>(v)]);
      if (p.found()) check_walk(g, p);
    }
  }
}

TEST(a_star_finds_the_same_path) {
  Philox rng(2);
  Workspace ws;
  for (int i = 0; i < 300; ++i) {
    const ToolGraph g = random(10, 30, i % 2 == 0 ? 3 : 0, rng).build();
    const Node from = below(rng, 10), to = below(rng, 10);
    std::vector<double> h(10);
    graph::distances_to(g, {&to, 1}, ws, h);
    for (double& x : h) x = x < kInfinity ? x * (i % 3) * 0.5 : x;
    graph::check_heuristic(g, {&to, 1}, h);
    Path p;
    graph::shortest_path(g, {&from, 1}, {&to, 1}, h, ws, p);
    CHECK(p == shortest(g, from, to));
  }
}

TEST(large_graphs_take_another_heap_and_find_the_same) {
  Philox rng(11);
  Workspace ws;
  for (const int distinct : {2, 5, 0}) {
    const ToolGraph g = random(20000, 90000, distinct, rng).build();
    const std::vector<double> nothing(20000, 0.0);
    std::vector<double> out(20000);
    const Node from = 0;
    graph::distances_from(g, {&from, 1}, ws, out);
    CHECK(out == relaxed(g, from));
    for (int i = 0; i < 5; ++i) {
      const Node to = below(rng, 20000);
      Path p;
      graph::shortest_path(g, {&from, 1}, {&to, 1}, nothing, ws, p);
      CHECK(p == shortest(g, from, to));
    }
  }
}

TEST(a_radix_heap_pops_in_order) {
  Philox rng(12);
  graph::RadixHeap heap;
  std::multiset<graph::HeapKey> keys;
  graph::HeapKey last = 0;
  for (int i = 0; i < 20000; ++i) {
    if (keys.empty() || below(rng, 2) == 0) {
      const graph::HeapKey step = below(rng, 4) == 0 ? 0 : rng.next() >> below(rng, 64);
      const graph::HeapKey key = last + (step << below(rng, 50));
      keys.insert(key);
      heap.push(key);
    } else {
      last = heap.pop([](graph::HeapKey) {});
      CHECK(last == *keys.begin());
      keys.erase(keys.begin());
    }
    CHECK(heap.empty() == keys.empty());
  }
}

TEST(a_heuristic_that_is_not_consistent_is_refused_with_the_edge) {
  const ToolGraph g = diamond().build();
  const Node goal = 3;
  const double h[] = {3, 2.5, 2, 0};
  const std::string message = check::message_of<Error>([&] { graph::check_heuristic(g, {&goal, 1}, h); });
  CHECK(message.find("heuristic[1]: not consistent on edge 2 (1 -> 3)") == 0);
  const double at_goal[] = {0, 0, 0, 1}, short_one[] = {0, 0};
  CHECK_ERROR(graph::check_heuristic(g, {&goal, 1}, at_goal), ErrorKind::input, "heuristic[3]");
  CHECK_ERROR(graph::check_heuristic(g, {&goal, 1}, short_one), ErrorKind::input, "heuristic");
}

TEST(a_heuristic_may_say_that_a_masked_goal_cannot_be_reached) {
  ToolGraph g = diamond().build();
  const Node goals[] = {3, 1};
  Workspace ws;
  std::vector<double> h(4);
  g.mask_node(3);
  graph::distances_to(g, goals, ws, h);
  CHECK(h[3] == kInfinity);
  graph::check_heuristic(g, goals, h);
  Path p;
  CHECK(graph::shortest_path(g, {goals, 1}, {goals, 1}, h, ws, p) == false && !p.found());
}

TEST(replanning_counts_the_nodes_that_it_looked_at) {
  ToolGraph g = diamond().build();
  Replanner replanner(g, 0, 3);
  Path p;
  replanner.replan(p);
  g.mask_edge(2);
  CHECK(replanner.replan(p) && !replanner.fresh() && p.edges == (Edges{1, 3}));
  CHECK(replanner.settled() >= 3 && replanner.settled() <= 4);  // the path, and at most the tool that it left
}

TEST(replanning_equals_a_fresh_search_after_every_change) {
  Philox rng(3);
  for (int i = 0; i < 200; ++i) {
    const bool exact = i % 2 == 0;
    const int n = 2 + below(rng, 14);
    ToolGraph g = random(n, 1 + below(rng, 50), exact ? 3 : 0, rng).build();
    Replanner replanner(g, below(rng, n), below(rng, n));
    Path p;
    for (int step = 0; step < 40; ++step) {
      for (int k = below(rng, 4); k >= 0; --k) change_something(g, rng, exact);
      if (below(rng, 3) == 0) replanner.move_start(below(rng, n));
      CHECK(replanner.replan(p) == p.found());
      CHECK(p == shortest(g, replanner.start(), replanner.goal()));
    }
  }
}

TEST(replanning_begins_afresh_where_the_log_is_too_short) {
  Philox rng(4);
  ToolGraph g = diamond().build();
  Replanner replanner(g, 0, 3);
  Path p;
  CHECK(replanner.replan(p) && replanner.fresh());
  g.mask_edge(2);
  CHECK(replanner.replan(p) && !replanner.fresh() && p.edges == (Edges{1, 3}));
  for (int i = 0; i < 1000; ++i) g.set_weight(4, i % 2);
  CHECK(replanner.replan(p) && replanner.fresh() && p.edges == (Edges{4}));
}

// Under ThreadSanitizer: readers of one graph share nothing that any of them writes.
TEST(any_number_of_threads_search_one_graph) {
  const ToolGraph g = layered(10, 10, 3, 1).build();
  const Path alone = shortest(g, 0, g.nodes() - 1);
  std::vector<std::thread> threads;
  std::atomic<int> equal{0};
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      Replanner replanner(g, 0, g.nodes() - 1);
      Path p;
      for (int i = 0; i < 50; ++i) equal += shortest(g, 0, g.nodes() - 1) == alone && replanner.replan(p) && p == alone;
    });
  for (auto& t : threads) t.join();
  CHECK(equal == 200);
}

TEST(warm_searches_allocate_nothing) {
  ToolGraph g = layered(20, 50, 5, 1).build();
  CHECK(g.nodes() == 1002 && g.edges() == 4850);
  const Node from = 0, to = 1001;
  Workspace ws;
  Path p;
  Replanner replanner(g, from, to);
  std::vector<double> out(1002);
  const auto all = [&](int tool) {
    g.mask_node(tool);
    graph::shortest_path(g, {&from, 1}, {&to, 1}, ws, p);
    graph::distances_from(g, {&from, 1}, ws, out);
    replanner.replan(p);
    g.mask_node(tool, false);
    replanner.replan(p);
  };
  for (int tool = 1; tool < 1001; ++tool) all(tool);
  const long before = allocations::count();
  for (int tool = 1; tool < 1001; ++tool) all(tool);
  CHECK(allocations::count() == before);
}
