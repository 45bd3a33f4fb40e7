// What the graph room makes of many paths: k shortest, Pareto sets, and-joins; against brute force.
#include <cmath>
#include <set>
#include <tuple>

#include "allocations.hpp"
#include "check.hpp"
#include "tool_graphs.hpp"

using namespace tool_graphs;
using graph::kInfinity;
using graph::Path;
using graph::Step;

namespace {

using Edges = std::vector<Edge>;

// Every loopless path.
void walk(const ToolGraph& g, Node u, Node goal, std::vector<char>& visited, Edges& edges, std::vector<Edges>& out) {
  if (u == goal) return out.push_back(edges);
  visited[static_cast<std::size_t>(u)] = 1;
  for (Edge e = 0; e < g.edges(); ++e)
    if (g.source(e) == u && g.cost(e) < kInfinity && visited[static_cast<std::size_t>(g.target(e))] == 0) {
      edges.push_back(e);
      walk(g, g.target(e), goal, visited, edges, out);
      edges.pop_back();
    }
  visited[static_cast<std::size_t>(u)] = 0;
}

std::vector<Edges> all_paths(const ToolGraph& g, Node from, Node to) {
  std::vector<char> visited(static_cast<std::size_t>(g.nodes()));
  std::vector<Edges> out;
  Edges edges;
  if (!g.node_masked(from)) walk(g, from, to, visited, edges, out);
  return out;
}

double cost_of(const ToolGraph& g, const Edges& edges) {
  double cost = 0;
  for (const Edge e : edges) cost += g.cost(e);
  return cost;
}

// The stated order of ties.
auto rank(const ToolGraph& g, const Edges& edges) {
  std::vector<std::pair<Node, Edge>> back;
  for (auto e = edges.rbegin(); e != edges.rend(); ++e) back.emplace_back(g.source(*e), *e);
  return std::tuple(cost_of(g, edges), edges.size(), back);
}

std::vector<Edges> sorted_paths(const ToolGraph& g, Node from, Node to) {
  auto paths = all_paths(g, from, to);
  std::sort(paths.begin(), paths.end(), [&](const Edges& a, const Edges& b) { return rank(g, a) < rank(g, b); });
  return paths;
}

std::vector<Step> random_steps(std::size_t n, Philox& rng, bool coarse) {
  std::vector<Step> steps(n);
  for (Step& s : steps)
    s = coarse ? Step{double(below(rng, 3)), double(below(rng, 3)), below(rng, 3) / 2.0}
               : Step{rng.uniform(), rng.uniform(), rng.uniform()};
  return steps;
}

Step total_of(const ToolGraph& g, Node from, const Edges& edges, const std::vector<Step>& on_edges,
              const std::vector<Step>& on_nodes) {
  Step t = on_nodes[static_cast<std::size_t>(from)];
  for (const Edge e : edges) {
    const Step &a = on_edges[static_cast<std::size_t>(e)], &b = on_nodes[static_cast<std::size_t>(g.target(e))];
    t = {t.usd + a.usd + b.usd, t.seconds + a.seconds + b.seconds, t.quality * a.quality * b.quality};
  }
  return t;
}

using Triple = std::tuple<double, double, double>;
Triple triple(const Step& s) { return {s.usd, s.seconds, -s.quality}; }

std::vector<Triple> brute_front(const std::vector<Step>& all, const graph::Limits& limits) {
  std::set<Triple> kept;
  for (const Step& s : all) {
    if (s.usd > limits.usd || s.seconds > limits.seconds || s.quality < limits.quality) continue;
    bool dominated = false;
    for (const Step& o : all)
      dominated |= o.usd <= s.usd && o.seconds <= s.seconds && o.quality >= s.quality && !(o == s);
    if (!dominated) kept.insert(triple(s));
  }
  return {kept.begin(), kept.end()};
}

std::vector<Triple> triples(const graph::ParetoFront& f) {
  std::vector<Triple> out;
  for (int i = 0; i < f.count; ++i) out.push_back(triple(f.paths[static_cast<std::size_t>(i)].total));
  return out;
}

// The least tree cost by trying every choice, no node above itself.
struct Brute {
  const ToolGraph& g;
  const std::vector<std::int32_t>& inputs;
  const std::vector<std::uint8_t>& joins;
  const std::vector<graph::Joins::Requirement>& required;
  const std::set<Node>& sources;
  const std::vector<double>& own;
  graph::Objective objective;

