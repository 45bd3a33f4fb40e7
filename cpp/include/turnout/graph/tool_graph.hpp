// The tool graph: compressed sparse rows with weights and masks that change in place, and a log of what changed.
//
// Threads: one writer, or any number of readers. A search takes the graph by const reference and a workspace of its
// own; whoever changes the graph must keep searches out meanwhile (the Python binding holds a lock for that).
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "turnout/core.hpp"

namespace turnout::graph {

using Node = std::int32_t;
using Edge = std::int32_t;  // an edge by its place in the caller's arrays
using Arc = std::int32_t;   // the same edge by its place in the rows: sorted by (source, edge)

inline constexpr int kMaxGraphNodes = 1 << 22;
inline constexpr int kMaxGraphEdges = 1 << 25;
inline constexpr double kMaxWeight = 1e12;
inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Two orders of summing the weights of one path differ by less than this share: additions of 2^22 numbers >= 0, each
// off by at most 2^-53 of the sum, twice.
inline constexpr double kRounding = 1e-9;

class ToolGraph {
 public:
  struct Row {
    double cost;  // the weight, or infinity where the edge, its source or its target is masked
    Node target, source;
  };

  // Edge i runs from sources[i] to targets[i]; parallel edges and loops are kept. Weights are numbers in
  // [0, kMaxWeight]. Throws Error(input) with the path to the culprit, as in "graph.sources[3]".
  ToolGraph(int nodes, std::span<const Node> sources, std::span<const Node> targets, std::span<const double> weights);

  int nodes() const { return static_cast<int>(node_masked_.size()); }
  int edges() const { return static_cast<int>(rows_.size()); }
  Node source(Edge e) const { return row(arc(e)).source; }
  Node target(Edge e) const { return row(arc(e)).target; }
  double weight(Edge e) const { return weights_[index(arc(e))]; }      // whatever the masks
  double built_weight(Edge e) const { return built_[index(arc(e))]; }  // what reset() goes back to
  double cost(Edge e) const { return row(arc(e)).cost; }               // what a search sees
  bool edge_masked(Edge e) const { return edge_masked_[index(arc(e))] != 0; }
  bool node_masked(Node v) const { return node_masked_[index(v)] != 0; }
  // Edges from u to v, ascending, as a range of arcs within u's row is not sorted by target: appended to `out`.
  void edges_between(Node u, Node v, std::vector<Edge>& out) const;

  // The rows that searches walk. Arcs of u: first(u) <= a < first(u + 1). Arcs into v: in(v), ascending.
  Arc first(Node u) const { return offsets_[index(u)]; }
  const Row& row(Arc a) const { return rows_[index(a)]; }
  const Row* rows() const { return rows_.data(); }
  std::span<const Arc> in(Node v) const {
    return {in_arcs_.data() + in_offsets_[index(v)], in_arcs_.data() + in_offsets_[index(v) + 1]};
  }
  Arc arc(Edge e) const { return arc_of_[index(e)]; }
  Edge edge(Arc a) const { return edge_of_[index(a)]; }

  // Changes. A refused one throws Error(input) and leaves the graph as it was. None allocates memory.
  void set_weight(Edge e, double weight);
  void set_weights(std::span<const Edge> edges, std::span<const double> weights);  // a later pair wins
  void mask_edge(Edge e, bool masked = true);
  void mask_node(Node v, bool masked = true);  // its edges cannot be used; it is no source and no goal of a search
  void reset();                                // weights as built, nothing masked

  // Moves on by one with each arc whose cost changed, and with each mask of a node.
  std::uint64_t version() const { return log_start_ + log_.size(); }
  // Arcs whose cost changed since a version, in order, possibly more than once (-1: only a node's mask changed); false
  // where the log no longer reaches back so far. The span lives until the next change.
  bool changes_since(std::uint64_t version, std::span<const Arc>& arcs) const;

  // Throw Error(input) with `path` unless there is such a node or edge.
  void check_node(std::int64_t v, const std::string& path) const;
  void check_edge(std::int64_t e, const std::string& path) const;

 private:
  template <class Id>
  static std::size_t index(Id id) {
    return static_cast<std::size_t>(id);
  }
  void build_rows(std::span<const Node> sources, std::span<const Node> targets, std::span<const double> weights);
  void build_in_arcs();
  void refresh(Arc a);
  void record(Arc a);

  std::vector<Row> rows_;
  std::vector<Arc> offsets_, in_offsets_, in_arcs_, arc_of_;
  std::vector<Edge> edge_of_;
  std::vector<double> weights_, built_;  // by arc
  std::vector<std::uint8_t> edge_masked_, node_masked_;
  std::vector<Arc> log_;
  std::uint64_t log_start_ = 0;
};

// Throws Error(input) with `path` unless the weight is a number in [0, kMaxWeight].
void check_weight(double weight, const std::string& path);

}  // namespace turnout::graph
