// Over options: with a limit on seconds, a price of waiting for slots side by side, or many distinct LLMs.
#include "assign/answer.hpp"

namespace turnout::assign {
namespace {

using Impl = Workspace::Impl;

class ByOptions {
 public:
  ByOptions(const Problem& problem, Workspace& ws, Solution& out)
      : problem_(problem), ws_(ws), w_(ws.impl()), out_(out) {}

  void run() {
    if (!build_options(w_)) return;
    set_limits(w_, false);
    Mark free;
    prove(w_, relax(w_, 0, 0, free), Status::unlimited_best, out_);
    if (out_.status == Status::unlimited_best) out_.labels = 0;
    if (within(problem_, out_)) return;
    free = mark_of(w_, out_);
    set_limits(w_, true);
    if (!each_limit_can_be_met()) return least_violation(problem_, ws_, out_);
    const Plan start = quick_start();
    if (!start.valid) return narrow(free);
    offer(w_, start);
    limited(free, {start.utility, {start.use[0], start.use[1]}});
  }

 private:
  // `keeps` meets the limits; if it is not an offered plan, `out` has it, and stays if no better is found.
  void limited(const Mark& free, const Mark& keeps) {
    const Tightened found = tighten(w_, relax, free, keeps);
    const double *m = found.multiplier, *now = w_.multiplier;
    Mark path;
    if (now[0] != m[0] || now[1] != m[1]) relax(w_, m[0], m[1], path);
    if (w_.best.valid) improve(w_);
    prove(w_, found.bound, Status::exact, out_);
  }

  bool each_limit_can_be_met() const { return w_.rest[0][0] <= w_.limit[0] && w_.rest[0][1] <= w_.limit[1]; }

  // Two limits that no weighing met: the least seconds within the budget decide.
  void narrow(const Mark& free) {
    out_ = fastest_within_budget(problem_, ws_);
    if (!within(problem_, out_)) return least_violation(problem_, ws_, out_);
    begin(w_, problem_);
    build_options(w_);
    set_limits(w_, true);
    w_.floor = out_.utility;
    limited(free, mark_of(w_, out_));
  }

  // A plan that meets the limits, by weighing one against the other; or one that is not valid.
  Plan quick_start() const {
    constexpr int kWeights = 8;
    for (int i = 0; i <= kWeights; ++i) {
      const Plan plan = least_use(1 - static_cast<double>(i) / kWeights);
      if (feasible(w_, plan)) return plan;
    }
    return {};
  }

  Plan least_use(double weight) const {
    const double scale[2] = {weight / std::max(w_.limit[0], 1e-300), (1 - weight) / std::max(w_.limit[1], 1e-300)};
    Plan plan{};
    for (int t = 0; t < w_.stages; ++t) {
      const Options& o = w_.options[t];
      const auto use = [&](int i) { return scale[0] * o.use[0][i] + scale[1] * o.use[1][i]; };
      int best = -1;
      for (int i = 0; i < o.count; ++i)
        if (!o.relaxed[i] && (best < 0 || use(i) < use(best))) best = i;
      plan.choice[t] = static_cast<std::uint16_t>(best);
    }
    total(w_, plan);
    return plan;
  }

  const Problem& problem_;
  Workspace& ws_;
  Impl& w_;
  Solution& out_;
};

}  // namespace

void solve_by_options(const Problem& problem, Workspace& ws, Solution& out) { ByOptions(problem, ws, out).run(); }

}  // namespace turnout::assign
