// Bounds over slots instead of options, where a stage's cost is the sum of its slots': with a multiplier on the budget
// each slot decides alone. What lies below the curve is lifted to lines over it, so the bounds hold for any curve.
#include "assign/outline.hpp"
#include "assign/pick.hpp"

namespace turnout::assign {
namespace {

using Impl = Workspace::Impl;

constexpr int kPrefixDepth = 1;

double leverage(const Stage& stage, double p) { return stage.break_ * p + stage.fix * (1 - p); }

void set_costs(Impl& w, double net, double m) {
  w.multiplier[0] = m, w.multiplier[1] = 0;
  w.slack = 0x1p-37 * w.terms.money.magic + 0x1p-36 * m * w.limit[0];
  for (int s = 0; s < w.problem.slots; ++s) {
    const Slot& slot = w.slots[s];
    const int n = (slot.count + 3) / 4 * 4;
    for (int k = 0; k < n; ++k) slot.cost[k] = net * slot.net[k] + m * slot.use[k];
  }
}

// A stage's best when g has a worth: the value alone, or which point of its frontier.
double peak(const Shape& shape, double worth) { return most(shape.g, shape.cost, shape.point_count, worth); }

int peak_at(const Shape& shape, double worth) {
  int best = 0;
  for (int k = 1; k < shape.point_count; ++k)
    if (worth * shape.g[k] - shape.cost[k] > worth * shape.g[best] - shape.cost[best]) best = k;
  return best;
}

// The tangent that bounds the stage lowest.
const Tangent& tightest(const Impl& w, int t, double worth) {
  const Stage& stage = w.problem.stages[t];
  const Shape& shape = w.shapes[t];
  int best = 0;
  double least = 0;
  for (int i = 0; i < shape.tangent_count && shape.tangent_count > 1; ++i) {
    const Tangent& tangent = shape.tangents[i];
    const double v = worth * tangent.base + best_values(w.slots + stage.first_slot, stage, worth * tangent.slope);
    if (i == 0 || v < least) best = i, least = v;
  }
  return shape.tangents[best];
}

// The best that can follow from p: which line of the next envelope, and whether the stage is run.
struct Next {
  double value;
  int line;
  bool run;
};

Next best_next(const Impl& w, int t, double p) {
  const Stage& stage = w.problem.stages[t];
  const Shape& shape = w.shapes[t];
  const Envelope& e = w.envelope[t + 1];
  const double kept = (1 - stage.break_) * p, lever = leverage(stage, p);
  Next best{-1e300, -1, false};
  for (int j = 0; j < e.count; ++j) {
    if (shape.may_skip && e.a[j] + e.b[j] * p > best.value) best = {e.a[j] + e.b[j] * p, j, false};
    if (!shape.fills) continue;
    const double v = e.a[j] + e.b[j] * kept + peak(shape, e.b[j] * lever);
    if (v > best.value) best = {v, j, true};
  }
  return best;
}

// Slopes stay >= 0, also where a tangent overshoots; the line goes through (x, y).
Line through(double x, double y, double slope) {
  const double b = std::max(0.0, slope);
  return {y - b * x, b, x, y};
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

// The mirror image: the most that stages before t + 1 can add when p is worth `slope` after them.
Line line_before(const Impl& w, int t, double slope) {
  const Stage& stage = w.problem.stages[t];
  const Shape& shape = w.shapes[t];
  const Envelope& e = w.prefix[t];
  Line best{0, 0, slope, -1e300};
  for (int i = 0; i < e.count; ++i) {
    const double p = std::min(1.0, e.b[i]), lever = leverage(stage, p);
    if (shape.may_skip && e.a[i] + slope * p > best.y) best = through(slope, e.a[i] + slope * p, p);
    if (!shape.fills) continue;
    const double v = e.a[i] + slope * (1 - stage.break_) * p + peak(shape, slope * lever);
    if (v > best.y) best = through(slope, v, (1 - stage.break_) * p + lever * shape.g[peak_at(shape, slope * lever)]);
  }
  return best;
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
    best_candidates(w.slots + stage.first_slot, stage, worth * tightest(w, t, worth).slope, at);
    double gain = 0;
    for (int s = 0; s < stage.slots; ++s) gain += w.slots[stage.first_slot + s].gain[at[s]];
    p = effect_of(stage, curve_value(stage.curve, gain))(p);
  }
  total(w, d);
  set_worths(w, d);
}

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
    while (n > 1 && (curve[k] - curve[hull[n - 2]]) * (hull[n - 1] - hull[n - 2]) >= (curve[hull[n - 1]] - curve[hull[n - 2]]) * (k - hull[n - 2])) --n;
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
  const double low = effect_of(stage, curve_value(stage.curve, lo))(shape.lo), high = effect_of(stage, curve_value(stage.curve, hi))(shape.hi);
  if (t + 1 == w.stages) return;
  Shape& next = w.shapes[t + 1];
  next.lo = shape.may_skip || !shape.fills ? std::min(low, shape.lo) : low;
  next.hi = shape.may_skip || !shape.fills ? std::max(high, shape.hi) : high;
}

void set_prefixes(Impl& w) {
  w.prefix[0].count = 0;
  w.prefix[0].add(0, 0);
  for (int t = 0; t + 1 < w.stages; ++t)
    outline_through(w.prefix[t + 1], 0, w.shapes[t + 1].worth, w.terms.value_usd, kPrefixDepth, [&w, t](double slope) { return line_before(w, t, slope); });
}

// Marks what reaches `least` in some prefix, stage and rest.
class Keeper {
 public:
  Keeper(Impl& w, int t, double least) : w_(w), t_(t), stage_(w.problem.stages[t]), slots_(w.slots + stage_.first_slot), least_(least) {}

