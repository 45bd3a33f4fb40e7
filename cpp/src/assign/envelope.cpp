// With multipliers on the limits the stages couple only through p, and what later stages can add is a convex,
// piecewise linear function of p. It is built backwards, stage by stage, from the points where its lines cross.
#include "assign/internal.hpp"

namespace turnout::assign {
namespace {

using Impl = Workspace::Impl;

constexpr int kDepth = 3;  // of the refinement between the two ends of p

struct Line {
  double a, b, x, y;  // tight at x: y = a + b x
  double at(double p) const { return a + b * p; }
};

int argmax(const double* values, int n) {
  int best = 0;
  for (int i = 1; i < n; ++i)
    if (values[i] > values[best]) best = i;
  return best;
}

int attainable_argmax(const Options& o, const double* values) {
  int best = -1;
  for (int i = 0; i < o.count; ++i)
    if (!o.relaxed[i] && (best < 0 || values[i] > values[best])) best = i;
  return best;
}

// The line of an option, followed by that line of the next envelope that is highest where the option leads.
Line best_line(Impl& w, int t, double p) {
  const Options& o = w.options[t];
  const Envelope& next = w.envelope[t + 1];
  option_values(w, t, p);
  const int i = argmax(w.values.data(), o.count);
  const double x = o.reach(i, p);
  int j = 0;
  for (int k = 1; k < next.count; ++k)
    if (next.a[k] + next.b[k] * x > next.a[j] + next.b[j] * x) j = k;
  return {next.a[j] + next.b[j] * o.base[i] - o.cost[i], next.b[j] * o.slope[i], p, w.values[i]};
}

// Between two tight points: either their lines meet on the envelope, or a steeper-than-left line lies above.
void refine(Impl& w, int t, const Line& left, const Line& right, int depth) {
  if (!(right.b > left.b)) return;
  const double x = (left.a - right.a) / (right.b - left.b);
  if (!(x > left.x && x < right.x)) return;
  if (depth == 0) {
    const double b = (right.y - left.y) / (right.x - left.x);
    w.envelope[t].add(left.y - b * left.x, b);
    return;
  }
  const Line middle = best_line(w, t, x);
  if (middle.y <= left.at(x) + w.slack / 64) return;
  w.envelope[t].add(middle.a, middle.b);
  refine(w, t, left, middle, depth - 1);
  refine(w, t, middle, right, depth - 1);
}

void build_envelope(Impl& w, int t) {
  Envelope& e = w.envelope[t];
  e.count = 0;
  const Line left = best_line(w, t, w.reach_lo[t]);
  e.add(left.a, left.b);
  if (w.reach_hi[t] <= w.reach_lo[t]) return;
  const Line right = best_line(w, t, w.reach_hi[t]);
  if (right.y <= left.at(right.x)) return;
  e.add(right.a, right.b);
  refine(w, t, left, right, kDepth);
}

void set_costs(Impl& w, double m0, double m1) {
  w.multiplier[0] = m0, w.multiplier[1] = m1;
  w.slack = 0x1p-37 * w.terms.money.magic + 0x1p-36 * (m0 * w.limit[0] + m1 * w.limit[1]);
  for (int t = 0; t < w.stages; ++t) {
    Options& o = w.options[t];
    for (int i = 0; i < o.count; ++i) o.cost[i] = o.net[i] + m0 * o.use[0][i] + m1 * o.use[1][i];
  }
}

}  // namespace

// Every option's cost and the most that can follow it, from p.
void option_values(Impl& w, int t, double p) {
  const Options& o = w.options[t];
  const Envelope& next = w.envelope[t + 1];
  double *values = w.values.data(), *reached = w.reached.data();
  for (int i = 0; i < o.count; ++i) {
    reached[i] = o.base[i] + o.slope[i] * p;
    values[i] = next.a[0] + next.b[0] * reached[i];
  }
  for (int j = 1; j < next.count; ++j) {
    const double a = next.a[j], b = next.b[j];
    for (int i = 0; i < o.count; ++i) {
      const double v = a + b * reached[i];
      values[i] = v > values[i] ? v : values[i];
    }
  }
  for (int i = 0; i < o.count; ++i) values[i] -= o.cost[i];
}

double relax(Impl& w, double m0, double m1, Plan& path) {
  set_costs(w, m0, m1);
  w.envelope[w.stages].count = 0;
  w.envelope[w.stages].add(0, w.terms.value_usd);
  for (int t = w.stages - 1; t > 0; --t) build_envelope(w, t);
  double p = 0, bound = 0;
  for (int t = 0; t < w.stages; ++t) {
    option_values(w, t, p);
    if (t == 0) bound = w.values[argmax(w.values.data(), w.options[t].count)];
    const int i = attainable_argmax(w.options[t], w.values.data());
    path.choice[t] = static_cast<std::uint16_t>(i);
    p = w.options[t].reach(i, p);
  }
  total(w, path);
  return bound + m0 * w.limit[0] + m1 * w.limit[1];
}

}  // namespace turnout::assign
