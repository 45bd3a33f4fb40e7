// The choice of a topology, the exact width, and who takes which task.
#include "turnout/plan/topology.hpp"

#include <set>

#include "turnout/plan/agents.hpp"
#include "turnout/plan/antichain.hpp"

#include "check.hpp"
#include "dags.hpp"

using namespace turnout;
using plan::AgentPolicy;
using plan::Edge;
using plan::Topology;
using plan::TopologyRule;

namespace {

using Edges = std::vector<Edge>;

plan::TopologyChoice choose(int nodes, const Edges& edges, double coupling) {
  plan::Dag dag;
  dag.assign(nodes, edges);
  plan::MeasureWorkspace ws;
  plan::DagMetrics m;
  const std::vector<double> seconds(static_cast<std::size_t>(nodes), 1), couplings(edges.size(), coupling);
  plan::measure(dag, seconds, couplings, ws, m);
  return plan::choose_topology(m.nodes, m.width, m.depth, m.coupling);
}

bool is(const plan::TopologyChoice& choice, Topology topology, TopologyRule rule) {
  return choice.topology == topology && choice.rule == rule;
}

Edges chain(int n) {
  Edges edges;
  for (int i = 1; i < n; ++i) edges.push_back({i - 1, i});
  return edges;
}

std::vector<int> antichain(int nodes, const Edges& edges) {
  plan::Dag dag;
  dag.assign(nodes, edges);
  return plan::largest_antichain(dag);
}

// Which nodes run after each, by repeated squaring of the relation.
std::vector<std::set<int>> closure(const dags::Generated& g) {
  std::vector<std::set<int>> after(static_cast<std::size_t>(g.nodes));
  for (int round = 0; round < g.nodes; ++round)
    for (const Edge& e : g.edges) {
      auto& set = after[static_cast<std::size_t>(e.from)];
      set.insert(e.to);
      set.insert(after[static_cast<std::size_t>(e.to)].begin(), after[static_cast<std::size_t>(e.to)].end());
    }
  return after;
}

bool independent(const std::vector<std::set<int>>& after, const std::vector<int>& nodes) {
  for (const int a : nodes)
    for (const int b : nodes)
      if (after[static_cast<std::size_t>(a)].contains(b)) return false;
  return true;
}

int largest_by_brute_force(const dags::Generated& g) {
  const auto after = closure(g);
  int best = 0;
  for (unsigned set = 0; set < 1u << g.nodes; ++set) {
    std::vector<int> nodes;
    for (int i = 0; i < g.nodes; ++i)
      if (set >> i & 1u) nodes.push_back(i);
    if (static_cast<int>(nodes.size()) > best && independent(after, nodes)) best = static_cast<int>(nodes.size());
  }
  return best;
}

}  // namespace

// a3, T.
TEST(antichains_are_parallel_and_chains_sequential) {
  for (const int n : {1, 2, 3, 10, 1000}) {
    CHECK(is(choose(n, {}, 0), Topology::parallel, TopologyRule::wide));
    if (n > 1) CHECK(is(choose(n, chain(n), 0.5), Topology::sequential, TopologyRule::deep));
  }
}

// a3, T: four DAGs whose labels are fixed.
TEST(golden_dags) {
  const Edges map_reduce = {{0, 9}, {1, 9}, {2, 9}, {3, 9}, {4, 9}, {5, 9}, {6, 9}, {7, 9}, {8, 9}};
  CHECK(is(choose(10, map_reduce, 0.25), Topology::parallel, TopologyRule::wide));
  CHECK(is(choose(10, map_reduce, 0.75), Topology::hierarchical, TopologyRule::coupled));
  const Edges pipeline = {{0, 1}, {1, 2}, {2, 3}, {1, 4}, {4, 3}};
  CHECK(is(choose(5, pipeline, 0.75), Topology::sequential, TopologyRule::deep));
  const Edges ladder = {{0, 1}, {0, 2}, {1, 3}, {2, 4}, {3, 5}, {4, 6}};
  CHECK(is(choose(7, ladder, 0.25), Topology::hierarchical, TopologyRule::layered));
  const Edges research = {{0, 1}, {0, 2}, {0, 3}, {1, 4}, {2, 4}, {3, 4}};
  CHECK(is(choose(5, research, 0.25), Topology::hybrid, TopologyRule::neither));
}

TEST(thresholds_are_configuration_and_checked) {
  plan::TopologyThresholds t;
  CHECK(plan::choose_topology(10, 7, 3, 0.29, t).topology == Topology::parallel);
  CHECK(plan::choose_topology(10, 7, 3, 0.3, t).topology == Topology::hybrid);
  CHECK(plan::choose_topology(10, 1, 8, 1, t).topology == Topology::sequential);
  CHECK(plan::choose_topology(10, 1, 3, 0.6, t).topology == Topology::hybrid);
  t.layers = 2;
  CHECK(plan::choose_topology(10, 1, 3, 0.6, t).rule == TopologyRule::layered);
  t.loose = -0.1;
  CHECK_ERROR(plan::choose_topology(10, 7, 3, 0, t), ErrorKind::input, "thresholds.loose");
  CHECK_ERROR(plan::choose_topology(0, 0, 0, 0), ErrorKind::input, "nodes");
  CHECK_ERROR(plan::choose_topology(3, 4, 1, 0), ErrorKind::input, "width");
}

