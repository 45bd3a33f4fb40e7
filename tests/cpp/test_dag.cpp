// The immutable DAG and its measures.
#include "turnout/plan/dag.hpp"

#include <cmath>

#include "turnout/plan/measure.hpp"

#include "allocations.hpp"
#include "check.hpp"
#include "dags.hpp"

using namespace turnout;
using plan::Dag;
using plan::Edge;

namespace {

using Edges = std::vector<Edge>;
const Edges kDiamond = {{0, 1}, {0, 2}, {1, 3}, {2, 3}};

std::string refusal(int nodes, const Edges& edges) {
  return check::message_of<Error>([&] { Dag().assign(nodes, edges); });
}

plan::DagMetrics measured(int nodes, const Edges& edges, const std::vector<double>& seconds,
                          const std::vector<double>& coupling = {}) {
  Dag dag;
  dag.assign(nodes, edges);
  plan::MeasureWorkspace ws;
  plan::DagMetrics out;
  plan::measure(dag, seconds, coupling, ws, out);
  return out;
}

// The longest chain that ends at a node, and the longest after it, by plain recursion.
double until(const dags::Generated& g, int node) {
  double start = 0;
  for (const Edge& e : g.edges)
    if (e.to == node) start = std::max(start, until(g, e.from));
  return start + g.seconds[static_cast<std::size_t>(node)];
}
double after(const dags::Generated& g, int node) {
  double rest = 0;
  for (const Edge& e : g.edges)
    if (e.from == node) rest = std::max(rest, g.seconds[static_cast<std::size_t>(e.to)] + after(g, e.to));
  return rest;
}

}  // namespace

TEST(a_diamond) {
  const auto m = measured(4, kDiamond, {1, 5, 2, 1}, {0, 0.5, 0.5, 1});
  CHECK(m.nodes == 4 && m.edges == 4 && m.depth == 3 && m.width == 2 && m.coupling == 0.5);
  CHECK(m.work == Seconds(9) && m.critical_path == Seconds(7) && m.parallelism == 9.0 / 7 && m.density == 4.0 / 6);
  CHECK(m.critical_nodes == (std::vector<std::int32_t>{0, 1, 3}));
  CHECK(m.slack == (std::vector<double>{0, 0, 3, 0}));
}

TEST(the_empty_dag_and_single_nodes) {
  const auto none = measured(0, {}, {});
  CHECK(none.nodes == 0 && none.depth == 0 && none.width == 0 && none.critical_nodes.empty() && none.parallelism == 1);
  const auto one = measured(1, {}, {0});
  CHECK(one.depth == 1 && one.width == 1 && one.density == 0 && one.critical_nodes.size() == 1 && one.parallelism == 1);
}

TEST(the_generator_is_the_twins) {  // the same numbers stand in tests/python/test_topology.py
  const auto g = dags::random(5, 6, 8, 3);
  CHECK(g.edges == (Edges{{0, 2}, {0, 4}, {3, 2}, {5, 3}}));
  CHECK(g.seconds[0] == 0.20223880088458657 && g.coupling[3] == 0.9173280030144036);
}

TEST(what_is_no_dag_is_refused) {
  CHECK(refusal(2, {{0, 2}}) == "edges[0]: there is no node 2");
  CHECK(refusal(2, {{0, 1}, {-1, 0}}) == "edges[1]: there is no node -1");
  CHECK(refusal(2, {{1, 1}}) == "edges[0]: 1 cannot depend on itself");
  CHECK(refusal(3, {{0, 1}, {1, 2}, {0, 1}}) == "edges[2]: the edge from 0 to 1 is there twice");
  // 0 waits for the cycle and is not on it.
  CHECK(refusal(3, {{1, 0}, {1, 2}, {2, 1}}) == "edges: nodes depend on each other: 1 -> 2 -> 1");
  CHECK(refusal(-1, {}) == "nodes: expected 0 to 131072 nodes, got -1");
  CHECK(refusal(plan::kMaxTasks + 1, {}) == "nodes: expected 0 to 131072 nodes, got 131073");
  CHECK(refusal(2, Edges(plan::kMaxEdges + 1)) == "edges: expected at most 1048576 edges, got 1048577");
}

TEST(a_refused_dag_is_empty_and_can_be_filled_again) {
  Dag dag;
  dag.assign(4, kDiamond);
  CHECK(check::message_of<Error>([&] { dag.assign(2, Edges{{0, 1}, {1, 0}}); }) ==
        "edges: nodes depend on each other: 0 -> 1 -> 0");
  CHECK(dag.nodes() == 0 && dag.edges() == 0 && dag.order().empty());
  dag.assign(4, kDiamond);
  CHECK(dag.nodes() == 4 && dag.level(3) == 2 && dag.parents(3).size() == 2);
}

