// The posterior of one arm's linear model, from its sums: a function of them alone, whatever the order of outcomes.
#pragma once

#include <span>
#include <vector>

namespace turnout::bandit {

inline constexpr int kMaxFeatures = 128;  // d, of a linear model

// theta ~ N(A^-1 b, A^-1), A = ridge I + precision. Immutable after fit(); fit() allocates only when d grows.
class Posterior {
 public:
  // `precision`: the upper triangle, row by row [d (d + 1) / 2]; `moment` [d]. Throws Error(input) where A is not
  // positive definite, or a size or the ridge is wrong; then nothing has changed.
  void fit(std::span<const double> precision, std::span<const double> moment, double ridge);
  int dim() const { return static_cast<int>(mean_.size()); }
  std::span<const double> mean() const { return mean_; }
  // `x` has dim() finite features; checked where they enter.
  double predict(std::span<const float> x) const;                               // theta . x, in fixed order
  double deviation(std::span<const float> x, std::span<double> scratch) const;  // sqrt(x^T A^-1 x); scratch [d]

 private:
  std::vector<double> factor_, mean_;  // Cholesky, packed
};

}  // namespace turnout::bandit
