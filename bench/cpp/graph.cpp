// Microseconds of the graph room's searches on generated tool graphs, one thread, warm. Every answer is checked: fast
// and wrong cannot pass.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "allocations.hpp"
#include "tool_graphs.hpp"

namespace {

using namespace tool_graphs;
using graph::kInfinity;
using graph::Path;
using graph::Replanner;
using graph::Workspace;

int wrong = 0;

double microseconds(const std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
}

double at(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

void report(const char* name, const std::vector<double>& us, long allocated) {
  std::printf("%-40s best %10.2f us  p50 %10.2f  p99 %10.2f  allocations %ld\n", name, at(us, 0), at(us, 0.5),
              at(us, 0.99), allocated);
}

// Runs f(i) for i in 0 .. n - 1, all of them once before.
template <class F>
std::vector<double> timed(int n, const F& f) {
  std::vector<double> us;
  us.reserve(static_cast<std::size_t>(n));
  for (int i = 0; i < n; ++i) {
    const auto start = std::chrono::steady_clock::now();
    f(i);
    us.push_back(microseconds(start));
  }
  return us;
}

template <class F>
void measure(const char* name, int n, const F& f) {
  timed(n, f);
  const long before = allocations::count();
  const auto us = timed(n, f);
  report(name, us, allocations::count() - before - 1);  // one is the list of times
}

void dijkstra(const char* name, const ToolGraph& g, int n) {
  const Node from = 0, to = g.nodes() - 1;
  Workspace ws;
  Path p;
  std::vector<double> costs(static_cast<std::size_t>(g.nodes()));
  measure((std::string(name) + " to the sink").c_str(), n,
          [&](int) { graph::shortest_path(g, {&from, 1}, {&to, 1}, ws, p); });
  measure((std::string(name) + " to all").c_str(), n, [&](int) { graph::distances_from(g, {&from, 1}, ws, costs); });
  wrong += p.cost != costs.back() || !p.found();
}

// Each of the path's tools fails in turn and comes back, seen from the source or from the tool before it.
void replanning(const char* name, bool from_source, int graphs) {
  std::vector<double> failed, restored, fresh_us;
  long allocated = 0;
  for (int seed = 0; seed < graphs; ++seed) {
    ToolGraph g = layered(20, 50, 5, static_cast<std::uint64_t>(seed)).build();
    Replanner replanner(g, 0, g.nodes() - 1);
    Workspace ws;
    Path path, p, fresh;
    replanner.replan(path);
    p = fresh = path;
    p.nodes.reserve(100), p.edges.reserve(100);
    for (int pass = 0; pass < 2; ++pass)
      for (std::size_t i = 1; i + 1 < path.nodes.size(); ++i) {
        const Node start = from_source ? 0 : path.nodes[i - 1], goal = g.nodes() - 1;
        replanner.move_start(start);
        replanner.replan(p);
        const long before = allocations::count();
        auto begin = std::chrono::steady_clock::now();
        g.mask_node(path.nodes[i]);
        replanner.replan(p);
        const double down = microseconds(begin);
        begin = std::chrono::steady_clock::now();
        graph::shortest_path(g, {&start, 1}, {&goal, 1}, ws, fresh);
        const double again = microseconds(begin);
        wrong += p != fresh || !p.found();
        begin = std::chrono::steady_clock::now();
        g.mask_node(path.nodes[i], false);
        replanner.replan(p);
        const double up = microseconds(begin);
        if (pass == 0) continue;
        allocated += allocations::count() - before;
        failed.push_back(down), restored.push_back(up), fresh_us.push_back(again);
      }
  }
  report((std::string(name) + ", tool fails").c_str(), failed, allocated);
  report((std::string(name) + ", tool is back").c_str(), restored, allocated);
  report((std::string(name) + ", fresh search").c_str(), fresh_us, allocated);
}

// The same shape as in the C++ tests: five layers of four tools, every tool leads to all of the next.
void pareto(int graphs) {
  graph::ParetoWorkspace ws;
  graph::ParetoFront front;
  std::vector<ToolGraph> made;
  std::vector<graph::Criteria> criteria;
  for (int seed = 0; seed < graphs; ++seed) {
    Philox rng(static_cast<std::uint64_t>(seed));
    made.push_back(layered(5, 4, 4, static_cast<std::uint64_t>(seed)).build());
    std::vector<graph::Step> steps(static_cast<std::size_t>(made.back().edges()));
    for (graph::Step& s : steps) s = {rng.uniform(), rng.uniform(), rng.uniform()};
    criteria.emplace_back(made.back(), steps);
  }
  long labels = 0, paths = 0;
  measure("Pareto set, 5 x 4", graphs, [&](int i) {
    const auto at = static_cast<std::size_t>(i);
    graph::pareto_paths(made[at], criteria[at], 0, 21, {}, 1000000, ws, front);
    labels += front.labels, paths += front.count;
    wrong += !front.complete || front.count == 0;
  });
  std::printf("  %.0f labels, %.0f paths a graph\n", double(labels) / (2 * graphs), double(paths) / (2 * graphs));
}

// A limit that leaves the cheapest path some 20 % to spare.
void pareto_limited(const ToolGraph& g, int n) {
  Philox rng(1);
  std::vector<graph::Step> steps(static_cast<std::size_t>(g.edges()));
  for (graph::Step& s : steps) s = {rng.uniform(), rng.uniform(), 0.9 + 0.1 * rng.uniform()};
  const graph::Criteria criteria(g, steps);
  graph::ParetoWorkspace ws;
  graph::ParetoFront front;
  measure("Pareto set 1k, USD limited", n, [&](int) {
    graph::pareto_paths(g, criteria, 0, g.nodes() - 1, {2.5, kInfinity, 0}, 1000000, ws, front);
    wrong += !front.complete || front.count == 0;
  });
  std::printf("  %d labels, %d paths\n", front.labels, front.count);
}

void k_shortest(const char* name, const ToolGraph& g, int k, int n) {
  graph::YenWorkspace ws;
  std::vector<Path> out;
  for (int i = 0; i < 50; ++i) graph::k_shortest_paths(g, 0, g.nodes() - 1, k, ws, out);
  measure(name, n, [&](int) { wrong += graph::k_shortest_paths(g, 0, g.nodes() - 1, k, ws, out) != k; });
}

// Every second tool needs two inputs.
void joins(const char* name, const ToolGraph& g, int n) {
  std::vector<std::int32_t> inputs;
  std::vector<std::uint8_t> nodes;
  std::vector<graph::Joins::Requirement> required;
  for (Edge e = 0; e < g.edges(); ++e) inputs.push_back(e % 2);
  for (Node v = 0; v < g.nodes(); ++v) {
    nodes.push_back(v > 50 && v < 1001 && v % 2 == 0);
    for (std::int32_t input = 0; nodes.back() != 0 && input < 2; ++input) required.push_back({v, input});
  }
  const graph::Joins made(g, inputs, nodes, required);
  graph::JoinWorkspace ws;
  graph::JoinPlan plan;
  const Node source = 0, goal = g.nodes() - 1;
  measure(name, n, [&](int) {
    wrong += !graph::cheapest_plan(g, made, {&source, 1}, goal, {}, graph::Objective::sum, ws, plan);
  });
}

void walks(const char* name, const ToolGraph& g, int n) {
  graph::Pheromones pheromones(g.edges(), 4);
  graph::Pheromones::Workspace ws;
  const std::vector<double> weights = {0.7, 0.3, 0, 0}, eta(static_cast<std::size_t>(g.nodes()), 1.0);
  Philox rng(1);
  Path p;
  measure(name, n, [&](int) { wrong += !pheromones.walk(g, 0, g.nodes() - 1, weights, eta, rng, ws, p); });
  measure((std::string(name) + ", update").c_str(), n, [&](int) { pheromones.update(p.edges, weights, 1, true); });
}

}  // namespace

int main() {
  const ToolGraph tools = layered(20, 50, 5, 1).build();
  Philox rng(1);
  dijkstra("Dijkstra 1k", tools, 2000);
  dijkstra("Dijkstra 100k", random_exact(100000, 500000, rng).build(), 40);
  replanning("replan at the failed tool", false, 50);
  replanning("replan from the source", true, 50);
  k_shortest("10 shortest paths 1k", tools, 10, 500);
  pareto(300);
  pareto_limited(tools, 100);
  joins("and-joins 1k", tools, 500);
  walks("walk 1k", tools, 2000);
  std::printf("wrong answers: %d\n", wrong);
  return wrong == 0 ? 0 : 1;
}
