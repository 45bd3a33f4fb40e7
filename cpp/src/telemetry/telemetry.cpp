#include "turnout/telemetry.hpp"

#include <cstdlib>
#include <new>

#include "telemetry/arm.hpp"
#include "telemetry/checks.hpp"
#include "telemetry/config.hpp"
#include "telemetry/counts.hpp"
#include "telemetry/events.hpp"

namespace turnout::telemetry {

void Telemetry::Free::operator()(std::uint32_t* p) const { std::free(p); }

namespace {

// Zeroed by calloc: a page that no value falls on takes no memory.
std::uint32_t* zeroed(std::size_t count) {
  void* p = std::calloc(count, sizeof(std::uint32_t));
  if (p == nullptr) throw std::bad_alloc();
  return static_cast<std::uint32_t*>(p);
}

// Stays at its end rather than go round.
void increment(std::uint32_t& count) {
  std::atomic_ref<std::uint32_t> n(count);
  if (n.load(std::memory_order_relaxed) < 0xFFFF0000u) n.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

Telemetry::Telemetry(int arms, const Config& config) : arms_(arms), config_(config) {
  validate(arms, config);
  for (int i = 0; i < arms; ++i)
    table_.push_back(std::make_unique<Arm>(config.arms.empty() ? ArmConfig{} : config.arms[std::size_t(i)], config));
  if (config.quantiles) counts_.reset(zeroed(std::size_t(arms) * buckets::kCount));
  events_ = std::make_unique<EventRing>();
}

Telemetry::~Telemetry() = default;

Telemetry::Arm& Telemetry::arm(int index, double now) const {
  check_count(index, 0, arms_ - 1, "arm", ErrorKind::input);
  check_now(now);
  return *table_[static_cast<std::size_t>(index)];
}

std::uint32_t* Telemetry::counts(int index) const { return counts_.get() + std::size_t(index) * buckets::kCount; }

void Telemetry::record(int index, const Outcome& o, double now) {
  Arm& a = arm(index, now);
  check(o);
  const double time = timeline_.at(now);
  a.update([&](Sums& sums) {
    sums.add(o, time, a.half_life);
    if (o.kind == Kind::rate_limited) sums.report(1, a.window_seconds, time);
  });
  if (counts_ && o.seconds > 0 && (o.ok || o.kind == Kind::timeout))
    increment(counts(index)[buckets::index(o.seconds)]);
  a.requests.use(1, time);
  a.tokens.use(o.tokens, time);
  if (o.kind != Kind::refused && !(o.ok && a.breaker.quiet())) step_breaker(index, o, time, now);
}

// Who asks admits() alone takes no probe: then the first outcome after the cool-down is one.
void Telemetry::step_breaker(int index, const Outcome& o, double time, double now) {
  Arm& a = *table_[static_cast<std::size_t>(index)];
  Transition t;
  if (a.breaker.due(time) && a.breaker.try_acquire(time, t)) log(index, t, now);
  bool too_many = false;
  if (!o.ok && config_.breaker.failure_rate > 0) {
    Sums sums = a.sums();
    sums.advance(time, a.half_life);
    const double calls = sums.good + sums.bad;
    too_many = calls >= config_.breaker.min_calls && sums.bad >= config_.breaker.failure_rate * calls;
  }
  log(index, a.breaker.record(o.ok, time, too_many), now);
}

void Telemetry::log(int index, Transition t, double now) {
  if (!t) return;
  table_[static_cast<std::size_t>(index)]->transitions[static_cast<int>(t.to)].fetch_add(1, std::memory_order_relaxed);
  events_->add(index, t, now);
}

void Telemetry::begin(int index, double now) {
  if (!arm(index, now).flight.begin()) throw Error(ErrorKind::input, "arm", "too many calls are in flight");
  timeline_.at(now);
}

void Telemetry::end(int index, double now) {
  if (!arm(index, now).flight.end()) throw Error(ErrorKind::input, "arm", "no call is in flight");
  timeline_.at(now);
}

void Telemetry::report_rate_limit(int index, double used_share, double reset_seconds, double now) {
  Arm& a = arm(index, now);
  check_number(used_share, 0, 1, "used_share", ErrorKind::input);
  check_number(reset_seconds, 0, 1e9, "reset_seconds", ErrorKind::input);
  const double time = timeline_.at(now);
  a.update([&](Sums& sums) {
    sums.report(used_share, reset_seconds, time);
    ++sums.updates;
  });
}

bool Telemetry::admits(int index, double now) const { return arm(index, now).breaker.admits(timeline_.at(now)); }

bool Telemetry::try_acquire(int index, double now) {
  Arm& a = arm(index, now);
  Transition t;
  const bool out = a.breaker.try_acquire(timeline_.at(now), t);
  log(index, t, now);
  return out;
}

int Telemetry::events(std::uint64_t after, std::span<Event> out) const { return events_->read(after, out); }

}  // namespace turnout::telemetry
