// What enters a bandit.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>

#include "turnout/bandit/linear.hpp"
#include "turnout/core/error.hpp"

namespace turnout::bandit {

void validate(const LinearConfig& config);

inline void check_number(double value, const char* path) {
  if (!(std::abs(value) <= kMaxNumber)) throw Error(ErrorKind::input, path, "expected a number from -1e6 to 1e6");
}

inline void check_features(std::span<const float> x, int d) {
  if (x.size() != static_cast<std::size_t>(d))
    throw Error(ErrorKind::input, "x", "expected " + std::to_string(d) + " features, got " + std::to_string(x.size()));
  for (std::size_t i = 0; i < x.size(); ++i)
    if (!(std::abs(x[i]) <= static_cast<float>(kMaxNumber)))
      throw Error(ErrorKind::input, "x[" + std::to_string(i) + "]", "expected a number from -1e6 to 1e6");
}

// Features as doubles, with zeros up to a whole row of lanes.
struct Padded {
  alignas(64) double values[kMaxFeatures];
  explicit Padded(std::span<const float> x) {
    std::fill(std::copy(x.begin(), x.end(), values), values + (x.size() + 7) / 8 * 8, 0.0);
  }
};

}  // namespace turnout::bandit
