// The arithmetic that evaluate() and the search share. Every term is rounded to a binary grid on which sums are exact,
// so that equal plans are equal to the last bit in whatever order they are summed, and ties are ties.
#pragma once

#include <algorithm>

#include "turnout/assign.hpp"
#include "turnout/catalog.hpp"

namespace turnout::assign {

// Rounds to a multiple of a power of two by adding and subtracting a number whose last place is that power.
struct Grid {
  double magic = 1.5;
  double operator()(double x) const { return (x + magic) - magic; }
};

// The finest grid on which sums of up to `total` stay exact (2^50 steps).
Grid grid_for(double total);

// Probabilities are kept to 2^-40, about 1e-12.
inline constexpr Grid kProbability{1.5 * 0x1p12};

struct Terms {
  Grid money, bound, time;  // of utility, of usd_bound, of seconds_bound
  double value_usd = 0, usd_per_second = 0;
  bool budgeted = false, timed = false;  // which limits are finite

  double charge(double seconds) const { return money(usd_per_second * seconds); }
  double value(double p) const { return money(value_usd * p); }
};
Terms terms_of(const Problem& problem);

// evaluate() with the problem's terms at hand.
void evaluate(const Problem& problem, const Terms& terms, Solution& solution);

// What a stage does to quality: p -> base + slope p, from right-if-wrong (fix g) and right-if-right (1 - break (1 -
// g)). base <= g <= base + slope on the grid, so that the slope is in [0, 1] and the result monotone in p and in g.
struct Effect {
  double base = 0, slope = 1;
  double operator()(double p) const { return (p * slope + (base + kProbability.magic)) - kProbability.magic; }
};

inline Effect effect_of(const Stage& stage, double g) {
  const double base = kProbability(stage.fix * g);
  return {base, kProbability(1 - stage.break_ * (1 - g)) - base};
}

// g = curve(c) on the grid: monotone also across the knots.
inline double curve_value(const double* curve, double c) {
  constexpr int kLast = catalog::kCurveKnots - 1;
  const double x = std::clamp(c, 0.0, 1.0) * kLast;
  const int k = std::min(static_cast<int>(x), kLast - 1);
  return kProbability(std::min(curve[k + 1], curve[k] + (x - k) * (curve[k + 1] - curve[k])));
}

}  // namespace turnout::assign
