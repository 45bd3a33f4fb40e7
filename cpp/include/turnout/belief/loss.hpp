// Bayesian decisions over a few states: evidence in log odds, expected loss, value of information.
#pragma once

#include <span>
#include <vector>

#include "turnout/core.hpp"

namespace turnout::belief {

inline constexpr int kMaxStates = 64;    // also of actions and of outcomes of one piece of evidence
inline constexpr int kMaxRaters = 1024;  // models that rate one piece of evidence
inline constexpr double kMaxLog = 1e6;   // of a log-likelihood, either sign

enum class Aggregate : std::uint8_t { median, trimmed_mean };

// Log-likelihoods of the states from ratings >= 0 of several models, [raters][states]: of each state log(r + 0.5), r
// being the median over the models, or their mean without the floor(trim N) lowest and highest. Of two states the
// difference is log((r1 + 0.5) / (r0 + 0.5)). `scratch`: two a model. Throws Error(input).
void log_likelihoods(std::span<const double> ratings, Aggregate rule, double trim, std::span<double> scratch,
                     std::span<double> out);

// A posterior over states, kept in logarithms: the order of the evidence does not matter.
class Belief {
 public:
  explicit Belief(std::span<const double> prior);  // sums to 1, each above 0
  // log p += alpha * log-likelihood. A refused update changes nothing.
  void update(std::span<const double> log_likelihood, double alpha = 1);
  void probabilities(std::span<double> out) const;
  int states() const { return static_cast<int>(log_.size()); }

 private:
  std::vector<double> log_;
};

struct Act {
  int action = 0;
  double loss = 0;  // expected
};

// The action of least expected loss, the first of equal ones. `loss`: [actions][states].
Act act(std::span<const double> p, std::span<const double> loss);

// Expected loss of the best action now, less what is expected after one of these outcomes is seen; never negative, and
// exactly 0 where no outcome changes the action. `likelihood`: P(outcome | state), [outcomes][states].
double value_of_information(std::span<const double> p, std::span<const double> loss,
                            std::span<const double> likelihood);

}  // namespace turnout::belief
