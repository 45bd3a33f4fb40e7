// No plan meets the limits. Optional stages are skipped; the overspent USD are as few as can be, then the overspent
// seconds; among such plans the tie goes to utility as ever. So it is the best plan under limits that are just met.
#include "assign/internal.hpp"

namespace turnout::assign {
namespace {

const double kNothing[kMaxNodes * kMaxLlms] = {};

Problem mandatory_only(const Problem& problem, Workspace::Impl& w) {
  std::size_t n = 0;
  for (const Stage& stage : problem.stages)
    if (!stage.optional) w.kept_stages[n++] = stage;
  Problem p = problem;
  p.stages = {w.kept_stages, n};
  return p;
}

// The same choice as the least of one quantity: no value, no price but that quantity.
Problem cheapest(Problem p) {
  p.usd = p.usd_bound;
  p.value_usd = p.usd_per_second = 0;
  p.budget = Usd::unlimited();
  p.max_seconds = Seconds::unlimited();
  return p;
}

Problem fastest(Problem p) {
  p.usd = kNothing;
  p.seconds = p.seconds_bound;
  p.value_usd = 0;
  p.usd_per_second = 1;
  p.max_seconds = Seconds::unlimited();
  return p;
}

// Solves `question` and measures its answer on `p`.
Solution measured(const Problem& question, const Problem& p, Workspace& ws) {
  Solution s;
  solve(question, ws, s);
  evaluate(p, s);
  return s;
}

}  // namespace

Solution fastest_within_budget(const Problem& problem, Workspace& ws) {
  return measured(fastest(mandatory_only(problem, ws.impl())), problem, ws);
}

void least_violation(const Problem& problem, Workspace& ws, Solution& out) {
  Problem p = mandatory_only(problem, ws.impl());
  if (p.budget.limited()) p.budget = std::max(p.budget, measured(cheapest(p), p, ws).usd_bound);
  if (p.max_seconds.limited()) p.max_seconds = std::max(p.max_seconds, measured(fastest(p), p, ws).seconds_bound);
  out = measured(p, problem, ws);
  out.status = Status::infeasible;
  out.gap = 0;
}

}  // namespace turnout::assign
