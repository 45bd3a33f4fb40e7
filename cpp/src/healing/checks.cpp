#include "healing/checks.hpp"

#include <algorithm>

namespace turnout::healing {
namespace {

[[noreturn]] void refuse(const std::string& path, const std::string& what) {
  throw Error(ErrorKind::input, path, what);
}

std::string at(const char* list, std::size_t i) { return std::string(list) + "[" + std::to_string(i) + "]"; }

void check_loss(double loss, bool may_be_infinite, const std::string& path) {
  if (loss >= 0 && (loss <= graph::kMaxWeight || (may_be_infinite && loss == kInfinity))) return;
  refuse(path, "expected a number from 0 to 1e12, got " + std::to_string(loss));
}

bool is_goal(std::span<const Goal> goals, Node v) {
  return std::any_of(goals.begin(), goals.end(), [v](const Goal& g) { return g.node == v; });
}

void check_goal(std::span<const Goal> goals, std::size_t i, int nodes) {
  const Goal& g = goals[i];
  const std::string path = at("goals", i);
  check_node(g.node, nodes, path + ".node");
  if (is_goal(goals.first(i), g.node)) refuse(path + ".node", "stands twice");
  check_loss(g.drop_loss, true, path + ".drop_loss");
  for (std::size_t k = 0; k < g.fallbacks.size(); ++k) {
    const std::string fallback = path + "." + at("fallbacks", k);
    check_node(g.fallbacks[k].node, nodes, fallback + ".node");
    check_loss(g.fallbacks[k].loss, false, fallback + ".loss");
  }
}

}  // namespace

void check_node(std::int64_t v, int nodes, const std::string& path) {
  if (v < 0 || v >= nodes) refuse(path, "there is no node " + std::to_string(v));
}

void check_retries(int retries, const char* path) {
  if (retries < 0 || retries > Run::kMaxRetries)
    refuse(path, "expected 0 to " + std::to_string(Run::kMaxRetries) + ", got " + std::to_string(retries));
}

void check_goals(std::span<const Goal> goals, int nodes) {
  if (goals.empty()) refuse("goals", "expected at least one");
  for (std::size_t i = 0; i < goals.size(); ++i) check_goal(goals, i, nodes);
}

void check_run(const ToolGraph& graph, std::span<const Node> starts, std::span<const Goal> goals, const JoinSpec& joins,
               int max_retries, std::span<const Node> down) {
  const int nodes = graph.nodes();
  if (starts.empty() && joins.nodes.empty()) refuse("starts", "expected at least one");
  for (std::size_t i = 0; i < starts.size(); ++i) {
    check_node(starts[i], nodes, at("starts", i));
    if (graph.node_masked(starts[i])) refuse(at("starts", i), "is masked");
  }
  for (std::size_t i = 0; i < down.size(); ++i) check_node(down[i], nodes, at("down", i));
  check_goals(goals, nodes);
  check_retries(max_retries, "max_retries");
  if (!joins.nodes.empty() && joins.inputs.size() != static_cast<std::size_t>(graph.edges()))
    refuse("joins.inputs",
           "expected one an edge (" + std::to_string(graph.edges()) + "), got " + std::to_string(joins.inputs.size()));
  for (std::size_t i = 0; i < joins.inputs.size(); ++i)
    if (joins.inputs[i] < 0 || joins.inputs[i] > graph::kMaxGraphEdges)
      refuse(at("joins.inputs", i), "expected an id from 0 on, got " + std::to_string(joins.inputs[i]));
  for (std::size_t i = 0; i < joins.nodes.size(); ++i) check_node(joins.nodes[i], nodes, at("joins.nodes", i));
}

}  // namespace turnout::healing
