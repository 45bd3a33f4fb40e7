// Exponentially decayed sums of an arm's outcomes: exact, since all terms of a sum decay alike.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "turnout/telemetry.hpp"

namespace turnout::telemetry {

inline constexpr double kNothing = 0x1.0p-64;  // evidence that weighs less counts nothing: 64 half-lives of an outcome

inline double decay(double seconds, double half_life) { return seconds > 0 ? std::exp2(-seconds / half_life) : 1; }

// As of the time `last`. All zeros: no outcome yet. 8-byte fields only: shards copy it word by word.
struct Sums {
  double last = 0;
  double good = 0, bad = 0;
  double ratios = 0, ratio_weight = 0;
  double seconds = 0, seconds_weight = 0;
  double usd = 0, tokens = 0;
  double limit_at = 0, limit_share = 0, limit_reset = 0;  // the latest report of a provider
  std::uint64_t by_kind[kKinds] = {};
  std::uint64_t outcomes = 0;  // of all kinds
  std::uint64_t updates = 0;

  void scale(double factor) {
    good *= factor, bad *= factor;
    ratios *= factor, ratio_weight *= factor;
    seconds *= factor, seconds_weight *= factor;
    usd *= factor, tokens *= factor;
    if (good + bad < kNothing) good = bad = usd = tokens = 0;
    if (ratio_weight < kNothing) ratios = ratio_weight = 0;
    if (seconds_weight < kNothing) seconds = seconds_weight = 0;
  }
  // To a later time; an earlier one changes nothing.
  void advance(double time, double half_life) {
    if (outcomes == 0) last = time;
    if (time <= last) return;
    scale(decay(time - last, half_life));
    last = time;
  }
  // An outcome that is late weighs what it would had it come in time, so that order does not matter.
  void add(const Outcome& o, double time, double half_life) {
    advance(time, half_life);
    const double weight = decay(std::min(last - time, kLateSeconds), half_life);
    (o.ok ? good : bad) += weight;
    usd += weight * o.usd;
    tokens += weight * o.tokens;
    if (o.seconds > 0 && (o.ok || o.kind == Kind::timeout)) add_seconds(o, weight);
    ++by_kind[static_cast<int>(o.kind)];
    ++outcomes;
    ++updates;
  }
  bool reported() const { return limit_reset > 0; }
  // The latest report counts. What is free at once is a share of 0.
  void report(double share, double reset, double time) {
    if (reported() && time < limit_at) return;
    limit_at = time;
    limit_share = reset > 0 ? share : 0;
    limit_reset = std::max(reset, std::numeric_limits<double>::min());
  }
  // Of another shard. Both end at the later time.
  void merge(Sums other, double half_life) {
    if (other.outcomes != 0) {
      advance(other.last, half_life);
      other.advance(last, half_life);
    }
    good += other.good, bad += other.bad;
    ratios += other.ratios, ratio_weight += other.ratio_weight;
    seconds += other.seconds, seconds_weight += other.seconds_weight;
    usd += other.usd, tokens += other.tokens;
    if (other.reported() &&
        (!reported() || std::pair(other.limit_at, other.limit_share) > std::pair(limit_at, limit_share)))
      report(other.limit_share, other.limit_reset, other.limit_at);
    for (int k = 0; k < kKinds; ++k) by_kind[k] += other.by_kind[k];
    outcomes += other.outcomes;
    updates += other.updates;
  }
  // A reported share falls in a straight line to 0 at its reset.
  double reported_share(double time) const {
    if (!reported()) return 0;
    return limit_share * std::clamp(1 - (time - limit_at) / limit_reset, 0.0, 1.0);
  }

 private:
  void add_seconds(const Outcome& o, double weight) {
    seconds += weight * o.seconds;
    seconds_weight += weight;
    if (!(o.expected_seconds > 0)) return;
    ratios += weight * std::min(o.seconds / o.expected_seconds, kMaxLatencyRatio);
    ratio_weight += weight;
  }
};

}  // namespace turnout::telemetry
