// Microseconds from a failure to the new plan on generated tool graphs of V = 1,002, E = 4,850: Run::failed(), against
// a search from scratch over the same graph. Every answer is checked: fast and wrong cannot pass.
#include <algorithm>
#include <chrono>
#include <cstdio>

#include "allocations.hpp"
#include "tool_graphs.hpp"
#include "turnout/graph/healing.hpp"

using namespace turnout;
using namespace turnout::healing;

namespace {

constexpr int kGraphs = 100, kPasses = 2;

struct Figures {
  std::vector<double> failed, fresh;
  long allocated = 0;
  int wrong = 0;
};

template <class F>
double microseconds(const F& f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
}

double at(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

// Walks the plan up to its `depth`-th tool, which fails; a search from what was executed must find the same cost.
void one(const ToolGraph& g, int depth, Figures& out) {
  const Node start = 0, goal = g.nodes() - 1;
  Run run(g, {&start, 1}, {{goal, kInfinity, {}}}, {}, 1000);
  std::vector<Node> executed = {start}, now;
  now.reserve(8);
  for (int i = 0; i < depth; ++i) {
    now.clear();
    run.step(now);
    run.succeeded(now[0]);
    executed.push_back(now[0]);
  }
  now.clear();
  run.step(now);
  const Node bad = now[0];
  const long before = allocations::count();
  Record r;
  out.failed.push_back(microseconds([&] { r = run.failed(bad); }));
  const long taken = allocations::count() - before;
  ToolGraph masked = g;
  masked.mask_node(bad);
  graph::Workspace ws;
  graph::Path path;
  graph::shortest_path(masked, executed, {&goal, 1}, ws, path);
  out.fresh.push_back(microseconds([&] { graph::shortest_path(masked, executed, {&goal, 1}, ws, path); }));
  out.wrong += r.cost != path.cost || r.kind != Kind::reroute;
  out.allocated += taken;
}

}  // namespace

int main() {
  Figures f;
  for (int pass = 0; pass < kPasses; ++pass)
    for (int seed = 0; seed < kGraphs; ++seed) {
      const ToolGraph g = tool_graphs::layered(20, 50, 5, static_cast<std::uint64_t>(seed)).build();
      for (const int depth : {0, 5, 10, 15}) one(g, depth, f);
    }
  std::printf("%zu failures on V = 1,002, E = 4,850\n", f.failed.size());
  std::printf("  failed() to the new plan   p50 %7.2f us  p99 %7.2f\n", at(f.failed, 0.5), at(f.failed, 0.99));
  std::printf("  search from scratch        p50 %7.2f us  p99 %7.2f\n", at(f.fresh, 0.5), at(f.fresh, 0.99));
  std::printf("  allocations a failure %.2f, wrong answers %d\n",
              static_cast<double>(f.allocated) / static_cast<double>(f.failed.size()), f.wrong);
  return f.wrong == 0 ? 0 : 1;
}
