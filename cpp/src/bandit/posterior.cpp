#include "turnout/bandit/posterior.hpp"

#include <cassert>
#include <cstddef>

#include "bandit/triangle.hpp"
#include "turnout/core/error.hpp"
#include "turnout/core/isa.hpp"

namespace turnout::bandit {
namespace {

template <class V>
TURNOUT_LANES bool fit_lanes(double* u, int n, double* v, double* w) {
  if (!factor<V>(u, n, w)) return false;
  solve_lower<V>(u, n, v);
  divide<V>(u, n, v);
  solve_upper<V>(u, n, v);
  return true;
}

template <class V>
TURNOUT_LANES double length_lanes(const double* u, int n, double* v) {
  solve_lower<V>(u, n, v);
  return std::sqrt(weighted_square<V>(u, n, v));
}

bool fit_baseline(double* u, int n, double* v, double* w) { return fit_lanes<Two>(u, n, v, w); }
double length_baseline(const double* u, int n, double* v) { return length_lanes<Two>(u, n, v); }
#if defined(__x86_64__)
TURNOUT_AVX2 bool fit_avx2(double* u, int n, double* v, double* w) { return fit_lanes<Four>(u, n, v, w); }
TURNOUT_AVX2 double length_avx2(const double* u, int n, double* v) { return length_lanes<Four>(u, n, v); }
#endif

struct Kernels {
  bool (*fit)(double* u, int n, double* v, double* w);
  double (*length)(const double* u, int n, double* v);
};

Kernels choose() {
#if defined(__x86_64__)
  if (active_isa() != Isa::baseline) return {fit_avx2, length_avx2};
#endif
  return {fit_baseline, length_baseline};
}

const Kernels& kernels() {
  static const Kernels chosen = choose();
  return chosen;
}

void check(std::size_t given, std::size_t d, double ridge) {
  if (d < 1 || d > kMaxFeatures) throw Error(ErrorKind::input, "moment", "expected 1 to 128 features");
  if (given != d * (d + 1) / 2) throw Error(ErrorKind::input, "precision", "expected d (d + 1) / 2 numbers");
  if (!(ridge >= 0 && std::isfinite(ridge))) throw Error(ErrorKind::input, "ridge", "expected a number of at least 0");
}

}  // namespace

void Posterior::fit(std::span<const double> precision, std::span<const double> moment, double ridge) {
  check(precision.size(), moment.size(), ridge);
  const int d = static_cast<int>(moment.size());
  alignas(64) double u[cells(kMaxFeatures)], w[kMaxFeatures * kLanes], v[kMaxFeatures];
  fill(precision, ridge, u, d);
  std::fill(std::copy(moment.begin(), moment.end(), v), v + blocks(d) * kLanes, 0.0);
  if (!kernels().fit(u, blocks(d), v, w))
    throw Error(ErrorKind::input, "precision", "is not positive definite with this ridge");
  if (!std::all_of(v, v + d, [](double m) { return std::isfinite(m); }))
    throw Error(ErrorKind::input, "moment", "expected finite numbers");
  factor_.assign(u, u + cells(d));
  mean_.assign(v, v + d);
}

double Posterior::predict(std::span<const float> x) const {
  assert(x.size() == mean_.size());
  double lanes[kLanes] = {};
  std::size_t i = 0;
  for (; i + kLanes <= x.size(); i += kLanes)
    for (std::size_t j = 0; j < kLanes; ++j) lanes[j] += mean_[i + j] * static_cast<double>(x[i + j]);
  for (std::size_t j = 0; i < x.size(); ++i, ++j) lanes[j] += mean_[i] * static_cast<double>(x[i]);
  return sum(row_at<Two>(lanes));
}

double Posterior::deviation(std::span<const float> x, std::span<double> scratch) const {
  assert(x.size() == mean_.size() && scratch.size() >= x.size());
  alignas(64) double v[kMaxFeatures];
  std::fill(std::copy(x.begin(), x.end(), v), v + blocks(dim()) * kLanes, 0.0);
  const double length = kernels().length(factor_.data(), blocks(dim()), v);
  std::copy(v, v + dim(), scratch.begin());
  return length;
}

}  // namespace turnout::bandit
