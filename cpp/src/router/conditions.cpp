// What telemetry says of LLMs, in the terms of a decision.
#include <algorithm>

#include "turnout/router.hpp"

namespace turnout {
namespace {

constexpr double kMostLoad = 0.95;  // a full LLM is 20 times as slow, not infinitely
// Of a rate limit, above which it counts as used up: a full one frees a little of itself in every instant.
constexpr double kUsedUp = 0.99;

trace::Rule rule_of(const telemetry::Telemetry& t, const telemetry::ArmState& state, int arm, double now) {
  if (!t.admits(arm, now)) return trace::Rule::tripped;
  return state.rate_limit_proximity >= kUsedUp ? trace::Rule::rate_limited : trace::Rule::none;
}

trace::Condition condition_of(const telemetry::Telemetry& t, int arm, double now) {
  const telemetry::ArmState state = t.read(arm, now);
  const double waiting = 1 / (1 - std::min(state.load, kMostLoad));
  trace::Condition c;
  c.health = state.health;
  c.slowdown = std::clamp(state.latency_ratio * waiting, 1 / kMaxSlowdown, kMaxSlowdown);
  c.rule = rule_of(t, state, arm, now);
  return c;
}

}  // namespace

std::uint64_t read_conditions(const telemetry::Telemetry& t, std::span<const std::int32_t> arms, double now,
                              std::span<trace::Condition> out) {
  std::uint64_t version = 0;
  for (std::size_t m = 0; m < out.size(); ++m) {
    out[m] = trace::Condition();
    if (arms[m] < 0) continue;
    version += t.version(arms[m]);  // of these alone: there may be many others
    out[m] = condition_of(t, arms[m], now);
  }
  return version;
}

}  // namespace turnout