TEST(a_long_cycle_is_cut_in_the_message) {
  Edges edges;
  for (int i = 0; i < 100; ++i) edges.push_back({i, (i + 1) % 100});
  const std::string text = refusal(100, edges);
  CHECK(text.rfind("edges: nodes depend on each other: 0 -> 99 -> 98 -> ", 0) == 0);
  CHECK(text.ends_with(" -> 69 -> (68 more) -> 0"));
}

TEST(wrong_columns_are_named) {
  const auto message = [](const std::vector<double>& seconds, const std::vector<double>& coupling) {
    return check::message_of<Error>([&] { measured(4, kDiamond, seconds, coupling); });
  };
  CHECK(message({1, 1, 1}, {}) == "seconds: expected one a node (4), got 3");
  CHECK(message({1, 1, -1, 1}, {}) == "seconds[2]: expected a number in [0, 1e+09], got -1");
  CHECK(message({1, std::nan(""), 1, 1}, {}).rfind("seconds[1]: ", 0) == 0);
  CHECK(message({1, 1, 1, INFINITY}, {}).rfind("seconds[3]: ", 0) == 0);
  CHECK(message({1, 1, 1, 1}, {1}) == "coupling: expected one an edge (4), got 1");
  CHECK(message({1, 1, 1, 1}, {1, 1, 2, 1}) == "coupling[2]: expected a number in [0, 1], got 2");
}

TEST(random_dags_agree_with_plain_recursion) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const int n = 1 + static_cast<int>(seed % 14);
    const auto g = dags::random(seed, n, 2 * n, n);
    const auto m = measured(n, g.edges, g.seconds, g.coupling);
    double longest = 0;
    for (int i = 0; i < n; ++i) longest = std::max(longest, until(g, i));
    CHECK_NEAR(m.critical_path.value, longest, 1e-12);
    double chain = 0;
    for (const int node : m.critical_nodes) chain += g.seconds[static_cast<std::size_t>(node)];
    CHECK_NEAR(chain, longest, 1e-12);
    for (int i = 0; i < n; ++i)
      CHECK_NEAR(m.slack[static_cast<std::size_t>(i)], longest - until(g, i) - after(g, i), 1e-12);
  }
}

TEST(orders_and_rows_hold_together) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const auto g = dags::random(seed, 60, 150, 60);
    Dag dag;
    dag.assign(g.nodes, g.edges);
    std::vector<int> place(60, -1);
    for (int i = 0; i < 60; ++i) place[static_cast<std::size_t>(dag.order()[static_cast<std::size_t>(i)])] = i;
    int rows = 0;
    for (int v = 0; v < 60; ++v) {
      int level = 0;
      for (std::size_t k = 0; k < dag.parents(v).size(); ++k) {
        const int p = dag.parents(v)[k];
        CHECK(place[static_cast<std::size_t>(p)] < place[static_cast<std::size_t>(v)]);
        CHECK((g.edges[static_cast<std::size_t>(dag.parent_edges(v)[k])] == Edge{p, v}));
        CHECK(std::ranges::count(dag.children(p), v) == 1);
        level = std::max(level, dag.level(p) + 1);
        ++rows;
      }
      CHECK(dag.level(v) == level);
    }
    CHECK(rows == dag.edges() && dag.edges() == static_cast<int>(g.edges.size()));
  }
}

TEST(the_largest_dags) {
  std::vector<double> seconds(plan::kMaxTasks, 1);
  Edges chain;
  for (int i = 1; i < plan::kMaxTasks; ++i) chain.push_back({i, i - 1});
  const auto deep = measured(plan::kMaxTasks, chain, seconds);
  CHECK(deep.depth == plan::kMaxTasks && deep.width == 1 && deep.critical_path == Seconds(plan::kMaxTasks));
  const auto wide = measured(plan::kMaxTasks, {}, seconds);
  CHECK(wide.depth == 1 && wide.width == plan::kMaxTasks && wide.parallelism == plan::kMaxTasks);
}

TEST(a_warm_dag_and_its_measures_take_no_memory) {
  const auto g = dags::random(7, 1000, 3000, 100);
  Dag dag;
  plan::MeasureWorkspace ws;
  plan::DagMetrics out;
  const auto run = [&] {
    dag.assign(g.nodes, g.edges);
    plan::measure(dag, g.seconds, g.coupling, ws, out);
  };
  run();
  const long before = allocations::count();
  run();
  CHECK(allocations::count() == before);
}