  void run() {
    for (int s = 0; s < stage_.slots; ++s) std::fill(slots_[s].alive, slots_[s].alive + slots_[s].count, std::uint8_t{0});
    skips_ = false;
    const Envelope &before = w_.prefix[t_], &after = w_.envelope[t_ + 1];
    for (int i = 0; i < before.count; ++i)
      for (int j = 0; j < after.count; ++j) look(before.a[i] + after.a[j], std::min(1.0, before.b[i]), after.b[j]);
    w_.shapes[t_].may_skip = skips_;
  }

 private:
  void look(double base, double p, double beta) {
    skips_ = skips_ || (w_.shapes[t_].may_skip && base + beta * p >= least_);
    if (!w_.shapes[t_].fills) return;
    const double worth = beta * leverage(stage_, p), rest = base + beta * (1 - stage_.break_) * p;
    if (rest + peak(w_.shapes[t_], worth) < least_) return;
    const Tangent& tangent = tightest(w_, t_, worth);
    mark(rest + worth * tangent.base, worth * tangent.slope);
  }

  void mark(double rest, double slope) {
    const BestWith best(slots_, stage_, slope);
    for (int s = 0; s < stage_.slots; ++s) {
      if (s > 0 && slots_[s].points == slots_[s - 1].points) continue;
      for (int k = 0; k < slots_[s].count; ++k)
        if (!slots_[s].alive[k] && rest + best.value(s, k) >= least_) slots_[s].alive[k] = 1;
    }
  }

  Impl& w_;
  int t_;
  const Stage& stage_;
  Slot* slots_;
  double least_;
  bool skips_ = false;
};

// Whether every candidate but the draft's stays below `least` with this one line of what follows.
bool alone_with(const Impl& w, int t, double rest, double worth, double least) {
  const Stage& stage = w.problem.stages[t];
  const Slot* slots = w.slots + stage.first_slot;
  const std::int16_t* at = w.draft.at + stage.first_slot;
  if (at[0] < 0) return false;
  const Tangent& tangent = tightest(w, t, worth);
  const BestWith best(slots, stage, worth * tangent.slope);
  rest += worth * tangent.base;
  for (int s = 0; s < stage.slots; ++s)
    for (int k = 0; k < slots[s].count; ++k)
      if (k != at[s] && rest + best.value(s, k) >= least) return false;
  return true;
}

bool alone_at(const Impl& w, int t, double base, double p, double least) {
  const Stage& stage = w.problem.stages[t];
  const Shape& shape = w.shapes[t];
  const Envelope& after = w.envelope[t + 1];
  const bool skipped = w.draft.at[stage.first_slot] < 0;
  for (int j = 0; j < after.count; ++j) {
    const double so_far = base + after.a[j], worth = after.b[j] * leverage(stage, p), rest = so_far + after.b[j] * (1 - stage.break_) * p;
    if (shape.may_skip && !skipped && so_far + after.b[j] * p >= least) return false;
    if (shape.fills && rest + peak(shape, worth) >= least && !alone_with(w, t, rest, worth, least)) return false;
  }
  return true;
}

}  // namespace

bool can_sketch(const Impl& w) {
  if (w.terms.timed) return false;
  for (const Stage& stage : w.problem.stages)
    if ((stage.distinct && stage.slots > kMaxDistinct) || (stage.parallel && w.terms.usd_per_second > 0)) return false;
  return true;
}

void set_shapes(Impl& w) {
  w.shapes[0].lo = w.shapes[0].hi = 0;
  for (int t = 0; t < w.stages; ++t) set_shape(w, t);
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

// Whether nothing beside the draft comes as near to the bound, at any of its stages: then it is the best, without a tie.
bool draft_is_alone(const Impl& w) {
  const double least = w.floor - w.slack - w.multiplier[0] * w.limit[0];
  double base = 0, p = 0;
  for (int t = 0; t < w.stages; ++t) {
    const Stage& stage = w.problem.stages[t];
    if (!alone_at(w, t, base, p, least)) return false;
    if (w.draft.at[stage.first_slot] < 0) continue;
    double gain = 0;
    for (int s = stage.first_slot; s < stage.first_slot + stage.slots; ++s)
      gain += w.slots[s].gain[w.draft.at[s]], base -= w.slots[s].cost[w.draft.at[s]];
    p = effect_of(stage, curve_value(stage.curve, gain))(p);
  }
  return true;
}

void keep_alive(Impl& w) {
  set_prefixes(w);
  const double least = w.floor - w.slack - w.multiplier[0] * w.limit[0];
  for (int t = 0; t < w.stages; ++t) Keeper(w, t, least).run();
}

}  // namespace turnout::assign
