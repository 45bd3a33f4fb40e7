// The DAGs of many queries as one (after Halo): work that several of them ask for is done once.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "turnout/plan/dag.hpp"

namespace turnout::plan {

inline constexpr int kMaxQueries = 1 << 16;
inline constexpr int kMaxMergedNodes = 1 << 20;          // nodes of all queries
inline constexpr std::size_t kMaxInputBytes = 1u << 20;  // of one node's own inputs

// The result of a node is a function of its operator, its own inputs and the results of `after`, in this order; where
// it is not (an LLM that samples), `shared` is false and it is never merged.
struct QueryNode {
  std::string operator_name, inputs;
  std::vector<std::int32_t> after;  // nodes of the same query; one may be there twice
  bool shared = true;
  bool operator==(const QueryNode&) const = default;
};

struct MergedDag {
  std::vector<QueryNode> nodes;               // `after` are merged nodes; each stands before those that need it
  std::vector<std::int32_t> uses;             // nodes of queries that each stands for
  std::vector<std::vector<std::int32_t>> of;  // of[query][node]: the merged node
};

// Nodes that agree in all of their QueryNode, with `after` merged, become one; O(total size). Hashes only find
// candidates, which are compared in full. `hash_mask` keeps some bits of each hash, so that a test can make them
// collide. Throws Error(input) with the path to the culprit, as in "queries[3].nodes[2].after[0]".
MergedDag merge(std::span<const std::vector<QueryNode>> queries, std::uint64_t hash_mask = ~std::uint64_t{0});

}  // namespace turnout::plan