  double group(Node v, std::int32_t input, std::set<Node>& above) const {
    double least = kInfinity;
    for (Edge e = 0; e < g.edges(); ++e)
      if (g.target(e) == v && (input < 0 || inputs[static_cast<std::size_t>(e)] == input))
        least = std::min(least, node(g.source(e), above) + g.cost(e));
    return least;
  }
  double node(Node v, std::set<Node>& above) const {
    if (g.node_masked(v) || above.count(v) != 0) return kInfinity;
    if (sources.count(v) != 0) return 0;
    above.insert(v);
    double cost = 0;
    const auto add = [&](double x) { cost = objective == graph::Objective::sum ? cost + x : std::max(cost, x); };
    if (joins[static_cast<std::size_t>(v)] == 0)
      add(group(v, -1, above));
    else
      for (const auto& r : required)
        if (r.node == v) add(group(v, r.input, above));
    above.erase(v);
    return cost + own[static_cast<std::size_t>(v)];
  }
};

}  // namespace

TEST(k_shortest_paths_are_all_paths_in_order) {
  Philox rng(5);
  graph::YenWorkspace ws;
  std::vector<Path> out;
  for (int i = 0; i < 400; ++i) {
    ToolGraph g = random(2 + below(rng, 6), below(rng, 22), 1 + below(rng, 4), rng).build();
    if (i % 3 == 0) g.mask_node(below(rng, g.nodes()));
    const Node from = below(rng, g.nodes()), to = below(rng, g.nodes());
    const auto expected = sorted_paths(g, from, to);
    const int k = i % 2 == 0 ? 2000 : 1 + below(rng, 6);
    const int found = graph::k_shortest_paths(g, from, to, k, ws, out);
    CHECK(found == std::min(k, static_cast<int>(expected.size())));
    for (int p = 0; p < found; ++p) {
      const Path& path = out[static_cast<std::size_t>(p)];
      CHECK(path.edges == expected[static_cast<std::size_t>(p)] && path.cost == cost_of(g, path.edges));
    }
  }
}

TEST(k_is_checked) {
  const ToolGraph g = layered(2, 2, 1, 1).build();
  graph::YenWorkspace ws;
  std::vector<Path> out;
  CHECK_ERROR(graph::k_shortest_paths(g, 0, 5, 0, ws, out), ErrorKind::input, "k");
  CHECK_ERROR(graph::k_shortest_paths(g, 0, 5, graph::kMaxPaths + 1, ws, out), ErrorKind::input, "k");
  CHECK_ERROR(graph::k_shortest_paths(g, 0, 6, 1, ws, out), ErrorKind::input, "goal");
}

TEST(pareto_sets_equal_brute_force) {
  Philox rng(6);
  graph::ParetoWorkspace ws;
  graph::ParetoFront front;
  for (int i = 0; i < 400; ++i) {
    ToolGraph g = random(2 + below(rng, 5), below(rng, 18), 1, rng).build();
    const bool coarse = i % 2 == 0;
    const auto edges = random_steps(static_cast<std::size_t>(g.edges()), rng, coarse);
    const auto nodes = random_steps(static_cast<std::size_t>(g.nodes()), rng, coarse);
    if (i % 5 == 0) g.mask_node(below(rng, g.nodes()));
    const graph::Criteria criteria(g, edges, nodes);
    const graph::Limits limits = i % 3 == 0 ? graph::Limits{2.5, 3, 0.1} : graph::Limits{};
    const Node from = below(rng, g.nodes()), to = below(rng, g.nodes());
    std::vector<Step> totals;
    for (const Edges& path : all_paths(g, from, to)) totals.push_back(total_of(g, from, path, edges, nodes));
    graph::pareto_paths(g, criteria, from, to, limits, 100000, ws, front);
    CHECK(front.complete && triples(front) == brute_front(totals, limits));
    for (int p = 0; p < front.count; ++p) {
      const auto& path = front.paths[static_cast<std::size_t>(p)];
      CHECK(path.nodes.front() == from && path.nodes.back() == to);
      CHECK(total_of(g, from, path.edges, edges, nodes) == path.total);
    }
  }
}

