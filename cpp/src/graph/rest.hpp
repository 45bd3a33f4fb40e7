// What is left to the goal at best, one criterion at a time: it ends labels that can no longer keep the limits.
#pragma once

#include "turnout/graph/pareto.hpp"

namespace turnout::graph {

// Of each node, without its own step: least USD, least seconds, best quality of a way to the goal, in ws.rest; USD of
// infinity where there is none.
void find_rest(const ToolGraph& graph, const Criteria& criteria, Node goal, ParetoWorkspace& ws);

}  // namespace turnout::graph
