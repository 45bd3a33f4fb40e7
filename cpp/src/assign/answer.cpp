#include "assign/answer.hpp"

#include <limits>

namespace turnout::assign {
namespace {

using Impl = Workspace::Impl;

constexpr double kNone = -std::numeric_limits<double>::infinity();
constexpr double kAll = std::numeric_limits<double>::max();

// The plan, and what is proved of it: that nothing which was cut is better, or by how much it might be.
void conclude(const Impl& w, double bound, Status proved, Solution& out) {
  write(w, w.best, out);
  evaluate(w.problem, w.terms, out);
  const double open = std::min(bound, w.dropped) + w.slack;
  out.status = open < out.utility || w.dropped == kNone ? proved : Status::label_cap;
  out.gap = out.status == proved ? 0 : std::max(0.0, open - out.utility);
}

}  // namespace

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

void prove(Impl& w, double bound, Status proved, Solution& out) {
  search(w);
  out.labels = w.label_count;
  if (w.best.valid && w.dropped > w.best.utility) improve(w);
  if (w.best.valid && w.best.utility >= w.floor) return conclude(w, bound, proved, out);
  out.status = Status::label_cap;
  out.gap = std::max(0.0, std::min(bound, w.dropped) + w.slack - out.utility);
}

Mark mark_of(const Impl& w, const Solution& s) {
  return {s.utility + s.gap, {w.terms.budgeted ? s.usd_bound.value : 0, w.terms.timed ? s.seconds_bound.value : 0}};
}

}  // namespace turnout::assign
