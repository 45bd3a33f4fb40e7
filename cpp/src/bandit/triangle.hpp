// A = U^T D U without square roots (Cholesky's LDL^T form), in tiles of 8 x 8: tile (b, t), t >= b, is rows 8 b .. of
// the columns 8 t .., row by row, and tiles follow each other row of tiles by row of tiles. d is padded to whole tiles
// by rows of the identity. U has ones on its diagonal; 1 / D is stored there.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>

#include "bandit/lanes.hpp"

namespace turnout::bandit {

constexpr int tile_at(int b, int t, int n) { return (b * n - b * (b - 1) / 2 + t - b) * kTile; }
constexpr int cells(int d) { return tile_at(blocks(d), blocks(d), blocks(d)); }

// A's tiles; those below the diagonal of a tile on it stay 0 and are never read.
inline void fill(std::span<const double> precision, double ridge, double* u, int d) {
  const int n = blocks(d);
  std::fill(u, u + cells(d), 0.0);
  const double* from = precision.data();
  for (int k = 0; k < n * kLanes; ++k) {
    const int b = k / kLanes, r = k % kLanes;
    double* const tiles = u + tile_at(b, b, n) + r * kLanes;
    tiles[r] = 1;
    for (int j = k; j < d;) {
      const int end = std::min(d, (j / kLanes + 1) * kLanes);
      std::copy(from, from + (end - j), tiles + (j / kLanes - b) * kTile + j % kLanes);
      from += end - j;
      j = end;
    }
    if (k < d) tiles[r] += ridge;
  }
}

// out -= share[0] row 0 + share[stride] row 1 + ..., each in turn.
template <class V>
TURNOUT_LANES void subtract_rows(double* out, const double* share, int stride, const double* rows) {
  Row<V> row = row_at<V>(out);
  TURNOUT_UNROLL
  for (int m = 0; m < kLanes; ++m) row -= share[m * stride] * row_at<V>(rows + m * kLanes);
  row_at<V>(out) = row;
}

// The tile on the diagonal. False: a pivot is not above 0. Below the diagonal it leaves what nobody reads.
template <class V>
TURNOUT_LANES bool factor_diagonal(double* a) {
  for (int k = 0; k < kLanes; ++k) {
    double* const pivot = a + k * (kLanes + 1);
    if (!(*pivot > 0 && *pivot < HUGE_VAL)) return false;
    const double inverse = 1 / *pivot;
    const Row<V> row = row_at<V>(a + k * kLanes), unit = inverse * row;
    row_at<V>(a + k * kLanes) = unit;
    *pivot = inverse;
    for (int i = k + 1; i < kLanes; ++i) row_at<V>(a + i * kLanes) -= a[k * kLanes + i] * row;
  }
  return true;
}

// A tile right of it: `w` becomes U^-T of the diagonal tile times it (D times the factor's), `a` the factor's.
template <class V>
TURNOUT_LANES void factor_tile(const double* diagonal, double* a, double* w) {
  TURNOUT_UNROLL
  for (int r = 0; r < kLanes; ++r) {
    Row<V> row = row_at<V>(a + r * kLanes);
    for (int m = 0; m < r; ++m) row -= diagonal[m * kLanes + r] * row_at<V>(w + m * kLanes);
    row_at<V>(w + r * kLanes) = row;
    row_at<V>(a + r * kLanes) = diagonal[r * (kLanes + 1)] * row;
  }
}

// The factor in place of A's tiles. `w` [n * kTile].
template <class V>
TURNOUT_LANES bool factor(double* u, int n, double* w) {
  for (int b = 0; b < n; ++b) {
    double* const diagonal = u + tile_at(b, b, n);
    if (!factor_diagonal<V>(diagonal)) return false;
    for (int t = b + 1; t < n; ++t) factor_tile<V>(diagonal, diagonal + (t - b) * kTile, w + t * kTile);
    for (int i = b + 1; i < n; ++i)
      for (int t = i; t < n; ++t)
        for (int r = 0; r < kLanes; ++r)
          subtract_rows<V>(u + tile_at(i, t, n) + r * kLanes, diagonal + (i - b) * kTile + r, kLanes, w + t * kTile);
  }
  return true;
}

// v = U^-T v.
template <class V>
TURNOUT_LANES void solve_lower(const double* u, int n, double* v) {
  for (int b = 0; b < n; ++b) {
    const double* const diagonal = u + tile_at(b, b, n);
    double* const y = v + b * kLanes;
    TURNOUT_UNROLL
    for (int k = 1; k < kLanes; ++k)
      for (int m = 0; m < k; ++m) y[k] -= y[m] * diagonal[m * kLanes + k];
    for (int t = b + 1; t < n; ++t) subtract_rows<V>(v + t * kLanes, y, 1, diagonal + (t - b) * kTile);
  }
}

// v = U^-1 v.
template <class V>
TURNOUT_LANES void solve_upper(const double* u, int n, double* v) {
  for (int b = n - 1; b >= 0; --b) {
    const double* const diagonal = u + tile_at(b, b, n);
    double* const y = v + b * kLanes;
    for (int r = 0; r < kLanes; ++r) {
      Row<V> lanes = {};
      for (int t = b + 1; t < n; ++t)
        lanes += row_at<V>(diagonal + (t - b) * kTile + r * kLanes) * row_at<V>(v + t * kLanes);
      y[r] -= sum(lanes);
    }
    TURNOUT_UNROLL
    for (int k = kLanes - 2; k >= 0; --k)
      for (int m = kLanes - 1; m > k; --m) y[k] -= y[m] * diagonal[k * kLanes + m];
  }
}

// v = D^-1 v.
template <class V>
TURNOUT_LANES void divide(const double* u, int n, double* v) {
  for (int b = 0; b < n; ++b)
    for (int k = 0; k < kLanes; ++k) v[b * kLanes + k] *= u[tile_at(b, b, n) + k * (kLanes + 1)];
}

// v^T D^-1 v.
template <class V>
TURNOUT_LANES double weighted_square(const double* u, int n, const double* v) {
  Row<V> lanes = {};
  for (int b = 0; b < n; ++b) {
    double inverse[kLanes];
    for (int k = 0; k < kLanes; ++k) inverse[k] = u[tile_at(b, b, n) + k * (kLanes + 1)];
    lanes += row_at<V>(v + b * kLanes) * row_at<V>(v + b * kLanes) * row_at<V>(inverse);
  }
  return sum(lanes);
}

}  // namespace turnout::bandit
