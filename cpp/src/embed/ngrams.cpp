// Unigrams and bigrams of a token sequence, hashed into buckets that count once.
#include "turnout/embed.hpp"

namespace turnout::embed {
namespace {

// The finaliser of MurmurHash3 (Appleby): a bijection of 64 bits, each of which depends on all.
std::uint64_t fmix64(std::uint64_t x) {
  x ^= x >> 33;
  x *= 0xff51afd7ed558ccd;
  x ^= x >> 33;
  x *= 0xc4ceb9fe1a85ec53;
  return x ^ x >> 33;
}

std::uint64_t part(std::int32_t id) { return static_cast<std::uint64_t>(id) + 1; }  // 0: no token

}  // namespace

void find_buckets(std::span<const std::int32_t> ids, int bits, Workspace& ws) {
  ws.seen.resize(std::max(ws.seen.size(), (std::size_t{1} << bits) / 64));  // zeros between calls
  ws.buckets.resize(2 * ids.size());
  std::size_t count = 0;
  const auto add = [&](std::uint64_t key) {
    const std::uint64_t bucket = fmix64(key) >> (64 - bits), bit = std::uint64_t{1} << bucket % 64;
    std::uint64_t& word = ws.seen[bucket / 64];
    ws.buckets[count] = static_cast<std::int32_t>(bucket);  // overwritten where it was seen: no branch to mispredict
    count += (word & bit) == 0;
    word |= bit;
  };
  for (std::size_t i = 0; i < ids.size(); ++i) {
    add(part(ids[i]));
    if (i + 1 < ids.size()) add(part(ids[i]) << 32 | part(ids[i + 1]));
  }
  ws.buckets.resize(count);
  for (const std::int32_t bucket : ws.buckets) ws.seen[static_cast<std::size_t>(bucket) / 64] = 0;
}

}  // namespace turnout::embed
