#include "turnout/plan/slo.hpp"

#include <algorithm>
#include <tuple>

#include "plan/checks.hpp"

namespace turnout::plan {
namespace {

constexpr double kMost = 1e9;

void check(std::span<const double> quality, std::span<const double> seconds, std::span<const double> cost,
           const ServiceLevel& level) {
  check_between(static_cast<double>(quality.size()), 1, kMaxConfigurations, "quality");
  check_count(seconds.size(), quality.size(), "seconds", "row");
  check_count(cost.size(), quality.size(), "cost", "row");
  check_column(quality, 0, kMost, "quality");
  check_column(seconds, 0, kMost, "seconds");
  check_column(cost, 0, kMost, "cost");
  check_between(level.min_quality, 0, kMost, "min_quality");
  if (!(level.max_seconds > Seconds(0)))
    throw Error(ErrorKind::input, "max_seconds", "expected a number > 0, got " + shown(level.max_seconds.value));
}

}  // namespace

ConfigurationChoice choose_configuration(std::span<const double> quality, std::span<const double> seconds,
                                         std::span<const double> cost, const ServiceLevel& level) {
  check(quality, seconds, cost, level);
  const double most = level.max_seconds.value;
  const auto judge = [&](std::size_t i) {
    const double missing = std::max(0.0, level.min_quality - quality[i]), late = std::max(0.0, seconds[i] - most);
    return ConfigurationChoice{static_cast<int>(i), missing == 0 && late == 0, missing, late};
  };
  // Of feasible rows the violation is 0, so that they come first, cheapest first.
  const auto key = [&](const ConfigurationChoice& c) {
    const auto i = static_cast<std::size_t>(c.row);
    const double missing = c.quality_short > 0 ? c.quality_short / level.min_quality : 0;
    const double late = c.seconds_over > 0 ? c.seconds_over / most : 0;
    const double tie = c.feasible ? 1 : 0;
    return std::tuple(!c.feasible, missing + late, cost[i], -tie * quality[i], tie * seconds[i]);
  };
  ConfigurationChoice best = judge(0);
  for (std::size_t i = 1; i < quality.size(); ++i)
    if (const auto next = judge(i); key(next) < key(best)) best = next;
  return best;
}

}  // namespace turnout::plan
