// Sets of nodes as words.
#pragma once

#include <bit>

#include "turnout/plan.hpp"

namespace turnout::plan {

constexpr NodeSet bit(int node) { return NodeSet{1} << node; }
constexpr NodeSet first_nodes(int n) { return n >= 32 ? ~NodeSet{0} : bit(n) - 1; }

// Calls f(node) for each node of the set, lowest first.
template <class F>
void each(NodeSet set, const F& f) {
  for (; set != 0; set &= set - 1) f(std::countr_zero(set));
}

// The lowest node outside of `done` whose dependencies are all in it, or -1.
inline int next(std::span<const NodeSet> depends_on, NodeSet done) {
  NodeSet left = first_nodes(static_cast<int>(depends_on.size())) & ~done;
  for (; left != 0; left &= left - 1) {
    const int node = std::countr_zero(left);
    if ((depends_on[static_cast<std::size_t>(node)] & ~done) == 0) return node;
  }
  return -1;
}

// Fills `order`, one entry a node of a valid plan, lowest index first among the ready.
inline void fill_order(std::span<const NodeSet> depends_on, std::span<int> order) {
  NodeSet done = 0;
  for (int& node : order) {
    node = next(depends_on, done);
    done |= bit(node);
  }
}

}  // namespace turnout::plan
