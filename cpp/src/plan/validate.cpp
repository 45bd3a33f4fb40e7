#include <string>

#include "plan/graph.hpp"

namespace turnout::plan {
namespace {

std::string at(int node) { return "plan.nodes[" + std::to_string(node) + "].depends_on"; }

void check_count(std::size_t n) {
  if (n > static_cast<std::size_t>(kMaxNodes))
    throw Error(ErrorKind::input, "plan.nodes",
                "expected at most " + std::to_string(kMaxNodes) + " nodes, got " + std::to_string(n));
}

void check_edges(std::span<const NodeSet> depends_on) {
  const int n = static_cast<int>(depends_on.size());
  for (int i = 0; i < n; ++i) {
    const NodeSet set = depends_on[static_cast<std::size_t>(i)], unknown = set & ~first_nodes(n);
    if (unknown != 0)
      throw Error(ErrorKind::input, at(i), "there is no node " + std::to_string(std::countr_zero(unknown)));
    if ((set & bit(i)) != 0) throw Error(ErrorKind::input, at(i), "a node cannot depend on itself");
  }
}

// Nodes that never get ready: those on a cycle, and those behind one.
NodeSet stuck(std::span<const NodeSet> depends_on) {
  NodeSet done = 0;
  for (int node; (node = next(depends_on, done)) >= 0;) done |= bit(node);
  return first_nodes(static_cast<int>(depends_on.size())) & ~done;
}

// Each stuck node waits for another, so a walk along what it waits for must come back to where it was.
std::string cycle(std::span<const NodeSet> depends_on, NodeSet stuck_nodes) {
  const auto waits_for = [&](int i) { return std::countr_zero(depends_on[static_cast<std::size_t>(i)] & stuck_nodes); };
  int node = std::countr_zero(stuck_nodes);
  for (NodeSet seen = 0; (seen & bit(node)) == 0; node = waits_for(node)) seen |= bit(node);
  std::string text = std::to_string(node);
  for (int step = waits_for(node); step != node; step = waits_for(step)) text += " -> " + std::to_string(step);
  return text + " -> " + std::to_string(node);
}

}  // namespace

void validate(std::span<const NodeSet> depends_on) {
  check_count(depends_on.size());
  check_edges(depends_on);
  if (const NodeSet nodes = stuck(depends_on))
    throw Error(ErrorKind::input, "plan", "nodes depend on each other: " + cycle(depends_on, nodes));
}

}  // namespace turnout::plan
