// With multipliers on the limits the stages couple only through p, and what later stages can add is a convex,
// piecewise linear function of p. It is built backwards, stage by stage, from the points where its lines cross.
#include "assign/outline.hpp"

namespace turnout::assign {
namespace {

using Impl = Workspace::Impl;

constexpr int kDepth = 3;  // of the refinement between the two ends of p

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

double relax(Impl& w, double m0, double m1, Mark& mark) {
  set_costs(w, m0, m1);
  Plan path;
  w.envelope[w.stages].count = 0;
  w.envelope[w.stages].add(0, w.terms.value_usd);
  for (int t = w.stages - 1; t > 0; --t)
    outline(w.envelope[t], w.reach_lo[t], w.reach_hi[t], kDepth, [&w, t](double p) { return best_line(w, t, p); });
  double p = 0, bound = 0;
  for (int t = 0; t < w.stages; ++t) {
    option_values(w, t, p);
    if (t == 0) bound = w.values[argmax(w.values.data(), w.options[t].count)];
    const int i = attainable_argmax(w.options[t], w.values.data());
    path.choice[t] = static_cast<std::uint16_t>(i);
    p = w.options[t].reach(i, p);
  }
  total(w, path);
  offer(w, path);
  mark = {path.utility, {path.use[0], path.use[1]}};
  return bound + m0 * w.limit[0] + m1 * w.limit[1];
}

}  // namespace turnout::assign
