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
void refine(Envelope& e, const Line& left, const Line& right, int depth, double tolerance, const LineAt& line_at) {
  if (!(right.b > left.b)) return;
  const double x = (left.a - right.a) / (right.b - left.b);
  if (!(x > left.x && x < right.x)) return;
  const double rise = (right.y - left.y) / (right.x - left.x), chord = left.y + rise * (x - left.x);
  if (depth == 0 || chord - left.at(x) <= tolerance) return e.add(left.y - rise * left.x, rise);
  const Line middle = line_at(x);
  if (middle.y <= left.at(x)) return;
  e.add(middle.a, middle.b);
  refine(e, left, middle, depth - 1, tolerance, line_at);
  refine(e, middle, right, depth - 1, tolerance, line_at);
}

// Covers the function over [lo, hi]. At most 2^depth + 1 points are looked at; chords closer than `tolerance` will do.
template <class LineAt>
void outline(Envelope& e, double lo, double hi, int depth, double tolerance, const LineAt& line_at) {
  e.count = 0;
  const Line left = line_at(lo);
  e.add(left.a, left.b);
  if (!(hi > lo)) return;
  const Line right = line_at(hi);
  if (right.y <= left.at(hi)) return;
  e.add(right.a, right.b);
  refine(e, left, right, depth, tolerance, line_at);
}

}  // namespace turnout::assign
