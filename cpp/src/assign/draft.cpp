// Plans before there are options: a candidate for each slot.
#include "assign/internal.hpp"

namespace turnout::assign {
namespace {

using Impl = Workspace::Impl;

struct Totals {
  double gain = 0, net = 0, usd = 0, use = 0;
};

Totals of_stage(const Impl& w, const Stage& stage, const Draft& d) {
  Totals sum;
  for (int s = stage.first_slot; s < stage.first_slot + stage.slots; ++s) {
    const Point& x = w.slots[s].points[d.at[s]];
    sum.gain += x.gain, sum.net += x.net, sum.usd += x.usd, sum.use += x.use[0];
  }
  return sum;
}

bool skipped(const Stage& stage, const Draft& d) { return d.at[stage.first_slot] < 0; }

bool taken(const Impl& w, const Stage& stage, const Draft& d, int slot, int llm) {
  for (int s = stage.first_slot; s < stage.first_slot + stage.slots; ++s)
    if (s != slot && w.slots[s].points[d.at[s]].choice == llm) return true;
  return false;
}

struct Change {
  double gain = 0;
  int slot = -1, at = 0;
};

// The best single change of an LLM: what it adds to p, at what the later stages make of it.
class Improver {
 public:
  Improver(const Impl& w, const Draft& d) : w_(w), d_(d), best_{w.slack, -1, 0} {
    double worth = w.terms.value_usd, before[kMaxStages];
    Totals sums[kMaxStages];
    double p = 0;
    for (int t = 0; t < w.stages; ++t) {
      before[t] = p;
      if (skipped(stage(t), d)) continue;
      sums[t] = of_stage(w, stage(t), d);
      p = effect_of(stage(t), curve_value(stage(t).curve, sums[t].gain))(p);
    }
    for (int t = w.stages; t-- > 0;) {
      if (skipped(stage(t), d)) continue;
      try_stage(stage(t), worth, before[t], sums[t].gain);
      worth *= effect_of(stage(t), curve_value(stage(t).curve, sums[t].gain)).slope;
    }
  }
  const Change& best() const { return best_; }

 private:
  const Stage& stage(int t) const { return w_.problem.stages[t]; }

  void try_stage(const Stage& stage, double worth, double p, double gain) {
    const double now = curve_value(stage.curve, gain), rate = worth * (stage.break_ * p + stage.fix * (1 - p));
    for (int s = stage.first_slot; s < stage.first_slot + stage.slots; ++s) {
      const Slot& slot = w_.slots[s];
      const int at = d_.at[s];
      const double room = w_.limit[0] - d_.use + slot.use[at];
      for (int k = 0; k < slot.count; ++k) {
        if (slot.use[k] > room || k == at) continue;
        const double g = curve_value(stage.curve, gain - slot.gain[at] + slot.gain[k]);
        const double more = rate * (g - now) - (slot.net[k] - slot.net[at]);
        if (more > best_.gain && !(stage.distinct && taken(w_, stage, d_, s, slot.points[k].choice)))
          best_ = {more, s, k};
      }
    }
  }

  const Impl& w_;
  const Draft& d_;
  Change best_;
};

}  // namespace

void total(const Impl& w, Draft& d) {
  d.valid = true;
  d.p = d.net = d.usd = d.use = 0;
  for (const Stage& stage : w.problem.stages) {
    if (skipped(stage, d)) continue;
    const Totals sum = of_stage(w, stage, d);
    d.p = effect_of(stage, curve_value(stage.curve, sum.gain))(d.p);
    d.net += sum.net, d.usd += sum.usd, d.use += sum.use;
  }
  d.utility = w.terms.value(d.p) - d.net;
}

void offer(Impl& w, const Draft& d) {
  if (!d.valid || d.use > w.limit[0] || (w.draft.valid && d.utility <= w.draft.utility)) return;
  w.draft = d;
  w.floor = d.utility;
}

void improve_draft(Impl& w) {
  if (!w.draft.valid) return;
  for (int round = 0; round < 2 * kMaxNodes; ++round) {
    const Change change = Improver(w, w.draft).best();
    if (change.slot < 0) return;
    Draft next = w.draft;
    next.at[change.slot] = static_cast<std::int16_t>(change.at);
    total(w, next);
    if (next.utility <= w.draft.utility) return;
    offer(w, next);
  }
}

void write(const Impl& w, const Draft& d, Solution& out) {
  for (int s = 0; s < w.problem.slots; ++s)
    out.llm[s] = d.at[s] < 0 ? std::int16_t{-1} : static_cast<std::int16_t>(w.slots[s].points[d.at[s]].choice);
}

}  // namespace turnout::assign
