// Bounds over slots instead of options, where a stage's cost is the sum of its slots': with a multiplier on the budget
// each slot decides alone. What lies below the curve is lifted to lines over it, so the bounds hold for any curve.
#include "assign/sketch.hpp"

namespace turnout::assign {
namespace {

using Impl = Workspace::Impl;

void set_costs(Impl& w, double net_weight, double multiplier) {
  w.multiplier[0] = multiplier, w.multiplier[1] = 0;
  w.slack = 0x1p-37 * w.terms.money.magic + 0x1p-36 * multiplier * w.limit[0];
  for (int s = 0; s < w.problem.slots; ++s) {
    const Slot& slot = w.slots[s];
    if (s > 0 && slot.points == w.slots[s - 1].points) continue;
    const int n = (slot.count + 3) / 4 * 4;
    for (int k = 0; k < n; ++k) slot.cost[k] = net_weight * slot.net[k] + multiplier * slot.use[k];
  }
}

// The best that can follow from p: which line of the next envelope, and whether the stage is run.
struct Next {
  double value;
  int line;
  bool run;
};

void take(Next& best, double value, int line) {  // without a branch
  best.line = value > best.value ? line : best.line;
  best.value = value > best.value ? value : best.value;
}

Next best_next(const Impl& w, int t, double p) {
  const Stage& stage = w.problem.stages[t];
  const Shape& shape = w.shapes[t];
  const Envelope& e = w.envelope[t + 1];
  const double kept = (1 - stage.break_) * p, lever = leverage(stage, p);
  Next skip{-1e300, -1, false}, run{-1e300, -1, true};
  for (int j = 0; j < e.count && shape.may_skip; ++j) take(skip, e.a[j] + e.b[j] * p, j);
  for (int j = 0; j < e.count && shape.fills; ++j) take(run, e.a[j] + e.b[j] * kept + peak(shape, e.b[j] * lever), j);
  return run.value > skip.value ? run : skip;
}

Line line_after(const Impl& w, int t, double p) {
  const Stage& stage = w.problem.stages[t];
  const Next next = best_next(w, t, p);
  const double beta = w.envelope[t + 1].b[next.line];
  if (!next.run) return through(p, next.value, beta);
  const Shape& shape = w.shapes[t];
  const double g = shape.g[peak_at(shape, beta * leverage(stage, p))];
  return through(p, next.value, beta * ((1 - stage.break_) + (stage.break_ - stage.fix) * g));
}

// What p before each stage is worth, the rest of the plan being fixed.
void set_worths(Impl& w, const Draft& d) {
  double worth = w.terms.value_usd;
  for (int t = w.stages; t-- > 0;) {
    const Stage& stage = w.problem.stages[t];
    double gain = 0;
    for (int s = stage.first_slot; s < stage.first_slot + stage.slots; ++s)
      if (d.at[s] >= 0) gain += w.slots[s].gain[d.at[s]];
    if (d.at[stage.first_slot] >= 0) worth *= effect_of(stage, curve_value(stage.curve, gain)).slope;
    w.shapes[t].worth = worth;
  }
}

void follow(Impl& w, Draft& d) {
  std::fill(d.at, d.at + w.problem.slots, std::int16_t{-1});
  double p = 0;
  for (int t = 0; t < w.stages; ++t) {
    const Stage& stage = w.problem.stages[t];
    const Next next = best_next(w, t, p);
    std::int16_t* at = d.at + stage.first_slot;
    if (!next.run) continue;
    const double worth = w.envelope[t + 1].b[next.line] * leverage(stage, p);
    best_candidates(w.slots + stage.first_slot, stage, worth * tangent_at(w.shapes[t], worth).slope, at);
    double gain = 0;
    for (int s = 0; s < stage.slots; ++s) gain += w.slots[stage.first_slot + s].gain[at[s]];
    p = effect_of(stage, curve_value(stage.curve, gain))(p);
  }
  total(w, d);
  set_worths(w, d);
}

}  // namespace

bool can_sketch(const Impl& w) {
  if (w.terms.timed) return false;
  for (const Stage& stage : w.problem.stages)
    if ((stage.distinct && stage.slots > kMaxDistinct) || (stage.parallel && w.terms.usd_per_second > 0)) return false;
  return true;
}

double sketch(Impl& w, double m, double, Mark& mark) {
  set_costs(w, 1, m);
  set_profiles(w);
  w.envelope[w.stages].count = 0;
  w.envelope[w.stages].add(0, w.terms.value_usd);
  for (int t = w.stages - 1; t > 0; --t)
    outline(w.envelope[t], w.shapes[t].lo, w.shapes[t].hi, w.depth, [&w, t](double p) { return line_after(w, t, p); });
  Draft path;
  follow(w, path);
  offer(w, path);
  mark = {path.utility, {path.use, 0}};
  return best_next(w, 0, 0).value + m * w.limit[0];
}

// The mandatory stages alone.
Draft least_use(Impl& w) {
  set_costs(w, 0, 1);
  Draft d;
  std::fill(d.at, d.at + w.problem.slots, std::int16_t{-1});
  for (const Stage& stage : w.problem.stages)
    if (!stage.optional && !best_candidates(w.slots + stage.first_slot, stage, 0, d.at + stage.first_slot)) return d;
  total(w, d);
  return d;
}

}  // namespace turnout::assign
