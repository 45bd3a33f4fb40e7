// And-joins: tools that need several inputs, each from any one of the tools that give it. The cheapest plan by Knuth's
// generalisation of Dijkstra's algorithm (1977), over the hypergraph that the inputs make.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "turnout/graph/search.hpp"

namespace turnout::graph {

// Which inputs a node needs. A node that is no join needs one edge, whichever; a join needs an edge of each of its
// required inputs, and edges with other inputs do not matter to it. A join that requires nothing can always run.
class Joins {
 public:
  struct Requirement {
    Node node;
    std::int32_t input;
  };
  // inputs: one an edge, what arrives along it (any numbers). joins: one a node. Throws Error(input) with the path.
  Joins(const ToolGraph& graph, std::span<const std::int32_t> inputs, std::span<const std::uint8_t> joins,
        std::span<const Requirement> required);

  // Groups of edges of which one is needed: those of node v are first(v) .. first(v + 1) - 1, a join's in the order in
  // which its requirements were given.
  std::int32_t first(Node v) const { return first_[static_cast<std::size_t>(v)]; }
  std::int32_t group(Arc a) const { return group_[static_cast<std::size_t>(a)]; }  // -1: the edge does not matter
  int groups() const { return first_.back(); }
  int nodes() const { return static_cast<int>(first_.size()) - 1; }
  int arcs() const { return static_cast<int>(group_.size()); }
  bool starts(Node v) const { return first(v) == first(v + 1); }

 private:
  std::vector<std::int32_t> first_, group_;
};

// What the inputs of a tool cost together: their sum (USD), or the dearest (seconds, when they run side by side).
enum class Objective : std::uint8_t { sum, max };

struct JoinPlan {
  double cost = kInfinity;  // by the objective; what two steps share is counted for each of them
  double set_cost = 0;      // each node and edge of the plan once, added up in the order below
  std::vector<Node> nodes;  // in an order in which they can run, the goal last; sources are among them
  std::vector<Edge> edges;  // that feed them, in the order of the nodes that they feed
  bool found() const { return !nodes.empty(); }
  void clear();
  bool operator==(const JoinPlan&) const = default;
};

struct JoinWorkspace {
  struct Group {
    double cost;
    Arc arc;
    bool settled;
  };
  std::vector<Group> groups;
  std::vector<double> cost;  // of each node, once it is settled
  std::vector<std::int32_t> missing;
  std::vector<std::uint8_t> settled, source, written;
  std::vector<HeapKey> heap;
  std::vector<Node> stack;
};

// The cheapest way to run `goal` where the sources have been run. A node costs its node_cost (none given: 0) and what
// its groups cost; a group the least, over its edges, of the cost of the edge and of the node that it comes from. False
// (and `out` cleared) where the goal cannot be run, or its cost is beyond every double. Ties: the edge whose source was
// settled first, by cost, then id; of its parallel edges the lower. No sources: only joins that require nothing start.
// Throws Error(input) with the path to the culprit.
bool cheapest_plan(const ToolGraph& graph, const Joins& joins, std::span<const Node> sources, Node goal,
                   std::span<const double> node_cost, Objective objective, JoinWorkspace& ws, JoinPlan& out);

}  // namespace turnout::graph
