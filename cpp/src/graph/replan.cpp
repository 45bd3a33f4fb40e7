#include "turnout/graph/replan.hpp"

#include <algorithm>

#include "graph/astar.hpp"

namespace turnout::graph {
namespace {

// Stays where the way so far and the bound on the rest can still make an optimal path.
struct Corridor {
  const double* bounds;
  double limit;
  bool operator()(Arc, Node v, double cost) const { return cost + bounds[v] <= limit; }
};

}  // namespace

Replanner::Replanner(const ToolGraph& graph, Node start, Node goal) : graph_(graph), start_(start), goal_(goal) {
  graph.check_node(start, "start");
  graph.check_node(goal, "goal");
  bounds_.resize(static_cast<std::size_t>(graph.nodes()));
}

void Replanner::move_start(Node start) {
  graph_.check_node(start, "start");
  start_ = start;
}

// The bounds are the distances. A goal that is masked keeps 0: its edges say that it cannot be reached.
void Replanner::begin() {
  std::fill(bounds_.begin(), bounds_.end(), kInfinity);
  bound(goal_) = 0;
  ws_.clear(graph_);
  heap_push(ws_.heap, heap_key(0, 0, goal_));
  spread();
  begun_ = true;
}

// An edge whose cost undercuts the bound of its source.
void Replanner::lower(Arc a) {
  const ToolGraph::Row& r = graph_.row(a);
  const double least = r.cost + bound(r.target);
  if (!(least < bound(r.source))) return;
  bound(r.source) = least;
  heap_push(ws_.heap, heap_key(least, 0, r.source));
}

// Whose bound was lowered, lowers those before, the lowest first.
void Replanner::spread() {
  while (!ws_.heap.empty()) {
    const HeapKey key = heap_pop(ws_.heap);
    if (cost_of(key) != bound(node_of(key))) continue;
    ++settled_;
    for (const Arc a : graph_.in(node_of(key))) lower(a);
  }
}

void Replanner::apply_changes() {
  std::span<const Arc> arcs;
  fresh_ = !begun_ || !graph_.changes_since(seen_, arcs);
  settled_ = 0;
  seen_ = graph_.version();
  if (fresh_) return begin();
  ws_.clear(graph_);
  for (const Arc a : arcs)
    if (a >= 0) lower(a);
  spread();
}

// What A* has found of the way so far bounds the rest: cost - g. Of nodes that it did not settle this is less than
// their bound. The bounds stay below the distances by what rounding can hide.
void Replanner::raise(double cost) {
  const double least = cost * (1 - kRounding);
  for (const Node v : ws_.touched)
    bound(v) = std::max(bound(v), cost == kInfinity ? cost : least - ws_.state[static_cast<std::size_t>(v)].cost);
}

void Replanner::read_path(double limit, Path& out) {
  ws_.clear(graph_);
  mark_goals(graph_, {&goal_, 1}, ws_);
  seed_sources(graph_, {&start_, 1}, ws_);
  graph::read_path(graph_, ws_, dijkstra(graph_, ws_, Corridor{bounds_.data(), limit}), out);
}

bool Replanner::replan(Path& out) {
  apply_changes();
  ws_.clear(graph_);
  mark_goals(graph_, {&goal_, 1}, ws_);
  seed_sources(graph_, {&start_, 1}, ws_);
  AStar<> search(graph_, bounds_, ws_);
  search.begin();
  const Node reached = search.run();
  settled_ += search.settled();
  raise(reached < 0 ? kInfinity : ws_.state[static_cast<std::size_t>(goal_)].cost);
  if (reached < 0) return out.clear(), false;
  return read_path(search.limit(), out), true;
}

}  // namespace turnout::graph
