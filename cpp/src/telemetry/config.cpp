#include "telemetry/config.hpp"
#include "telemetry/checks.hpp"

namespace turnout::telemetry {
namespace {

void check_arm(const ArmConfig& a, const std::string& path) {
  check_count(a.capacity, 0, 1 << 30, (path + ".capacity").c_str());
  check_number(a.limit.requests, 0, 1e12, (path + ".limit.requests").c_str());
  check_number(a.limit.tokens, 0, 1e15, (path + ".limit.tokens").c_str());
  check_number(a.limit.window_seconds, 1e-3, 1e9, (path + ".limit.window_seconds").c_str());
}

}  // namespace

void validate(int arms, const Config& c) {
  check_count(arms, 1, kMaxArms, "telemetry.arms");
  check_number(c.half_life, 1e-3, 1e12, "telemetry.half_life");
  check_number(c.prior_weight, 1e-6, 1e9, "telemetry.prior_weight");
  check_count(c.shards, 1, kMaxShards, "telemetry.shards");
  validate(c.breaker);
  if (!c.arms.empty()) check_count(static_cast<std::int64_t>(c.arms.size()), arms, arms, "telemetry.arms");
  for (std::size_t i = 0; i < c.arms.size(); ++i) check_arm(c.arms[i], "telemetry.arms[" + std::to_string(i) + "]");
}

void check(const Outcome& o) {
  check_count(static_cast<int>(o.kind), 0, kKinds - 1, "kind", ErrorKind::input);
  if (o.ok != (o.kind == Kind::none))
    throw Error(ErrorKind::input, "kind", o.ok ? "a success has none" : "a failure needs one");
  check_number(o.seconds, 0, kMaxSeconds, "seconds", ErrorKind::input);
  check_number(o.expected_seconds, 0, kMaxSeconds, "expected_seconds", ErrorKind::input);
  check_number(o.usd, 0, kMaxUsd, "usd", ErrorKind::input);
  check_number(o.tokens, 0, kMaxTokens, "tokens", ErrorKind::input);
}

const char* kind_name(Kind k) {
  static constexpr const char* kNames[] = {"none", "error", "timeout", "rate_limited", "refused"};
  return static_cast<unsigned>(k) < std::size(kNames) ? kNames[static_cast<unsigned>(k)] : "unknown";
}

}  // namespace turnout::telemetry
