// An immutable DAG of any size up to stated limits, in compressed rows: what the measures, the reliability, the
// placement and the antichain read. Building checks everything, so that they need not.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "turnout/core.hpp"

namespace turnout::plan {

inline constexpr int kMaxTasks = 1 << 17;       // tasks of one DAG
inline constexpr int kMaxEdges = 1 << 20;       // edges of one DAG
inline constexpr double kMaxTaskSeconds = 1e9;  // of one task
inline constexpr double kMaxTaskCost = 1e9;     // of one task
inline constexpr int kMaxCycleNames = 32;       // that an error spells out; the rest is counted

struct Edge {
  std::int32_t from = 0, to = 0;  // `to` runs after `from`
  bool operator==(const Edge&) const = default;
};

// How an error names a node.
using Namer = std::function<std::string(int)>;
std::string index_name(int node);

class Dag {
 public:
  // O(V + E); reuses the buffers, so that a warm one allocates nothing. Throws Error(input) and leaves the DAG empty:
  // too many nodes or edges, an unknown node, a self-loop, an edge that is there twice, or a cycle (the message names
  // its nodes in order, each before one that it depends on).
  void assign(int nodes, std::span<const Edge> edges, const Namer& name = index_name);

  int nodes() const { return nodes_; }
  int edges() const { return static_cast<int>(parents_.size()); }
  // What `node` runs after, and what runs after it; lowest first.
  std::span<const std::int32_t> parents(int node) const { return row(parents_, parent_start_, node); }
  std::span<const std::int32_t> children(int node) const { return row(children_, child_start_, node); }
  // Where the edges of parents(node) stood among those that were given.
  std::span<const std::int32_t> parent_edges(int node) const { return row(parent_edges_, parent_start_, node); }
  // Every node after its parents, level by level.
  std::span<const std::int32_t> order() const { return order_; }
  // 0 without parents, else 1 + the highest of theirs.
  int level(int node) const { return level_[static_cast<std::size_t>(node)]; }

 private:
  using Row = std::vector<std::int32_t>;
  static std::span<const std::int32_t> row(const Row& values, const Row& start, int node) {
    const auto i = static_cast<std::size_t>(node);
    return {values.data() + start[i], static_cast<std::size_t>(start[i + 1] - start[i])};
  }
  void clear();
  void fill_parents(std::span<const Edge> edges);
  void fill_children();
  void check_twice(const Namer& name) const;
  void sort();
  std::vector<int> cycle() const;

  int nodes_ = 0;
  Row parents_, parent_edges_, parent_start_, children_, child_start_, order_, level_, count_, by_from_;
};

// "nodes depend on each other: a -> b -> a", at most kMaxCycleNames names.
std::string cycle_text(std::span<const int> cycle, const Namer& name);

}  // namespace turnout::plan
