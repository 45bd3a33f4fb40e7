#include "operators/scores.hpp"

#include <cmath>
#include <limits>

namespace turnout::operators {
namespace {

double cost_in_tokens(const catalog::Slot& slot) {
  const double in = slot.in_mult * kNominalInputTokens + slot.in_extra;
  return slot.calls * (in + kOutputPriceRatio * slot.out_mult * kNominalOutputTokens);
}

}  // namespace

double competence(double ability, double difficulty) {
  const double odds = std::exp(ability) * (1 - difficulty);  // relative to d
  return odds / (odds + difficulty);
}

double competence(const catalog::Operator& oper, double reference_ability, double difficulty) {
  if (!oper.distinct) return competence(reference_ability, difficulty);
  double sum = 0, ability = reference_ability;
  for (const catalog::Slot& slot : oper.slots) {
    sum += slot.weight * competence(ability, difficulty);
    ability -= kDistinctStep;
  }
  return sum;
}

double quality_after(const catalog::Operator& oper, double p, double c) {
  const double g = catalog::curve_at(oper.curve, c);
  return p * (1 - oper.break_ * (1 - g)) + (1 - p) * oper.fix * g;
}

Tables make_tables(const std::vector<catalog::Operator>& operators) {
  const double direct = cost_in_tokens(catalog::Slot{});
  Tables tables;
  for (const catalog::Operator& oper : operators) {
    double cost = 0;
    for (const catalog::Slot& slot : oper.slots) cost += cost_in_tokens(slot);
    tables.relative_cost.push_back(cost / direct);
  }
  return tables;
}

double score(const Config& config, const catalog::Operator& oper, double relative_cost, double competence,
             double quality) {
  if (oper.stops) return 0;
  return quality_after(oper, quality, competence) - quality - config.cost_weight * relative_cost;
}

bool softmax(double temperature, int n, Layer& layer) {
  double highest = -std::numeric_limits<double>::infinity(), sum = 0;
  for (int i = 0; i < n; ++i)
    if (layer.open[i] && layer.scores[i] > highest) highest = layer.scores[i];
  for (int i = 0; i < n; ++i) {
    layer.probabilities[i] = layer.open[i] ? std::exp((layer.scores[i] - highest) / temperature) : 0;
    sum += layer.probabilities[i];
  }
  if (sum == 0) return false;
  for (int i = 0; i < n; ++i) layer.probabilities[i] /= sum;
  return true;
}

}  // namespace turnout::operators
