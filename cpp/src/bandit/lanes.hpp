// Kernels over rows of eight doubles. Every element is computed by the same operations in the same order whatever the
// width of a register: the compiler only chooses how many of the eight it holds in one. So all SIMD levels give the
// same bits.
#pragma once

#define TURNOUT_LANES [[gnu::always_inline]] inline
#if defined(__clang__)
#define TURNOUT_UNROLL _Pragma("unroll")
#else
#define TURNOUT_UNROLL _Pragma("GCC unroll 8")
#endif
#if defined(__x86_64__)
#define TURNOUT_AVX2 [[gnu::target("avx2")]]
#endif

namespace turnout::bandit {

inline constexpr int kLanes = 8, kTile = kLanes * kLanes;

constexpr int blocks(int d) { return (d + kLanes - 1) / kLanes; }
constexpr int padded(int d) { return blocks(d) * kLanes; }

// Eight doubles at any address, as vectors of the target's width: GCC keeps wider ones in memory. Eight in one register
// (AVX-512) are no faster here: what is read is the limit.
struct Two {
  using Vector [[gnu::vector_size(16), gnu::aligned(alignof(double)), gnu::may_alias]] = double;
};
struct Four {
  using Vector [[gnu::vector_size(32), gnu::aligned(alignof(double)), gnu::may_alias]] = double;
};

template <class V>
struct Row {
  using Vector = typename V::Vector;
  static constexpr int kParts = kLanes * static_cast<int>(sizeof(double)) / static_cast<int>(sizeof(Vector));
  Vector part[kParts];
};

#define TURNOUT_PARTS(result, expression) \
  Row<V> result;                          \
  TURNOUT_UNROLL for (int i = 0; i < Row<V>::kParts; ++i) result.part[i] = expression

template <class V>
TURNOUT_LANES Row<V> operator+(const Row<V>& a, const Row<V>& b) {
  TURNOUT_PARTS(out, a.part[i] + b.part[i]);
  return out;
}
template <class V>
TURNOUT_LANES Row<V> operator-(const Row<V>& a, const Row<V>& b) {
  TURNOUT_PARTS(out, a.part[i] - b.part[i]);
  return out;
}
template <class V>
TURNOUT_LANES Row<V> operator*(const Row<V>& a, const Row<V>& b) {
  TURNOUT_PARTS(out, a.part[i] * b.part[i]);
  return out;
}
template <class V>
TURNOUT_LANES Row<V> operator*(double a, const Row<V>& b) {
  TURNOUT_PARTS(out, a * b.part[i]);
  return out;
}
#undef TURNOUT_PARTS
template <class V>
TURNOUT_LANES void operator+=(Row<V>& a, const Row<V>& b) {
  a = a + b;
}
template <class V>
TURNOUT_LANES void operator-=(Row<V>& a, const Row<V>& b) {
  a = a - b;
}

template <class V>
TURNOUT_LANES Row<V>& row_at(double* p) {
  return *reinterpret_cast<Row<V>*>(p);
}
template <class V>
TURNOUT_LANES const Row<V>& row_at(const double* p) {
  return *reinterpret_cast<const Row<V>*>(p);
}

// Pairwise: the two halves, then their halves.
template <class V>
TURNOUT_LANES double sum(const Row<V>& x) {
  double s[kLanes];
  row_at<V>(s) = x;
  return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

}  // namespace turnout::bandit
