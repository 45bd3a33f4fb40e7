// Over slots: bounds first, then options of the candidates that can be part of a best plan.
#include "assign/answer.hpp"

namespace turnout::assign {
namespace {

using Impl = Workspace::Impl;

bool stages_can_be_run(const Impl& w) {
  for (int t = 0; t < w.stages; ++t)
    if (!w.shapes[t].fills && !w.shapes[t].may_skip) return false;
  return true;
}

constexpr int kCoarse = 2, kFine = 4;  // of envelopes, while the multiplier is sought and then

class BySlots {
 public:
  BySlots(const Problem& problem, Workspace& ws, Solution& out)
      : problem_(problem), ws_(ws), w_(ws.impl()), out_(out) {}

  void run() {
    set_shapes(w_);
    if (!stages_can_be_run(w_)) return;
    set_limits(w_, false);
    w_.depth = w_.terms.budgeted ? kCoarse : kFine;
    double bound = sketch(w_, 0, 0, free_);
    const double reached = free_.utility;
    const bool breaks = w_.terms.budgeted && free_.use[0] > problem_.budget.value;
    if (breaks) {
      limited(bound);
      if (out_.status == Status::infeasible || out_.utility + out_.gap < reached)
        return;  // so the best plan breaks them too
      set_limits(w_, false);
      allow_all(w_);
    }
    if (w_.terms.budgeted) {
      w_.depth = kFine;
      bound = std::min(bound, sketch(w_, 0, 0, free_));
    }
    const Solution kept = out_;
    finish(bound, Status::unlimited_best);
    if (within(problem_, out_)) return;
    free_ = mark_of(w_, out_);
    if (breaks)
      out_ = kept;
    else
      limited(bound);
  }

 private:
  // Options of what is alive, at the multiplier of the last sketch.
  void finish(double bound, Status proved) {
    const double m = w_.multiplier[0];
    write(w_, w_.draft, out_);
    evaluate(problem_, w_.terms, out_);
    out_.gap = out_.labels = 0;
    out_.status = proved;
    if (draft_is_alone(w_)) return;
    keep_alive(w_);
    build_options(w_);
    Mark path;
    relax(w_, m, 0, path);
    prove(w_, bound, proved, out_);
    if (proved == Status::unlimited_best && out_.status == proved) out_.labels = 0;
  }

  void limited(double bound) {
    set_limits(w_, true);
    allow_all(w_);
    const Draft least = least_use(w_);
    if (least.use > w_.limit[0]) return least_violation(problem_, ws_, out_);
    offer(w_, least);
    free_.utility = bound;
    w_.depth = kCoarse;
    const Tightened found = tighten(w_, sketch, free_, {least.utility, {least.use, 0}});
    improve_draft(w_);
    w_.depth = kFine;
    bound = std::min(found.bound, sketch(w_, found.multiplier[0], 0, free_));
    finish(bound, Status::exact);
  }

  const Problem& problem_;
  Workspace& ws_;
  Impl& w_;
  Solution& out_;
  Mark free_;
};

}  // namespace

void solve_by_slots(const Problem& problem, Workspace& ws, Solution& out) { BySlots(problem, ws, out).run(); }

}  // namespace turnout::assign
