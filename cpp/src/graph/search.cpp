#include "turnout/graph/search.hpp"

#include <algorithm>

#include "graph/dijkstra.hpp"

namespace turnout::graph {
namespace {

void check_nodes(const ToolGraph& graph, std::span<const Node> nodes, const char* path) {
  if (nodes.empty()) throw Error(ErrorKind::input, path, "expected at least one node");
  for (std::size_t i = 0; i < nodes.size(); ++i)
    if (nodes[i] < 0 || nodes[i] >= graph.nodes())
      graph.check_node(nodes[i], std::string(path) + "[" + std::to_string(i) + "]");
}

void check_length(std::size_t length, const ToolGraph& graph, const char* path) {
  if (length != static_cast<std::size_t>(graph.nodes()))
    throw Error(ErrorKind::input, path,
                "expected one a node (" + std::to_string(graph.nodes()) + "), got " + std::to_string(length));
}

void write_costs(const Workspace& ws, std::span<double> out) {
  for (std::size_t v = 0; v < out.size(); ++v) out[v] = ws.state[v].cost;
}

// Against the edges, without parents.
void dijkstra_back(const ToolGraph& graph, Workspace& ws) {
  while (!ws.heap.empty()) {
    const HeapKey key = heap_pop(ws.heap);
    const Node v = node_of(key);
    const double cost = cost_of(key);
    if (ws.state[static_cast<std::size_t>(v)].cost != cost) continue;
    for (const Arc a : graph.in(v)) {
      const ToolGraph::Row& r = graph.row(a);
      Workspace::State& t = ws.state[static_cast<std::size_t>(r.source)];
      const double next = cost + r.cost;
      if (next >= t.cost) continue;
      if (t.cost == kInfinity) ws.touched.push_back(r.source);
      t.cost = next;
      heap_push(ws.heap, heap_key(next, 0, r.source));
    }
  }
}

}  // namespace

void Path::clear() {
  nodes.clear();
  edges.clear();
  cost = kInfinity;
}

void Workspace::clear(const ToolGraph& graph) {
  const auto n = static_cast<std::size_t>(graph.nodes());
  if (state.size() != n) {
    state.assign(n, {});
    goal.assign(n, 0);
    touched.clear();
    touched.reserve(n);
    goals.clear();
  }
  for (const Node v : touched) state[static_cast<std::size_t>(v)] = {};
  for (const Node v : goals) goal[static_cast<std::size_t>(v)] = 0;
  touched.clear();
  goals.clear();
  heap.clear();
}

void mark_goals(const ToolGraph& graph, std::span<const Node> goals, Workspace& ws) {
  check_nodes(graph, goals, "goals");
  for (const Node v : goals) {
    ws.goal[static_cast<std::size_t>(v)] = 1;
    ws.goals.push_back(v);
  }
}

void seed_sources(const ToolGraph& graph, std::span<const Node> sources, Workspace& ws) {
  check_nodes(graph, sources, "sources");
  for (const Node v : sources)
    if (!graph.node_masked(v) && ws.state[static_cast<std::size_t>(v)].cost != 0) seed(ws, v, 0, 0);
}

void read_path(const ToolGraph& graph, const Workspace& ws, Node goal, Path& out) {
  out.clear();
  out.cost = ws.state[static_cast<std::size_t>(goal)].cost;
  Node v = goal;
  for (Arc a; (a = ws.state[static_cast<std::size_t>(v)].parent) >= 0; v = graph.row(a).source) {
    out.nodes.push_back(v);
    out.edges.push_back(graph.edge(a));
  }
  out.nodes.push_back(v);
  std::reverse(out.nodes.begin(), out.nodes.end());
  std::reverse(out.edges.begin(), out.edges.end());
}

bool shortest_path(const ToolGraph& graph, std::span<const Node> sources, std::span<const Node> goals, Workspace& ws,
                   Path& out) {
  ws.clear(graph);
  mark_goals(graph, goals, ws);
  seed_sources(graph, sources, ws);
  const Node goal = dijkstra(graph, ws, Everything{});
  if (goal < 0) return out.clear(), false;
  return read_path(graph, ws, goal, out), true;
}

void distances_from(const ToolGraph& graph, std::span<const Node> sources, Workspace& ws, std::span<double> out) {
  check_length(out.size(), graph, "out");
  ws.clear(graph);
  seed_sources(graph, sources, ws);
  dijkstra(graph, ws, Everything{});
  write_costs(ws, out);
}

void distances_to(const ToolGraph& graph, std::span<const Node> goals, Workspace& ws, std::span<double> out) {
  check_length(out.size(), graph, "out");
  check_nodes(graph, goals, "goals");
  ws.clear(graph);
  seed_sources(graph, goals, ws);
  dijkstra_back(graph, ws);
  write_costs(ws, out);
}

}  // namespace turnout::graph
