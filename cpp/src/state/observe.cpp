#include "state/observe.hpp"

#include "state/checks.hpp"

namespace turnout::state {
namespace {

constexpr double kMaxOutcomeTokens = 1e12, kMaxOutcomeSeconds = 1e9;

void check_known(double value, double most, const char* path) {
  if (!std::isnan(value)) check_number(value, 0, most, path);
}

// The observation of this arm, added where there is none.
Observation& of_arm(Observations& out, std::int32_t arm) {
  for (int i = 0; i < out.count; ++i)
    if (out.of[i].arm == arm) return out.of[i];
  Observation& added = out.of[out.count++];
  added = {};
  added.arm = arm;
  return added;
}

void set_score(Observation& o, const Outcome& outcome, std::uint16_t prior, int parts) {
  o.scored = outcome.failure == Failure::none && !std::isnan(outcome.score);
  if (!o.scored) return;
  o.weight = fixed_weight(parts);
  o.score = fixed_share(outcome.score);
  o.prior = prior;
}

// An arm's part of what the plan cost, by what was expected of it; equal parts where nothing was.
std::int64_t share(std::int64_t usd, std::int64_t expected, std::int64_t all, int parts) {
  if (all == 0) return rounded(static_cast<double>(usd) / parts);
  return rounded(static_cast<double>(usd) * static_cast<double>(expected) / static_cast<double>(all));
}

void observe_plan(const TicketView& ticket, const Outcome& outcome, Observations& out) {
  std::int64_t all = 0;
  for (int i = 0; i < ticket.steps(); ++i) {
    const StepView step = ticket.step(i);
    all += step.usd;
    if (step.arm >= 0) of_arm(out, step.arm).usd_expected += step.usd;
  }
  for (int i = 0; i < out.count; ++i) {
    Observation& o = out.of[i];
    set_score(o, outcome, ticket.prior(), out.count);
    o.charged = !std::isnan(outcome.usd);
    if (o.charged) o.usd = share(fixed_usd(outcome.usd), o.usd_expected, all, out.count);
  }
}

}  // namespace

void check(const Outcome& o) {
  check_integer(static_cast<int>(o.failure), 0, kFailures - 1, "outcome.failure");
  check_known(o.score, 1, "outcome.score");
  if (o.failure != Failure::none && !std::isnan(o.score))
    refuse("outcome.score", std::string("expected none with a failure (") + failure_name(o.failure) + ")");
  check_known(o.usd, kMaxOutcomeUsd, "outcome.usd");
  check_known(o.in_tokens, kMaxOutcomeTokens, "outcome.in_tokens");
  check_known(o.out_tokens, kMaxOutcomeTokens, "outcome.out_tokens");
  check_known(o.seconds, kMaxOutcomeSeconds, "outcome.seconds");
}

void observe(const TicketView& ticket, int node, const Outcome& outcome, Observations& out) {
  out.count = 0;
  if (node < 0) return observe_plan(ticket, outcome, out);
  const StepView step = ticket.step(node);
  if (step.arm < 0) return;
  Observation& o = of_arm(out, step.arm);
  set_score(o, outcome, step.prior, 1);
  o.charged = !std::isnan(outcome.usd);
  if (!o.charged) return;
  o.usd = fixed_usd(outcome.usd);
  o.usd_expected = step.usd;
}

}  // namespace turnout::state
