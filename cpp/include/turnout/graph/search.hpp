// Shortest paths: Dijkstra (1959) and A* (Hart, Nilsson, Raphael 1968) over a 4-ary heap, or a radix heap in
// large graphs.
//
// The cost of a path is the sum of its edges' costs, added from the source on. Ties have one rule: lower cost, then
// fewer edges, then, from the goal back, the predecessor with the lower id and of its parallel edges the lower edge;
// of several goals, the lower id.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "turnout/graph/radix_heap.hpp"
#include "turnout/graph/tool_graph.hpp"

namespace turnout::graph {

struct Path {
  std::vector<Node> nodes;  // from a source to a goal; empty: there is no path
  std::vector<Edge> edges;  // one fewer
  double cost = kInfinity;
  bool found() const { return !nodes.empty(); }
  void clear();
  bool operator==(const Path&) const = default;
};

// Buffers of one search at a time. A search allocates nothing once they have grown to the graph.
class Workspace {
 public:
  struct State {
    double cost = kInfinity;
    std::int32_t hops = 0;
    Arc parent = -1;
  };
  std::vector<State> state;
  std::vector<Node> touched;
  std::vector<std::uint8_t> goal;
  std::vector<Node> goals;
  std::vector<HeapKey> heap;
  RadixHeap radix;  // in place of `heap` in large graphs

  // Ready for a search of this graph, nothing reached.
  void clear(const ToolGraph& graph);
};

// The cheapest path from any source to any goal; false (and `out` cleared) where there is none. Masked sources and
// goals are none. Throws Error(input) for an empty list or a node that is not there ("sources[1]").
bool shortest_path(const ToolGraph& graph, std::span<const Node> sources, std::span<const Node> goals, Workspace& ws,
                   Path& out);

// Costs from the nearest source to each node, or from each node to the nearest goal; infinity where there is no path.
// `out` has one entry a node. Those to a goal are added from the goal back, in whose last digits they may differ.
void distances_from(const ToolGraph& graph, std::span<const Node> sources, Workspace& ws, std::span<double> out);
void distances_to(const ToolGraph& graph, std::span<const Node> goals, Workspace& ws, std::span<double> out);

// A*: h holds for each node a lower bound on its cost to the nearest goal (infinity: no goal can be reached from it).
// With a consistent h the path has shortest_path's cost, and is the same path wherever sums of weights are exact.
bool shortest_path(const ToolGraph& graph, std::span<const Node> sources, std::span<const Node> goals,
                   std::span<const double> h, Workspace& ws, Path& out);
// Throws Error(input) unless h is consistent: 0 at goals that are not masked, >= 0 and h[u] <= cost + h[v] on every
// edge u -> v that is not masked (to within kRounding). The message names the first edge at fault.
void check_heuristic(const ToolGraph& graph, std::span<const Node> goals, std::span<const double> h);

}  // namespace turnout::graph
