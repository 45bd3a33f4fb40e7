#include "state/ticket_bytes.hpp"

#include <string>

#include "state/checks.hpp"

namespace turnout::state {
namespace {

void check_arm(std::int32_t arm, int arms, const char* list, int i) {
  if (arm < -1 || arm >= arms)
    throw Error(ErrorKind::input, element(list, i, "arm"),
                "expected -1 or one of " + std::to_string(arms) + " arms, got " + std::to_string(arm));
}

void check_candidate(const Candidate& c, int arms, int i) {
  check_arm(c.arm, arms, "candidates", i);
  check_number(c.probability, 0, 1, [i] { return element("candidates", i, "probability"); });
  check_number(c.quality, -1e30, 1e30, [i] { return element("candidates", i, "quality"); });
  check_number(c.usd, -1e30, 1e30, [i] { return element("candidates", i, "usd"); });
  check_number(c.seconds, -1e30, 1e30, [i] { return element("candidates", i, "seconds"); });
}

void check_step(const Step& s, int arms, int i) {
  check_arm(s.arm, arms, "steps", i);
  check_number(s.prior, 0, 1, [i] { return element("steps", i, "prior"); });
  check_number(s.usd, 0, kMaxOutcomeUsd, [i] { return element("steps", i, "usd"); });
}

void check_counts(const Ticket& t, int dim) {
  check_integer(t.dim, dim, dim, "ticket.dim");
  check_integer(t.candidate_count, 0, kMaxCandidates, "ticket.candidate_count");
  check_integer(t.chosen, 0, std::max(t.candidate_count - 1, 0), "ticket.chosen");
  check_integer(t.step_count, 0, kMaxNodes, "ticket.step_count");
}

std::uint16_t narrow(std::int32_t arm) { return arm < 0 ? kNoArm : static_cast<std::uint16_t>(arm); }

// Every arm of a ticket's bytes, by its place in them.
template <class F>
void each_arm(const TicketView& t, F&& f) {
  std::size_t at = kTicketHead + 2 * static_cast<std::size_t>(t.dim());
  for (int i = 0; i < t.candidates(); ++i, at += kCandidateBytes) f(at, t.candidate(i).arm);
  for (int i = 0; i < t.steps(); ++i, at += kStepBytes) f(at, t.step(i).arm);
}

bool known(std::int32_t arm, ArmMap arms) {
  return arm == -1 || (static_cast<std::size_t>(arm) < arms.size() && arms[static_cast<std::size_t>(arm)] >= 0);
}

}  // namespace

CandidateView TicketView::candidate(int i) const {
  const std::size_t at = candidate_at(i);
  return {arm_at(at), get<double>(at + 2), get<float>(at + 10), get<float>(at + 14), get<float>(at + 18)};
}

StepView TicketView::step(int i) const {
  const std::size_t at = step_at(i);
  return {arm_at(at), get<std::uint16_t>(at + 2), get<std::int64_t>(at + 4)};
}

void check(const Ticket& t, int dim, int arms) {
  check_counts(t, dim);
  check_number(t.value_usd, 0, kMaxValueUsd, "ticket.value_usd");
  check_number(t.usd_per_second, 0, kMaxValueUsd, "ticket.usd_per_second");
  check_number(t.prior, 0, 1, "ticket.prior");
  bool finite = true;
  for (int i = 0; i < dim; ++i) finite &= std::isfinite(t.context[i]);
  for (int i = 0; !finite && i < dim; ++i)
    check_number(t.context[i], -1e38, 1e38, [i] { return "context[" + std::to_string(i) + "]"; });
  for (int i = 0; i < t.candidate_count; ++i) check_candidate(t.candidates[i], arms, i);
  for (int i = 0; i < t.step_count; ++i) check_step(t.steps[i], arms, i);
}

std::size_t encode(const Ticket& t, std::byte* out) {
  Put put(out);
  put.number(t.id).number(t.epoch).number(t.state_version).number(t.value_usd).number(t.usd_per_second);
  put.number(fixed_share(t.prior)).number(static_cast<std::uint16_t>(t.dim));
  put.number(static_cast<std::uint8_t>(t.candidate_count)).number(static_cast<std::uint8_t>(t.chosen));
  put.number(static_cast<std::uint8_t>(t.step_count));
  std::int16_t context[kMaxContext];
  for (int i = 0; i < t.dim; ++i) context[i] = fixed_feature(t.context[i]);
  put.bytes(std::as_bytes(std::span(context, static_cast<std::size_t>(t.dim))));
  for (int i = 0; i < t.candidate_count; ++i) {
    const Candidate& c = t.candidates[i];
    put.number(narrow(c.arm)).number(c.probability);
    put.number(static_cast<float>(c.quality)).number(static_cast<float>(c.usd)).number(static_cast<float>(c.seconds));
  }
  for (int i = 0; i < t.step_count; ++i)
    put.number(narrow(t.steps[i].arm)).number(fixed_share(t.steps[i].prior)).number(fixed_usd(t.steps[i].usd));
  return static_cast<std::size_t>(put.at() - out);
}

bool sound(Bytes bytes, int dim, ArmMap arms) {
  const TicketView t(bytes.data());
  if (bytes.size() < kTicketHead || t.dim() != dim || t.candidates() > kMaxCandidates || t.steps() > kMaxNodes ||
      t.size() != bytes.size())
    return false;
  bool ok = t.prior() <= kShareScale && (t.chosen() < t.candidates() || t.chosen() == 0);
  each_arm(t, [&](std::size_t, std::int32_t arm) { ok &= known(arm, arms); });
  for (int i = 0; i < t.steps(); ++i) {
    const StepView s = t.step(i);
    ok &= s.prior <= kShareScale && s.usd >= 0 && s.usd <= fixed_usd(kMaxOutcomeUsd);
  }
  return ok;
}

void renumber(Bytes bytes, ArmMap arms, std::byte* out) {
  std::memcpy(out, bytes.data(), bytes.size());
  each_arm(TicketView(bytes.data()), [&](std::size_t at, std::int32_t arm) {
    if (arm >= 0) Put(out + at).number(narrow(arms[static_cast<std::size_t>(arm)]));
  });
}

void stamp(std::byte* ticket, std::uint64_t id, std::uint32_t epoch) { Put(ticket).number(id).number(epoch); }

}  // namespace turnout::state
