#include "healing/planner.hpp"

namespace turnout::healing {

EdgeList::EdgeList(const ToolGraph& like, int edges) {
  for (Edge e = 0; e < edges; ++e) {
    sources.push_back(like.source(e));
    targets.push_back(like.target(e));
    weights.push_back(like.weight(e));
  }
}

void EdgeList::add(Node source, Node target) {
  sources.push_back(source);
  targets.push_back(target);
  weights.push_back(0);
}

ToolGraph EdgeList::build(int nodes, const ToolGraph& like, int like_nodes, int like_edges) const {
  ToolGraph out(nodes, sources, targets, weights);
  for (Edge e = 0; e < like_edges; ++e)
    if (like.edge_masked(e)) out.mask_edge(e);
  for (Node v = 0; v < like_nodes; ++v)
    if (like.node_masked(v)) out.mask_node(v);
  return out;
}

}  // namespace turnout::healing
