// plan: the workflow DAG over call slots: validate, ready set, width, depth, critical path. Never knows LLMs.
#pragma once

#include <cstdint>
#include <span>

#include "turnout/core.hpp"

namespace turnout::plan {

// Node i depends on the nodes whose bits are set in depends_on[i]. At most kMaxNodes nodes, so a set is one word.
using NodeSet = std::uint32_t;

struct Metrics {
  int nodes = 0, edges = 0;
  int depth = 0;  // nodes on the longest path
  int width = 0;  // most nodes at one depth
  Seconds critical_path;
  NodeSet critical_nodes = 0;
};

// Throws Error(input): unknown nodes, self-dependence, or a cycle (the message names its nodes).
void validate(std::span<const NodeSet> depends_on);
// Nodes that are not done and whose dependencies all are. `done` must be closed under dependencies or Error(input).
NodeSet ready(std::span<const NodeSet> depends_on, NodeSet done);
Metrics metrics(std::span<const NodeSet> depends_on, std::span<const double> seconds);
// A topological order (lowest index first among the ready). `order` must hold as many entries as there are nodes.
void topological_order(std::span<const NodeSet> depends_on, std::span<int> order);

}  // namespace turnout::plan
