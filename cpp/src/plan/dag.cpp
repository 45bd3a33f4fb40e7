#include "turnout/plan/dag.hpp"

#include <algorithm>
#include <utility>

namespace turnout::plan {
namespace {

std::string at(std::size_t edge) { return "edges[" + std::to_string(edge) + "]"; }

void check_sizes(int nodes, std::size_t edges) {
  if (nodes < 0 || nodes > kMaxTasks)
    throw Error(ErrorKind::input, "nodes",
                "expected 0 to " + std::to_string(kMaxTasks) + " nodes, got " + std::to_string(nodes));
  if (edges > static_cast<std::size_t>(kMaxEdges))
    throw Error(ErrorKind::input, "edges",
                "expected at most " + std::to_string(kMaxEdges) + " edges, got " + std::to_string(edges));
}

void check_ends(int nodes, std::span<const Edge> edges, const Namer& name) {
  for (std::size_t i = 0; i < edges.size(); ++i) {
    for (const int node : {edges[i].from, edges[i].to})
      if (node < 0 || node >= nodes) throw Error(ErrorKind::input, at(i), "there is no node " + std::to_string(node));
    if (edges[i].from == edges[i].to)
      throw Error(ErrorKind::input, at(i), name(edges[i].to) + " cannot depend on itself");
  }
}

// Counts become where each row starts; one entry more than there are rows.
void accumulate(std::vector<std::int32_t>& counts) {
  std::int32_t sum = 0;
  for (auto& entry : counts) sum += std::exchange(entry, sum);
}

}  // namespace

std::string index_name(int node) { return std::to_string(node); }

std::string cycle_text(std::span<const int> cycle, const Namer& name) {
  std::string text = "nodes depend on each other: ";
  const std::size_t shown = std::min(cycle.size(), static_cast<std::size_t>(kMaxCycleNames));
  for (std::size_t i = 0; i < shown; ++i) text += name(cycle[i]) + " -> ";
  if (shown < cycle.size()) text += "(" + std::to_string(cycle.size() - shown) + " more) -> ";
  return text + name(cycle[0]);
}

void Dag::clear() {
  nodes_ = 0;
  for (Row* row : {&parents_, &parent_edges_, &children_, &order_, &level_}) row->clear();
  for (Row* row : {&parent_start_, &child_start_}) row->assign(1, 0);
}

// Counting sort by `from`, then by `to`: parents come out lowest first.
void Dag::fill_parents(std::span<const Edge> edges) {
  const auto n = static_cast<std::size_t>(nodes_);
  child_start_.assign(n + 1, 0);
  parent_start_.assign(n + 1, 0);
  for (const Edge& e : edges) {
    ++child_start_[static_cast<std::size_t>(e.from)];
    ++parent_start_[static_cast<std::size_t>(e.to)];
  }
  accumulate(child_start_);
  accumulate(parent_start_);
  by_from_.resize(edges.size());
  count_.assign(child_start_.begin(), child_start_.end());
  for (std::size_t i = 0; i < edges.size(); ++i)
    by_from_[static_cast<std::size_t>(count_[static_cast<std::size_t>(edges[i].from)]++)] =
        static_cast<std::int32_t>(i);
  parents_.resize(edges.size());
  parent_edges_.resize(edges.size());
  count_.assign(parent_start_.begin(), parent_start_.end());
  for (const std::int32_t i : by_from_) {
    const Edge& e = edges[static_cast<std::size_t>(i)];
    const auto k = static_cast<std::size_t>(count_[static_cast<std::size_t>(e.to)]++);
    parents_[k] = e.from;
    parent_edges_[k] = i;
  }
}

void Dag::fill_children() {
  children_.resize(parents_.size());
  count_.assign(child_start_.begin(), child_start_.end());
  for (int node = 0; node < nodes_; ++node)
    for (const std::int32_t p : parents(node))
      children_[static_cast<std::size_t>(count_[static_cast<std::size_t>(p)]++)] = node;
}

// Rows are sorted, so that an edge that is there twice stands beside itself.
void Dag::check_twice(const Namer& name) const {
  for (int node = 0; node < nodes_; ++node) {
    const auto row = parents(node);
    const auto twice = std::ranges::adjacent_find(row);
    if (twice == row.end()) continue;
    const auto again = static_cast<std::size_t>(parent_edges(node)[static_cast<std::size_t>(twice - row.begin() + 1)]);
    throw Error(ErrorKind::input, at(again), "the edge from " + name(*twice) + " to " + name(node) + " is there twice");
  }
}

// Kahn's algorithm with a queue: parents that are placed level by level place their children level by level.
void Dag::sort() {
  const auto n = static_cast<std::size_t>(nodes_);
  level_.assign(n, 0);
  order_.clear();
  order_.reserve(n);
  count_.resize(n);
  for (int node = 0; node < nodes_; ++node)
    if ((count_[static_cast<std::size_t>(node)] = static_cast<std::int32_t>(parents(node).size())) == 0)
      order_.push_back(node);
  for (std::size_t next = 0; next < order_.size(); ++next) {
    const int node = order_[next];
    for (const std::int32_t c : children(node)) {
      const auto child = static_cast<std::size_t>(c);
      if (--count_[child] > 0) continue;
      level_[child] = level(node) + 1;
      order_.push_back(c);
    }
  }
}

// Each node that sort() did not place waits for another, so a walk along the lowest of those must come back.
std::vector<int> Dag::cycle() const {
  const auto waits = [&](int node) { return count_[static_cast<std::size_t>(node)] > 0; };
  const auto waits_for = [&](int node) { return *std::ranges::find_if(parents(node), waits); };
  int node = 0;
  while (!waits(node)) ++node;
  std::vector<bool> seen(static_cast<std::size_t>(nodes_));
  for (; !seen[static_cast<std::size_t>(node)]; node = waits_for(node)) seen[static_cast<std::size_t>(node)] = true;
  std::vector<int> nodes = {node};
  for (int step = waits_for(node); step != node; step = waits_for(step)) nodes.push_back(step);
  return nodes;
}

void Dag::assign(int nodes, std::span<const Edge> edges, const Namer& name) {
  clear();
  check_sizes(nodes, edges.size());
  check_ends(nodes, edges, name);
  try {
    nodes_ = nodes;
    fill_parents(edges);
    check_twice(name);
    fill_children();
    sort();
    if (order_.size() < static_cast<std::size_t>(nodes))
      throw Error(ErrorKind::input, "edges", cycle_text(cycle(), name));
  } catch (...) {
    clear();
    throw;
  }
}

}  // namespace turnout::plan
