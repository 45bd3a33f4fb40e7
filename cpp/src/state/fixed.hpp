// Evidence in fixed point, so that sums are exact and the same in every order.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

namespace turnout::state {

inline constexpr double kContextScale = 4096;             // 2^12, of a context's feature
inline constexpr double kShareScale = 32768;              // 2^15, of scores, priors and their differences
inline constexpr double kWeightScale = 64;                // 2^6
inline constexpr double kUsdScale = 1e9;                  // nano-USD
inline constexpr double kMaxFeature = 7.99;               // beyond it a feature is cut
inline constexpr double kMaxOutcomeUsd = 1e7;             // of one plan
inline constexpr std::int64_t kMaxSum = (1LL << 62) - 1;  // of any one sum: two of them still add up

// To the nearest, halves to the even one.
inline std::int64_t rounded(double x) { return std::llrint(x); }

// The same for |x| < 2^51, without a call: adding 1.5 * 2^52 leaves no bit for what is below 1.
inline std::int64_t rounded_small(double x) { return std::bit_cast<std::int64_t>(x + 0x1.8p52) << 13 >> 13; }

inline std::int16_t fixed_feature(float x) {
  const double cut = std::clamp<double>(x, -kMaxFeature, kMaxFeature);
  return static_cast<std::int16_t>(rounded_small(cut * kContextScale));
}
inline std::uint16_t fixed_share(double p) { return static_cast<std::uint16_t>(rounded_small(p * kShareScale)); }
inline std::int64_t fixed_usd(double usd) { return rounded(usd * kUsdScale); }
inline std::int64_t fixed_weight(int parts) { return rounded(kWeightScale / parts); }

// factor^n by repeated squaring: the same bits on every machine.
inline double power(double factor, std::uint32_t n) {
  double out = 1;
  for (; n != 0; n >>= 1, factor *= factor)
    if ((n & 1) != 0) out *= factor;
  return out;
}

}  // namespace turnout::state
