// What the two keepers of bucket counts share: the plain sketch and an arm's atomic one.
#pragma once

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "telemetry/bytes.hpp"
#include "telemetry/checks.hpp"
#include "turnout/telemetry/sketch.hpp"

namespace turnout::telemetry {

// The first bucket up to which at least `rank` values lie.
template <class CountOf>
int bucket_of_rank(std::uint64_t rank, CountOf&& count_of) {
  std::uint64_t seen = 0;
  for (int i = 0; i < buckets::kCount; ++i)
    if ((seen += count_of(i)) >= rank) return i;
  return buckets::kCount - 1;
}

inline std::uint64_t rank_of(double q, std::uint64_t n) {
  check_number(q, 0, 1, "q", ErrorKind::input);
  if (n == 0) throw Error(ErrorKind::input, "q", "there is no quantile of no values");
  const auto rank = static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(n)));
  return std::clamp<std::uint64_t>(rank, 1, n);
}

// Only buckets that are not empty, in ascending order. Each is asked once: other threads may be counting.
template <class CountOf>
void put_counts(ByteWriter& out, CountOf&& count_of) {
  std::vector<std::pair<std::uint32_t, std::uint64_t>> used;
  for (int i = 0; i < buckets::kCount; ++i)
    if (const std::uint64_t n = count_of(i); n != 0) used.emplace_back(i, n);
  out.put(static_cast<std::uint32_t>(used.size()));
  for (const auto& [bucket, n] : used) {
    out.put(bucket);
    out.put(n);
  }
}

template <class Take>
void get_counts(ByteReader& in, Take&& take) {
  const auto used = in.get<std::uint32_t>();
  std::int64_t last = -1;
  for (std::uint32_t k = 0; k < used; ++k) {
    const auto i = in.get<std::uint32_t>();
    const auto n = in.get<std::uint64_t>();
    in.expect(i > last && i < buckets::kCount && n > 0 && n <= std::uint64_t{1} << 53, "a bucket is out of order");
    last = i;
    take(static_cast<int>(i), n);
  }
}

}  // namespace turnout::telemetry
