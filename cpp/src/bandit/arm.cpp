#include "bandit/arm.hpp"

#include <algorithm>

#include "bandit/inverse.hpp"
#include "bandit/triangle.hpp"

namespace turnout::bandit {
namespace {

constexpr double kMostGain = 1e6, kMostNoise = 1e-6;  // of w x . g, either side
constexpr double kHidden = 1e-12;                     // of the trace

int diagonal_at(int i) { return inverse_at(i / kLanes, i / kLanes) + i % kLanes * (kLanes + 1); }

}  // namespace

LinearBandit::Arm::Arm(std::string_view arm_name, int d, double ridge)
    : name(arm_name),
      precision(static_cast<std::size_t>(d * (d + 1) / 2)),
      moment(static_cast<std::size_t>(d)),
      theta(static_cast<std::size_t>(padded(d))),
      inverse(static_cast<std::size_t>(inverse_cells(d))) {
  for (int i = 0; i < d; ++i) inverse[static_cast<std::size_t>(diagonal_at(i))] = 1 / ridge;
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

// Sherman and Morrison: (A + w x x^T)^-1 = A^-1 - w g g^T / (1 + w x . g), g = A^-1 x. It cancels as many digits as
// w x . g has: where those are too many, or an element on the diagonal is no longer above 0, the sums are factored.
void LinearBandit::Arm::learn(const double* x, double reward, double weight, double ridge) {
  const InverseKernels& kernel = inverse_kernels();
  const int d = static_cast<int>(moment.size()), n = blocks(d);
  alignas(64) double g[kMaxFeatures];
  add(x, reward, weight);
  kernel.multiply(inverse.data(), x, n, g);
  const double gain = weight * kernel.dot(x, g, n);
  if (!(gain >= -kMostNoise && gain <= kMostGain)) return settle(ridge);
  const double share = weight / (1 + std::max(0.0, gain));
  const double step = share * (reward - kernel.dot(theta.data(), x, n));
  for (int i = 0; i < padded(d); ++i) theta[static_cast<std::size_t>(i)] += step * g[i];
  kernel.subtract(inverse.data(), g, share, n);
  for (int i = 0; i < d; ++i)
    if (!(inverse[static_cast<std::size_t>(diagonal_at(i))] > 0)) return settle(ridge);
}

void LinearBandit::Arm::add(const double* x, double reward, double weight) {
  const int d = static_cast<int>(moment.size());
  double* cell = precision.data();
  for (int i = 0; i < d; ++i) {
    moment[static_cast<std::size_t>(i)] += weight * reward * x[i];
    const double own = weight * x[i];
    for (int j = i; j < d; ++j) *cell++ += own * x[j];
  }
}

// With so much more of a ridge as rounding hides in A, where A itself cannot be factored.
void LinearBandit::Arm::settle(double ridge) {
  if (refit(ridge)) return;
  const int d = static_cast<int>(moment.size());
  double trace = 0;
  for (int i = 0, at = 0; i < d; at += d - i, ++i) trace += precision[static_cast<std::size_t>(at)];
  refit(ridge + kHidden * trace);
}

}  // namespace turnout::bandit
