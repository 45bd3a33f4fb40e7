#include "graph/astar.hpp"

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

}  // namespace

bool shortest_path(const ToolGraph& graph, std::span<const Node> sources, std::span<const Node> goals,
                   std::span<const double> h, Workspace& ws, Path& out) {
  check_values(graph, h);
  ws.clear(graph);
  mark_goals(graph, goals, ws);
  seed_sources(graph, sources, ws);
  AStar<> search(graph, h, ws);
  search.begin();
  const Node goal = search.run();
  if (goal < 0) return out.clear(), false;
  return read_path(graph, ws, goal, out), true;
}

void check_heuristic(const ToolGraph& graph, std::span<const Node> goals, std::span<const double> h) {
  check_values(graph, h);
  for (const Node v : goals) {
    graph.check_node(v, "goals");
    if (!graph.node_masked(v) && h[static_cast<std::size_t>(v)] != 0)
      refuse(static_cast<std::size_t>(v), "expected 0 at a goal");
  }
  for (Edge e = 0; e < graph.edges(); ++e) {
    const auto u = static_cast<std::size_t>(graph.source(e)), v = static_cast<std::size_t>(graph.target(e));
    if (h[u] <= (graph.cost(e) + h[v]) * (1 + kRounding)) continue;
    refuse(u, "not consistent on edge " + std::to_string(e) + " (" + std::to_string(u) + " -> " + std::to_string(v) +
                  "): " + std::to_string(h[u]) + " > " + std::to_string(graph.cost(e)) + " + " + std::to_string(h[v]));
  }
}

}  // namespace turnout::graph
