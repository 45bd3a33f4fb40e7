// Shape and time of a DAG in O(V + E).
#pragma once

#include <span>
#include <vector>

#include "turnout/plan/dag.hpp"

namespace turnout::plan {

struct DagMetrics {
  int nodes = 0, edges = 0;
  int depth = 0;                             // nodes on the longest path
  int width = 0;                             // most nodes on one level; exact_width() is never less
  double coupling = 0;                       // mean over the edges; 0 without edges
  double density = 0;                        // edges / (V (V - 1) / 2); 0 below two nodes
  Seconds work;                              // of all nodes
  Seconds critical_path;                     // from start to end when every node starts as soon as it may
  double parallelism = 1;                    // work / critical path; 1 when that takes no time
  std::vector<double> slack;                 // seconds that each node may be late without moving the end
  std::vector<std::int32_t> critical_nodes;  // the chain that takes so long, first to last; ties: lowest node
};

struct MeasureWorkspace {
  std::vector<double> finish;  // the earliest, of each node
  std::vector<std::int32_t> at_level;
};

// `seconds`: one a node, in [0, kMaxTaskSeconds]; `coupling`: one an edge as it was given to the DAG, in [0, 1], or
// none at all (0 everywhere). Throws Error(input) with the path to the culprit. Allocates nothing once `ws` and `out`
// have grown.
void measure(const Dag& dag, std::span<const double> seconds, std::span<const double> coupling, MeasureWorkspace& ws,
             DagMetrics& out);

}  // namespace turnout::plan
