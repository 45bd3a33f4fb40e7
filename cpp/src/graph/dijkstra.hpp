// The inner loop that shortest paths, k shortest paths and replanning share.
#pragma once

#include <limits>
#include <span>

#include "graph/heap.hpp"
#include "turnout/graph/search.hpp"

namespace turnout::graph {

inline constexpr HeapKey kNoKey = ~HeapKey{0};

struct Everything {
  bool operator()(Arc, Node, double) const { return true; }
};

// A label that the search begins with.
inline void seed(Workspace& ws, Node v, double cost, std::int32_t hops) {
  ws.state[static_cast<std::size_t>(v)] = {cost, hops, -1};
  ws.touched.push_back(v);
  heap_push(ws.heap, heap_key(cost, hops, v));
}

// Labels are (cost, hops). Nodes are settled in the order of (label, id), and every edge makes a label larger, so a
// label is final when it is popped, and all of its equally good predecessors have been settled before it. Keys that do
// not beat the best goal so far are not pushed. admit(arc, target, cost) may rule a step out.
// Returns the goal that was settled, or -1.
template <class Admit>
Node dijkstra(const ToolGraph& graph, Workspace& ws, const Admit& admit) {
  Workspace::State* const state = ws.state.data();
  const std::uint8_t* const goal = ws.goal.data();
  HeapKey best = kNoKey;
  while (!ws.heap.empty()) {
    const HeapKey key = heap_pop(ws.heap);
    const Node u = node_of(key);
    const double cost = cost_of(key);
    const std::int32_t hops = hops_of(key) + 1;
    if (state[u].cost != cost || state[u].hops != hops - 1) continue;  // a better one was settled
    if (goal[u] != 0) return u;
    for (Arc a = graph.first(u), end = graph.first(u + 1); a < end; ++a) {
      const ToolGraph::Row& r = graph.row(a);
      const double next = cost + r.cost;  // infinity where masked: never lower
      Workspace::State& t = state[r.target];
      if (next > t.cost || (next == t.cost && hops > t.hops)) continue;
      if (!admit(a, r.target, next)) continue;
      if (next == t.cost && hops == t.hops) {
        if (a < t.parent) t.parent = a;
        continue;
      }
      if (t.cost == kInfinity) ws.touched.push_back(r.target);
      t = {next, hops, a};
      const HeapKey pushed = heap_key(next, hops, r.target);
      if (pushed >= best) continue;
      if (goal[r.target] != 0) best = pushed;
      heap_push(ws.heap, pushed);
    }
  }
  return -1;
}

// The path to a node that was reached, back to where its labels begin.
void read_path(const ToolGraph& graph, const Workspace& ws, Node goal, Path& out);

// Marks goals; Error(input) for an empty list or a node that is not there.
void mark_goals(const ToolGraph& graph, std::span<const Node> goals, Workspace& ws);
// Begins at sources that are not masked.
void seed_sources(const ToolGraph& graph, std::span<const Node> sources, Workspace& ws);

}  // namespace turnout::graph
