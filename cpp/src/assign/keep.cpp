// Which candidates can be part of a best plan: those that reach what is known in some prefix, stage and rest.
#include "assign/sketch.hpp"

namespace turnout::assign {
namespace {

using Impl = Workspace::Impl;

constexpr int kPrefixDepth = 1;

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

void set_prefixes(Impl& w) {
  w.prefix[0].count = 0;
  w.prefix[0].add(0, 0);
  for (int t = 0; t + 1 < w.stages; ++t)
    outline_through(w.prefix[t + 1], 0, w.shapes[t + 1].worth, w.terms.value_usd, kPrefixDepth,
                    [&w, t](double slope) { return line_before(w, t, slope); });
}

// Marks what reaches `least` in some prefix, stage and rest.
class Keeper {
 public:
  Keeper(Impl& w, int t, double least)
      : w_(w), t_(t), stage_(w.problem.stages[t]), slots_(w.slots + stage_.first_slot), least_(least) {}

  void run() {
    for (int s = 0; s < stage_.slots; ++s)
      std::fill(slots_[s].alive, slots_[s].alive + slots_[s].count, std::uint8_t{0});
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
    const Tangent& tangent = tangent_at(w_.shapes[t_], worth);
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
  const Tangent& tangent = tangent_at(w.shapes[t], worth);
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
    const double so_far = base + after.a[j], worth = after.b[j] * leverage(stage, p),
                 rest = so_far + after.b[j] * (1 - stage.break_) * p;
    if (shape.may_skip && !skipped && so_far + after.b[j] * p >= least) return false;
    if (shape.fills && rest + peak(shape, worth) >= least && !alone_with(w, t, rest, worth, least)) return false;
  }
  return true;
}

}  // namespace

// Whether nothing beside the draft comes as near to the bound, at any of its stages: then it is the best, without a
// tie.
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
