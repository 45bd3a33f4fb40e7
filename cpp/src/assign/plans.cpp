// Whole plans: totals, the order of the tie rule, the best so far, and cheap improvements of it.
#include "assign/internal.hpp"

namespace turnout::assign {
namespace {

using Impl = Workspace::Impl;

bool fits(const Impl& w, const double* use) { return use[0] <= w.limit[0] && use[1] <= w.limit[1]; }

int compare(const Impl& w, const Plan& a, const Plan& b) {
  int order = 0;
  for (int t = 0; t < w.stages && order == 0; ++t) order = compare_options(w, t, a.choice[t], b.choice[t]);
  return order;
}

// Quality after the last stage as a line in the quality after each stage, the plan's later choices being fixed.
void suffixes(const Impl& w, const Plan& plan, double* base, double* slope) {
  base[w.stages - 1] = 0, slope[w.stages - 1] = 1;
  for (int t = w.stages - 1; t > 0; --t) {
    const Effect e = w.options[t].effect(plan.choice[t]);
    base[t - 1] = base[t] + slope[t] * e.base;
    slope[t - 1] = slope[t] * e.slope;
  }
}

struct Move {
  double gain = 0;
  int stage = -1, option = 0;
};

// The single change of an option that gains most within the limits.
Move best_move(const Impl& w, const Plan& plan) {
  double base[kMaxStages], slope[kMaxStages], p = 0;
  suffixes(w, plan, base, slope);
  Move best{w.slack, -1, 0};
  for (int t = 0; t < w.stages; ++t) {
    const Options& o = w.options[t];
    const int now = plan.choice[t];
    const double worth = w.terms.value_usd * slope[t], reached = o.reach(now, p);
    const double room[2] = {w.limit[0] - plan.use[0] + o.use[0][now], w.limit[1] - plan.use[1] + o.use[1][now]};
    for (int i = 0; i < o.count; ++i) {
      const double gain = worth * (o.reach(i, p) - reached) - (o.net[i] - o.net[now]);
      if (gain > best.gain && o.use[0][i] <= room[0] && o.use[1][i] <= room[1] && !o.relaxed[i]) best = {gain, t, i};
    }
    p = reached;
  }
  return best;
}

}  // namespace

void total(const Impl& w, Plan& plan) {
  plan.p = plan.net = plan.usd = plan.use[0] = plan.use[1] = 0;
  plan.valid = true;
  for (int t = 0; t < w.stages; ++t) {
    const Options& o = w.options[t];
    const int i = plan.choice[t];
    plan.valid = plan.valid && !o.relaxed[i];
    plan.p = o.effect(i)(plan.p);
    plan.net += o.net[i];
    plan.usd += o.usd[i];
    for (int k = 0; k < 2; ++k) plan.use[k] += o.use[k][i];
  }
  plan.utility = w.terms.value(plan.p) - plan.net;
}

bool feasible(const Impl& w, const Plan& plan) { return plan.valid && fits(w, plan.use); }

bool better(const Impl& w, const Plan& a, const Plan& b) {
  if (a.utility != b.utility) return a.utility > b.utility;
  return a.usd != b.usd ? a.usd < b.usd : compare(w, a, b) < 0;
}

double known(const Impl& w) { return w.best.valid ? std::max(w.best.utility, w.floor) : w.floor; }

void offer(Impl& w, const Plan& plan) {
  if (feasible(w, plan) && (!w.best.valid || better(w, plan, w.best))) w.best = plan;
}

void improve(Impl& w) {
  for (int round = 0; round < 2 * kMaxStages; ++round) {
    const Move move = best_move(w, w.best);
    if (move.stage < 0) return;
    Plan next = w.best;
    next.choice[move.stage] = static_cast<std::uint16_t>(move.option);
    total(w, next);
    if (!feasible(w, next) || !better(w, next, w.best)) return;
    w.best = next;
  }
}

void write(const Impl& w, const Plan& plan, Solution& out) {
  for (int t = 0; t < w.stages; ++t) {
    const Stage& stage = w.problem.stages[t];
    std::uint32_t step = w.options[t].step[plan.choice[t]];
    out.skipped[t] = step == kSkip;
    for (int s = stage.slots; s-- > 0;) {
      out.llm[stage.first_slot + s] = step == kSkip ? std::int16_t{-1} : static_cast<std::int16_t>(w.steps[step].llm);
      if (step != kSkip) step = w.steps[step].parent;
    }
  }
}

}  // namespace turnout::assign
