#include "turnout/telemetry/breaker.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "telemetry/checks.hpp"

namespace turnout::telemetry {

// All but the time in one word. `changing`: the thread that made the transition is about to write the time; until then
// the breaker counts as open, and nobody waits.
struct CircuitBreaker::Word {
  Breaker state = Breaker::closed;
  bool changing = false;
  std::uint16_t failures = 0, openings = 0;  // in a row
  std::uint8_t acquired = 0, succeeded = 0;  // probes

  static Word of(std::uint64_t bits) {
    return {static_cast<Breaker>(bits & 3),         (bits >> 2 & 1) != 0,
            static_cast<std::uint16_t>(bits >> 16), static_cast<std::uint16_t>(bits >> 32),
            static_cast<std::uint8_t>(bits >> 48),  static_cast<std::uint8_t>(bits >> 56)};
  }
  std::uint64_t bits() const {
    return static_cast<std::uint64_t>(state) | std::uint64_t{changing} << 2 | std::uint64_t{failures} << 16 |
           std::uint64_t{openings} << 32 | std::uint64_t{acquired} << 48 | std::uint64_t{succeeded} << 56;
  }
};

double CircuitBreaker::cool_down(const Word& w) const {
  const double seconds = config_.cool_down_seconds * std::pow(config_.backoff, std::max(0, w.openings - 1));
  return std::min(seconds, config_.max_cool_down_seconds);
}

bool CircuitBreaker::cooled(const Word& w, double time) const {
  return !w.changing && time - since_.load(std::memory_order_acquire) >= cool_down(w);
}

// The one thread that wins writes the time, then shows the state.
bool CircuitBreaker::change(std::uint64_t& expected, const Word& next, double time) {
  Word hidden = next;
  hidden.state = Breaker::open;
  hidden.changing = true;
  if (!word_.compare_exchange_strong(expected, hidden.bits(), std::memory_order_acq_rel)) return false;
  since_.store(time, std::memory_order_release);
  word_.store(next.bits(), std::memory_order_release);
  return true;
}

bool CircuitBreaker::due(double time) const {
  const Word w = Word::of(word_.load(std::memory_order_acquire));
  return w.state == Breaker::open && cooled(w, time);
}

bool CircuitBreaker::admits(double time) const {
  const Word w = Word::of(word_.load(std::memory_order_acquire));
  if (w.state == Breaker::closed) return true;
  return (w.state == Breaker::half_open && w.acquired < config_.probes) || cooled(w, time);
}

bool CircuitBreaker::try_acquire(double time, Transition& out) {
  out = {};
  for (std::uint64_t bits = word_.load(std::memory_order_acquire);;) {
    Word w = Word::of(bits);
    if (w.state == Breaker::closed) return true;
    if (w.state == Breaker::half_open && w.acquired < config_.probes) {
      ++w.acquired;
      if (word_.compare_exchange_strong(bits, w.bits(), std::memory_order_acq_rel)) return true;
      continue;
    }
    if (!cooled(w, time)) return false;
    const Breaker from = w.state;
    w.state = Breaker::half_open;
    w.acquired = 1;
    w.succeeded = 0;
    if (!change(bits, w, time)) continue;
    if (from == Breaker::open) out = {from, Breaker::half_open, Cause::cooled_down};
    return true;
  }
}

namespace {

template <class W>
Cause count_failure(W& w, bool too_many, int limit) {
  if (w.failures < std::numeric_limits<std::uint16_t>::max()) ++w.failures;
  if (limit > 0 && w.failures >= limit) return Cause::consecutive_failures;
  return too_many ? Cause::failure_rate : Cause::none;
}

template <class W>
Cause count_probe(W& w, bool ok, int probes) {
  if (!ok) return Cause::probe_failed;
  return ++w.succeeded >= probes ? Cause::probes_succeeded : Cause::none;
}

}  // namespace

Transition CircuitBreaker::record(bool ok, double time, bool too_many) {
  for (std::uint64_t bits = word_.load(std::memory_order_acquire);;) {
    Word w = Word::of(bits);
    if (w.state == Breaker::open || (ok && bits == 0)) return {};
    const Breaker from = w.state;
    Cause cause = Cause::none;
    if (from == Breaker::half_open)
      cause = count_probe(w, ok, config_.probes);
    else if (ok)
      w = {};
    else
      cause = count_failure(w, too_many, config_.consecutive_failures);
    if (cause == Cause::none) {
      if (word_.compare_exchange_strong(bits, w.bits(), std::memory_order_acq_rel)) return {};
      continue;
    }
    Word next;
    if (cause != Cause::probes_succeeded) {
      next.state = Breaker::open;
      next.openings = static_cast<std::uint16_t>(std::min(w.openings + 1, kMaxOpenings));
    }
    if (change(bits, next, time)) return {from, next.state, cause};
  }
}

Breaker CircuitBreaker::state(double time) const {
  return due(time) ? Breaker::half_open : Word::of(word_.load(std::memory_order_acquire)).state;
}

double CircuitBreaker::retry_after(double time) const {
  if (admits(time)) return 0;
  const Word w = Word::of(word_.load(std::memory_order_acquire));
  const double left = cool_down(w) - (time - since_.load(std::memory_order_acquire));
  return std::clamp(left, 0.0, cool_down(w));
}

CircuitBreaker::Saved CircuitBreaker::save(double time) const {
  Word w = Word::of(word_.load(std::memory_order_acquire));
  w.changing = false;
  return {w.bits(), std::max(0.0, time - since_.load(std::memory_order_acquire))};
}

bool CircuitBreaker::valid(const Saved& s) {
  const Word w = Word::of(s.word);
  return w.bits() == s.word && !w.changing && w.state <= Breaker::half_open && w.openings <= kMaxOpenings &&
         s.age >= 0 && std::isfinite(s.age);
}

void CircuitBreaker::restore(const Saved& s, double time) {
  since_.store(time - s.age, std::memory_order_release);
  word_.store(s.word, std::memory_order_release);
}

}  // namespace turnout::telemetry
