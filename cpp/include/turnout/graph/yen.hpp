// The k cheapest loopless paths: Yen (1971) with Lawler's rule (1972), which makes no candidate twice.
#pragma once

#include <cstdint>
#include <vector>

#include "turnout/graph/search.hpp"

namespace turnout::graph {

inline constexpr int kMaxPaths = 10000;

// Buffers of one search at a time.
struct YenWorkspace {
  struct Candidate {
    Path path;
    std::size_t deviation = 0;  // edges that it shares with the path it branched off from
  };
  Workspace search;
  std::vector<double> rest;                   // cost from each node to the goal: a heuristic that bans only sharpen
  std::vector<std::uint8_t> blocked, banned;  // nodes of the way so far; arcs that are taken from there already
  std::vector<Arc> banned_list;
  std::vector<Candidate> pool;
  std::vector<std::size_t> open, unused, deviations;  // places in the pool, the best last; of each path in `out`
};

// The k cheapest paths from source to goal without a node twice, the best first; fewer where there are no more. Ties:
// fewer edges, then, from the goal back, the lower predecessor and of its parallel edges the lower edge (exact wherever
// sums of weights are; else costs that differ by rounding alone are not ties). Returns how many were found: out[0] up
// to there; `out` keeps longer buffers for the next call. Throws Error(input) for k outside 1 .. kMaxPaths.
int k_shortest_paths(const ToolGraph& graph, Node source, Node goal, int k, YenWorkspace& ws, std::vector<Path>& out);

}  // namespace turnout::graph
