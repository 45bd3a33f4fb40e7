// What the two ways to an answer share: over slots where that is possible, over options always.
#pragma once

#include "assign/internal.hpp"

namespace turnout::assign {

inline bool within(const Problem& p, const Solution& s) {
  return s.usd_bound <= p.budget && s.seconds_bound <= p.max_seconds;
}

// Takes a problem in: terms, candidates.
void begin(Workspace::Impl& w, const Problem& problem);

// From now on plans meet the limits, or need not; nothing is known of any.
void set_limits(Workspace::Impl& w, bool apply);

// The best of the options, from what is known and a bound; the multipliers are as they should be.
void prove(Workspace::Impl& w, double bound, Status proved, Solution& out);

Mark mark_of(const Workspace::Impl& w, const Solution& s);

void solve_by_slots(const Problem& problem, Workspace& ws, Solution& out);
void solve_by_options(const Problem& problem, Workspace& ws, Solution& out);

}  // namespace turnout::assign
