// Paths on which USD, seconds and quality cannot all be bettered: label setting (Martins 1984) under hard limits. What
// CoSTA* (arXiv 2503.10613) minimises is no sum over a path, so a search for the least of it can miss it; over the
// whole Pareto set it is found exactly.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "turnout/graph/radix_heap.hpp"
#include "turnout/graph/tool_graph.hpp"

namespace turnout::graph {

inline constexpr int kMaxParetoLabels = 10'000'000;

// What one step costs: USD and seconds add up along a path, in [0, kMaxWeight]; quality is a probability, in [0, 1],
// and multiplies (so its -log adds up).
struct Step {
  double usd = 0, seconds = 0, quality = 1;
  bool operator==(const Step&) const = default;
};

// Steps of edges, and of nodes on top, which are paid on entering a node and at the source.
class Criteria {
 public:
  // One step an edge; one a node, or none at all. Throws Error(input) with the path, as in "criteria.edges[3].quality".
  Criteria(const ToolGraph& graph, std::span<const Step> edges, std::span<const Step> nodes = {});
  void set_edge(const ToolGraph& graph, Edge e, const Step& step);
  void set_node(Node v, const Step& step);
  const Step& arc(Arc a) const { return arcs_[static_cast<std::size_t>(a)]; }
  const Step& node(Node v) const { return nodes_[static_cast<std::size_t>(v)]; }
  int arcs() const { return static_cast<int>(arcs_.size()); }
  int nodes() const { return static_cast<int>(nodes_.size()); }

 private:
  std::vector<Step> arcs_, nodes_;
};

struct Limits {
  double usd = kInfinity, seconds = kInfinity, quality = 0;  // at most, at most, at least
};

struct ParetoPath {
  std::vector<Node> nodes;
  std::vector<Edge> edges;
  Step total;
};

struct ParetoWorkspace {
  struct Label {
    Step total;
    Node node;
    std::int32_t hops;
    Arc arc;              // that led here
    std::int32_t parent;  // the label before, -1 at the source
    std::int32_t next;    // in the node's list of settled labels
  };
  std::vector<Label> labels;
  std::vector<std::int32_t> heap, settled;  // labels by their place; the first of each node's list
  std::vector<std::int32_t> found;
  std::vector<Step> rest;  // what is left to the goal at best
  std::vector<HeapKey> keys;
};

struct ParetoFront {
  std::vector<ParetoPath> paths;  // `count` of them; longer buffers are kept for the next call
  int count = 0;
  bool complete = true;  // false: the label cap ended the search; those found are Pareto-optimal, others are missing
  int labels = 0;        // created: a measure of the work
};

// Every Pareto-optimal combination of USD, seconds and quality of a path from source to goal within the limits, one
// path each, sorted by (USD, seconds, falling quality). Of equal paths the one with fewer edges, then with the lower
// last edge (by source, then id), then whose predecessor was found first. Masked nodes and edges are not used. Throws
// Error(input) for criteria of another graph, limits that are no numbers, max_labels outside 1 .. kMaxParetoLabels.
void pareto_paths(const ToolGraph& graph, const Criteria& criteria, Node source, Node goal, const Limits& limits,
                  int max_labels, ParetoWorkspace& ws, ParetoFront& out);

// What a path is worth in one number, lower is better. CoSTA*'s: cost^a * (2 - quality)^(2 - a), a in [0, 2].
double costa_score(double cost, double quality, double a);
// usd_weight * USD + seconds_weight * seconds - quality_weight * log(quality).
double weighted_score(const Step& total, double usd_weight, double seconds_weight, double quality_weight);

}  // namespace turnout::graph
