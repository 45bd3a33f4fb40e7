// Checks at telemetry's door.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>

#include "turnout/core.hpp"

namespace turnout::telemetry {

inline constexpr int kMaxFailures = 10000;  // in a row
inline constexpr int kMaxOpenings = 100;    // counted for the backoff: 100^100 is still a number
inline constexpr int kMaxProbes = 255;
inline constexpr double kMaxCoolDown = 1e7;  // seconds

inline void check_count(std::int64_t value, std::int64_t least, std::int64_t most, const char* path,
                        ErrorKind kind = ErrorKind::config) {
  if (value < least || value > most)
    throw Error(kind, path,
                "expected " + std::to_string(least) + " to " + std::to_string(most) + ", got " + std::to_string(value));
}

// A number in [least, most]; NaN is none.
inline void check_number(double value, double least, double most, const char* path,
                         ErrorKind kind = ErrorKind::config) {
  if (value >= least && value <= most) [[likely]]
    return;
  char text[96];
  std::snprintf(text, sizeof text, "expected a number from %g to %g, got %g", least, most, value);
  throw Error(kind, path, text);
}

// Finite, and small enough that a second still counts.
inline void check_now(double now) { check_number(now, -1e15, 1e15, "now", ErrorKind::input); }

}  // namespace turnout::telemetry
