// The exact width of a DAG: the most nodes of which none runs before another.
#pragma once

#include <vector>

#include "turnout/plan/dag.hpp"

namespace turnout::plan {

inline constexpr int kMaxAntichainNodes = 4096;  // V^2 bits of reachability: 2 MiB

// The nodes of a largest antichain, lowest first. By Dilworth's theorem it has as many nodes as the least number of
// chains that cover the DAG, which is V less a largest matching in its transitive closure (Fulkerson 1956); Koenig's
// theorem turns the matching into the antichain. O(V E / 64) for the closure, O(V^3 / 64) at worst for the matching.
// Throws Error(input) beyond kMaxAntichainNodes.
std::vector<int> largest_antichain(const Dag& dag);

}  // namespace turnout::plan
