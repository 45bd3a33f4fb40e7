// What an outcome says of the arms of its ticket's plan.
#pragma once

#include "state/evidence.hpp"
#include "state/ticket_bytes.hpp"

namespace turnout::state {

struct Observations {
  int count = 0;
  Observation of[kMaxNodes];  // distinct arms, in the order of the steps
  std::span<const Observation> all() const { return {of, static_cast<std::size_t>(count)}; }
};

// Throws Error(input) with the path of what is wrong.
void check(const Outcome& outcome);
// `node` -1: the whole plan. A failure is no evidence on quality.
void observe(const TicketView& ticket, int node, const Outcome& outcome, Observations& out);

}  // namespace turnout::state
