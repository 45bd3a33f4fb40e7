#include <algorithm>
#include <cmath>
#include <string>

#include "turnout/operators.hpp"

namespace turnout::operators {
namespace {

int by_cut_points(const std::vector<double>& cut_points, double d) {
  const auto above = std::upper_bound(cut_points.begin(), cut_points.end(), d);
  return 1 + static_cast<int>(above - cut_points.begin());
}

// The paper's formula. Its released code takes floor(clamp(4 d, 1, 4)), which reaches four layers at d = 1 only.
int by_ceil(int layers, double d) { return std::clamp(static_cast<int>(std::ceil(d * layers)), 1, layers); }

}  // namespace

int depth(const Config& config, double difficulty) {
  if (!(difficulty >= 0 && difficulty <= 1))
    throw Error(ErrorKind::input, "difficulty", "expected a number in [0, 1], got " + std::to_string(difficulty));
  if (config.depth_rule == DepthRule::ceil) return by_ceil(config.layers, difficulty);
  return by_cut_points(config.cut_points, difficulty);
}

}  // namespace turnout::operators
