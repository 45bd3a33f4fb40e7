// What the files of the bounds over slots share.
#pragma once

#include "assign/outline.hpp"
#include "assign/pick.hpp"

namespace turnout::assign {

// How much g counts in p after the stage.
inline double leverage(const Stage& stage, double p) { return stage.break_ * p + stage.fix * (1 - p); }

// A stage's best when g has a worth.
inline double peak(const Shape& shape, double worth) { return most(shape.g, shape.cost, shape.point_count, worth); }

// Which point of its frontier that is.
int peak_at(const Shape& shape, double worth);

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
