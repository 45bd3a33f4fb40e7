#include "turnout/plan/agents.hpp"

#include <algorithm>
#include <bit>
#include <unordered_set>

#include "plan/checks.hpp"
#include "plan/tasks.hpp"

namespace turnout::plan {
namespace {

void check(const std::vector<Agent>& agents, int turn) {
  const auto n = agents.size();
  if (n == 0 || n > static_cast<std::size_t>(kMaxAgents))
    throw Error(ErrorKind::input, "agents",
                "expected 1 to " + std::to_string(kMaxAgents) + " agents, got " + std::to_string(n));
  check_between(turn, 0, static_cast<double>(n - 1), "turn");
  std::unordered_set<std::string_view> names;
  for (std::size_t i = 0; i < n; ++i) {
    const std::string path = element("agents", i);
    check_text(agents[i].name, (path + ".name").c_str());
    if (agents[i].name.empty()) throw Error(ErrorKind::input, path + ".name", "expected a name");
    if (!names.insert(agents[i].name).second)
      throw Error(ErrorKind::input, path + ".name", "there is an agent '" + agents[i].name + "' already");
    check_between(agents[i].load, 0, kMaxTaskSeconds * kMaxTasks, path + ".load");
    check_between(agents[i].slots, 0, kMaxTasks, path + ".slots");
  }
}

bool may(const Agent& agent, const TaskAttributes& task) {
  return (task.skills & ~agent.skills) == 0 && (task.device_class.empty() || task.device_class == agent.device_class);
}

// Lower is better; compared in this order.
struct Rank {
  int first = 0;
  double second = 0;
  auto operator<=>(const Rank&) const = default;
};

Rank rank(const Agent& agent, int place, int agents, const TaskAttributes& task, AgentPolicy policy, int turn) {
  switch (policy) {
    case AgentPolicy::round_robin:
      return {(place - turn + agents) % agents, 0};
    case AgentPolicy::capability_match:
      return {std::popcount(agent.skills & ~task.skills), agent.load};
    case AgentPolicy::load_balance:
      return {0, agent.load};
  }
  return {};
}

Assignment choose(const TaskAttributes& task, const std::vector<Agent>& agents, AgentPolicy policy, int turn) {
  Assignment out{0, -1, false};
  Rank best;
  const int n = static_cast<int>(agents.size());
  for (int i = 0; i < n; ++i) {
    const Agent& agent = agents[static_cast<std::size_t>(i)];
    if (!may(agent, task)) continue;
    out.possible = true;
    const Rank r = rank(agent, i, n, task, policy, turn);
    if (agent.slots == 0 || (out.agent >= 0 && r >= best)) continue;
    out.agent = i;
    best = r;
  }
  return out;
}

}  // namespace

void assign_agents(const TaskDag& dag, AgentPolicy policy, std::vector<Agent>& agents, int& turn,
                   std::vector<Assignment>& out) {
  check(agents, turn);
  out.clear();
  std::vector<TaskDag::Id> ready;
  dag.ready(ready);
  for (const TaskDag::Id id : ready) {
    const Task& task = dag.task(id);
    if (!task.agent.empty()) continue;
    out.push_back(choose(task.attributes, agents, policy, turn));
    out.back().task = id;
    if (out.back().agent < 0) continue;
    Agent& agent = agents[static_cast<std::size_t>(out.back().agent)];
    agent.load += task.attributes.seconds;
    --agent.slots;
    turn = (out.back().agent + 1) % static_cast<int>(agents.size());
  }
}

}  // namespace turnout::plan
