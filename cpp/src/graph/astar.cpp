#include <cmath>

#include "graph/dijkstra.hpp"

namespace turnout::graph {
namespace {

[[noreturn]] void refuse(std::size_t v, const std::string& what) {
  throw Error(ErrorKind::input, "heuristic[" + std::to_string(v) + "]", what);
}

void check_values(const ToolGraph& graph, std::span<const double> h) {
  if (h.size() != static_cast<std::size_t>(graph.nodes()))
    throw Error(ErrorKind::input, "heuristic",
                "expected one a node (" + std::to_string(graph.nodes()) + "), got " + std::to_string(h.size()));
  for (std::size_t v = 0; v < h.size(); ++v)
    if (!(h[v] >= 0)) refuse(v, "expected a number >= 0, got " + std::to_string(h[v]));
}

// Nodes in the order of cost + h. Rounding may settle a node too early, so a better label opens it again, and the
// search goes on past the goal by what rounding can hide.
class AStar {
 public:
  AStar(const ToolGraph& graph, std::span<const double> h, Workspace& ws) : graph_(graph), h_(h), ws_(ws) {}

  void begin() {
    ws_.heap.clear();
    for (const Node v : ws_.touched) offer(v, 0, 0);
  }

  Node run() {
    while (!ws_.heap.empty()) {
      const HeapKey key = heap_pop(ws_.heap);
      if (cost_of(key) > limit_) break;
      const Node u = node_of(key);
      const auto& s = ws_.state[static_cast<std::size_t>(u)];
      if (hops_of(key) != s.hops || cost_of(key) != s.cost + h(u)) continue;
      if (ws_.goal[static_cast<std::size_t>(u)] != 0)
        reach(u);
      else
        relax(u, s.cost, s.hops + 1);
    }
    return goal_;
  }

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
  double limit_ = kInfinity;
  HeapKey best_ = kNoKey;
  Node goal_ = -1;
};

}  // namespace

bool shortest_path(const ToolGraph& graph, std::span<const Node> sources, std::span<const Node> goals,
                   std::span<const double> h, Workspace& ws, Path& out) {
  check_values(graph, h);
  ws.clear(graph);
  mark_goals(graph, goals, ws);
  seed_sources(graph, sources, ws);
  AStar search(graph, h, ws);
  search.begin();
  const Node goal = search.run();
  if (goal < 0) return out.clear(), false;
  return read_path(graph, ws, goal, out), true;
}

void check_heuristic(const ToolGraph& graph, std::span<const Node> goals, std::span<const double> h) {
  check_values(graph, h);
  for (const Node v : goals) {
    graph.check_node(v, "goals");
    if (h[static_cast<std::size_t>(v)] != 0) refuse(static_cast<std::size_t>(v), "expected 0 at a goal");
  }
  for (Edge e = 0; e < graph.edges(); ++e) {
    const auto u = static_cast<std::size_t>(graph.source(e)), v = static_cast<std::size_t>(graph.target(e));
    if (h[u] <= (graph.cost(e) + h[v]) * (1 + kRounding)) continue;
    refuse(u, "not consistent on edge " + std::to_string(e) + " (" + std::to_string(u) + " -> " + std::to_string(v) +
                  "): " + std::to_string(h[u]) + " > " + std::to_string(graph.cost(e)) + " + " + std::to_string(h[v]));
  }
}

}  // namespace turnout::graph
