// Several goals, or tools that need several inputs: a join of its own needs every goal, and the cheapest plan for it is
// found anew after each failure.
#include <algorithm>

#include "healing/planner.hpp"

namespace turnout::healing {
namespace {

using graph::Arc;
using graph::Joins;

std::size_t at(std::int32_t i) { return static_cast<std::size_t>(i); }

ToolGraph with_root(const ToolGraph& like, int nodes, int edges, std::span<const Goal> goals) {
  EdgeList list(like, edges);
  for (const Goal& g : goals) list.add(g.node, nodes);
  return list.build(nodes + 1, like, nodes, edges);
}

// The caller's joins, and the root's: an input of its own for each goal.
Joins with_root(const ToolGraph& graph, const JoinSpec& spec, int edges, std::span<const Goal> goals) {
  const Node root = graph.nodes() - 1;
  std::vector<std::int32_t> inputs = spec.inputs;
  inputs.resize(at(edges), 0);
  std::int32_t next = inputs.empty() ? 0 : 1 + *std::max_element(inputs.begin(), inputs.end());
  std::vector<std::uint8_t> joins(at(graph.nodes()), 0);
  for (const Node v : spec.nodes) joins[at(v)] = 1;
  joins[at(root)] = 1;
  auto required = spec.required;
  for (std::size_t k = 0; k < goals.size(); ++k, ++next) {
    inputs.push_back(next);
    required.push_back({root, next});
  }
  return Joins(graph, inputs, joins, required);
}

class JoinPlanner : public Planner {
 public:
  JoinPlanner(const ToolGraph& like, int nodes, int edges, const JoinSpec& spec, std::span<const Goal> goals)
      : Planner(with_root(like, nodes, edges, goals)),
        joins_(with_root(graph_, spec, edges, goals)),
        root_(nodes),
        edges_(edges) {}

  void executed(Node) override {}

  bool plan(std::span<const Node> executed, Plan& out) override {
    out.nodes.clear();
    out.edges.clear();
    out.cost = kInfinity;
    if (!graph::cheapest_plan(graph_, joins_, executed, root_, {}, graph::Objective::sum, ws_, found_)) return false;
    out.nodes.assign(found_.nodes.begin(), found_.nodes.end() - 1);
    std::copy_if(found_.edges.begin(), found_.edges.end(), std::back_inserter(out.edges),
                 [this](Edge e) { return e < edges_; });
    out.cost = found_.cost;
    return true;
  }

  double cost_of(Node v, std::span<const Node> executed) override {
    graph::cheapest_plan(graph_, joins_, executed, v, {}, graph::Objective::sum, ws_, found_);
    return found_.cost;
  }

  std::vector<std::uint8_t> runnable(std::span<const Node> executed) const override {
    std::vector<std::uint8_t> reached(at(graph_.nodes()), 0), met(at(joins_.groups()), 0);
    std::vector<std::int32_t> missing;
    std::vector<Node> stack(executed.begin(), executed.end());
    for (Node v = 0; v < graph_.nodes(); ++v) {
      missing.push_back(joins_.first(v + 1) - joins_.first(v));
      if (joins_.starts(v) && !graph_.node_masked(v)) stack.push_back(v);
    }
    while (!stack.empty()) {
      const Node u = stack.back();
      stack.pop_back();
      if (reached[at(u)] != 0) continue;
      reached[at(u)] = 1;
      for (Arc a = graph_.first(u); a < graph_.first(u + 1); ++a) {
        const std::int32_t g = joins_.group(a);
        if (g < 0 || graph_.row(a).cost == kInfinity || met[at(g)] != 0) continue;
        met[at(g)] = 1;
        if (--missing[at(graph_.row(a).target)] == 0) stack.push_back(graph_.row(a).target);
      }
    }
    return reached;
  }

  bool could_run(Node v, std::span<const std::uint8_t> reached) const override {
    for (std::int32_t g = joins_.first(v); g < joins_.first(v + 1); ++g) {
      const auto arcs = graph_.in(v);
      const bool fed = std::any_of(arcs.begin(), arcs.end(), [&](Arc a) {
        return joins_.group(a) == g && open(a) && reached[at(graph_.row(a).source)] != 0;
      });
      if (!fed) return false;
    }
    return true;
  }

 private:
  const Joins joins_;
  const Node root_;
  const int edges_;
  graph::JoinWorkspace ws_;
  graph::JoinPlan found_;
};

}  // namespace

std::unique_ptr<Planner> join_planner(const ToolGraph& like, int nodes, int edges, const JoinSpec& joins,
                                      std::span<const Goal> goals) {
  return std::make_unique<JoinPlanner>(like, nodes, edges, joins, goals);
}

}  // namespace turnout::healing