TEST(costa_scores_over_the_pareto_set_equal_brute_force_for_every_a) {
  graph::ParetoWorkspace ws;
  graph::ParetoFront front;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Philox rng(seed);
    const ToolGraph g = layered(5, 4, 4, seed).build();
    const auto steps = random_steps(static_cast<std::size_t>(g.edges()), rng, false);
    const std::vector<Step> none(static_cast<std::size_t>(g.nodes()));
    const graph::Criteria criteria(g, steps);
    graph::pareto_paths(g, criteria, 0, g.nodes() - 1, {}, 1000000, ws, front);
    const auto paths = all_paths(g, 0, g.nodes() - 1);
    CHECK(paths.size() == 1024 && front.complete);
    for (double a = 0; a <= 2; a += 0.125) {
      double least = kInfinity, found = kInfinity;
      for (const Edges& path : paths) {
        const Step t = total_of(g, 0, path, steps, none);
        least = std::min(least, graph::costa_score(t.usd, t.quality, a));
      }
      for (int p = 0; p < front.count; ++p) {
        const Step& t = front.paths[static_cast<std::size_t>(p)].total;
        found = std::min(found, graph::costa_score(t.usd, t.quality, a));
      }
      CHECK(found == least);
    }
  }
}

TEST(a_failed_tool_that_is_reweighted_is_avoided) {
  Arrays a;
  a.nodes = 4;
  for (const auto& [u, v] : {std::pair{0, 1}, {0, 2}, {1, 3}, {2, 3}}) a.add(u, v, 0);
  const ToolGraph g = a.build();
  const std::vector<Step> edges(4, Step{1, 1, 0.9});
  graph::Criteria criteria(g, edges);
  criteria.set_node(2, {1, 0, 1});
  graph::ParetoWorkspace ws;
  graph::ParetoFront front;
  graph::pareto_paths(g, criteria, 0, 3, {}, 1000, ws, front);
  CHECK(front.count == 1 && front.paths[0].nodes == (std::vector<Node>{0, 1, 3}));
  criteria.set_node(1, {0, 0, 0.2});
  graph::pareto_paths(g, criteria, 0, 3, {kInfinity, kInfinity, 0.5}, 1000, ws, front);
  CHECK(front.count == 1 && front.paths[0].nodes == (std::vector<Node>{0, 2, 3}));
  criteria.set_edge(g, 3, {1, 1, 0.1});
  graph::pareto_paths(g, criteria, 0, 3, {kInfinity, kInfinity, 0.5}, 1000, ws, front);
  CHECK(front.count == 0 && front.complete);
}

TEST(the_label_cap_is_said) {
  Philox rng(7);
  const ToolGraph g = layered(6, 6, 6, 7).build();
  const graph::Criteria criteria(g, random_steps(static_cast<std::size_t>(g.edges()), rng, false));
  graph::ParetoWorkspace ws;
  graph::ParetoFront all, few;
  graph::pareto_paths(g, criteria, 0, g.nodes() - 1, {}, 1000000, ws, all);
  graph::pareto_paths(g, criteria, 0, g.nodes() - 1, {}, all.labels, ws, few);
  CHECK(all.complete && few.complete && few.count == all.count && few.labels == all.labels);
  graph::pareto_paths(g, criteria, 0, g.nodes() - 1, {}, all.labels * 9 / 10, ws, few);
  CHECK(!few.complete && few.labels == all.labels * 9 / 10 && few.count < all.count);
  const auto every = triples(all);
  for (const Triple& t : triples(few)) CHECK(std::find(every.begin(), every.end(), t) != every.end());
}

