#include "turnout/graph/tool_graph.hpp"

#include <algorithm>
#include <cmath>

namespace turnout::graph {
namespace {

constexpr std::size_t kLeastLog = 256;

std::string at(const char* column, std::size_t i) { return std::string(column) + "[" + std::to_string(i) + "]"; }

void check_range(std::int64_t id, std::int64_t count, const std::string& path) {
  if (id < 0 || id >= count)
    throw Error(
        ErrorKind::input, path,
        count == 0 ? "there is none" : "expected 0 to " + std::to_string(count - 1) + ", got " + std::to_string(id));
}

void check_size(std::size_t size, std::size_t expected, const char* path) {
  if (size != expected)
    throw Error(ErrorKind::input, path,
                "expected one an edge (" + std::to_string(expected) + "), got " + std::to_string(size));
}

}  // namespace

void check_weight(double weight, const std::string& path) {
  if (!(weight >= 0 && weight <= kMaxWeight))
    throw Error(ErrorKind::input, path, "expected a number from 0 to 1e12, got " + std::to_string(weight));
}

ToolGraph::ToolGraph(int nodes, std::span<const Node> sources, std::span<const Node> targets,
                     std::span<const double> weights) {
  if (nodes < 1 || nodes > kMaxGraphNodes)
    throw Error(ErrorKind::input, "graph.nodes",
                "expected 1 to " + std::to_string(kMaxGraphNodes) + ", got " + std::to_string(nodes));
  if (sources.size() > static_cast<std::size_t>(kMaxGraphEdges))
    throw Error(ErrorKind::input, "graph.sources",
                "expected at most " + std::to_string(kMaxGraphEdges) + " edges, got " + std::to_string(sources.size()));
  check_size(targets.size(), sources.size(), "graph.targets");
  check_size(weights.size(), sources.size(), "graph.weights");
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (sources[i] < 0 || sources[i] >= nodes) check_range(sources[i], nodes, at("graph.sources", i));
    if (targets[i] < 0 || targets[i] >= nodes) check_range(targets[i], nodes, at("graph.targets", i));
    if (!(weights[i] >= 0 && weights[i] <= kMaxWeight)) check_weight(weights[i], at("graph.weights", i));
  }
  node_masked_.assign(index(nodes), 0);
  build_rows(sources, targets, weights);
  build_in_arcs();
  log_.reserve(std::max(kLeastLog, rows_.size()));
}

// A counting sort by source; edges of one source stay in the caller's order.
void ToolGraph::build_rows(std::span<const Node> sources, std::span<const Node> targets,
                           std::span<const double> weights) {
  const std::size_t edges = sources.size();
  offsets_.assign(node_masked_.size() + 1, 0);
  for (const Node u : sources) ++offsets_[index(u) + 1];
  for (std::size_t u = 0; u < node_masked_.size(); ++u) offsets_[u + 1] += offsets_[u];
  rows_.resize(edges);
  weights_.resize(edges);
  edge_of_.resize(edges);
  arc_of_.resize(edges);
  edge_masked_.assign(edges, 0);
  std::vector<Arc> next(offsets_.begin(), offsets_.end() - 1);
  for (std::size_t e = 0; e < edges; ++e) {
    const Arc a = next[index(sources[e])]++;
    const double weight = weights[e] + 0.0;  // -0 becomes 0: heaps compare the bits
    rows_[index(a)] = {weight, targets[e], sources[e]};
    weights_[index(a)] = weight;
    edge_of_[index(a)] = static_cast<Edge>(e);
    arc_of_[e] = a;
  }
  built_ = weights_;
}

void ToolGraph::build_in_arcs() {
  in_offsets_.assign(node_masked_.size() + 1, 0);
  for (const Row& r : rows_) ++in_offsets_[index(r.target) + 1];
  for (std::size_t v = 0; v < node_masked_.size(); ++v) in_offsets_[v + 1] += in_offsets_[v];
  in_arcs_.resize(rows_.size());
  std::vector<Arc> next(in_offsets_.begin(), in_offsets_.end() - 1);
  for (std::size_t a = 0; a < rows_.size(); ++a) in_arcs_[index(next[index(rows_[a].target)]++)] = static_cast<Arc>(a);
}

void ToolGraph::edges_between(Node u, Node v, std::vector<Edge>& out) const {
  for (Arc a = first(u); a < first(u + 1); ++a)
    if (row(a).target == v) out.push_back(edge(a));
}

void ToolGraph::check_node(std::int64_t v, const std::string& path) const { check_range(v, nodes(), path); }
void ToolGraph::check_edge(std::int64_t e, const std::string& path) const { check_range(e, edges(), path); }

}  // namespace turnout::graph
