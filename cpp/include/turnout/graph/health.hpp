// Edge weights from how the tools behind them fare. A pure function of columns: who measures them is another room's.
#pragma once

#include <span>

namespace turnout::graph {

// Of one edge each: what it costs when all is well; milliseconds; the share of calls that succeed, in [0, 1]; how near
// its rate limit it is, in [0, 1].
struct HealthColumns {
  std::span<const double> base, latency_ms, reliability, rate_limit_proximity;
};

// base * max(.5, latency_ms / 100) * 1 / max(.01, reliability) * (1 + 5 * rate_limit_proximity), the weight of
// Self-Healing Router. Throws Error(input) with the path to the culprit, as in "reliability[3]", before it writes.
void health_weights(const HealthColumns& columns, std::span<double> out);

}  // namespace turnout::graph