TEST(criteria_and_limits_are_checked) {
  const ToolGraph g = layered(2, 2, 1, 1).build();
  std::vector<Step> steps(static_cast<std::size_t>(g.edges()));
  steps[3].quality = 1.5;
  CHECK_ERROR(graph::Criteria(g, steps), ErrorKind::input, "criteria.edges[3].quality");
  steps[3] = {-1, 0, 1};
  CHECK_ERROR(graph::Criteria(g, steps), ErrorKind::input, "criteria.edges[3].usd");
  steps[3] = {0, std::nan(""), 1};
  CHECK_ERROR(graph::Criteria(g, steps), ErrorKind::input, "criteria.edges[3].seconds");
  steps[3] = {};
  CHECK_ERROR(graph::Criteria(g, {steps.data(), 2}), ErrorKind::input, "criteria.edges");
  CHECK_ERROR(graph::Criteria(g, steps, {steps.data(), 1}), ErrorKind::input, "criteria.nodes");
  graph::Criteria criteria(g, steps);
  CHECK_ERROR(criteria.set_node(-1, {}), ErrorKind::input, "node");
  CHECK_ERROR(criteria.set_edge(g, 0, {0, 0, 2}), ErrorKind::input, "step.quality");
  graph::ParetoWorkspace ws;
  graph::ParetoFront out;
  CHECK_ERROR(graph::pareto_paths(g, criteria, 0, 5, {-1, 1, 0}, 9, ws, out), ErrorKind::input, "max_usd");
  CHECK_ERROR(graph::pareto_paths(g, criteria, 0, 5, {1, std::nan(""), 0}, 9, ws, out), ErrorKind::input,
              "max_seconds");
  CHECK_ERROR(graph::pareto_paths(g, criteria, 0, 5, {1, 1, 2}, 9, ws, out), ErrorKind::input, "min_quality");
  CHECK_ERROR(graph::pareto_paths(g, criteria, 0, 5, {}, 0, ws, out), ErrorKind::input, "max_labels");
  CHECK_ERROR(graph::pareto_paths(layered(3, 2, 1, 1).build(), criteria, 0, 5, {}, 9, ws, out), ErrorKind::input,
              "criteria");
  CHECK_ERROR(graph::costa_score(1, 1, 2.1), ErrorKind::input, "a");
}

TEST(plans_with_joins_equal_brute_force) {
  Philox rng(8);
  graph::JoinWorkspace ws;
  graph::JoinPlan plan;
  int found = 0;
  for (int i = 0; i < 600; ++i) {
    const int n = 2 + below(rng, 6);
    ToolGraph g = random(n, below(rng, 20), 4, rng).build();
    if (i % 4 == 0) g.mask_node(below(rng, n));
    std::vector<std::int32_t> inputs;
    std::vector<std::uint8_t> joins;
    std::vector<graph::Joins::Requirement> required;
    std::vector<double> own;
    for (Edge e = 0; e < g.edges(); ++e) inputs.push_back(below(rng, 3));
    for (Node v = 0; v < n; ++v) {
      own.push_back(below(rng, 3));
      joins.push_back(below(rng, 2) == 0);
      for (std::int32_t input = 0; joins.back() != 0 && input < 3; ++input)
        if (below(rng, 2) == 0) required.push_back({v, input});
    }
    const std::vector<Node> sources = {below(rng, n), below(rng, n)};
    const std::set<Node> given(sources.begin(), sources.end());
    const Node goal = below(rng, n);
    const graph::Joins groups(g, inputs, joins, required);
    for (const auto objective : {graph::Objective::sum, graph::Objective::max}) {
      std::set<Node> above;
      const double least = Brute{g, inputs, joins, required, given, own, objective}.node(goal, above);
      CHECK(graph::cheapest_plan(g, groups, sources, goal, own, objective, ws, plan) == plan.found());
      CHECK(plan.cost == least && plan.found() == (least < kInfinity));
      found += plan.found();
      std::set<Node> done;
      double once = 0;
      for (const Node v : plan.nodes) {
        if (given.count(v) == 0) {
          once += own[static_cast<std::size_t>(v)];
          for (const Edge e : plan.edges)
            if (g.target(e) == v) CHECK(done.count(g.source(e)) == 1);
        }
        CHECK(done.insert(v).second);
      }
      for (const Edge e : plan.edges) once += g.cost(e);
      CHECK(plan.set_cost == once && (plan.nodes.empty() || plan.nodes.back() == goal));
      if (objective == graph::Objective::sum && plan.found()) CHECK(plan.set_cost <= plan.cost);
    }
  }
  CHECK(found > 300);
}

TEST(what_two_steps_share_is_counted_twice_in_the_tree_and_once_in_the_set) {
  Arrays a;
  a.nodes = 4;
  a.add(0, 1, 10);
  a.add(1, 2, 1);
  a.add(1, 3, 1);
  a.add(2, 3, 1);
  const ToolGraph g = a.build();
  const graph::Joins joins(g, std::vector<std::int32_t>{0, 0, 0, 1}, std::vector<std::uint8_t>{0, 0, 0, 1},
                           std::vector<graph::Joins::Requirement>{{3, 0}, {3, 1}});
  graph::JoinWorkspace ws;
  graph::JoinPlan p;
  const Node source = 0;
  CHECK(graph::cheapest_plan(g, joins, {&source, 1}, 3, {}, graph::Objective::sum, ws, p));
  CHECK(p.cost == 23 && p.set_cost == 13 && p.nodes == (std::vector<Node>{0, 1, 2, 3}) &&
        p.edges == (Edges{0, 1, 2, 3}));
  CHECK(graph::cheapest_plan(g, joins, {&source, 1}, 3, {}, graph::Objective::max, ws, p) && p.cost == 12);
  CHECK(!graph::cheapest_plan(g, joins, {}, 3, {}, graph::Objective::sum, ws, p) && p.nodes.empty());
}

