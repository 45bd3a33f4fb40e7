// What a run is given, checked at the door.
#pragma once

#include <string>

#include "turnout/graph/healing.hpp"

namespace turnout::healing {

void check_node(std::int64_t v, int nodes, const std::string& path);
void check_retries(int retries, const char* path);
void check_goals(std::span<const Goal> goals, int nodes);
void check_run(const ToolGraph& graph, std::span<const Node> starts, std::span<const Goal> goals, const JoinSpec& joins,
               int max_retries, std::span<const Node> down);

}  // namespace turnout::healing
