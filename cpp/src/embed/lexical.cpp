#include "lexical.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>

#include "row_sum.hpp"

namespace turnout::embed {
namespace {

void check(bool holds, const std::string& path, const std::string& expected, const std::string& got) {
  if (!holds) throw Error(ErrorKind::bundle, path, "expected " + expected + ", got " + got);
}

void check_size(std::size_t size, std::size_t expected, const char* path) {
  check(size == expected, path, std::to_string(expected) + " numbers", std::to_string(size));
}

void check_finite(const std::vector<float>& values, const char* path) {
  for (std::size_t i = 0; i < values.size(); ++i)
    check(std::isfinite(values[i]), path + ("[" + std::to_string(i) + "]"), "a finite number",
          std::to_string(values[i]));
}

int bits_of(const LexicalTables& tables) { return std::bit_width(tables.weights.size()) - 1; }

// 1 / the norm of the buckets' weights. Weights and rows lie all over tables of megabytes: this pass brings them in.
double inverse_norm(const LexicalTables& tables, std::span<const std::int32_t> buckets) {
  std::int64_t squares = 0;
  for (const std::int32_t bucket : buckets) {
    __builtin_prefetch(tables.rows.data() + static_cast<std::ptrdiff_t>(bucket) * tables.width);
    const std::int64_t weight = tables.weights[static_cast<std::size_t>(bucket)];
    squares += weight * weight;
  }
  return squares > 0 ? 1.0 / std::sqrt(static_cast<double>(squares)) : 0.0;
}

// Rows are added one by one, in double, from 0.
void add_marks(const LexicalTables& tables, std::string_view text, int tokens, double* sums) {
  std::int32_t on[kMarks];
  find_marks(text, tokens, on);
  for (const std::int32_t row : on) {
    const float* values = tables.marks.data() + static_cast<std::ptrdiff_t>(row) * tables.width;
    for (int j = 0; j < tables.width; ++j) sums[j] += static_cast<double>(values[j]);
  }
}

}  // namespace

void check_lexical(const LexicalTables& t) {
  if (t.width == 0) return;
  const auto width = static_cast<std::size_t>(t.width), buckets = t.weights.size();
  check(t.width > 0 && t.width <= LexicalTables::kMaxWidth && t.width % 16 == 0, "lexical", "16, 32, 48 or 64",
        std::to_string(t.width));
  check(std::has_single_bit(buckets) && bits_of(t) >= kMinBucketBits && bits_of(t) <= kMaxBucketBits, "ngram_weights",
        "a power of two from 1024 to 262144 buckets", std::to_string(buckets));
  check_size(t.rows.size(), buckets * width, "ngrams");
  check_size(t.scale.size(), width, "ngram_scale");
  check_size(t.marks.size(), kMarkRows * width, "marks");
  for (std::size_t i = 0; i < buckets; ++i)
    check(t.weights[i] >= 0 && t.weights[i] <= StaticEmbedder::kMaxWeight, "ngram_weights[" + std::to_string(i) + "]",
          "0 to " + std::to_string(StaticEmbedder::kMaxWeight), std::to_string(t.weights[i]));
  check_finite(t.scale, "ngram_scale");
  check_finite(t.marks, "marks");
}

void score(const LexicalTables& t, std::string_view text, int tokens, Workspace& ws, float* out) {
  find_buckets(ws.ids, bits_of(t), ws);
  const double inverse = inverse_norm(t, ws.buckets);
  std::int32_t sums[LexicalTables::kMaxWidth];  // at most 1023 x 2047 x 128
  sum_rows(t.rows.data(), t.weights.data(), ws.buckets, t.width, sums);
  double marks[LexicalTables::kMaxWidth] = {};
  add_marks(t, text, tokens, marks);
  for (int j = 0; j < t.width; ++j) {
    const double ngrams =
        static_cast<double>(sums[j]) * inverse * static_cast<double>(t.scale[static_cast<std::size_t>(j)]);
    out[j] = static_cast<float>(std::clamp(ngrams + marks[j], -kMaxScore, kMaxScore));
  }
}

}  // namespace turnout::embed
