// How a run finds its plan: the cheapest path with incremental replanning, or the cheapest plan over and-joins.
#pragma once

#include "turnout/graph/healing.hpp"

namespace turnout::healing {

class Planner {
 public:
  virtual ~Planner() = default;
  // The cheapest way to all goals from what has been executed; false where there is none. Allocates nothing once the
  // buffers have grown.
  virtual bool plan(std::span<const Node> executed, Plan& out) = 0;
  virtual void executed(Node v) = 0;
  // What reaching a node would cost; infinity where it cannot be reached.
  virtual double cost_of(Node v, std::span<const Node> executed) = 0;
  // Nodes that can still run, as flags, and whether a masked node could were it up.
  virtual std::vector<std::uint8_t> runnable(std::span<const Node> executed) const = 0;
  virtual bool could_run(Node v, std::span<const std::uint8_t> runnable) const = 0;

  ToolGraph& graph() { return graph_; }
  const ToolGraph& graph() const { return graph_; }

 protected:
  explicit Planner(ToolGraph graph) : graph_(std::move(graph)) {}
  // Whether an edge would be there with every tool up.
  bool open(graph::Arc a) const { return !graph_.edge_masked(graph_.edge(a)); }

  ToolGraph graph_;
};

// `like` gives weights and masks of the first `nodes` nodes and `edges` edges.
std::unique_ptr<Planner> path_planner(const ToolGraph& like, int nodes, int edges, Node goal);
std::unique_ptr<Planner> join_planner(const ToolGraph& like, int nodes, int edges, const JoinSpec& joins,
                                      std::span<const Goal> goals);

// The edges of a graph as lists, with room for more.
struct EdgeList {
  EdgeList(const ToolGraph& like, int edges);
  void add(Node source, Node target);
  ToolGraph build(int nodes, const ToolGraph& like, int like_nodes, int like_edges) const;
  std::vector<Node> sources, targets;
  std::vector<double> weights;
};

}  // namespace turnout::healing
