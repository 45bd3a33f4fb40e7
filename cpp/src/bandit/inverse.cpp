#include "bandit/inverse.hpp"

#include "bandit/triangle.hpp"
#include "turnout/bandit/posterior.hpp"
#include "turnout/core/isa.hpp"

namespace turnout::bandit {
namespace {

template <class V>
TURNOUT_LANES double dot_lanes(const double* a, const double* b, int n) {
  Row<V> lanes = {};
  for (int i = 0; i < n; ++i) lanes += row_at<V>(a + i * kLanes) * row_at<V>(b + i * kLanes);
  return sum(lanes);
}

// out += x[0] row 0 + x[1] row 1 + ..., even and odd rows in two sums that do not wait for each other.
template <class V>
TURNOUT_LANES void add_rows(Row<V>& even, Row<V>& odd, const double* x, const double* rows) {
  TURNOUT_UNROLL
  for (int r = 0; r < kLanes; r += 2) {
    even += x[r] * row_at<V>(rows + r * kLanes);
    odd += x[r + 1] * row_at<V>(rows + (r + 1) * kLanes);
  }
}

template <class V>
TURNOUT_LANES double quadratic_lanes(const double* s, const double* x, int n) {
  Row<V> lanes = {};
  for (int t = 0; t < n; ++t) {
    Row<V> even = {}, odd = {}, own_even = {}, own_odd = {};
    for (int b = 0; b < t; ++b) add_rows<V>(even, odd, x + b * kLanes, s + inverse_at(b, t));
    add_rows<V>(own_even, own_odd, x + t * kLanes, s + inverse_at(t, t));
    lanes += (2 * (even + odd) + (own_even + own_odd)) * row_at<V>(x + t * kLanes);
  }
  return sum(lanes);
}

template <class V>
TURNOUT_LANES void multiply_lanes(const double* s, const double* x, int n, double* out) {
  for (int t = 0; t < n; ++t) {
    Row<V> even = {}, odd = {};
    for (int b = 0; b <= t; ++b) add_rows<V>(even, odd, x + b * kLanes, s + inverse_at(b, t));
    row_at<V>(out + t * kLanes) = even + odd;
  }
  for (int t = 1; t < n; ++t)
    for (int b = 0; b < t; ++b)
      for (int r = 0; r < kLanes; ++r)
        out[b * kLanes + r] += sum(row_at<V>(s + inverse_at(b, t) + r * kLanes) * row_at<V>(x + t * kLanes));
}

template <class V>
TURNOUT_LANES void subtract_lanes(double* s, const double* g, double share, int n) {
  for (int t = 0; t < n; ++t)
    for (int b = 0; b <= t; ++b)
      for (int r = 0; r < kLanes; ++r)
        row_at<V>(s + inverse_at(b, t) + r * kLanes) -= (share * g[b * kLanes + r]) * row_at<V>(g + t * kLanes);
}

template <class V>
TURNOUT_LANES void solve_lanes(const double* u, int n, double* v) {
  solve_lower<V>(u, n, v);
  divide<V>(u, n, v);
  solve_upper<V>(u, n, v);
}

template <class V>
TURNOUT_LANES bool invert_lanes(double* u, int n, double* s, double* w) {
  if (!factor<V>(u, n, w)) return false;
  for (int column = 0; column < n * kLanes; ++column) {
    const int t = column / kLanes, j = column % kLanes;
    double v[kMaxFeatures] = {};
    v[column] = 1;
    solve_lanes<V>(u, n, v);
    for (int row = 0; row < (t + 1) * kLanes; ++row)
      s[inverse_at(row / kLanes, t) + row % kLanes * kLanes + j] = v[row];
  }
  return true;
}

#define TURNOUT_KERNELS(level, target, V)                                                                             \
  target double dot_##level(const double* a, const double* b, int n) { return dot_lanes<V>(a, b, n); }                \
  target double quadratic_##level(const double* s, const double* x, int n) { return quadratic_lanes<V>(s, x, n); }    \
  target void multiply_##level(const double* s, const double* x, int n, double* o) { multiply_lanes<V>(s, x, n, o); } \
  target void subtract_##level(double* s, const double* g, double f, int n) { subtract_lanes<V>(s, g, f, n); }        \
  target bool invert_##level(double* u, int n, double* s, double* w) { return invert_lanes<V>(u, n, s, w); }          \
  target void solve_##level(const double* u, int n, double* v) { solve_lanes<V>(u, n, v); }                           \
  constexpr InverseKernels level = {dot_##level,      quadratic_##level, multiply_##level,                            \
                                    subtract_##level, invert_##level,    solve_##level};

TURNOUT_KERNELS(baseline, , Two)
#if defined(__x86_64__)
TURNOUT_KERNELS(avx2, TURNOUT_AVX2, Four)
#endif

const InverseKernels& choose() {
#if defined(__x86_64__)
  if (active_isa() != Isa::baseline) return avx2;
#endif
  return baseline;
}

}  // namespace

const InverseKernels& inverse_kernels() {
  static const InverseKernels& chosen = choose();
  return chosen;
}

}  // namespace turnout::bandit
