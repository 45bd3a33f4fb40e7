// Circuit breaker (Nygard, "Release It!", 2007): closed, open, half-open. Any number of threads may use one at once.
#pragma once

#include <atomic>
#include <cstdint>

namespace turnout::telemetry {

enum class Breaker : std::uint8_t { closed, open, half_open };
const char* breaker_name(Breaker);

enum class Cause : std::uint8_t {
  none,
  consecutive_failures,
  failure_rate,
  cooled_down,
  probe_failed,
  probes_succeeded
};
const char* cause_name(Cause);

struct BreakerConfig {
  int consecutive_failures = 3;  // in a row open it; 0: they do not
  double failure_rate = 0;       // of the decayed calls opens it, above min_calls; 0: it does not
  double min_calls = 10;         // decayed calls below which the rate says nothing
  double cool_down_seconds = 30;
  double backoff = 2;  // of the cool-down, for each further opening before it closes
  double max_cool_down_seconds = 600;
  int probes = 1;  // calls that half-open admits; all must succeed to close it
};

// Throws Error(config) with the path "breaker.<field>".
void validate(const BreakerConfig&);

struct Transition {
  Breaker from = Breaker::closed, to = Breaker::closed;
  Cause cause = Cause::none;
  explicit operator bool() const { return cause != Cause::none; }
};

// Opens for cool_down * backoff^(openings before), at most max_cool_down. After that time try_acquire makes it
// half-open and hands out `probes` probes; those that are not answered within the cool-down are handed out again. An
// outcome that arrives while it is open is a straggler's and changes nothing.
class CircuitBreaker {
 public:
  explicit CircuitBreaker(const BreakerConfig& config = {}) : config_(config) { validate(config); }

  // Whether try_acquire would succeed at `time`.
  bool admits(double time) const;
  // Takes a probe where it is half-open; false where the call must not be made.
  bool try_acquire(double time, Transition& out);
  // `too_many`: whether the failure rate, which the caller keeps, is above its limit.
  Transition record(bool ok, double time, bool too_many = false);
  bool quiet() const { return word_.load(std::memory_order_relaxed) == 0; }  // closed, and the last call was a success
  bool due(double time) const;                                               // open, and past its cool-down
  Breaker state(double time) const;                                          // what is due reads as half-open
  double retry_after(double time) const;  // seconds until it may admit, 0 when it does
  const BreakerConfig& config() const { return config_; }

  // For a snapshot: the state as words, with the time since the last change in place of the time.
  struct Saved {
    std::uint64_t word = 0;
    double age = 0;
  };
  Saved save(double time) const;
  static bool valid(const Saved&);
  void restore(const Saved&, double time);

 private:
  struct Word;
  double cool_down(const Word&) const;
  bool cooled(const Word&, double time) const;
  bool change(std::uint64_t& expected, const Word& next, double time);

  BreakerConfig config_;
  std::atomic<std::uint64_t> word_{0};
  std::atomic<double> since_{0};
};

}  // namespace turnout::telemetry
