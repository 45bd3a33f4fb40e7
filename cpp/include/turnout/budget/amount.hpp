// What is reserved and spent, in four dimensions: doubles outside, whole units inside. A ledger adds and compares
// integers only, so sums are exact whatever their order.
#pragma once

#include <array>
#include <cstdint>
#include <limits>

#include "turnout/core.hpp"

namespace turnout::budget {

enum class Dimension : std::uint8_t { usd, tokens, seconds, calls };
inline constexpr std::size_t kDimensions = 4;
const char* dimension_name(Dimension d);

// Units a dollar, token, second and call: nano-USD, tokens, microseconds, calls.
inline constexpr std::array<double, kDimensions> kUnits = {1e9, 1, 1e6, 1};
using Units = std::array<std::int64_t, kDimensions>;

// The most of one reservation or commit, of a limit, and what stands for no limit. With at most 2^16 reservations that
// can each be overrun once, an account's sum stays below 2^61 + 2^16 * 2^46 < 2^63: no sum can overflow.
inline constexpr std::int64_t kMaxAmountUnits = std::int64_t{1} << 46;  // 70,368 USD, 2.2 years
inline constexpr std::int64_t kMaxLimitUnits = std::int64_t{1} << 60;   // 1.15e9 USD, 36,558 years
inline constexpr std::int64_t kUnlimited = std::int64_t{1} << 61;

struct Amount {
  Usd usd{};
  double tokens = 0;
  Seconds seconds{};
  double calls = 0;
  bool operator==(const Amount&) const = default;
};

// Of an account, its descendants included; infinity is no limit.
struct Limits {
  Usd usd = Usd::unlimited();
  double tokens = std::numeric_limits<double>::infinity();
  Seconds seconds = Seconds::unlimited();
  double calls = std::numeric_limits<double>::infinity();
  bool operator==(const Limits&) const = default;
};

// Amounts round up to whole units, limits down, so rounding never lets more through. What lies within 2^-50 of a whole
// number of units, relatively, is that number: 1.07 USD is 1,070,000,000 nano-USD, though 1.07 * 1e9 in doubles is
// more. Throws Error(input) with the path "<culprit>.<dimension>" for NaN, a negative, or more than the most.
Units units_of(const Amount& amount, const char* culprit);
Units units_of(const Limits& limits, const char* culprit);
Amount amount_of(const Units& units);
Limits limits_of(const Units& units);

}  // namespace turnout::budget
