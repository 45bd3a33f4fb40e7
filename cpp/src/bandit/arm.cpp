#include "bandit/arm.hpp"

#include <algorithm>

#include "bandit/inverse.hpp"
#include "bandit/triangle.hpp"

namespace turnout::bandit {

LinearBandit::Arm::Arm(std::string_view arm_name, int d, double ridge)
    : name(arm_name),
      precision(static_cast<std::size_t>(d * (d + 1) / 2)),
      moment(static_cast<std::size_t>(d)),
      theta(static_cast<std::size_t>(padded(d))),
      inverse(static_cast<std::size_t>(inverse_cells(d))) {
  for (int i = 0; i < d; ++i) {
    const int b = i / kLanes;
    inverse[static_cast<std::size_t>(inverse_at(b, b) + i % kLanes * (kLanes + 1))] = 1 / ridge;
  }
}

bool LinearBandit::Arm::refit(double ridge) {
  const int d = static_cast<int>(moment.size()), n = blocks(d);
  alignas(64) double u[cells(kMaxFeatures)], w[kMaxFeatures * kLanes], v[kMaxFeatures];
  alignas(64) double fresh[inverse_cells(kMaxFeatures)];
  fill(precision, ridge, u, d);
  if (!inverse_kernels().invert(u, n, fresh, w)) return false;
  std::fill(std::copy(moment.begin(), moment.end(), v), v + padded(d), 0.0);
  inverse_kernels().solve(u, n, v);
  std::copy(v, v + padded(d), theta.begin());
  std::copy(fresh, fresh + inverse.size(), inverse.begin());
  updates = 0;
  return true;
}

// Sherman and Morrison: (A + w x x^T)^-1 = A^-1 - w g g^T / (1 + w x . g), g = A^-1 x.
void LinearBandit::Arm::learn(const double* x, double reward, double weight) {
  const InverseKernels& kernel = inverse_kernels();
  const int d = static_cast<int>(moment.size()), n = blocks(d);
  alignas(64) double g[kMaxFeatures];
  kernel.multiply(inverse.data(), x, n, g);
  const double share = weight / (1 + weight * std::max(0.0, kernel.dot(x, g, n)));
  const double step = share * (reward - kernel.dot(theta.data(), x, n));
  for (int i = 0; i < padded(d); ++i) theta[static_cast<std::size_t>(i)] += step * g[i];
  kernel.subtract(inverse.data(), g, share, n);
  double* cell = precision.data();
  for (int i = 0; i < d; ++i) {
    moment[static_cast<std::size_t>(i)] += weight * reward * x[i];
    const double own = weight * x[i];
    for (int j = i; j < d; ++j) *cell++ += own * x[j];
  }
}

}  // namespace turnout::bandit
