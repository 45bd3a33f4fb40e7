// Convex functions as maxima of lines, drawn from the outside: a few points where they are known (or bounded) from
// above, each with a line through it. Between two points the lines or the chord cover the function.
#pragma once

#include "assign/internal.hpp"

namespace turnout::assign {

struct Line {
  double a, b, x, y;  // y = a + b x is an upper bound of the function at x
  double at(double p) const { return a + b * p; }
};

template <class LineAt>
void refine(Envelope& e, const Line& left, const Line& right, int depth, const LineAt& line_at) {
  if (!(right.b > left.b)) return;
  const double x = (left.a - right.a) / (right.b - left.b);
  if (!(x > left.x && x < right.x)) return;
  const double rise = (right.y - left.y) / (right.x - left.x);
  if (depth == 0) return e.add(left.y - rise * left.x, rise);
  const Line middle = line_at(x);
  if (middle.y <= left.at(x)) return;
  e.add(middle.a, middle.b);
  refine(e, left, middle, depth - 1, line_at);
  refine(e, middle, right, depth - 1, line_at);
}

// Covers the function over [lo, hi]. At most 2^depth + 1 points are looked at.
template <class LineAt>
void outline(Envelope& e, double lo, double hi, int depth, const LineAt& line_at) {
  e.count = 0;
  const Line left = line_at(lo);
  e.add(left.a, left.b);
  if (!(hi > lo)) return;
  const Line right = line_at(hi);
  if (right.y <= left.at(hi)) return;
  e.add(right.a, right.b);
  refine(e, left, right, depth, line_at);
}

// The same, tight at a point of special interest too.
template <class LineAt>
void outline_through(Envelope& e, double lo, double at, double hi, int depth, const LineAt& line_at) {
  e.count = 0;
  const Line left = line_at(lo);
  e.add(left.a, left.b);
  if (!(hi > lo)) return;
  const Line right = line_at(hi);
  e.add(right.a, right.b);
  if (!(lo < at && at < hi)) return refine(e, left, right, depth, line_at);
  const Line middle = line_at(at);
  if (middle.y <= std::max(left.at(at), right.at(at))) return refine(e, left, right, depth, line_at);
  e.add(middle.a, middle.b);
  refine(e, left, middle, depth, line_at);
  refine(e, middle, right, depth, line_at);
}

}  // namespace turnout::assign
