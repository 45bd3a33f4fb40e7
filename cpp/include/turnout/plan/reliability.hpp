// How likely a workflow ends well, after Opus: task v succeeds with probability p_v when all of its parents did and q_v
// when some did not, independently of the rest; k retries are k more such attempts.
#pragma once

#include <limits>
#include <span>
#include <vector>

#include "turnout/plan/dag.hpp"

namespace turnout::plan {

inline constexpr int kMaxFrontierWidth = 22;       // 2^22 states of two tables: 64 MiB
inline constexpr int kMaxFrontierSteps = 1 << 13;  // tasks, and joins of their parents, of an exact answer
inline constexpr int kMaxRetries = 1000;
inline constexpr int kMaxPathLabels = 1 << 16;  // of one best_path()

struct ReliabilityOptions {
  int max_width = 16;   // of the frontier, at most kMaxFrontierWidth
  bool bounds = false;  // beyond it: bounds instead of an error
};

enum class ReliabilityMethod : std::uint8_t {
  tree,      // no task has two parents: exact in O(V)
  frontier,  // exact in O((V + E) 2^width)
  bounds,    // lower <= exact <= upper, in O(V + E)
};
const char* method_name(ReliabilityMethod method);

struct Reliability {
  ReliabilityMethod method = ReliabilityMethod::tree;
  int width = 0;                            // of the frontier: the most tasks whose state mattered at once
  std::vector<double> lower, upper;         // P(task succeeds); the same where exact
  double sinks_lower = 1, sinks_upper = 1;  // P(every sink succeeds)
  double all = 1;                           // P(every task succeeds), exact: the product of the p
};

// p, q: one a node, in [0, 1]; retries: one a node, 0 to kMaxRetries, or none at all. Throws Error(input) with the path
// to the culprit; "max_width" where the frontier is wider, or there are more than kMaxFrontierSteps
// tasks and joins, and no bounds are asked for.
Reliability reliability(const Dag& dag, std::span<const double> p, std::span<const double> q,
                        std::span<const std::int32_t> retries = {}, const ReliabilityOptions& options = {});

// One attempt and `retries` more: 1 - (1 - p)^(retries + 1). Throws Error(input) "p" or "retries".
double with_retries(double p, int retries);

// What a task takes on a path. Empty columns are 0.
struct PathColumns {
  std::span<const double> success;        // P(task succeeds), in [0, 1]
  std::span<const double> cost, seconds;  // >= 0
  std::span<const double> needs,
      releases;  // of a resource: while it runs, and given back at its end; releases <= needs
};

struct PathLimits {
  double cost = std::numeric_limits<double>::infinity();
  double seconds = std::numeric_limits<double>::infinity();
  double capacity = std::numeric_limits<double>::infinity();  // of the resource, at any time
};

struct Path {
  bool found = false;                                   // false: no path keeps the limits
  std::vector<int> nodes;                               // first to last
  double success = 0, cost = 0, seconds = 0, held = 0;  // held: of the resource, at the end
};

// The path from a source to a sink (or from `from`, to `to`, where they are not -1) that most likely succeeds at every
// task, within the limits. Exact, by Pareto labels on what is limited; of equally likely ones the first by nodes.
// Throws Error(input), also with path "limits" where more than kMaxPathLabels labels would be needed.
Path best_path(const Dag& dag, const PathColumns& columns, const PathLimits& limits = {}, int from = -1, int to = -1);

}  // namespace turnout::plan
