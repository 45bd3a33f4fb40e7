#include <algorithm>
#include <cmath>
#include <string>

#include "plan/graph.hpp"

namespace turnout::plan {
namespace {

void check_seconds(std::span<const double> seconds, std::size_t nodes) {
  if (seconds.size() != nodes)
    throw Error(ErrorKind::input, "seconds",
                "expected one a node (" + std::to_string(nodes) + "), got " + std::to_string(seconds.size()));
  for (std::size_t i = 0; i < nodes; ++i)
    if (!(seconds[i] >= 0 && std::isfinite(seconds[i])))
      throw Error(ErrorKind::input, "seconds[" + std::to_string(i) + "]",
                  "expected a number >= 0, got " + std::to_string(seconds[i]));
}

// When each node finishes, and on which level it stands: 1 + the deepest it depends on.
struct Schedule {
  double finish[kMaxNodes];
  int level[kMaxNodes];
};

// Needs the schedule of everything before `node`; returns how many that is.
int place(int node, NodeSet before, double seconds, Schedule& s) {
  double start = 0;
  int deepest = 0;
  each(before, [&](int i) {
    start = std::max(start, s.finish[i]);
    deepest = std::max(deepest, s.level[i]);
  });
  s.finish[node] = start + seconds;
  s.level[node] = deepest + 1;
  return std::popcount(before);
}

void place_all(std::span<const NodeSet> depends_on, std::span<const double> seconds, Schedule& s, Metrics& out) {
  int order[kMaxNodes], at_level[kMaxNodes + 1] = {};
  fill_order(depends_on, {order, depends_on.size()});
  for (int k = 0; k < out.nodes; ++k) {
    const int node = order[k];
    const auto i = static_cast<std::size_t>(node);
    out.edges += place(node, depends_on[i], seconds[i], s);
    out.depth = std::max(out.depth, s.level[node]);
    out.width = std::max(out.width, ++at_level[s.level[node]]);
  }
}

// Of the nodes in `set`, the one that finishes last (ties: lowest index).
int last_of(NodeSet set, const double* finish) {
  int last = std::countr_zero(set);
  each(set, [&](int node) {
    if (finish[node] > finish[last]) last = node;
  });
  return last;
}

// The chain that ends with the node that finishes last.
void trace_back(std::span<const NodeSet> depends_on, const double* finish, Metrics& out) {
  int node = last_of(first_nodes(out.nodes), finish);
  out.critical_path = Seconds(finish[node]);
  out.critical_nodes = bit(node);
  while (const NodeSet before = depends_on[static_cast<std::size_t>(node)]) {
    node = last_of(before, finish);
    out.critical_nodes |= bit(node);
  }
}

}  // namespace

Metrics metrics(std::span<const NodeSet> depends_on, std::span<const double> seconds) {
  validate(depends_on);
  check_seconds(seconds, depends_on.size());
  Metrics out;
  if (depends_on.empty()) return out;
  Schedule schedule{};
  out.nodes = static_cast<int>(depends_on.size());
  place_all(depends_on, seconds, schedule, out);
  trace_back(depends_on, schedule.finish, out);
  return out;
}

}  // namespace turnout::plan
