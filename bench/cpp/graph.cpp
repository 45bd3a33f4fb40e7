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

void report(const char* name, const std::vector<double>& us, long allocated, const std::string& note = "") {
  std::printf("%-28s p50 %10.2f us  p99 %10.2f  allocations %ld  %s\n", name, at(us, 0.5), at(us, 0.99), allocated,
              note.c_str());
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
void measure(const char* name, int n, const F& f, const std::string& note = "") {
  timed(n, f);
  const long before = allocations::count();
  const auto us = timed(n, f);
  report(name, us, allocations::count() - before - 1, note);  // one is the list of times
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

}  // namespace

int main() {
  dijkstra("Dijkstra 1,002 / 4,850", layered(20, 50, 5, 1).build(), 2000);
  dijkstra("Dijkstra 100,002 / 499,700", layered(100, 1000, 5, 1).build(), 40);
  replanning("replan at the failed tool", false, 50);
  replanning("replan from the source", true, 50);
  std::printf("wrong answers: %d\n", wrong);
  return wrong == 0 ? 0 : 1;
}
