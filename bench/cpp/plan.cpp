// The task DAGs of the room plan, one thread, warm: validate + metrics at 1e3, 1e4 and 1e5 edges (and whether that is
// linear), edits while running, reliability, placement, merging, epochs. Every answer is checked; a wrong one fails.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>

#include "turnout/plan/agents.hpp"
#include "turnout/plan/antichain.hpp"
#include "turnout/plan/epochs.hpp"
#include "turnout/plan/measure.hpp"
#include "turnout/plan/merge.hpp"
#include "turnout/plan/placement.hpp"
#include "turnout/plan/reliability.hpp"
#include "turnout/plan/slo.hpp"
#include "turnout/plan/task_dag.hpp"
#include "turnout/plan/topology.hpp"

#include "allocations.hpp"
#include "dags.hpp"

namespace {

using namespace turnout;
using Clock = std::chrono::steady_clock;

int wrong = 0;

void expect(bool ok, const char* what) {
  if (ok) return;
  ++wrong;
  std::printf("WRONG: %s\n", what);
}

// Microseconds of one call: the best of `passes`, each of `calls`, which is what the call takes and not what the
// machine adds.
double time(int passes, int calls, const std::function<void()>& f) {
  f();
  std::vector<double> us;
  for (int pass = 0; pass < passes; ++pass) {
    const auto start = Clock::now();
    for (int i = 0; i < calls; ++i) f();
    us.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count() / calls);
  }
  return *std::ranges::min_element(us);
}

void report(const char* name, double us, const char* note = "") {
  std::printf("%-34s %11.2f us  %s\n", name, us, note);
}

// Nanoseconds of validate + metrics for a node or edge. `instances` DAGs in turn, so that no call is the repeat of the
// one before: a processor learns the branches of a small DAG by heart.
double measures(int nodes, int edges, int instances, const char* name) {
  std::vector<dags::Generated> all;
  for (int i = 0; i < instances; ++i) all.push_back(dags::random(static_cast<std::uint64_t>(i), nodes, edges, 200));
  plan::Dag dag;
  plan::MeasureWorkspace ws;
  plan::DagMetrics m;
  const auto run = [&] {
    for (const auto& g : all) {
      dag.assign(g.nodes, g.edges);
      plan::measure(dag, g.seconds, g.coupling, ws, m);
    }
  };
  const double us = time(21, 1, run) / instances;
  const long before = allocations::count();
  run();
  expect(allocations::count() == before, "metrics allocate when warm");
  double chain = 0;
  for (const int node : m.critical_nodes) chain += all.back().seconds[static_cast<std::size_t>(node)];
  expect(std::abs(chain - m.critical_path.value) < 1e-6 && m.edges == static_cast<int>(all.back().edges.size()),
         "metrics");
  const double ns = 1000 * us / (nodes + m.edges);
  char note[96];
  std::snprintf(note, sizeof note, "V %d, E %d: %.1f ns a node and edge", nodes, m.edges, ns);
  report(name, us, note);
  return ns;
}

plan::TaskDag tasks_of(const dags::Generated& g) {
  plan::TaskDag dag;
  for (int i = 0; i < g.nodes; ++i)
    dag.add("t" + std::to_string(i), {"", "", g.seconds[static_cast<std::size_t>(i)], 0, i % 5, 0});
  for (const auto& e : g.edges) dag.connect(e.from, e.to);
  return dag;
}

void edits() {
  const auto g = dags::random(2, 1000, 3000, 200);
  report("TaskDag: 1,000 tasks, edge by edge", time(11, 1, [&] { expect(tasks_of(g).edges() > 2000, "build"); }));
  plan::TaskDag dag = tasks_of(g);
  std::vector<plan::TaskDag::Id> out;
  report("TaskDag: ready", time(31, 100, [&] { dag.ready(out); }));
  report("TaskDag: start, retry", time(31, 1000, [&] {
           dag.start(out[0], "x");
           dag.retry(out[0]);
         }));
  dag.order(out);
  const auto last = out.back();
  auto first = last;  // of a chain that ends with the last
  while (!dag.task(first).inputs.empty()) first = dag.task(first).inputs[0].task;
  report("TaskDag: add, connect, remove", time(31, 100, [&] {
           dag.connect(last, dag.add("probe"));
           dag.remove(dag.find("probe"));
         }));
  const auto digest = dag.digest();
  report("TaskDag: an edge that is refused",
         time(31, 10,
              [&] {
                try {
                  dag.connect(last, first);
                  expect(false, "a cycle was not refused");
                } catch (const Error&) {
                }
              }),
         "it would close a cycle");
  expect(dag.digest() == digest, "a refused edge left a trace");
  report("TaskDag: digest", time(31, 10, [&] { expect(dag.digest() == digest, "digest"); }));
  report("TaskDag: batch of two edits", time(31, 2, [&] {
           const std::vector<plan::Edit> batch = {{plan::Edit::Kind::change, "t1", {}, "", 0},
                                                  {plan::Edit::Kind::change, "t2", {}, "", 0}};
           dag.apply(batch);
         }));
  std::vector<plan::Agent> agents;
  for (int i = 0; i < 16; ++i) agents.push_back({"a" + std::to_string(i), "", 0, 0, 1 << 17});
  std::vector<plan::Assignment> assigned;
  int turn = 0;
  report("assign_agents: 16 agents", time(31, 10, [&] {
           plan::assign_agents(dag, plan::AgentPolicy::load_balance, agents, turn, assigned);
           for (auto& a : agents) a = {a.name, "", 0, 0, 1 << 17};
         }));
}

