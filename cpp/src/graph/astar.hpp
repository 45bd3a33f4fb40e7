// A* over labels, which shortest paths with a heuristic and replanning share.
#pragma once

#include <span>

#include "graph/dijkstra.hpp"

namespace turnout::graph {

// Nodes in the order of cost + h. Rounding may settle a node too early, so a better label opens it again, and the
// search goes on past the goal by what rounding can hide.
template <class Admit = Everything>
class AStar {
 public:
  // Paths dearer than `limit` are not looked for. admit(arc, target, cost) may rule a step out.
  AStar(const ToolGraph& graph, std::span<const double> h, Workspace& ws, double limit = kInfinity, Admit admit = {})
      : graph_(graph), h_(h), ws_(ws), admit_(admit), limit_(limit) {}

  // From the nodes that were seeded.
  void begin() {
    ws_.heap.clear();
    for (const Node v : ws_.touched) {
      const auto& s = ws_.state[static_cast<std::size_t>(v)];
      offer(v, s.cost, s.hops);
    }
  }

  // The goal, or -1.
  Node run() {
    while (!ws_.heap.empty()) {
      const HeapKey key = heap_pop(ws_.heap);
      if (cost_of(key) > limit_) break;
      const Node u = node_of(key);
      const auto& s = ws_.state[static_cast<std::size_t>(u)];
      if (hops_of(key) != s.hops || cost_of(key) != s.cost + h(u)) continue;
      ++settled_;
      if (ws_.goal[static_cast<std::size_t>(u)] != 0)
        reach(u);
      else
        relax(u, s.cost, s.hops + 1);
    }
    return goal_;
  }

  double limit() const { return limit_; }
  int settled() const { return settled_; }

 private:
  double h(Node v) const { return h_[static_cast<std::size_t>(v)]; }

  void offer(Node v, double cost, std::int32_t hops) {
    if (const double f = cost + h(v); f <= limit_ && f < kInfinity) heap_push(ws_.heap, heap_key(f, hops, v));
  }

  void reach(Node u) {
    const auto& s = ws_.state[static_cast<std::size_t>(u)];
    const HeapKey key = heap_key(s.cost, s.hops, u);
    if (key >= best_) return;
    best_ = key;
    goal_ = u;
    limit_ = s.cost * (1 + kRounding);
  }

  void relax(Node u, double cost, std::int32_t hops) {
    for (Arc a = graph_.first(u), end = graph_.first(u + 1); a < end; ++a) {
      const ToolGraph::Row& r = graph_.row(a);
      const double next = cost + r.cost;
      auto& t = ws_.state[static_cast<std::size_t>(r.target)];
      if (next > t.cost || (next == t.cost && hops > t.hops)) continue;
      if (!admit_(a, r.target, next)) continue;
      if (next == t.cost && hops == t.hops) {
        if (a < t.parent) t.parent = a;
        continue;
      }
      if (t.cost == kInfinity) ws_.touched.push_back(r.target);
      t = {next, hops, a};
      offer(r.target, next, hops);
    }
  }

  const ToolGraph& graph_;
  std::span<const double> h_;
  Workspace& ws_;
  Admit admit_;
  double limit_;
  HeapKey best_ = kNoKey;
  Node goal_ = -1;
  int settled_ = 0;
};

}  // namespace turnout::graph
