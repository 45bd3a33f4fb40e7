// A table of configurations and a service level: the cheapest row that keeps it (after SLA-RAG).
#pragma once

#include <span>

#include "turnout/core.hpp"

namespace turnout::plan {

inline constexpr int kMaxConfigurations = 1 << 20;

struct ServiceLevel {
  double min_quality = 0;                      // in [0, 1e9]
  Seconds max_seconds = Seconds::unlimited();  // > 0
};

struct ConfigurationChoice {
  int row = -1;
  bool feasible = false;  // false: no row keeps the level, this one misses it by the least
  double quality_short = 0, seconds_over = 0;
};

// One row each: quality, seconds and cost, in [0, 1e9]. Feasible rows by (cost, -quality, seconds, row); if there is
// none, rows by (violation, cost, row), where the violation is quality_short / min_quality + seconds_over /
// max_seconds. O(rows), no allocation. Throws Error(input) with the path to the culprit.
ConfigurationChoice choose_configuration(std::span<const double> quality, std::span<const double> seconds,
                                         std::span<const double> cost, const ServiceLevel& level);

}  // namespace turnout::plan
