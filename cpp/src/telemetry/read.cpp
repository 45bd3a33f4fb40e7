// Reading: the shards of an arm are added up, and nobody waits.
#include <cmath>
#include <numbers>

#include "telemetry/arm.hpp"
#include "telemetry/checks.hpp"
#include "telemetry/counts.hpp"
#include "turnout/telemetry.hpp"

namespace turnout::telemetry {
namespace {

double mean(double sum, double weight) { return weight > 0 ? sum / weight : 0; }

void read_sums(const Sums& s, const Config& c, ArmState& out) {
  const double calls = s.good + s.bad, prior = c.prior_weight;
  out.health = (s.good + prior) / (calls + prior);
  out.latency_ratio = (s.ratios + prior) / (s.ratio_weight + prior);
  out.seconds = mean(s.seconds, s.seconds_weight);
  out.calls = calls;
  out.calls_per_second = calls * std::numbers::ln2 / c.half_life;
  out.usd = mean(s.usd, calls);
  out.tokens = mean(s.tokens, calls);
  for (int k = 0; k < kKinds; ++k) out.by_kind[k] = s.by_kind[k];
}

}  // namespace

ArmState Telemetry::read_arm(const Arm& a, double time) const {
  ArmState out;
  const Flight::Seen flight = a.flight.read();
  out.in_flight = flight.in_flight;
  if (a.capacity > 0) out.load = static_cast<double>(out.in_flight) / a.capacity;
  Sums sums = a.sums();
  if (sums.outcomes != 0) {
    out.idle_seconds = std::max(0.0, time - sums.last);
    sums.advance(time, a.half_life);
    read_sums(sums, config_, out);
  }
  out.rate_limit_proximity = std::max({sums.reported_share(time), a.requests.share(time), a.tokens.share(time)});
  out.breaker = a.breaker.state(time);
  if (out.breaker != Breaker::closed) out.retry_after = a.breaker.retry_after(time);
  for (int i = 0; i < 3; ++i) out.transitions[i] = a.transitions[i].load(std::memory_order_relaxed);
  out.updates = sums.updates + flight.updates;
  return out;
}

ArmState Telemetry::read(int index, double now) const {
  const Arm& a = arm(index, now);
  return read_arm(a, timeline_.at(now));
}

void Telemetry::read(double now, std::span<ArmState> out) const {
  check_now(now);
  if (out.size() != table_.size())
    throw Error(ErrorKind::input, "out",
                "expected one an arm (" + std::to_string(arms_) + "), got " + std::to_string(out.size()));
  const double time = timeline_.at(now);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = read_arm(*table_[i], time);
}

std::uint64_t Telemetry::version() const {
  std::uint64_t sum = 0;
  for (int i = 0; i < arms_; ++i) sum += version(i);
  return sum;
}

std::uint64_t Telemetry::version(int index) const {
  const Arm& a = arm(index, 0);
  std::uint64_t sum = a.flight.read().updates;
  for (std::size_t i = 0; i < a.shard_count; ++i) sum += a.shards[i].changes();
  return sum;
}

QuantileSketch Telemetry::sketch(int index) const {
  arm(index, 0);
  if (!counts_) throw Error(ErrorKind::input, "telemetry.quantiles", "this telemetry keeps no quantiles");
  QuantileSketch out;
  std::uint32_t* n = counts(index);
  for (int i = 0; i < buckets::kCount; ++i)
    if (const std::uint32_t times = std::atomic_ref(n[i]).load(std::memory_order_relaxed))
      out.add(buckets::upper_edge(i), times);
  return out;
}

double Telemetry::quantile(int index, double q) const { return sketch(index).quantile(q); }

}  // namespace turnout::telemetry
