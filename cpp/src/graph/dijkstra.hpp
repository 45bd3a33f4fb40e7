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

// From so many nodes on a radix heap is faster than a 4-ary one. Both pop the same keys in the same order.
inline constexpr int kRadixNodes = 1 << 14;

struct FourAryHeap {
  std::vector<HeapKey>& keys;
  bool empty() const { return keys.empty(); }
  void push(HeapKey key) { heap_push(keys, key); }
  template <class Soon>
  HeapKey pop(const Soon&) {
    return heap_pop(keys);
  }
};

// Without looking at memory where there is one goal or none.
class IsGoal {
 public:
  explicit IsGoal(const Workspace& ws)
      : flags_(ws.goals.size() > 1 ? ws.goal.data() : nullptr), only_(ws.goals.size() == 1 ? ws.goals[0] : -1) {}
  bool operator()(Node v) const { return flags_ == nullptr ? v == only_ : flags_[v] != 0; }

 private:
  const std::uint8_t* flags_;
  Node only_;
};

// Labels are (cost, hops). Nodes are settled in the order of (label, id), and every edge makes a label larger, so a
// label is final when it is popped, and all of its equally good predecessors have been settled before it. Keys that do
// not beat the best goal so far are not pushed. admit(arc, target, cost) may rule a step out.
// Returns the goal that was settled, or -1.
template <class Heap, class Admit>
Node settle(const ToolGraph& graph, Workspace& ws, Heap&& heap, const Admit& admit) {
  Workspace::State* const state = ws.state.data();
  const IsGoal goal(ws);
  HeapKey best = kNoKey;
  // What a node needs, on its way from memory before its turn: half the time at 100,000 nodes when memory is busy.
  const auto soon = [&](HeapKey key) {
    const Node u = node_of(key);
    __builtin_prefetch(state + u);
    __builtin_prefetch(graph.rows() + graph.first(u));
    __builtin_prefetch(graph.rows() + std::min(graph.first(u) + 4, graph.first(u + 1)));
  };
  while (!heap.empty()) {
    const HeapKey key = heap.pop(soon);
    const Node u = node_of(key);
    const double cost = cost_of(key);
    const std::int32_t hops = hops_of(key) + 1;
    if (state[u].cost != cost || state[u].hops != hops - 1) continue;  // a better one was settled
    if (goal(u)) return u;
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
      if (goal(r.target)) best = pushed;
      heap.push(pushed);
    }
  }
  return -1;
}

// From the nodes that were seeded.
template <class Admit>
Node dijkstra(const ToolGraph& graph, Workspace& ws, const Admit& admit) {
  if (graph.nodes() < kRadixNodes) return settle(graph, ws, FourAryHeap{ws.heap}, admit);
  ws.radix.clear();
  for (const HeapKey key : ws.heap) ws.radix.push(key);
  ws.heap.clear();
  return settle(graph, ws, ws.radix, admit);
}

// The path to a node that was reached, back to where its labels begin.
void read_path(const ToolGraph& graph, const Workspace& ws, Node goal, Path& out);

// Marks goals; Error(input) for an empty list or a node that is not there.
void mark_goals(const ToolGraph& graph, std::span<const Node> goals, Workspace& ws);
// Begins at sources that are not masked.
void seed_sources(const ToolGraph& graph, std::span<const Node> sources, Workspace& ws);

}  // namespace turnout::graph