TEST(joins_are_checked) {
  const ToolGraph g = layered(2, 2, 1, 1).build();
  const std::vector<std::int32_t> inputs(static_cast<std::size_t>(g.edges()));
  std::vector<std::uint8_t> joins(static_cast<std::size_t>(g.nodes()));
  using Requirements = std::vector<graph::Joins::Requirement>;
  CHECK_ERROR(graph::Joins(g, {}, joins, {}), ErrorKind::input, "joins.inputs");
  CHECK_ERROR(graph::Joins(g, inputs, {}, {}), ErrorKind::input, "joins.nodes");
  CHECK_ERROR(graph::Joins(g, inputs, joins, Requirements{{9, 0}}), ErrorKind::input, "joins.required[0].node");
  CHECK_ERROR(graph::Joins(g, inputs, joins, Requirements{{1, 0}}), ErrorKind::input, "joins.required[0].node");
  const graph::Joins fine(g, inputs, joins, {});
  graph::JoinWorkspace ws;
  graph::JoinPlan p;
  const Node nodes[] = {0, 17};
  const std::vector<double> costs(6, -1);
  CHECK_ERROR(graph::cheapest_plan(g, fine, nodes, 1, {}, {}, ws, p), ErrorKind::input, "sources[1]");
  CHECK_ERROR(graph::cheapest_plan(g, fine, {nodes, 1}, 6, {}, {}, ws, p), ErrorKind::input, "goal");
  CHECK_ERROR(graph::cheapest_plan(g, fine, {nodes, 1}, 1, costs, {}, ws, p), ErrorKind::input, "node_cost[0]");
  CHECK_ERROR(graph::cheapest_plan(layered(3, 2, 1, 1).build(), fine, {nodes, 1}, 1, {}, {}, ws, p), ErrorKind::input,
              "joins");
}

TEST(health_weights_are_self_healing_routers) {
  const double base[] = {1, 2, 1, 3}, latency[] = {20, 400, 100, 100}, reliability[] = {1, 0.5, 0, 1};
  const double proximity[] = {0, 1, 0, 0.2};
  double out[4];
  graph::health_weights({base, latency, reliability, proximity}, out);
  CHECK(out[0] == 0.5 && out[1] == 2 * 4 * 2 * 6 && out[2] == 100 && out[3] == 6);
  const double wrong[] = {1, 1, 1.5, 1};
  CHECK_ERROR(graph::health_weights({base, latency, wrong, proximity}, out), ErrorKind::input, "reliability[2]");
  CHECK_ERROR(graph::health_weights({base, {latency, 3}, reliability, proximity}, out), ErrorKind::input, "latency_ms");
}

TEST(warm_calls_allocate_nothing) {
  Philox rng(9);
  const ToolGraph g = layered(6, 6, 3, 9).build();
  const graph::Criteria criteria(g, random_steps(static_cast<std::size_t>(g.edges()), rng, false));
  const graph::Joins joins(g, std::vector<std::int32_t>(static_cast<std::size_t>(g.edges())),
                           std::vector<std::uint8_t>(static_cast<std::size_t>(g.nodes())), {});
  graph::YenWorkspace yen;
  graph::ParetoWorkspace pareto;
  graph::JoinWorkspace join;
  graph::ParetoFront front;
  graph::JoinPlan plan;
  std::vector<Path> paths;
  const Node source = 0;
  const auto all = [&] {
    graph::k_shortest_paths(g, 0, g.nodes() - 1, 20, yen, paths);
    graph::pareto_paths(g, criteria, 0, g.nodes() - 1, {}, 100000, pareto, front);
    graph::cheapest_plan(g, joins, {&source, 1}, g.nodes() - 1, {}, graph::Objective::sum, join, plan);
  };
  for (int i = 0; i < 30; ++i) all();  // paths swap their buffers until each has grown
  const long before = allocations::count();
  all();
  CHECK(allocations::count() == before);
}
