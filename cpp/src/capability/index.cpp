#include <algorithm>
#include <cmath>

#include "turnout/capability.hpp"

namespace turnout::capability {
namespace {

constexpr double kUnitRoundoff = 0x1p-24;  // of float32
constexpr double kNormMargin = 1.001;      // the norm of x is itself a float32 sum, of at most kMaxDim terms
constexpr std::uint8_t kKindBits = 32;

[[noreturn]] void fail(const std::string& path, const std::string& what) { throw Error(ErrorKind::config, path, what); }

template <class T>
void check_length(const char* path, const std::vector<T>& column, std::size_t expected) {
  if (column.size() != expected)
    fail(path, "expected " + std::to_string(expected) + " values, got " + std::to_string(column.size()));
}

void check_finite(const char* path, const std::vector<float>& column) {
  const auto wrong = std::find_if(column.begin(), column.end(), [](float v) { return !std::isfinite(v); });
  if (wrong != column.end())
    fail(std::string(path) + "[" + std::to_string(wrong - column.begin()) + "]", "expected a finite number");
}

void check(const FaissIndex& index, const Columns& c) {
  const auto n = static_cast<std::size_t>(index.size());
  check_length("capability.vectors", c.vectors, n * static_cast<std::size_t>(index.dim()));
  check_length("capability.kinds", c.kinds, n);
  check_length("capability.requires", c.requires_, n);
  check_length("capability.usd_per_call", c.usd_per_call, n);
  check_finite("capability.vectors", c.vectors);
  check_finite("capability.usd_per_call", c.usd_per_call);
  for (std::size_t i = 0; i < n; ++i)
    if (c.kinds[i] >= kKindBits) fail("capability.kinds[" + std::to_string(i) + "]", "expected a number below 32");
}

double largest_norm(const std::vector<float>& vectors, std::size_t dim) {
  double largest = 0;
  for (std::size_t i = 0; i < vectors.size(); i += dim) {
    double sum = 0;
    for (std::size_t j = 0; j < dim; ++j) sum += double{vectors[i + j]} * vectors[i + j];
    largest = std::max(largest, sum);
  }
  return std::sqrt(largest);
}

}  // namespace

// The error of a float32 inner product of D terms, in any order, is at most g |x| |v| with g = D u / (1 - D u)
// (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1). FAISS's sum and ours each have one, so they
// differ by at most 2 g |x| |v|.
Index::Index(FaissIndex index, Columns columns, float threshold)
    : index_(std::move(index)), columns_(std::move(columns)), threshold_(threshold) {
  check(index_, columns_);
  if (std::isnan(threshold_)) fail("capability.threshold", "expected a number, got NaN");
  for (const auto kind : columns_.kinds) kind_bits_.push_back(1u << kind);
  for (const auto bit : kind_bits_) all_kinds_ |= bit;
  for (const auto bits : columns_.requires_) all_requires_ |= bits;
  if (!columns_.usd_per_call.empty())
    cheapest_ = *std::min_element(columns_.usd_per_call.begin(), columns_.usd_per_call.end());
  const double du = dim() * kUnitRoundoff;
  error_ = kNormMargin * 2 * du / (1 - du) * largest_norm(columns_.vectors, static_cast<std::size_t>(dim()));
}

Workspace Index::workspace() const {
  Workspace ws;
  const auto widest = static_cast<std::size_t>(std::min<std::int64_t>(size(), kMaxTools + kSlack));
  ws.distances.resize(widest);
  ws.labels.resize(widest);
  ws.hits.reserve(kMaxTools);
  return ws;
}

}  // namespace turnout::capability
