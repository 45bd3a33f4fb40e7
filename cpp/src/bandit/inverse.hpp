// The inverse of a model's A, symmetric, as its upper tiles: tile (b, t), b <= t, is rows 8 b .. of the columns 8 t ..;
// tiles follow each other column of tiles by column of tiles. Vectors are padded to whole rows of eight.
#pragma once

#include <span>

#include "bandit/lanes.hpp"

namespace turnout::bandit {

constexpr int inverse_at(int b, int t) { return (t * (t + 1) / 2 + b) * kTile; }
constexpr int inverse_cells(int d) { return inverse_at(0, blocks(d)); }

struct InverseKernels {
  double (*dot)(const double* a, const double* b, int n);
  double (*quadratic)(const double* s, const double* x, int n);            // x^T S x
  void (*multiply)(const double* s, const double* x, int n, double* out);  // S x
  void (*subtract)(double* s, const double* g, double share, int n);       // S -= share g g^T
  bool (*invert)(double* u, int n, double* s, double* w);  // `u`: A's tiles as of triangle.hpp, then their factor
  void (*solve)(const double* u, int n, double* v);        // v = A^-1 v
};
const InverseKernels& inverse_kernels();

}  // namespace turnout::bandit
