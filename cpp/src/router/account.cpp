// A decision on an account: limited by what is left, priced by how scarce that is, and reserved.
#include <algorithm>

#include "turnout/budget/pressure.hpp"
#include "turnout/router.hpp"

namespace turnout {
namespace {

constexpr int kTries = 4;  // plans made before it is said that others are faster

std::int64_t calls_of(double left) {
  return left < 0x1p62 ? static_cast<std::int64_t>(left) : trace::kNoCallLimit;  // whole already: a ledger's unit
}

Request within(Request in, const budget::Amount& left, double pressure) {
  in.value_usd = budget::effective_value(in.value_usd, pressure);
  in.budget = std::min(in.budget, left.usd);
  in.max_seconds = std::min(in.max_seconds, left.seconds);
  in.max_tokens = std::min(in.max_tokens, left.tokens);
  in.max_calls = std::min(in.max_calls, calls_of(left.calls));
  return in;
}

budget::Amount taken_by(const trace::Decision& d) {
  return {Usd(d.usd_bound), d.tokens(), Seconds(d.seconds_bound), static_cast<double>(d.calls())};
}

// Whether a ledger can hold so much at all.
bool holdable(const budget::Amount& a) {
  const auto most = static_cast<double>(budget::kMaxAmountUnits);
  const double parts[] = {a.usd.value, a.tokens, a.seconds.value, a.calls};
  for (std::size_t i = 0; i < budget::kDimensions; ++i)
    if (parts[i] >= most / budget::kUnits[i]) return false;
  return true;
}

// True when nothing more is to be tried.
bool reserve(const Purse& purse, trace::Decision& out) {
  const budget::Amount amount = taken_by(out);
  if (!holdable(amount)) return false;
  budget::ReservationId id;
  if (purse.ledger->reserve(purse.account, amount, purse.now, purse.ttl, id)) return false;
  out.reservation = id.value;
  return true;
}

}  // namespace

void Router::route(const Request& in, const Purse& purse, Workspace& ws, trace::Decision& out) const {
  if (!(purse.ttl > 0)) throw Error(ErrorKind::input, "ttl", "expected seconds > 0");
  for (int i = 0; i < kTries; ++i) {
    const double pressure = purse.ledger->pressure(purse.account, purse.now);
    decide(within(in, purse.ledger->remaining(purse.account, purse.now), pressure), ws, out);
    out.on_account = true;
    out.pressure = pressure;
    if (!out.feasible() || reserve(purse, out)) return remember(in, ws, out);
  }
  out.status = assign::Status::infeasible;
  out.reasons |= trace::bit(trace::Reason::reservation_refused);
}

}  // namespace turnout
