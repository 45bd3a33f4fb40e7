// Lines over the curves, and the range of p: what the bounds over slots need of each stage whatever the multiplier.
#include "assign/sketch.hpp"

namespace turnout::assign {
namespace {

using Impl = Workspace::Impl;

bool is_identity(const double* curve) {
  for (int k = 0; k < catalog::kCurveKnots; ++k)
    if (curve[k] != static_cast<double>(k) / (catalog::kCurveKnots - 1)) return false;
  return true;
}

// The upper hull of the knots from `first` to `last`; of its edges at most kMaxTangents, evenly.
void set_tangents(const double* curve, int first, int last, Shape& shape) {
  constexpr double kStep = 1.0 / (catalog::kCurveKnots - 1);
  int hull[catalog::kCurveKnots], n = 0;
  for (int k = first; k <= last; ++k) {
    while (n > 1 && (curve[k] - curve[hull[n - 2]]) * (hull[n - 1] - hull[n - 2]) >=
                        (curve[hull[n - 1]] - curve[hull[n - 2]]) * (k - hull[n - 2]))
      --n;
    hull[n++] = k;
  }
  const int edges = n - 1, wanted = std::min(edges, kMaxTangents);
  for (int i = 0; i < wanted; ++i) {
    const int a = hull[(2 * i + 1) * edges / (2 * wanted)], b = hull[(2 * i + 1) * edges / (2 * wanted) + 1];
    const double slope = (curve[b] - curve[a]) / ((b - a) * kStep);
    shape.tangents[i] = {curve[a] - slope * a * kStep, slope};
  }
  shape.tangent_count = wanted;
}

void set_shape(Impl& w, int t) {
  constexpr int kLast = catalog::kCurveKnots - 1;
  const Stage& stage = w.problem.stages[t];
  Shape& shape = w.shapes[t];
  shape.may_skip = stage.optional;
  double lo = 0, hi = 0;
  std::int16_t some[kMaxNodes];
  shape.fills = best_candidates(w.slots + stage.first_slot, stage, 0, some);
  for (int s = stage.first_slot; s < stage.first_slot + stage.slots; ++s) {
    const Slot& slot = w.slots[s];
    if (slot.count > 0) lo += slot.gain[slot.count - 1], hi += slot.gain[0];
  }
  shape.tangents[0] = {0, 1};
  shape.tangent_count = 1;
  if (!is_identity(stage.curve)) {
    const int first = std::min(static_cast<int>(lo * kLast), kLast - 1);
    set_tangents(stage.curve, first, std::max(first + 1, std::min(kLast, static_cast<int>(hi * kLast) + 1)), shape);
  }
  const double low = effect_of(stage, curve_value(stage.curve, lo))(shape.lo),
               high = effect_of(stage, curve_value(stage.curve, hi))(shape.hi);
  if (t + 1 == w.stages) return;
  Shape& next = w.shapes[t + 1];
  next.lo = shape.may_skip || !shape.fills ? std::min(low, shape.lo) : low;
  next.hi = shape.may_skip || !shape.fills ? std::max(high, shape.hi) : high;
}

}  // namespace

void set_shapes(Impl& w) {
  w.shapes[0].lo = w.shapes[0].hi = 0;
  for (int t = 0; t < w.stages; ++t) set_shape(w, t);
}

}  // namespace turnout::assign