void widths() {
  const auto g = dags::random(1, 1000, 3000, 200);
  plan::Dag dag;
  dag.assign(g.nodes, g.edges);
  std::size_t width = 0;
  const double us = time(5, 1, [&] { width = plan::largest_antichain(dag).size(); });
  char note[64];
  std::snprintf(note, sizeof note, "V 1,000: %zu nodes", width);
  report("exact width", us, note);
}

void reliabilities() {
  for (const auto& [name, most] :
       {std::pair("reliability: 40 tasks, frontier", 16), std::pair("reliability: 40 tasks, bounds", 4)}) {
    const auto g = dags::random(3, 40, 60, 8);
    plan::Dag dag;
    dag.assign(g.nodes, g.edges);
    const std::vector<double> p(40, 0.95), q(40, 0.2);
    plan::Reliability r;
    const double us = time(11, 1, [&] { r = plan::reliability(dag, p, q, {}, {most, true}); });
    char note[96];
    std::snprintf(note, sizeof note, "%s, width %d, sinks in [%.4f, %.4f]", plan::method_name(r.method), r.width,
                  r.sinks_lower, r.sinks_upper);
    report(name, us, note);
    expect(r.sinks_lower <= r.sinks_upper + 1e-12, "reliability");
  }
}

struct Placed {
  plan::Dag dag;
  std::vector<double> seconds, cost;
  std::vector<std::int32_t> slots;
};

Placed placed(int nodes, int devices) {
  Philox rng(4);
  Placed x;
  x.dag.assign(nodes, dags::random(4, nodes, 2 * nodes, nodes).edges);
  for (int v = 0; v < nodes; ++v)
    for (int d = 0; d < devices; ++d) {
      x.seconds.push_back((1 + 4 * rng.uniform()) / (d + 1));
      x.cost.push_back((1 + 4 * rng.uniform()) * (d + 1));
    }
  x.slots.assign(static_cast<std::size_t>(devices), 2);
  return x;
}

void placements() {
  for (const auto& [name, nodes, devices] :
       {std::tuple("place: 6 x 3, exact", 6, 3), std::tuple("place: 12 x 3, exact", 12, 3),
        std::tuple("place: 200 x 8, list", 200, 8)}) {
    const Placed x = placed(nodes, devices);
    plan::Placement p;
    const double us = time(3, 1, [&] {
      p = plan::place({x.dag, devices, x.seconds, x.cost, {}, {}, x.slots, {}, {}, {}, {}, 2.0 + nodes / 4.0});
    });
    char note[96];
    std::snprintf(note, sizeof note, "%s, %s, cost %.2f, %lld nodes", p.score.feasible() ? "feasible" : "infeasible",
                  p.optimal ? "optimal" : "not proved", p.score.cost, static_cast<long long>(p.nodes));
    report(name, us, note);
    expect(p.lower_bound <= p.score.cost + 1e-9, "placement");
  }
}

void merges() {
  std::vector<std::vector<plan::QueryNode>> queries;
  for (int q = 0; q < 1000; ++q)
    queries.push_back({{"embed", "q" + std::to_string(q % 100), {}},
                       {"search", "k=8", {0}},
                       {"rerank", "", {1}},
                       {"answer", "", {2}}});
  std::size_t nodes = 0;
  const double us = time(11, 1, [&] { nodes = plan::merge(queries).nodes.size(); });
  report("merge: 1,000 queries of 4 nodes", us, "100 of them distinct");
  expect(nodes == 400, "merge");
  const Placed x = placed(10, 2);
  plan::EpochPlan e;
  report("plan_epochs: 10 x 2", time(5, 1, [&] { e = plan::plan_epochs({x.dag, 2, x.seconds, {}, {}, {}, {}}); }));
  std::vector<double> quality, seconds, cost;
  Philox rng(5);
  for (int i = 0; i < 1000; ++i) {
    quality.push_back(rng.uniform());
    seconds.push_back(rng.uniform());
    cost.push_back(rng.uniform());
  }
  plan::ConfigurationChoice c;
  report("choose_configuration: 1,000 rows",
         time(31, 10, [&] { c = plan::choose_configuration(quality, seconds, cost, {0.9, Seconds(0.5)}); }));
  expect(c.feasible, "configuration");
}

}  // namespace

int main() {
  measures(1000, 3000, 40, "validate + metrics: 1,000 nodes");
  const double small = measures(500, 1000, 100, "validate + metrics: 1e3 edges");
  const double middle = measures(5000, 10000, 10, "validate + metrics: 1e4 edges");
  const double large = measures(50000, 100000, 1, "validate + metrics: 1e5 edges");
  std::printf("%-34s %11.2f x  at 1e4 and %.2f x at 1e5 edges, of what a node or edge takes at 1e3\n", "growth",
              middle / small, large / small);
  edits();
  widths();
  reliabilities();
  placements();
  merges();
  return wrong == 0 ? 0 : 1;
}
