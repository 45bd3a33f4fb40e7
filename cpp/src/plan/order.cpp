#include <string>

#include "plan/graph.hpp"

namespace turnout::plan {
namespace {

void check_closed(std::span<const NodeSet> depends_on, NodeSet done) {
  const int n = static_cast<int>(depends_on.size());
  if (const NodeSet unknown = done & ~first_nodes(n))
    throw Error(ErrorKind::input, "done", "there is no node " + std::to_string(std::countr_zero(unknown)));
  each(done, [&](int node) {
    if (const NodeSet missing = depends_on[static_cast<std::size_t>(node)] & ~done)
      throw Error(ErrorKind::input, "done",
                  "node " + std::to_string(node) + " depends on node " + std::to_string(std::countr_zero(missing)) +
                      ", which is not done");
  });
}

}  // namespace

NodeSet ready(std::span<const NodeSet> depends_on, NodeSet done) {
  check_closed(depends_on, done);
  NodeSet out = 0;
  each(first_nodes(static_cast<int>(depends_on.size())) & ~done, [&](int node) {
    if ((depends_on[static_cast<std::size_t>(node)] & ~done) == 0) out |= bit(node);
  });
  return out;
}

void topological_order(std::span<const NodeSet> depends_on, std::span<int> order) {
  if (order.size() != depends_on.size())
    throw Error(ErrorKind::input, "order",
                "expected " + std::to_string(depends_on.size()) + " entries, got " + std::to_string(order.size()));
  validate(depends_on);
  fill_order(depends_on, order);
}

}  // namespace turnout::plan
