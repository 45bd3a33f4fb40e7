#include <algorithm>
#include <cmath>
#include <limits>

#include "bandit/arm.hpp"
#include "bandit/checks.hpp"
#include "bandit/inverse.hpp"
#include "turnout/budget/select.hpp"

namespace turnout::bandit {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr std::uint64_t kEstimates = std::uint64_t{1} << 63;  // streams of draws that estimate propensities

void check_column(std::span<const double> values, std::size_t arms, const char* path) {
  if (values.empty()) return;
  if (values.size() != arms)
    throw Error(ErrorKind::input, path, "expected " + std::to_string(arms) + " numbers, one an arm");
  for (std::size_t i = 0; i < arms; ++i)
    if (!(std::abs(values[i]) <= kMaxNumber))
      throw Error(ErrorKind::input, std::string(path) + "[" + std::to_string(i) + "]",
                  "expected a number from -1e6 to 1e6");
}

bool is_allowed(std::span<const bool> allowed, std::size_t i) { return allowed.empty() || allowed[i]; }

// The first of the largest; NaN is never one.
std::size_t largest(std::span<const double> values) {
  std::size_t best = values.size();
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!std::isnan(values[i]) && (best == values.size() || values[i] > values[best])) best = i;
  return best;
}

Selection certain(std::span<const double> scores, std::span<double> propensities) {
  const std::size_t best = largest(scores);
  std::fill(propensities.begin(), propensities.end(), 0.0);
  propensities[best] = 1;
  return {static_cast<int>(best), scores[best]};
}

// How often each would have been drawn.
void estimate(std::span<const double> means, std::span<const double> deviations, int draws, Philox rng,
              std::span<double> propensities, std::span<double> scratch) {
  std::fill(propensities.begin(), propensities.end(), 0.0);
  for (int n = 0; n < draws; ++n) {
    for (std::size_t i = 0; i < means.size(); ++i) scratch[i] = means[i] + deviations[i] * rng.normal();
    propensities[largest(scratch)] += 1;
  }
  for (double& p : propensities) p /= draws;
}

void soften(std::span<double> values, double temperature) {
  const double most = *std::max_element(values.begin(), values.end());
  for (double& v : values) v = v == most ? 1 : temperature == 0 ? 0 : std::exp((v - most) / temperature);
}

}  // namespace

void LinearBandit::check(const Context& context, std::span<const double> scores,
                         std::span<const double> propensities) const {
  if (arms_.empty()) throw Error(ErrorKind::input, "arms", "there are none");
  check_features(context.x, config_.dim);
  if (!context.allowed.empty() && context.allowed.size() != arms_.size())
    throw Error(ErrorKind::input, "allowed", "expected " + std::to_string(arms_.size()) + " flags, one an arm");
  if (!context.allowed.empty() &&
      std::none_of(context.allowed.begin(), context.allowed.end(), [](bool b) { return b; }))
    throw Error(ErrorKind::input, "allowed", "no arm is allowed");
  check_column(context.cost, arms_.size(), "cost");
  check_column(context.prior, arms_.size(), "prior");
  if (context.draws < 0 || context.draws > kMaxDraws) throw Error(ErrorKind::input, "draws", "expected 0 to 1048576");
  if (scores.size() != arms_.size() || propensities.size() != arms_.size())
    throw Error(ErrorKind::input, "scores", "expected room for a number an arm, and for a propensity");
}

// `deviations`: null where the policy needs none.
void LinearBandit::score(const Context& context, std::span<double> scores, double* deviations) {
  const InverseKernels& kernel = inverse_kernels();
  const Padded x(context.x);
  const int n = (config_.dim + kLanes - 1) / kLanes;
  for (std::size_t i = 0; i < arms_.size(); ++i) {
    scores[i] = kNan;
    if (!is_allowed(context.allowed, i)) continue;
    const Arm& a = *arms_[i];
    scores[i] = kernel.dot(a.theta.data(), x.values, n);
    if (!context.prior.empty()) scores[i] += context.prior[i];
    if (!context.cost.empty()) scores[i] -= config_.cost_weight * context.cost[i];
    if (deviations != nullptr)
      deviations[i] = config_.alpha * std::sqrt(std::max(0.0, kernel.quadratic(a.inverse.data(), x.values, n)));
    if (!std::isfinite(scores[i]) || (deviations != nullptr && !std::isfinite(deviations[i])))
      throw Error(ErrorKind::input, "x", "what '" + a.name + "' has learned is beyond a double at it");
  }
}

Selection LinearBandit::select(const Context& context, std::span<double> scores, std::span<double> propensities) {
  check(context, scores, propensities);
  const bool explores = config_.policy == Policy::ucb || config_.policy == Policy::thompson;
  deviations_.assign(arms_.size(), 0.0);
  score(context, scores, explores ? deviations_.data() : nullptr);
  const Selection chosen = draw(context, scores, propensities);
  ++selections_;
  return chosen;
}

Selection LinearBandit::draw(const Context& context, std::span<double> scores, std::span<double> propensities) {
  const std::uint64_t seed = context.seed.value_or(config_.seed), stream = context.seed ? 0 : selections_ + 1;
  Philox rng(seed, stream);
  if (config_.policy == Policy::ucb) {
    for (std::size_t i = 0; i < scores.size(); ++i) scores[i] += deviations_[i];
    return certain(scores, propensities);
  }
  if (config_.policy == Policy::thompson) {
    open_.assign(scores.begin(), scores.end());
    for (std::size_t i = 0; i < scores.size(); ++i) scores[i] += deviations_[i] * rng.normal();
    const Selection chosen = certain(scores, propensities);
    std::fill(propensities.begin(), propensities.end(), kNan);
    if (context.draws == 0) return chosen;
    shares_.resize(scores.size());
    estimate(open_, deviations_, context.draws, Philox(seed, stream | kEstimates), propensities, shares_);
    return chosen;
  }
  open_.clear();
  for (const double s : scores)
    if (!std::isnan(s)) open_.push_back(config_.policy == Policy::power ? std::max(0.0, s) : s);
  shares_.resize(open_.size());
  if (config_.policy == Policy::epsilon) {
    const std::size_t best = largest(open_);
    for (double& v : open_) v = config_.epsilon / static_cast<double>(open_.size());
    open_[best] += 1 - config_.epsilon;
  } else if (config_.policy == Policy::temperature) {
    soften(open_, config_.temperature);
  }
  int left = budget::select(open_, config_.policy == Policy::power ? config_.temperature : 1, rng, shares_);
  Selection chosen;
  std::size_t next = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    propensities[i] = std::isnan(scores[i]) ? 0 : shares_[next++];
    if (!std::isnan(scores[i]) && left-- == 0) chosen = {static_cast<int>(i), scores[i]};
  }
  return chosen;
}

}  // namespace turnout::bandit
