// Streaming quantiles: DDSketch (Masson, Rim and Lee, VLDB 2019) over fixed buckets. Each power of two is cut into 128
// equal buckets (the paper's linearly interpolated mapping), so that a value's bucket is the top of its bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace turnout::telemetry {

// Buckets hold (lower, upper]; a quantile is its bucket's upper edge: at least the true one, and at most 1/128 of it
// above. Whole numbers up to 256 are edges, so for them it is the true one and its rank is exact.
namespace buckets {
inline constexpr int kPerOctave = 128, kLowestExponent = -20, kOctaves = 48;
inline constexpr int kCount = 1 + kPerOctave * kOctaves;  // bucket 0 holds what is at most 2^-20, and reads as 0
inline constexpr double kLargest = 0x1.0p28;
int index(double value);  // of 0 <= value <= kLargest
double upper_edge(int index);
}  // namespace buckets

// Fixed memory (48 KiB). Merging adds counts, so neither its order nor that of the values changes anything. One thread
// at a time.
class QuantileSketch {
 public:
  // Throws Error(input): a value that is not in [0, kLargest].
  void add(double value, std::uint64_t times = 1);
  void merge(const QuantileSketch& other);
  // The value whose rank is max(1, ceil(q n)) of n. Throws Error(input): q outside [0, 1], or an empty sketch.
  double quantile(double q) const;
  double share_at_most(double value) const;  // of the values, within the value's bucket; 0 when empty
  std::uint64_t count() const { return total_; }
  bool operator==(const QuantileSketch&) const = default;

  std::vector<std::byte> save() const;
  static QuantileSketch load(std::span<const std::byte> bytes);  // checks length and checksum before it parses
  std::span<const std::uint64_t> counts() const { return counts_; }

 private:
  std::vector<std::uint64_t> counts_ = std::vector<std::uint64_t>(buckets::kCount);
  std::uint64_t total_ = 0;
};

}  // namespace turnout::telemetry
