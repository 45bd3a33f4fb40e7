#include "turnout/budget/ledger.hpp"

#include <cmath>
#include <mutex>

#include "accounts.hpp"
#include "lock.hpp"
#include "reservations.hpp"
#include "turnout/budget/clock.hpp"

namespace turnout::budget {
namespace {

int checked(int value, int most, const char* path) {
  if (value < 1 || value > most)
    throw Error(ErrorKind::config, path, "expected 1 to " + std::to_string(most) + ", got " + std::to_string(value));
  return value;
}

void check_ttl(double ttl) {
  if (!(ttl > 0)) throw Error(ErrorKind::input, "ttl", "expected seconds > 0");
}

// What `actual` is beyond `reserved`; true where it is, in some dimension.
bool beyond(const Units& actual, const Units& reserved, Units& out) {
  bool any = false;
  for (std::size_t d = 0; d < kDimensions; ++d) {
    out[d] = actual[d] > reserved[d] ? actual[d] - reserved[d] : 0;
    any |= out[d] > 0;
  }
  return any;
}

}  // namespace

const char* reason_name(Refusal::Reason reason) {
  static constexpr const char* kNames[] = {"none", "limit", "table_full"};
  return kNames[static_cast<std::size_t>(reason)];
}

struct Ledger::Impl {
  using Guard = std::lock_guard<SpinLock>;
  SpinLock lock;
  Accounts accounts;
  Reservations reservations;
  ForwardClock clock;
  Counts counts;

  explicit Impl(const Config& c)
      : accounts(checked(c.max_accounts, kMaxAccounts, "ledger.max_accounts")),
        reservations(checked(c.max_reservations, kMaxReservations, "ledger.max_reservations")) {}

  void expire(Reservation& r) {
    accounts.give_back(r.account, r.units);
    reservations.expire(r);
    ++counts.expired;
  }

  // Gives back what has expired by `now`; the ledger's time.
  double settle(double now) {
    const double time = clock.advance(now);
    while (Reservation* r = reservations.first_expired(time)) expire(*r);
    return time;
  }

  ReservationId make(std::uint32_t account, const Units& units, double expires) {
    Reservation& r = *reservations.take();
    r.account = account;
    r.units = units;
    accounts.hold(account, units);
    reservations.hold(r, expires);
    ++counts.reserved;
    return {r.id};
  }

  // Ends a reservation that is held or remembered; what is left of the settlement is whether it was late.
  Settlement end(Reservation& r) {
    const bool late = r.state == Reservation::State::expired;
    if (!late) accounts.give_back(r.account, r.units);
    reservations.free(r);
    counts.late += late;
    return {true, late, false};
  }

