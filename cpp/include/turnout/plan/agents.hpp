// Which agent takes which ready task: UFO3's three policies. Deterministic; what a task needs is never bargained away.
#pragma once

#include "turnout/plan/task_dag.hpp"

namespace turnout::plan {

inline constexpr int kMaxAgents = 4096;

struct Agent {
  std::string name, device_class;
  std::uint64_t skills = 0;
  double load = 0;         // seconds that it has to do already, >= 0
  std::int32_t slots = 1;  // tasks that it may still take
};

// An agent may take a task that needs no skill that it lacks and no other device class; all policies keep to that.
enum class AgentPolicy : std::uint8_t {
  round_robin,       // the next in turn who may
  capability_match,  // the one with the fewest skills beyond what is needed; ties: less load, then the first
  load_balance,      // the one with the least load; ties: the first
};

struct Assignment {
  std::int32_t task = 0;
  std::int32_t agent = -1;  // place in `agents`; -1: nobody
  bool possible = true;     // some agent may take it, though none has a slot now
  bool operator==(const Assignment&) const = default;
};

// Goes through the ready tasks that have no agent yet, in their order. Loads grow by each task's seconds and slots
// shrink as it goes. `turn` is where round_robin goes on; it moves past the agent that took the last task. Throws
// Error(input): too many agents, a load or slots out of range, a name that is empty or there twice. The DAG is not
// changed.
void assign_agents(const TaskDag& dag, AgentPolicy policy, std::vector<Agent>& agents, int& turn,
                   std::vector<Assignment>& out);

}  // namespace turnout::plan
