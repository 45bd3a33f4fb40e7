// Replanning after changes: Generalized Adaptive A* (Sun, Koenig, Yeoh, AAMAS 2008).
//
// It keeps for each node a lower bound on its distance to the goal, at first the distance itself. The bounds stay a
// consistent heuristic while costs rise, as after a failure: A* then looks only at nodes that may lie on a better way,
// wherever the start has moved meanwhile, and what it learns of them raises their bounds. Costs that fall lower the
// bounds that they undercut. LPA* and D* Lite repair the distances of all nodes that a change touches instead, which
// took longer than a search from scratch where the tool that failed was near the goal (docs/graph.md).
//
// The path is read off by a Dijkstra search within what the bounds leave: to the bit what shortest_path() finds.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "turnout/graph/search.hpp"

namespace turnout::graph {

class Replanner {
 public:
  // The graph must outlive it. Throws Error(input) for a node that is not there.
  Replanner(const ToolGraph& graph, Node start, Node goal);

  Node start() const { return start_; }
  Node goal() const { return goal_; }
  // The next path starts here, as after a step that was executed.
  void move_start(Node start);
  // The cheapest path from the start in the graph as it is now; false (and `out` cleared) where there is none.
  // Allocates nothing once the buffers have grown.
  bool replan(Path& out);

  // Of the last replan(): nodes that A* settled and bounds that it lowered, and whether it had to begin afresh, since
  // the log of changes did not reach back to the one before.
  int settled() const { return settled_; }
  bool fresh() const { return fresh_; }

 private:
  double& bound(Node v) { return bounds_[static_cast<std::size_t>(v)]; }
  void begin();
  void apply_changes();
  void lower(Arc a);
  void spread();
  void raise(double cost);
  void read_path(double limit, Path& out);

  const ToolGraph& graph_;
  Node start_, goal_;
  std::vector<double> bounds_;  // on the cost from each node to the goal
  std::uint64_t seen_ = 0;
  bool begun_ = false, fresh_ = false;
  int settled_ = 0;
  Workspace ws_;
};

}  // namespace turnout::graph
