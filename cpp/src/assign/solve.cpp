// The picture: the best plan without limits; if it breaks them, multipliers for a bound and a good plan, then labels.
#include <limits>
#include <string>

#include "assign/internal.hpp"

namespace turnout::assign {
namespace {

using Impl = Workspace::Impl;

constexpr double kNone = -std::numeric_limits<double>::infinity();

bool within(const Problem& p, const Solution& s) { return s.usd_bound <= p.budget && s.seconds_bound <= p.max_seconds; }

constexpr double kAll = std::numeric_limits<double>::max();

// Multipliers times limits must stay numbers, so "no limit" is the largest one; a use that nobody limits is 0.
void set_limits(Impl& w, bool apply) {
  w.limit[0] = !apply ? kAll : w.terms.budgeted ? w.problem.budget.value : 0;
  w.limit[1] = !apply ? kAll : w.terms.timed ? w.problem.max_seconds.value : 0;
  w.best.valid = w.draft.valid = false;
  w.floor = kNone;
}

void begin(Impl& w, const Problem& problem) {
  w.problem = problem;
  w.terms = terms_of(problem);
  find_candidates(w);
  allow_all(w);
}

// The plan, and what is proved of it: that nothing which was cut is better, or by how much it might be.
void conclude(const Impl& w, double bound, Status proved, Solution& out) {
  write(w, w.best, out);
  evaluate(w.problem, out);
  const double open = std::min(bound, w.dropped) + w.slack;
  out.status = open < out.utility || w.dropped == kNone ? proved : Status::label_cap;
  out.gap = out.status == proved ? 0 : std::max(0.0, open - out.utility);
}

// The best of the options, from what is known; the multipliers are as they should be.
void prove(Impl& w, double bound, Status proved, Solution& out) {
  search(w);
  out.labels = w.label_count;
  if (w.best.valid && w.dropped > w.best.utility) improve(w);
  if (w.best.valid && w.best.utility >= w.floor) return conclude(w, bound, proved, out);
  out.status = Status::label_cap;
  out.gap = std::max(0.0, std::min(bound, w.dropped) + w.slack - out.utility);
}

bool stages_can_be_run(const Impl& w) {
  for (int t = 0; t < w.stages; ++t)
    if (!w.shapes[t].fills && !w.shapes[t].may_skip) return false;
  return true;
}

Mark mark_of(const Impl& w, const Solution& s) {
  return {s.utility + s.gap, {w.terms.budgeted ? s.usd_bound.value : 0, w.terms.timed ? s.seconds_bound.value : 0}};
}

// Over slots: bounds first, then options of the candidates that can be part of a best plan.
constexpr int kCoarse = 2, kFine = 4;  // of envelopes, while the multiplier is sought and then

class BySlots {
 public:
  BySlots(const Problem& problem, Workspace& ws, Solution& out) : problem_(problem), ws_(ws), w_(ws.impl()), out_(out) {}

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
      if (out_.status == Status::infeasible || out_.utility + out_.gap < reached) return;  // so the best plan breaks them too
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
    if (breaks) out_ = kept;
    else limited(bound);
  }

 private:
  // Options of what is alive, at the multiplier of the last sketch.
  void finish(double bound, Status proved) {
    const double m = w_.multiplier[0];
    write(w_, w_.draft, out_);
    evaluate(problem_, out_);
    if (draft_is_alone(w_)) {
      out_.status = proved;
      return;
    }
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
    bound = tighten(w_, sketch, free_, {least.utility, {least.use, 0}});
    improve_draft(w_);
    w_.depth = kFine;
    bound = std::min(bound, sketch(w_, w_.multiplier[0], 0, free_));
    finish(bound, Status::exact);
  }

  const Problem& problem_;
  Workspace& ws_;
  Impl& w_;
  Solution& out_;
  Mark free_;
};

// Over options, with seconds or many distinct LLMs.
class ByOptions {
 public:
  ByOptions(const Problem& problem, Workspace& ws, Solution& out) : problem_(problem), ws_(ws), w_(ws.impl()), out_(out) {}

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
    const double bound = tighten(w_, relax, free, keeps);
    if (w_.best.valid) improve(w_);
    prove(w_, bound, Status::exact, out_);
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

void answer_nothing(const Problem& problem, Solution& out) {
  out = Solution();
  std::fill(out.llm, out.llm + kMaxNodes, std::int16_t{-1});
  std::fill(out.skipped, out.skipped + problem.stages.size(), true);
}

void check_size(const Problem& p, const Impl& w) {
  const auto most = [](const char* what, std::size_t limit, std::size_t got) {
    if (got > limit) throw Error(ErrorKind::input, what, "expected at most " + std::to_string(limit) + ", got " + std::to_string(got));
  };
  most("llms", static_cast<std::size_t>(w.max_llms), static_cast<std::size_t>(p.llms));
  most("slots", kMaxNodes, static_cast<std::size_t>(p.slots));
  most("stages", kMaxStages, p.stages.size());
}

}  // namespace

void solve(const Problem& problem, Workspace& ws, Solution& out) {
  Impl& w = ws.impl();
  check_size(problem, w);
  answer_nothing(problem, out);
  begin(w, problem);
  if (w.sketched) BySlots(problem, ws, out).run();
  else ByOptions(problem, ws, out).run();
}

}  // namespace turnout::assign
