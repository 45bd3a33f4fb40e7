// telemetry: what calls of each arm (an LLM, a tool, an edge of a graph) were like lately: decayed means and rates,
// quantiles, load, nearness to rate limits, a circuit breaker. Knows nothing of policy: it reports, others decide.
//
// Every method may be called from any number of threads at once. Updates go to shards, a thread its own as long as
// there are enough; readers never wait for a writer and see each shard as it was after some update, never between two.
// `now` is in seconds, of any origin; see timeline.hpp for clocks that jump.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "turnout/core.hpp"
#include "turnout/telemetry/breaker.hpp"
#include "turnout/telemetry/drift.hpp"
#include "turnout/telemetry/sketch.hpp"

namespace turnout::telemetry {

inline constexpr int kMaxArms = 1 << 20;
inline constexpr int kMaxShards = 64;
inline constexpr int kMaxEvents = 1024;          // the latest ones that can be read
inline constexpr double kMaxLatencyRatio = 1e6;  // above, an observed / expected is cut

// What an arm's provider allows, in any window of window_seconds; 0: no limit.
struct RateLimit {
  double requests = 0, tokens = 0, window_seconds = 60;
};

struct ArmConfig {
  int capacity = 0;  // calls at once; 0: not known, and then there is no load
  RateLimit limit;
};

struct Config {
  double half_life = 300;   // seconds after which an outcome counts half
  double prior_weight = 2;  // of the prior, in outcomes: success for health, 1 for the latency ratio
  BreakerConfig breaker;
  int shards = 8;               // threads that can update one arm at once without waiting for each other
  bool quantiles = true;        // of seconds; 24 KiB an arm, of which only what is touched takes memory
  std::vector<ArmConfig> arms;  // one an arm, or none
};

enum class Kind : std::uint8_t { none, error, timeout, rate_limited, refused };
inline constexpr int kKinds = 5;
const char* kind_name(Kind);

// A call that ended. A refusal (the LLM declined) counts against health, not against the breaker. Seconds of calls that
// failed are left out, but for timeouts: a quick error is no quick answer.
struct Outcome {
  bool ok = true;
  double seconds = 0;           // 0: not known
  double expected_seconds = 0;  // 0: not known
  double usd = 0;
  double tokens = 0;
  Kind kind = Kind::none;  // none if and only if ok
};

struct ArmState {
  double health = 1;                // decayed P(success); exactly 1 without evidence
  double latency_ratio = 1;         // decayed mean of observed / expected seconds; exactly 1 without evidence
  double seconds = 0;               // decayed mean; 0 without evidence
  double load = 0;                  // in flight / capacity; 0 without a capacity
  double rate_limit_proximity = 0;  // in [0, 1]: the largest of used / limit
  Breaker breaker = Breaker::closed;
  std::uint64_t updates = 0;
  double calls = 0;             // decayed count
  double calls_per_second = 0;  // calls * ln 2 / half_life: reaches a steady rate after some half-lives
  double usd = 0, tokens = 0;   // decayed means of a call
  double idle_seconds = std::numeric_limits<double>::infinity();  // since the last outcome
  double retry_after = 0;                                         // seconds until the breaker may admit
  std::int64_t in_flight = 0;
  std::uint64_t by_kind[kKinds] = {};  // outcomes ever, by Kind; none: successes
  std::uint64_t transitions[3] = {};   // of the breaker ever, into each state
};

// A breaker's transition. `sequence` counts from 1.
struct Event {
  std::uint64_t sequence = 0;
  double now = 0;
  int arm = 0;
  Transition transition;
};

class Telemetry {
 public:
  // Throws Error(config) with the path to the culprit, as in "telemetry.arms[2].capacity".
  Telemetry(int arms, const Config& config);
  ~Telemetry();

  // Throws Error(input), and then nothing has changed. Allocates nothing.
  void record(int arm, const Outcome& outcome, double now);
  void begin(int arm, double now);  // a call started ...
  void end(int arm, double now);    // ... and is over; Error(input) when none is in flight
  // From a provider's headers: the used share of its limit, which is free again after reset_seconds.
  void report_rate_limit(int arm, double used_share, double reset_seconds, double now);

  bool admits(int arm, double now) const;  // whether the breaker lets a call through; takes no probe
  bool try_acquire(int arm, double now);   // likewise, and takes a probe where it is half-open

  void read(double now, std::span<ArmState> out) const;  // one an arm
  ArmState read(int arm, double now) const;
  QuantileSketch sketch(int arm) const;  // of seconds, since the beginning; Error(input) without quantiles
  double quantile(int arm, double q) const;
  // The events after `after`, oldest first; returns how many. Older ones than the latest kMaxEvents are gone.
  int events(std::uint64_t after, std::span<Event> out) const;
  std::uint64_t version() const;  // updates of all arms
  std::uint64_t version(int arm) const;
  int arms() const { return arms_; }
  const Config& config() const { return config_; }

  // What is known, without calls in flight and events. Ages are kept, times are not: between the two no time passes.
  // `tag` says what the arms are; restore wants the same. It checks everything before it changes anything; outcomes
  // that other threads record meanwhile may be lost.
  std::vector<std::byte> save(double now, std::uint64_t tag = 0) const;
  void restore(std::span<const std::byte> bytes, double now, std::uint64_t tag = 0);

 private:
  struct Arm;
  class EventRing;
  Arm& arm(int index, double now) const;
  ArmState read_arm(const Arm& arm, double time) const;
  void step_breaker(int index, const Outcome& outcome, double time, double now);
  void log(int index, Transition transition, double now);
  std::uint32_t* counts(int index) const;

  int arms_;
  Config config_;
  mutable Timeline timeline_;
  std::vector<std::unique_ptr<Arm>> table_;
  struct Free {
    void operator()(std::uint32_t* p) const;
  };
  std::unique_ptr<std::uint32_t[], Free> counts_;  // [arms, buckets]
  std::unique_ptr<EventRing> events_;
};

}  // namespace turnout::telemetry
