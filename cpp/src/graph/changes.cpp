#include <algorithm>

#include "turnout/graph/tool_graph.hpp"

namespace turnout::graph {

void ToolGraph::record(Arc a) {
  if (log_.size() == log_.capacity()) {
    log_start_ += log_.size();
    log_.clear();
  }
  log_.push_back(a);
}

void ToolGraph::refresh(Arc a) {
  Row& r = rows_[index(a)];
  const bool masked = edge_masked_[index(a)] != 0 || node_masked(r.source) || node_masked(r.target);
  const double cost = masked ? kInfinity : weights_[index(a)];
  if (cost == r.cost) return;
  r.cost = cost;
  record(a);
}

void ToolGraph::set_weight(Edge e, double weight) {
  check_edge(e, "edge");
  check_weight(weight, "weight");
  weights_[index(arc(e))] = weight + 0.0;
  refresh(arc(e));
}

void ToolGraph::set_weights(std::span<const Edge> edges, std::span<const double> weights) {
  if (edges.size() != weights.size())
    throw Error(ErrorKind::input, "weights",
                "expected one an edge (" + std::to_string(edges.size()) + "), got " + std::to_string(weights.size()));
  for (std::size_t i = 0; i < edges.size(); ++i) {
    if (edges[i] < 0 || edges[i] >= this->edges()) check_edge(edges[i], "edges[" + std::to_string(i) + "]");
    if (!(weights[i] >= 0 && weights[i] <= kMaxWeight)) check_weight(weights[i], "weights[" + std::to_string(i) + "]");
  }
  for (std::size_t i = 0; i < edges.size(); ++i) {
    weights_[index(arc(edges[i]))] = weights[i] + 0.0;
    refresh(arc(edges[i]));
  }
}

void ToolGraph::mask_edge(Edge e, bool masked) {
  check_edge(e, "edge");
  edge_masked_[index(arc(e))] = masked;
  refresh(arc(e));
}

void ToolGraph::mask_node(Node v, bool masked) {
  check_node(v, "node");
  if (node_masked(v) == masked) return;
  node_masked_[index(v)] = masked;
  record(-1);
  for (Arc a = first(v); a < first(v + 1); ++a) refresh(a);
  for (const Arc a : in(v)) refresh(a);
}

void ToolGraph::reset() {
  for (Node v = 0; v < nodes(); ++v)
    if (node_masked(v)) {
      node_masked_[index(v)] = 0;
      record(-1);
    }
  std::fill(edge_masked_.begin(), edge_masked_.end(), std::uint8_t{0});
  std::copy(built_.begin(), built_.end(), weights_.begin());
  for (Arc a = 0; a < edges(); ++a) refresh(a);
}

bool ToolGraph::changes_since(std::uint64_t since, std::span<const Arc>& arcs) const {
  arcs = {};
  if (since < log_start_ || since > version()) return false;
  arcs = std::span<const Arc>(log_).subspan(static_cast<std::size_t>(since - log_start_));
  return true;
}

}  // namespace turnout::graph
