#include "bandit/inverse.hpp"

#include "bandit/triangle.hpp"
#include "turnout/bandit/posterior.hpp"
#include "turnout/core/isa.hpp"

namespace turnout::bandit {
namespace {

TURNOUT_LANES double dot_lanes(const double* a, const double* b, int n) {
  Row lanes = {};
  for (int i = 0; i < n; ++i) lanes += row_at(a + i * kLanes) * row_at(b + i * kLanes);
  return sum(lanes);
}

// out += x[0] row 0 + x[1] row 1 + ..., even and odd rows in two sums that do not wait for each other.
TURNOUT_LANES void add_rows(Row& even, Row& odd, const double* x, const double* rows) {
#pragma GCC unroll 4
  for (int r = 0; r < kLanes; r += 2) {
    even += x[r] * row_at(rows + r * kLanes);
    odd += x[r + 1] * row_at(rows + (r + 1) * kLanes);
  }
}

TURNOUT_LANES double quadratic_lanes(const double* s, const double* x, int n) {
  Row lanes = {};
  for (int t = 0; t < n; ++t) {
    Row even = {}, odd = {}, own_even = {}, own_odd = {};
    for (int b = 0; b < t; ++b) add_rows(even, odd, x + b * kLanes, s + inverse_at(b, t));
    add_rows(own_even, own_odd, x + t * kLanes, s + inverse_at(t, t));
    lanes += (2 * (even + odd) + (own_even + own_odd)) * row_at(x + t * kLanes);
  }
  return sum(lanes);
}

TURNOUT_LANES void multiply_lanes(const double* s, const double* x, int n, double* out) {
  for (int t = 0; t < n; ++t) {
    Row even = {}, odd = {};
    for (int b = 0; b <= t; ++b) add_rows(even, odd, x + b * kLanes, s + inverse_at(b, t));
    row_at(out + t * kLanes) = even + odd;
  }
  for (int t = 1; t < n; ++t)
    for (int b = 0; b < t; ++b)
      for (int r = 0; r < kLanes; ++r)
        out[b * kLanes + r] += sum(row_at(s + inverse_at(b, t) + r * kLanes) * row_at(x + t * kLanes));
}

TURNOUT_LANES void subtract_lanes(double* s, const double* g, double share, int n) {
  for (int t = 0; t < n; ++t)
    for (int b = 0; b <= t; ++b)
      for (int r = 0; r < kLanes; ++r)
        row_at(s + inverse_at(b, t) + r * kLanes) -= (share * g[b * kLanes + r]) * row_at(g + t * kLanes);
}

TURNOUT_LANES void solve_lanes(const double* u, int n, double* v) {
  solve_lower(u, n, v);
  divide(u, n, v);
  solve_upper(u, n, v);
}

TURNOUT_LANES bool invert_lanes(double* u, int n, double* s, double* w) {
  if (!factor(u, n, w)) return false;
  for (int column = 0; column < n * kLanes; ++column) {
    const int t = column / kLanes, j = column % kLanes;
    double v[kMaxFeatures] = {};
    v[column] = 1;
    solve_lanes(u, n, v);
    for (int row = 0; row < (t + 1) * kLanes; ++row)
      s[inverse_at(row / kLanes, t) + row % kLanes * kLanes + j] = v[row];
  }
  return true;
}

#define TURNOUT_KERNELS(level, target)                                                                             \
  target double dot_##level(const double* a, const double* b, int n) { return dot_lanes(a, b, n); }                \
  target double quadratic_##level(const double* s, const double* x, int n) { return quadratic_lanes(s, x, n); }    \
  target void multiply_##level(const double* s, const double* x, int n, double* o) { multiply_lanes(s, x, n, o); } \
  target void subtract_##level(double* s, const double* g, double f, int n) { subtract_lanes(s, g, f, n); }        \
  target bool invert_##level(double* u, int n, double* s, double* w) { return invert_lanes(u, n, s, w); }          \
  target void solve_##level(const double* u, int n, double* v) { solve_lanes(u, n, v); }                           \
  constexpr InverseKernels level = {dot_##level,      quadratic_##level, multiply_##level,                         \
                                    subtract_##level, invert_##level,    solve_##level};

TURNOUT_KERNELS(baseline, )
#if defined(__x86_64__)
TURNOUT_KERNELS(avx2, TURNOUT_AVX2)
TURNOUT_KERNELS(avx512, TURNOUT_AVX512)
#endif

const InverseKernels& choose() {
#if defined(__x86_64__)
  if (active_isa() == Isa::avx512) return avx512;
  if (active_isa() == Isa::avx2) return avx2;
#endif
  return baseline;
}

}  // namespace

const InverseKernels& inverse_kernels() {
  static const InverseKernels& chosen = choose();
  return chosen;
}

}  // namespace turnout::bandit
