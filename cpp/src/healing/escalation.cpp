// What an escalation says: what is down, what cuts the goals off, and which demotion is the cheapest.
#include <algorithm>

#include "healing/checks.hpp"
#include "healing/planner.hpp"

namespace turnout::healing {

const char* state_name(State s) {
  static constexpr const char* kNames[] = {"running", "done", "escalated"};
  return static_cast<unsigned>(s) < std::size(kNames) ? kNames[static_cast<unsigned>(s)] : "unknown";
}

const char* kind_name(Kind k) {
  static constexpr const char* kNames[] = {"plan", "reroute", "escalate", "demote", "retarget", "restore", "resume"};
  return static_cast<unsigned>(k) < std::size(kNames) ? kNames[static_cast<unsigned>(k)] : "unknown";
}

const char* reason_name(Reason r) {
  static constexpr const char* kNames[] = {"none", "tool_failed", "tool_down", "no_path", "retries_spent", "signal"};
  return static_cast<unsigned>(r) < std::size(kNames) ? kNames[static_cast<unsigned>(r)] : "unknown";
}

namespace {

// Nodes from which one of the goals could be reached were every tool up.
std::vector<std::uint8_t> relevant(const ToolGraph& g, std::vector<Node> stack) {
  std::vector<std::uint8_t> out(static_cast<std::size_t>(g.nodes()), 0);
  while (!stack.empty()) {
    const Node v = stack.back();
    stack.pop_back();
    if (out[static_cast<std::size_t>(v)] != 0) continue;
    out[static_cast<std::size_t>(v)] = 1;
    for (const graph::Arc a : g.in(v))
      if (!g.edge_masked(g.edge(a)) && out[static_cast<std::size_t>(g.row(a).source)] == 0)
        stack.push_back(g.row(a).source);
  }
  return out;
}

struct Choice {
  Node instead = -1;
  double loss = kInfinity, total = kInfinity;
  std::size_t fallback = 0;
};

Choice stand_in(const Goal& g, Planner& planner, std::span<const Node> executed) {
  Choice best;
  for (std::size_t k = 0; k < g.fallbacks.size(); ++k) {
    const auto& [node, loss] = g.fallbacks[k];
    const double total = loss + planner.cost_of(node, executed);
    if (total < best.total) best = {node, loss, total, k};
  }
  return best;
}

Choice cheapest(const Goal& g, Planner& planner, std::span<const Node> executed) {
  const Choice best = stand_in(g, planner, executed);
  return g.drop_loss < best.total ? Choice{-1, g.drop_loss, g.drop_loss, 0} : best;
}

// Where all goals would be given up: the one stays whose stand-in adds the least to that. False where none has any.
bool keep_one(std::span<const Goal> goals, Planner& planner, std::span<const Node> executed, Demotion& out) {
  double least = kInfinity;
  Demotion::Change kept{};
  std::size_t place = 0;
  for (std::size_t i = 0; i < goals.size(); ++i) {
    const Choice c = stand_in(goals[i], planner, executed);
    if (!(c.total - goals[i].drop_loss < least)) continue;
    least = c.total - goals[i].drop_loss;
    kept = {goals[i].node, c.instead, c.loss};
    place = i;
  }
  if (least < kInfinity) out.changes[place] = kept;
  return least < kInfinity;
}

}  // namespace

std::vector<Node> Run::down() const {
  std::vector<Node> out;
  for (Node v = 0; v < nodes_; ++v)
    if (graph().node_masked(v)) out.push_back(v);
  return out;
}

std::vector<Node> Run::unreachable() const {
  std::vector<Node> out;
  for (const Goal& g : goals_)
    if (planner_->cost_of(g.node, executed_) == kInfinity) out.push_back(g.node);
  return out;
}

std::vector<Node> Run::cut() const {
  const auto wanted = relevant(graph(), unreachable());
  const auto reached = planner_->runnable(executed_);
  std::vector<Node> out;
  for (const Node v : down())
    if (wanted[static_cast<std::size_t>(v)] != 0 && planner_->could_run(v, reached)) out.push_back(v);
  return out;
}

Demotion Run::demotion() const {
  Demotion out;
  const std::vector<Node> lost = unreachable();
  std::size_t given_up = 0;
  for (const Goal& g : goals_) {
    if (std::find(lost.begin(), lost.end(), g.node) == lost.end()) continue;
    const Choice c = cheapest(g, *planner_, executed_);
    if (c.total == kInfinity) return {};
    out.changes.push_back({g.node, c.instead, c.loss});
    given_up += c.instead < 0;
  }
  out.found = !out.changes.empty() && (given_up < goals_.size() || keep_one(goals_, *planner_, executed_, out));
  if (!out.found) return {};
  for (const auto& change : out.changes) out.loss += change.loss;
  return out;
}

// The other stand-ins stay, for the next demotion.
Record Run::demote() {
  const Demotion d = demotion();
  if (!d.found) throw Error(ErrorKind::input, "goals", "there is no demotion");
  std::vector<Goal> next;
  for (Goal g : goals_) {
    const auto change =
        std::find_if(d.changes.begin(), d.changes.end(), [&](const auto& c) { return c.goal == g.node; });
    if (change != d.changes.end()) {
      g.node = change->instead;
      std::erase_if(g.fallbacks, [&](const Fallback& f) { return f.node == change->instead; });
    }
    const bool known = std::any_of(next.begin(), next.end(), [&](const Goal& o) { return o.node == g.node; });
    if (g.node >= 0 && !known) next.push_back(std::move(g));
  }
  goals_ = std::move(next);
  aim(graph());
  return planned(Kind::demote, Reason::none, -1);
}

Record Run::retarget(std::vector<Goal> goals) {
  check_goals(goals, nodes_);
  goals_ = std::move(goals);
  aim(graph());
  return planned(Kind::retarget, Reason::none, -1);
}

}  // namespace turnout::healing
