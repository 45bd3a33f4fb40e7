// What the files of the bounds over slots share.
#pragma once

#include "assign/outline.hpp"
#include "assign/pick.hpp"

namespace turnout::assign {

// How much g counts in p after the stage.
inline double leverage(const Stage& stage, double p) { return stage.break_ * p + stage.fix * (1 - p); }

// The point of a stage's frontier that is best when g has a worth: where the next costs more than that.
inline int peak_at(const Shape& shape, double worth) {
  std::int64_t passed = 0;
  for (int k = 0; k < shape.point_count; k += kRateBlock)
    for (int i = 0; i < kRateBlock; ++i) passed += shape.rate[k + i] < worth;
  return static_cast<int>(passed);
}

// What it is worth there.
inline double peak(const Shape& shape, double worth) {
  const int k = peak_at(shape, worth);
  return worth * shape.g[k] - shape.cost[k];
}

// The tangent that bounds the stage lowest there.
inline const Tangent& tangent_at(const Shape& shape, double worth) {
  return shape.tangents[shape.tangent_count > 1 ? shape.tangent[peak_at(shape, worth)] : 0];
}

// A line through (x, y). Slopes stay >= 0, also where a tangent overshoots.
inline Line through(double x, double y, double slope) {
  const double b = std::max(0.0, slope);
  return {y - b * x, b, x, y};
}

}  // namespace turnout::assign