TEST(exact_widths) {
  CHECK(antichain(0, {}).empty() && antichain(70, {}).size() == 70 && antichain(70, chain(70)).size() == 1);
  CHECK(antichain(4, {{0, 1}, {0, 2}, {1, 3}, {2, 3}}) == (std::vector<int>{1, 2}));
  // Levels hold 2, 1, 1 and 1 nodes, but 1, 2 and 4's side branches are all independent of each other.
  CHECK(antichain(6, {{0, 1}, {0, 2}, {2, 3}, {2, 4}, {4, 5}}).size() == 3);
  plan::Dag large;
  large.assign(plan::kMaxAntichainNodes + 1, {});
  CHECK_ERROR(plan::largest_antichain(large), ErrorKind::input, "nodes");
}

TEST(exact_widths_equal_brute_force) {
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    const int n = 1 + static_cast<int>(seed % 12);
    const auto g = dags::random(seed, n, static_cast<int>(seed % 20), n);
    const auto nodes = antichain(n, g.edges);
    CHECK(static_cast<int>(nodes.size()) == largest_by_brute_force(g) && independent(closure(g), nodes));
  }
}

// ---- agents

namespace {

plan::TaskDag three_tasks() {
  plan::TaskDag dag;
  dag.add("draw", {"", "gpu", 5, 0, 0, 0b01});
  dag.add("read", {"", "", 1, 0, 1, 0b10});
  dag.add("note", {"", "", 2, 0, 0, 0});
  return dag;
}

// Agents by task, in the order of the ready set: read, draw, note.
std::vector<int> taken(AgentPolicy policy, std::vector<plan::Agent> agents, int turn = 0) {
  std::vector<plan::Assignment> out;
  plan::assign_agents(three_tasks(), policy, agents, turn, out);
  std::vector<int> takers;
  for (const auto& a : out) takers.push_back(a.agent);
  return takers;
}

const std::vector<plan::Agent> kAgents = {
    {"all", "gpu", 0b1111, 0, 9}, {"artist", "gpu", 0b01, 3, 9}, {"clerk", "cpu", 0b10, 0, 9}};

}  // namespace

TEST(the_three_policies) {
  CHECK(taken(AgentPolicy::round_robin, kAgents) == (std::vector<int>{0, 1, 2}));
  CHECK(taken(AgentPolicy::round_robin, kAgents, 1) == (std::vector<int>{2, 0, 1}));
  CHECK(taken(AgentPolicy::capability_match, kAgents) == (std::vector<int>{2, 1, 2}));
  CHECK(taken(AgentPolicy::load_balance, kAgents) == (std::vector<int>{0, 0, 2}));
}

TEST(needs_are_hard_and_slots_run_out) {
  std::vector<plan::Agent> agents = {{"clerk", "cpu", 0b11, 0, 1}};
  std::vector<plan::Assignment> out;
  int turn = 0;
  plan::assign_agents(three_tasks(), AgentPolicy::load_balance, agents, turn, out);
  CHECK(out == (std::vector<plan::Assignment>{{1, 0, true}, {0, -1, false}, {2, -1, true}}));
  CHECK(agents[0].load == 1 && agents[0].slots == 0);
}

TEST(tasks_that_have_an_agent_are_left_alone) {
  plan::TaskDag dag = three_tasks();
  dag.assign(1, "me");
  std::vector<plan::Agent> agents = kAgents;
  std::vector<plan::Assignment> out;
  int turn = 0;
  plan::assign_agents(dag, AgentPolicy::round_robin, agents, turn, out);
  CHECK(out.size() == 2 && out[0].task == 0 && turn == 2);
}

TEST(wrong_agents_are_named) {
  const auto path = [](std::vector<plan::Agent> agents, int turn) {
    std::vector<plan::Assignment> out;
    try {
      plan::assign_agents(three_tasks(), AgentPolicy::round_robin, agents, turn, out);
    } catch (const Error& e) {
      return e.path;
    }
    return std::string();
  };
  CHECK(path({}, 0) == "agents" && path(kAgents, 3) == "turn" && path({{"", "", 0, 0, 1}}, 0) == "agents[0].name");
  CHECK(path({{"a", "", 0, 0, 1}, {"a", "", 0, 0, 1}}, 0) == "agents[1].name");
  CHECK(path({{"a", "", 0, -1, 1}}, 0) == "agents[0].load" && path({{"a", "", 0, 0, -1}}, 0) == "agents[0].slots");
}
