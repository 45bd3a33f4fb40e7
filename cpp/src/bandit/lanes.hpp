// Kernels over rows of eight doubles. Every element is computed by the same operations in the same order whatever the
// width of a register: the compiler only chooses how many of the eight it holds in one. So all SIMD levels give the
// same bits.
#pragma once

#define TURNOUT_LANES [[gnu::always_inline]] inline
#if defined(__x86_64__)
#define TURNOUT_AVX2 [[gnu::target("avx2")]]
#define TURNOUT_AVX512 [[gnu::target("avx512f,avx512bw,avx512dq,prefer-vector-width=512")]]
#endif

namespace turnout::bandit {

inline constexpr int kLanes = 8, kTile = kLanes * kLanes;

constexpr int blocks(int d) { return (d + kLanes - 1) / kLanes; }
constexpr int padded(int d) { return blocks(d) * kLanes; }

// Eight doubles at any address: GCC and Clang keep them in what registers there are.
using Row [[gnu::vector_size(kLanes * sizeof(double)), gnu::aligned(alignof(double)), gnu::may_alias]] = double;

TURNOUT_LANES Row& row_at(double* p) { return *reinterpret_cast<Row*>(p); }
TURNOUT_LANES const Row& row_at(const double* p) { return *reinterpret_cast<const Row*>(p); }

TURNOUT_LANES double sum(const Row& x) {
  const double a = x[0] + x[4], b = x[1] + x[5], c = x[2] + x[6], d = x[3] + x[7];
  return (a + c) + (b + d);
}

}  // namespace turnout::bandit
