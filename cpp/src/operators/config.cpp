#include <cmath>
#include <string>

#include "catalog/checks.hpp"
#include "turnout/operators.hpp"

namespace turnout::operators {
namespace {

// More than this many points of quality lost to cost is a typing error, and would overflow the trace's floats.
constexpr double kMaxPenalty = 1e6;
// Beyond it every LLM is right, or wrong, at any difficulty.
constexpr double kMaxAbility = 50;

using catalog::text;

[[noreturn]] void fail(const std::string& field, const std::string& expected, const std::string& got) {
  catalog::fail("operators." + field, expected, got);
}

void check_range(const char* field, int value, int most) {
  if (value < 1 || value > most) fail(field, "1 to " + std::to_string(most), std::to_string(value));
}

void check_cut_points(const Config& config) {
  const auto& cuts = config.cut_points;
  if (cuts.size() != static_cast<std::size_t>(config.layers - 1))
    fail("cut_points", std::to_string(config.layers - 1) + " numbers, one fewer than layers",
         std::to_string(cuts.size()));
  for (std::size_t i = 0; i < cuts.size(); ++i) {
    const std::string field = "cut_points[" + std::to_string(i) + "]";
    if (!(cuts[i] >= 0 && cuts[i] <= 1)) fail(field, "a number in [0, 1]", text(cuts[i]));
    if (i > 0 && cuts[i] < cuts[i - 1])
      fail(field, "at least the one before it (" + text(cuts[i - 1]) + ")", text(cuts[i]));
  }
}

void check_softmax(const Config& config) {
  const double threshold = config.activation_threshold, temperature = config.temperature;
  if (!(threshold > 0 && threshold <= 1)) fail("activation_threshold", "a number in (0, 1]", text(threshold));
  if (!(temperature > 0 && std::isfinite(temperature))) fail("temperature", "a number > 0", text(temperature));
}

void check_ability(double ability) {
  if (!(std::abs(ability) <= kMaxAbility)) fail("reference_ability", "a number in [-50, 50]", text(ability));
}

void check_costs(const Config& config, const std::vector<catalog::Operator>& operators) {
  const double weight = config.cost_weight;
  if (!(weight >= 0 && std::isfinite(weight))) fail("cost_weight", "a number >= 0", text(weight));
  const Tables tables = make_tables(operators);
  for (std::size_t i = 0; i < operators.size(); ++i)
    if (!(weight * tables.relative_cost[i] <= kMaxPenalty))
      fail("cost_weight", "cost_weight * cost of '" + operators[i].id + "' to be at most " + text(kMaxPenalty),
           text(weight) + " * " + text(tables.relative_cost[i]));
}

}  // namespace

void validate(const Config& config, const std::vector<catalog::Operator>& operators) {
  check_range("layers", config.layers, kMaxLayers);
  if (config.depth_rule == DepthRule::cut_points) check_cut_points(config);
  check_softmax(config);
  check_ability(config.reference_ability);
  check_costs(config, operators);
  check_range("max_stages", config.max_stages, kMaxStages);
  check_range("max_uses", config.max_uses, kMaxStages);
}

}  // namespace turnout::operators
