// The picture: the best plan without limits; if it breaks them, multipliers for a bound and a good plan, then labels.
#include <limits>

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
  w.best.valid = false;
  w.floor = kNone;
}

bool begin(Impl& w, const Problem& problem) {
  w.problem = problem;
  w.terms = terms_of(problem);
  return build_options(w);
}

// The plan, and what is proved of it: that nothing which was cut is better, or by how much it might be.
void conclude(const Impl& w, double bound, Status proved, Solution& out) {
  write(w, w.best, out);
  evaluate(w.problem, out);
  const double open = std::min(bound, w.dropped) + w.slack;
  out.status = open < out.utility || w.dropped == kNone ? proved : Status::label_cap;
  out.gap = out.status == proved ? 0 : std::max(0.0, open - out.utility);
}

void solve_unlimited(Impl& w, Solution& out) {
  Plan path;
  set_limits(w, false);
  const double bound = relax(w, 0, 0, path);
  offer(w, path);
  search(w);
  conclude(w, bound, Status::unlimited_best, out);
  out.labels = out.status == Status::unlimited_best ? 0 : w.label_count;
}

// The plan without limits, as the walk over multipliers needs it: what it is worth and by how much it breaks them.
Plan as_line(const Impl& w, const Solution& s) {
  Plan plan{};
  plan.utility = s.utility + s.gap;
  plan.use[0] = w.terms.budgeted ? s.usd_bound.value : 0;
  plan.use[1] = w.terms.timed ? s.seconds_bound.value : 0;
  return plan;
}

// `start` meets the limits, or is not valid and `out` has such a plan, with which it stays if no better is found.
void solve_limited(Impl& w, const Plan& unlimited, const Plan& start, Solution& out) {
  const double bound = tighten(w, unlimited, start);
  if (w.best.valid) improve(w);
  search(w);
  out.labels = w.label_count;
  if (w.best.valid && w.dropped > w.best.utility) improve(w);
  if (w.best.valid && w.best.utility >= w.floor) return conclude(w, bound, Status::exact, out);
  out.status = Status::label_cap;
  out.gap = std::max(0.0, std::min(bound, w.dropped) + w.slack - out.utility);
}

// Least use of the limits, one weighted against the other.
Plan least_use(const Impl& w, double weight) {
  const double scale[2] = {weight / std::max(w.limit[0], 1e-300), (1 - weight) / std::max(w.limit[1], 1e-300)};
  Plan plan{};
  for (int t = 0; t < w.stages; ++t) {
    const Options& o = w.options[t];
    const auto use = [&](int i) { return scale[0] * o.use[0][i] + scale[1] * o.use[1][i]; };
    int best = -1;
    for (int i = 0; i < o.count; ++i)
      if (!o.relaxed[i] && (best < 0 || use(i) < use(best))) best = i;
    plan.choice[t] = static_cast<std::uint16_t>(best);
  }
  total(w, plan);
  return plan;
}

// A plan that meets the limits, or one that is not valid.
Plan quick_start(const Impl& w) {
  constexpr int kWeights = 8;
  for (int i = 0; i <= kWeights; ++i) {
    const Plan plan = least_use(w, 1 - static_cast<double>(i) / kWeights);
    if (feasible(w, plan)) return plan;
  }
  return {};
}

bool each_limit_can_be_met(const Impl& w) { return w.rest[0][0] <= w.limit[0] && w.rest[0][1] <= w.limit[1]; }

// Two limits that no weighing met: the least seconds within the budget decide.
void solve_narrow(const Problem& problem, Workspace& ws, const Plan& unlimited, Solution& out) {
  out = fastest_within_budget(problem, ws);
  if (!within(problem, out)) return least_violation(problem, ws, out);
  Impl& w = ws.impl();
  begin(w, problem);
  set_limits(w, true);
  w.floor = out.utility;
  solve_limited(w, unlimited, Plan{}, out);
}

void answer_nothing(const Problem& problem, Solution& out) {
  out = Solution();
  std::fill(out.llm, out.llm + kMaxNodes, std::int16_t{-1});
  std::fill(out.skipped, out.skipped + problem.stages.size(), true);
}

}  // namespace

void solve(const Problem& problem, Workspace& ws, Solution& out) {
  Impl& w = ws.impl();
  answer_nothing(problem, out);
  if (!begin(w, problem)) return;
  solve_unlimited(w, out);
  if (within(problem, out)) return;
  const Plan unlimited = as_line(w, out);
  set_limits(w, true);
  if (!each_limit_can_be_met(w)) return least_violation(problem, ws, out);
  const Plan start = quick_start(w);
  if (!start.valid) return solve_narrow(problem, ws, unlimited, out);
  solve_limited(w, unlimited, start, out);
}

}  // namespace turnout::assign
