// One goal, no joins. A node of its own leads to everything that has been executed for nothing, so that the replanner
// has one start: the cheapest path from there goes on from whichever executed tool is the best.
#include "healing/planner.hpp"

namespace turnout::healing {
namespace {

ToolGraph with_start(const ToolGraph& like, int nodes, int edges) {
  EdgeList list(like, edges);
  for (Node v = 0; v < nodes; ++v) list.add(nodes, v);
  ToolGraph out = list.build(nodes + 1, like, nodes, edges);
  for (Node v = 0; v < nodes; ++v) out.mask_edge(edges + v);
  return out;
}

class PathPlanner : public Planner {
 public:
  PathPlanner(const ToolGraph& like, int nodes, int edges, Node goal)
      : Planner(with_start(like, nodes, edges)), start_(nodes), edges_(edges), replanner_(graph_, nodes, goal) {}

  void executed(Node v) override { graph_.mask_edge(edges_ + v, false); }

  bool plan(std::span<const Node>, Plan& out) override {
    out.nodes.clear();
    out.edges.clear();
    const bool found = replanner_.replan(path_);
    out.cost = path_.cost;
    if (!found) return false;
    out.nodes.assign(path_.nodes.begin() + 1, path_.nodes.end());
    out.edges.assign(path_.edges.begin() + 1, path_.edges.end());
    return true;
  }

  double cost_of(Node v, std::span<const Node>) override {
    graph::shortest_path(graph_, {&start_, 1}, {&v, 1}, ws_, path_);
    return path_.cost;
  }

  std::vector<std::uint8_t> runnable(std::span<const Node>) const override {
    std::vector<std::uint8_t> reached(static_cast<std::size_t>(graph_.nodes()), 0);
    std::vector<Node> stack = {start_};
    reached[static_cast<std::size_t>(start_)] = 1;
    while (!stack.empty()) {
      const Node u = stack.back();
      stack.pop_back();
      for (graph::Arc a = graph_.first(u); a < graph_.first(u + 1); ++a) {
        const auto& row = graph_.row(a);
        if (row.cost == kInfinity || reached[static_cast<std::size_t>(row.target)]) continue;
        reached[static_cast<std::size_t>(row.target)] = 1;
        stack.push_back(row.target);
      }
    }
    return reached;
  }

  bool could_run(Node v, std::span<const std::uint8_t> reached) const override {
    for (const graph::Arc a : graph_.in(v))
      if (open(a) && reached[static_cast<std::size_t>(graph_.row(a).source)]) return true;
    return false;
  }

 private:
  const Node start_;
  const int edges_;
  graph::Replanner replanner_;
  graph::Workspace ws_;
  graph::Path path_;
};

}  // namespace

std::unique_ptr<Planner> path_planner(const ToolGraph& like, int nodes, int edges, Node goal) {
  return std::make_unique<PathPlanner>(like, nodes, edges, goal);
}

}  // namespace turnout::healing
