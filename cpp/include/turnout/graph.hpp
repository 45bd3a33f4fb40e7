// graph: tools as nodes, "may run after" as weighted edges. Cheapest paths, masks, replanning after failures, Pareto
// sets, plans with and-joins, pheromones. Never knows agents' text. Nothing here reads a clock.
#pragma once

#include "turnout/graph/health.hpp"
#include "turnout/graph/joins.hpp"
#include "turnout/graph/pareto.hpp"
#include "turnout/graph/pheromones.hpp"
#include "turnout/graph/replan.hpp"
#include "turnout/graph/search.hpp"
#include "turnout/graph/tool_graph.hpp"
#include "turnout/graph/yen.hpp"