  // What an account holds is given back. Late commits of it count in `heir`, where there is one.
  void orphan(std::uint32_t account, std::uint32_t heir) {
    for (Reservation& r : reservations.slots()) {
      if (r.state == Reservation::State::free || !accounts.within(r.account, account)) continue;
      if (r.state == Reservation::State::held) expire(r);
      if (heir == kNone)
        reservations.free(r);
      else
        r.account = heir;
    }
  }
};

Ledger::Ledger(const Config& config) : impl_(std::make_unique<Impl>(config)) {}
Ledger::~Ledger() = default;

AccountId Ledger::open(AccountId parent, std::string_view name, const Limits& limits, double now) {
  check_now(now);
  const Units units = units_of(limits, "limits");
  const Impl::Guard guard(impl_->lock);
  impl_->accounts.check_open(parent, name);
  impl_->settle(now);
  return impl_->accounts.open(parent, name, units);
}

AccountId Ledger::open(AccountId parent, const Limits& limits, double now) {
  check_now(now);
  const Units units = units_of(limits, "limits");
  const Impl::Guard guard(impl_->lock);
  const std::string name = impl_->accounts.next_name(parent);
  impl_->settle(now);
  return impl_->accounts.open(parent, name, units);
}

AccountId Ledger::open(std::string_view path, const Limits& limits, double now) {
  check_now(now);
  const Units units = units_of(limits, "limits");
  const Impl::Guard guard(impl_->lock);
  impl_->accounts.check_path(path);
  impl_->settle(now);
  return impl_->accounts.open_path(path, units);
}

void Ledger::close(AccountId account, double now) {
  check_now(now);
  const Impl::Guard guard(impl_->lock);
  const std::uint32_t index = impl_->accounts.at(account);
  impl_->settle(now);
  impl_->orphan(index, impl_->accounts.parent(index));
  impl_->accounts.close(index);
}

void Ledger::set_limits(AccountId account, const Limits& limits, double now) {
  check_now(now);
  const Units units = units_of(limits, "limits");
  const Impl::Guard guard(impl_->lock);
  const std::uint32_t index = impl_->accounts.at(account);
  impl_->settle(now);
  impl_->accounts.set_limits(index, units);
}

AccountId Ledger::find(std::string_view path) const {
  const Impl::Guard guard(impl_->lock);
  return impl_->accounts.find(path);
}

std::string Ledger::path(AccountId account) const {
  const Impl::Guard guard(impl_->lock);
  return impl_->accounts.path(impl_->accounts.at(account));
}

bool Ledger::is_open(AccountId account) const {
  const Impl::Guard guard(impl_->lock);
  return impl_->accounts.is_open(account);
}

Refusal Ledger::reserve(AccountId account, const Amount& amount, double now, double ttl, ReservationId& out) {
  check_now(now);
  check_ttl(ttl);
  const Units units = units_of(amount, "amount");
  const Impl::Guard guard(impl_->lock);
  const std::uint32_t index = impl_->accounts.at(account);
  const double time = impl_->settle(now);
  Refusal refusal = impl_->accounts.refusal(index, units);
  if (!refusal && impl_->reservations.full()) refusal = {Refusal::Reason::table_full, account, Dimension::usd, 0};
  if (refusal)
    ++impl_->counts.refused;
  else
    out = impl_->make(index, units, time + ttl);
  return refusal;
}

Refusal Ledger::check(AccountId account, const Amount& amount, double now) const {
  check_now(now);
  const Units units = units_of(amount, "amount");
  const Impl::Guard guard(impl_->lock);
  const std::uint32_t index = impl_->accounts.at(account);
  impl_->settle(now);
  if (const Refusal refusal = impl_->accounts.refusal(index, units)) return refusal;
  if (impl_->reservations.full()) return {Refusal::Reason::table_full, account, Dimension::usd, 0};
  return {};
}

Settlement Ledger::commit(ReservationId id, const Amount& actual, double now) {
  check_now(now);
  const Units spent = units_of(actual, "actual");
  const Impl::Guard guard(impl_->lock);
  impl_->reservations.find(id);  // an unknown id throws before anything changes
  impl_->settle(now);
  Reservation* r = impl_->reservations.find(id);
  if (r == nullptr) return ++impl_->counts.stale, Settlement{};
  Settlement settlement = impl_->end(*r);
  impl_->accounts.spend(r->account, spent);
  Units excess;
  settlement.overrun = beyond(spent, r->units, excess);
  if (settlement.overrun) impl_->accounts.count_overrun(r->account, excess);
  impl_->counts.overrun += settlement.overrun;
  ++impl_->counts.committed;
  return settlement;
}

Settlement Ledger::release(ReservationId id, double now) {
  check_now(now);
  const Impl::Guard guard(impl_->lock);
  impl_->reservations.find(id);
  impl_->settle(now);
  Reservation* r = impl_->reservations.find(id);
  if (r == nullptr) return ++impl_->counts.stale, Settlement{};
  ++impl_->counts.released;
  return impl_->end(*r);
}

bool Ledger::extend(ReservationId id, double ttl, double now) {
  check_now(now);
  check_ttl(ttl);
  const Impl::Guard guard(impl_->lock);
  impl_->reservations.find(id);
  const double time = impl_->settle(now);
  Reservation* r = impl_->reservations.find(id);
  if (r == nullptr || r->state != Reservation::State::held) return false;
  impl_->reservations.reschedule(*r, time + ttl);
  return true;
}

bool Ledger::is_held(ReservationId id, double now) const {
  check_now(now);
  const Impl::Guard guard(impl_->lock);
  impl_->reservations.find(id);
  impl_->settle(now);
  const Reservation* r = impl_->reservations.find(id);
  return r != nullptr && r->state == Reservation::State::held;
}

int Ledger::sweep(double now) {
  check_now(now);
  const Impl::Guard guard(impl_->lock);
  const std::uint64_t before = impl_->counts.expired;
  impl_->settle(now);
  return static_cast<int>(impl_->counts.expired - before);
}

Amount Ledger::remaining(AccountId account, double now) const {
  check_now(now);
  const Impl::Guard guard(impl_->lock);
  const std::uint32_t index = impl_->accounts.at(account);
  impl_->settle(now);
  return amount_of(impl_->accounts.remaining(index));
}

double Ledger::pressure(AccountId account, double now) const {
  check_now(now);
  const Impl::Guard guard(impl_->lock);
  const std::uint32_t index = impl_->accounts.at(account);
  impl_->settle(now);
  return impl_->accounts.pressure(index);
}

AccountState Ledger::state(AccountId account, double now) const {
  check_now(now);
  const Impl::Guard guard(impl_->lock);
  const std::uint32_t index = impl_->accounts.at(account);
  impl_->settle(now);
  return impl_->accounts.state(index);
}

std::vector<AccountState> Ledger::snapshot(double now) const {
  check_now(now);
  const Impl::Guard guard(impl_->lock);
  impl_->settle(now);
  return impl_->accounts.snapshot();
}

Counts Ledger::counts() const {
  const Impl::Guard guard(impl_->lock);
  return impl_->counts;
}

int Ledger::held_count(double now) const {
  check_now(now);
  const Impl::Guard guard(impl_->lock);
  impl_->settle(now);
  return impl_->reservations.held();
}

}  // namespace turnout::budget
