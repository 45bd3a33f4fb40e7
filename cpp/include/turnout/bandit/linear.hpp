// A contextual bandit over linear models, one an arm, that are updated by rank-one steps: no inverse a call.
// Sources: Li et al., "A contextual-bandit approach to personalized news article recommendation" (LinUCB, disjoint
// models), WWW 2010; Agrawal and Goyal, "Thompson sampling for contextual bandits with linear payoffs", ICML 2013.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "turnout/bandit/posterior.hpp"

namespace turnout::bandit {

inline constexpr int kMaxArms = 4096;      // at once
inline constexpr double kMaxNumber = 1e6;  // of a feature, reward, weight, prior or cost, either way
inline constexpr int kRefresh = 512;       // updates of an arm after which its inverse is computed anew from its sums
inline constexpr double kMaxResidual =
    1e-9;  // |A A^-1 - I| between two such, for features of about 1 and ridges of 0.05 up
inline constexpr int kMaxDraws = 1 << 20;

// Which arm, from score = prior + theta . x - cost_weight * cost.
enum class Policy : std::uint8_t {
  ucb,          // largest score + alpha * deviation
  thompson,     // largest score + alpha * deviation * z, z standard normal: theta drawn from N(theta, alpha^2 A^-1)
  epsilon,      // any allowed arm with probability epsilon, else the largest score
  temperature,  // P proportional to exp(score / temperature); 0: the largest
  power,        // P proportional to max(0, score)^(1 / temperature), as budget::select; temperature in [0, 1]
};
inline constexpr int kPolicies = 5;

struct LinearConfig {
  int dim = 0;
  Policy policy = Policy::ucb;
  double alpha = 1;        // ucb, thompson
  double epsilon = 0.1;    // epsilon
  double temperature = 0;  // temperature, power
  double ridge = 1;        // A = ridge I + sum of weight x x^T; at least 1e-6
  double cost_weight = 0;
  std::uint64_t seed = 0;
};

// Empty spans: every arm is allowed, costs and priors are 0. In the order of the arms.
struct Context {
  std::span<const float> x;  // [dim]
  std::span<const bool> allowed = {};
  std::span<const double> cost = {}, prior = {};
  std::optional<std::uint64_t> seed = {};  // of this selection; default: the bandit's, and the number of the selection
  int draws = 0;                           // Thompson: of which the propensities are estimated; 0: they are NaN
};

struct Selection {
  int position = 0;  // in the order of the arms
  double score = 0;  // what it was chosen by
};

struct Update {
  int position = 0;
  double reward = 0, weight = 1, prior = 0;  // learned is weight times reward - prior
};

// Arms are in the order of their addition; ties go to the first. For one thread at a time. A call that throws leaves
// the bandit as it was. Select and update allocate nothing after the first selection among that many arms.
class LinearBandit {
 public:
  // Throws Error(config), "bandit.<field>".
  explicit LinearBandit(const LinearConfig& config);
  ~LinearBandit();
  LinearBandit(LinearBandit&&) noexcept;
  LinearBandit& operator=(LinearBandit&&) noexcept;

  const LinearConfig& config() const { return config_; }
  int size() const;
  std::uint64_t selections() const { return selections_; }

  // Throws Error(input): no name, a name that is taken, too many.
  void add_arm(std::string_view name);
  void remove_arm(int position);          // those behind it move up
  int find(std::string_view name) const;  // its position, or -1
  const std::string& name(int position) const;

  // `scores` [size] are what the arms compare by (of Thompson: as drawn), NaN where one is not allowed; `propensities`
  // [size] the probability of each. Throws Error(input).
  Selection select(const Context& context, std::span<double> scores, std::span<double> propensities);
  // Mean without prior and cost, and deviation, of an arm at x.
  void predict(int position, std::span<const float> x, double& mean, double& deviation) const;
  void update(std::span<const float> x, const Update& update);
  // Row by row, as so many updates; nothing changes where one is wrong. `x` [rows * dim].
  void update(std::span<const float> x, std::span<const Update> updates);
  // An epoch has passed: A = ridge I + gamma (A - ridge I), b = gamma b, of every arm. gamma in [0, 1].
  void discount(double gamma);
  // Computes the inverse of every arm anew, as discount(1) does.
  void refresh() { discount(1); }
  // The largest |A A^-1 - I| of an arm: what rank-one updates have lost. A that is too ill-conditioned to be factored
  // keeps the inverse that they made.
  double residual(int position) const;

  std::vector<std::byte> save() const;
  static LinearBandit load(std::span<const std::byte> bytes);  // Error(input), "snapshot"

 private:
  struct Arm;
  Arm& arm(int position);
  const Arm& arm(int position) const;
  void check(const Update& update) const;
  void check(const Context& context, std::span<const double> scores, std::span<const double> propensities) const;
  void score(const Context& context, std::span<double> scores, double* deviations);
  void learn(std::span<const float> x, const Update& update);
  Selection draw(const Context& context, std::span<double> scores, std::span<double> propensities);

  LinearConfig config_;
  std::uint64_t selections_ = 0;
  std::vector<std::unique_ptr<Arm>> arms_;
  std::vector<double> deviations_, open_, shares_;  // scratch of a selection
};

}  // namespace turnout::bandit
