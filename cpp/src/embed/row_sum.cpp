#include "row_sum.hpp"

#include <cmath>
#include <cstddef>

#include "turnout/core.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace turnout::embed {
namespace {

// What to sum: rows of `dim` bytes, of which a kernel takes the columns from `begin` on.
struct Rows {
  const std::int8_t* rows;
  const std::int16_t* weights;
  std::span<const std::int32_t> ids;
  std::size_t dim;

  const std::int8_t* row(std::size_t i) const { return rows + static_cast<std::size_t>(ids[i]) * dim; }
  std::int16_t weight(std::size_t i) const { return weights[ids[i]]; }
};

constexpr std::size_t kAhead = 6;  // rows fetched before they are needed: they lie all over a table of megabytes

inline void fetch(const Rows& r, std::size_t i, std::size_t begin, std::size_t bytes) {
  if (i >= r.ids.size()) return;
  for (std::size_t j = 0; j < bytes; j += 64) __builtin_prefetch(r.row(i) + begin + j);
}

// Columns [begin, end) one by one: the whole of it on aarch64 and SSE2 (the compiler widens), a remainder elsewhere.
[[gnu::always_inline]] inline void sum_plain(const Rows& r, std::size_t begin, std::size_t end, std::int32_t* sums) {
  for (std::size_t j = begin; j < end; ++j) sums[j] = 0;
  for (std::size_t i = 0; i < r.ids.size(); ++i) {
    fetch(r, i + kAhead, begin, end - begin);
    const std::int8_t* row = r.row(i);
    const std::int16_t weight = r.weight(i);
    for (std::size_t j = begin; j < end; ++j) sums[j] += static_cast<std::int16_t>(row[j]) * weight;
  }
}

[[gnu::always_inline]] inline void to_unit_plain(const std::int32_t* sums, int dim, float* out) {
  std::int64_t squares = 0;
  for (int j = 0; j < dim; ++j) squares += static_cast<std::int64_t>(sums[j]) * sums[j];
  const double scale = squares == 0 ? 0.0 : 1.0 / std::sqrt(static_cast<double>(squares));
  for (int j = 0; j < dim; ++j) out[j] = static_cast<float>(static_cast<double>(sums[j]) * scale);
}

void sum_baseline(const Rows& r, std::int32_t* sums) { sum_plain(r, 0, r.dim, sums); }
void to_unit_baseline(const std::int32_t* sums, int dim, float* out) { to_unit_plain(sums, dim, out); }

#if defined(__x86_64__)
// Bytes are widened to 32 bits, of which multiply-add sees pairs of 16: (byte, its sign) . (weight, 0) = byte * weight.
template <int N>
[[gnu::target("avx2"), gnu::always_inline]] inline void columns_avx2(const Rows& r, std::size_t begin,
                                                                     std::int32_t* sums) {
  __m256i sum[N];
  for (auto& s : sum) s = _mm256_setzero_si256();
  for (std::size_t i = 0; i < r.ids.size(); ++i) {
    fetch(r, i + kAhead, begin, 8 * N);
    const std::int8_t* row = r.row(i) + begin;
    const __m256i weight = _mm256_set1_epi32(r.weight(i));
    for (int k = 0; k < N; ++k) {
      const __m256i wide = _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(row + 8 * k)));
      sum[k] = _mm256_add_epi32(sum[k], _mm256_madd_epi16(wide, weight));
    }
  }
  for (int k = 0; k < N; ++k) _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums + begin + 8 * k), sum[k]);
}

// All lanes: GCC 12 falsely warns of the unmasked form (its header starts from an uninitialised register).
constexpr __mmask16 kAll = 0xFFFF;

template <int N>
[[gnu::target("avx512f,avx512bw"), gnu::always_inline]] inline void columns_avx512(const Rows& r, std::size_t begin,
                                                                                   std::int32_t* sums) {
  __m512i sum[N];
  for (auto& s : sum) s = _mm512_setzero_si512();
  for (std::size_t i = 0; i < r.ids.size(); ++i) {
    fetch(r, i + kAhead, begin, 16 * N);
    const std::int8_t* row = r.row(i) + begin;
    const __m512i weight = _mm512_set1_epi32(r.weight(i));
    for (int k = 0; k < N; ++k) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(row + 16 * k));
      const __m512i wide = _mm512_maskz_cvtepi8_epi32(kAll, bytes);
      sum[k] = _mm512_add_epi32(sum[k], _mm512_madd_epi16(wide, weight));
    }
  }
  for (int k = 0; k < N; ++k) _mm512_storeu_si512(sums + begin + 16 * k, sum[k]);
}

// As many columns at once as the registers hold, then fewer, then one by one.
[[gnu::target("avx2")]] void sum_avx2(const Rows& r, std::int32_t* sums) {
  std::size_t j = 0;
  for (; j + 64 <= r.dim; j += 64) columns_avx2<8>(r, j, sums);
  for (; j + 8 <= r.dim; j += 8) columns_avx2<1>(r, j, sums);
  sum_plain(r, j, r.dim, sums);
}

[[gnu::target("avx512f,avx512bw")]] void sum_avx512(const Rows& r, std::int32_t* sums) {
  std::size_t j = 0;
  for (; j + 256 <= r.dim; j += 256) columns_avx512<16>(r, j, sums);
  for (; j + 64 <= r.dim; j += 64) columns_avx512<4>(r, j, sums);
  for (; j + 16 <= r.dim; j += 16) columns_avx512<1>(r, j, sums);
  sum_plain(r, j, r.dim, sums);
}

[[gnu::target("avx2")]] void to_unit_avx2(const std::int32_t* sums, int dim, float* out) {
  to_unit_plain(sums, dim, out);
}
[[gnu::target("avx512f,avx512bw,prefer-vector-width=512")]] void to_unit_avx512(const std::int32_t* sums, int dim,
                                                                                float* out) {
  to_unit_plain(sums, dim, out);
}
#endif

struct Kernels {
  void (*sum)(const Rows&, std::int32_t*) = sum_baseline;
  void (*unit)(const std::int32_t*, int, float*) = to_unit_baseline;
};

Kernels choose() {
#if defined(__x86_64__)
  if (active_isa() == Isa::avx512) return {sum_avx512, to_unit_avx512};
  if (active_isa() == Isa::avx2) return {sum_avx2, to_unit_avx2};
#endif
  return {};
}

const Kernels& kernels() {
  static const Kernels chosen = choose();
  return chosen;
}

}  // namespace

void sum_rows(const std::int8_t* rows, const std::int16_t* weights, std::span<const std::int32_t> ids, int dim,
              std::int32_t* sums) {
  kernels().sum({rows, weights, ids, static_cast<std::size_t>(dim)}, sums);
}

void to_unit(const std::int32_t* sums, int dim, float* out) { kernels().unit(sums, dim, out); }

}  // namespace turnout::embed
