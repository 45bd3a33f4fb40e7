#include "telemetry/checks.hpp"
#include "turnout/telemetry/breaker.hpp"

namespace turnout::telemetry {

const char* breaker_name(Breaker b) {
  static constexpr const char* kNames[] = {"closed", "open", "half_open"};
  return static_cast<unsigned>(b) < std::size(kNames) ? kNames[static_cast<unsigned>(b)] : "unknown";
}

const char* cause_name(Cause c) {
  static constexpr const char* kNames[] = {"none",        "consecutive_failures", "failure_rate",
                                           "cooled_down", "probe_failed",         "probes_succeeded"};
  return static_cast<unsigned>(c) < std::size(kNames) ? kNames[static_cast<unsigned>(c)] : "unknown";
}

void validate(const BreakerConfig& c) {
  check_count(c.consecutive_failures, 0, kMaxFailures, "breaker.consecutive_failures");
  check_number(c.failure_rate, 0, 1, "breaker.failure_rate");
  check_number(c.min_calls, 1, 1e9, "breaker.min_calls");
  check_number(c.cool_down_seconds, 0, kMaxCoolDown, "breaker.cool_down_seconds");
  check_number(c.backoff, 1, 100, "breaker.backoff");
  check_number(c.max_cool_down_seconds, c.cool_down_seconds, kMaxCoolDown, "breaker.max_cool_down_seconds");
  check_count(c.probes, 1, kMaxProbes, "breaker.probes");
}

}  // namespace turnout::telemetry
