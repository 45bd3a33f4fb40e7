#include "turnout/budget/amount.hpp"

#include <cmath>
#include <string>

namespace turnout::budget {
namespace {

constexpr double kNoise = 0x1.0p-50;  // four roundings of a double
constexpr double kInfinity = std::numeric_limits<double>::infinity();

[[noreturn]] void refuse(const char* culprit, Dimension d, double value, double most) {
  char text[96];
  std::snprintf(text, sizeof text, "expected a number from 0 to %.10g, got %.10g", most, value);
  throw Error(ErrorKind::input, std::string(culprit) + "." + dimension_name(d), text);
}

// `value` is in [0, most units]; below 2^61, so the casts are exact.
std::int64_t whole(double units, bool up) {
  const auto below = static_cast<std::int64_t>(units);
  const double rest = units - static_cast<double>(below);
  if (rest <= units * kNoise) return below;
  return up || 1.0 - rest <= units * kNoise ? below + 1 : below;
}

std::int64_t amount_units(double value, Dimension d, const char* culprit) {
  const double units = value * kUnits[static_cast<std::size_t>(d)];
  if (!(units >= 0 && units <= static_cast<double>(kMaxAmountUnits)))
    refuse(culprit, d, value, static_cast<double>(kMaxAmountUnits) / kUnits[static_cast<std::size_t>(d)]);
  return whole(units, true);
}

std::int64_t limit_units(double value, Dimension d, const char* culprit) {
  if (value == kInfinity) return kUnlimited;
  const double units = value * kUnits[static_cast<std::size_t>(d)];
  if (!(units >= 0 && units <= static_cast<double>(kMaxLimitUnits)))
    refuse(culprit, d, value, static_cast<double>(kMaxLimitUnits) / kUnits[static_cast<std::size_t>(d)]);
  return whole(units, false);
}

double value_of(const Units& units, Dimension d) {
  const auto i = static_cast<std::size_t>(d);
  return units[i] == kUnlimited ? kInfinity : static_cast<double>(units[i]) / kUnits[i];
}

}  // namespace

const char* dimension_name(Dimension d) {
  static constexpr const char* kNames[] = {"usd", "tokens", "seconds", "calls"};
  return kNames[static_cast<std::size_t>(d)];
}

Units units_of(const Amount& a, const char* culprit) {
  return {amount_units(a.usd.value, Dimension::usd, culprit), amount_units(a.tokens, Dimension::tokens, culprit),
          amount_units(a.seconds.value, Dimension::seconds, culprit), amount_units(a.calls, Dimension::calls, culprit)};
}

Units units_of(const Limits& a, const char* culprit) {
  return {limit_units(a.usd.value, Dimension::usd, culprit), limit_units(a.tokens, Dimension::tokens, culprit),
          limit_units(a.seconds.value, Dimension::seconds, culprit), limit_units(a.calls, Dimension::calls, culprit)};
}

Amount amount_of(const Units& u) {
  return {Usd(value_of(u, Dimension::usd)), value_of(u, Dimension::tokens), Seconds(value_of(u, Dimension::seconds)),
          value_of(u, Dimension::calls)};
}

Limits limits_of(const Units& u) {
  return {Usd(value_of(u, Dimension::usd)), value_of(u, Dimension::tokens), Seconds(value_of(u, Dimension::seconds)),
          value_of(u, Dimension::calls)};
}

}  // namespace turnout::budget
