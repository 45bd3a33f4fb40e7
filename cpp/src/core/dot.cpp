#include "turnout/core/dot.hpp"

#include "turnout/core/isa.hpp"

namespace turnout {
namespace {

constexpr int kLanes = 16;

// The same sixteen sums whatever the width of a register; the compiler may only choose how many it keeps in one.
[[gnu::always_inline]] inline float dot_lanes(const float* a, const float* b, int n) {
  float lane[kLanes] = {};
  int i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (int j = 0; j < kLanes; ++j) lane[j] += a[i + j] * b[i + j];
  for (int j = 0; i < n; ++i, ++j) lane[j] += a[i] * b[i];
  for (int width = kLanes / 2; width > 0; width /= 2)
    for (int j = 0; j < width; ++j) lane[j] += lane[j + width];
  return lane[0];
}

float dot_baseline(const float* a, const float* b, int n) { return dot_lanes(a, b, n); }
#if defined(__x86_64__)
[[gnu::target("avx2")]] float dot_avx2(const float* a, const float* b, int n) { return dot_lanes(a, b, n); }
[[gnu::target("avx512f,avx512bw,prefer-vector-width=512")]] float dot_avx512(const float* a, const float* b, int n) {
  return dot_lanes(a, b, n);
}
#endif

using Dot = float (*)(const float*, const float*, int);
Dot choose_dot() {
#if defined(__x86_64__)
  if (active_isa() == Isa::avx512) return dot_avx512;
  if (active_isa() == Isa::avx2) return dot_avx2;
#endif
  return dot_baseline;
}

}  // namespace

float dot(const float* a, const float* b, int n) {
  static const Dot kernel = choose_dot();
  return kernel(a, b, n);
}

}  // namespace turnout
