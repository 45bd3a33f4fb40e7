#include "turnout/telemetry/sketch.hpp"

#include "telemetry/counts.hpp"

namespace turnout::telemetry {

namespace buckets {

// One below the bits of the value: an edge belongs to the bucket that it closes.
int index(double value) {
  constexpr int kShift = 52 - std::bit_width(unsigned{kPerOctave} - 1);
  constexpr auto kFirst = static_cast<std::int64_t>(
      std::bit_cast<std::uint64_t>(std::bit_cast<double>(std::uint64_t{1023 + kLowestExponent} << 52)) >> kShift);
  if (!(value > 0x1.0p-20)) return 0;
  const auto top = static_cast<std::int64_t>((std::bit_cast<std::uint64_t>(value) - 1) >> kShift);
  return static_cast<int>(std::min<std::int64_t>(1 + top - kFirst, kCount - 1));
}

double upper_edge(int index) {
  if (index == 0) return 0;
  const int octave = (index - 1) / kPerOctave, step = (index - 1) % kPerOctave;
  return std::ldexp(1 + (step + 1.0) / kPerOctave, octave + kLowestExponent);
}

}  // namespace buckets

void QuantileSketch::add(double value, std::uint64_t times) {
  check_number(value, 0, buckets::kLargest, "value", ErrorKind::input);
  counts_[static_cast<std::size_t>(buckets::index(value))] += times;
  total_ += times;
}

void QuantileSketch::merge(const QuantileSketch& other) {
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  total_ += other.total_;
}

double QuantileSketch::quantile(double q) const {
  const std::uint64_t rank = rank_of(q, total_);
  return buckets::upper_edge(bucket_of_rank(rank, [&](int i) { return counts_[static_cast<std::size_t>(i)]; }));
}

double QuantileSketch::share_at_most(double value) const {
  check_number(value, 0, buckets::kLargest, "value", ErrorKind::input);
  if (total_ == 0) return 0;
  std::uint64_t seen = 0;
  for (int i = 0; i <= buckets::index(value); ++i) seen += counts_[static_cast<std::size_t>(i)];
  return static_cast<double>(seen) / static_cast<double>(total_);
}

namespace {
constexpr std::uint64_t kMagic = 0x3130687374657571;  // "quetsh01"
}

std::vector<std::byte> QuantileSketch::save() const {
  ByteWriter out(kMagic);
  put_counts(out, [&](int i) { return counts_[static_cast<std::size_t>(i)]; });
  return out.finish();
}

QuantileSketch QuantileSketch::load(std::span<const std::byte> bytes) {
  ByteReader in(bytes, kMagic, "sketch");
  QuantileSketch out;
  get_counts(in, [&](int i, std::uint64_t n) {
    out.counts_[static_cast<std::size_t>(i)] = n;
    out.total_ += n;
  });
  in.finish();
  return out;
}

}  // namespace turnout::telemetry
