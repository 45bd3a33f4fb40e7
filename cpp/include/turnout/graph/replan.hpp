// Replanning after changes: D* Lite (Koenig and Likhachev, AAAI 2002) without a heuristic.
//
// It keeps the distance of every node to the goal, so the start may move along while steps are executed, and a change
// costs only the nodes whose distance to the goal it changes (LPA* keeps distances from the start, which a moved start
// would void). The path is then read off by a Dijkstra search that stays within what those distances allow: it is,
// to the bit, what shortest_path() finds in the changed graph.
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
  // Allocates nothing once `out` has grown.
  bool replan(Path& out);

  // Of the last replan(): nodes whose distance was settled anew, and whether the search had to begin afresh, since the
  // log of changes did not reach back to the one before.
  int settled() const { return settled_; }
  bool fresh() const { return fresh_; }
  // The cost of a node to the goal as the search knows it: exact for the start after replan().
  double distance(Node v) const { return state_[static_cast<std::size_t>(v)].g.cost; }

 private:
  // Cost and edges of the way to the goal, compared in that order: every edge makes it larger, also one of weight 0,
  // so no two nodes can vouch for each other.
  struct Label {
    double cost = kInfinity;
    std::int32_t hops = 0;
    bool operator==(const Label&) const = default;
    bool operator<(const Label& o) const { return cost < o.cost || (cost == o.cost && hops < o.hops); }
  };
  struct State {
    Label g, rhs;
  };
  State& at(Node v) { return state_[static_cast<std::size_t>(v)]; }
  static Label after(const Label& label, double cost);
  Label best(Node u) const;
  void begin();
  void push(Node u);
  void compact();
  void update(Node u);
  void update_goal();
  void apply_changes();
  void settle();
  void lower(Node u);
  void raise(Node u);
  void read_path(Path& out);

  const ToolGraph& graph_;
  Node start_, goal_;
  std::vector<State> state_;
  std::vector<HeapKey> heap_;
  std::uint64_t seen_ = 0;
  bool begun_ = false, fresh_ = false;
  int settled_ = 0;
  Workspace ws_;
};

}  // namespace turnout::graph
