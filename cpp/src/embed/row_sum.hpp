// Exact integer kernels of the static embedder: the same bits at every SIMD level, since nothing is rounded.
#pragma once

#include <cstdint>
#include <span>

namespace turnout::embed {

// sums[j] = sum over ids of weights[id] * rows[id * dim + j].
void sum_rows(const std::int8_t* rows, const std::int16_t* weights, std::span<const std::int32_t> ids, int dim,
              std::int32_t* sums);

// Scales the sums to norm 1: square root and division in double, one rounding to float. Zeros stay zeros.
void to_unit(const std::int32_t* sums, int dim, float* out);

}  // namespace turnout::embed
