// What was learned, as bytes. Times become ages, so that another process with another clock can go on from there.
#include "telemetry/arm.hpp"
#include "telemetry/bytes.hpp"
#include "telemetry/checks.hpp"
#include "telemetry/counts.hpp"
#include "turnout/telemetry.hpp"

namespace turnout::telemetry {
namespace {

constexpr std::uint64_t kMagic = 0x31306d656c657475;  // "utelem01"

struct Saved {
  Sums sums;  // its times are ages
  CircuitBreaker::Saved breaker;
  double requests = 0, tokens = 0;  // seconds until the meters are empty
  std::uint64_t transitions[3] = {};
};

bool sound(const Saved& s) {
  const Sums& x = s.sums;
  for (const double v : {x.last, x.good, x.bad, x.ratios, x.ratio_weight, x.seconds, x.seconds_weight, x.usd, x.tokens,
                         x.limit_at, x.limit_share, x.limit_reset, s.requests, s.tokens})
    if (!(v >= 0 && v <= 1e30)) return false;
  return x.limit_share <= 1 && CircuitBreaker::valid(s.breaker);
}

using Counts = std::vector<std::pair<int, std::uint32_t>>;

void put_back(std::span<std::uint32_t> counts, const Counts& saved) {
  for (std::uint32_t& n : counts)
    if (std::atomic_ref(n).load(std::memory_order_relaxed) != 0) std::atomic_ref(n).store(0, std::memory_order_relaxed);
  for (const auto& [bucket, n] : saved)
    std::atomic_ref(counts[static_cast<std::size_t>(bucket)]).store(n, std::memory_order_relaxed);
}

// The first shard takes all, the others nothing.
template <class Arm>
void put_back(Arm& a, const Saved& s, double time) {
  for (std::size_t i = 0; i < a.shard_count; ++i) {
    while (!a.shards[i].try_lock()) {
    }
    a.shards[i].update([&](Sums& sums) { sums = i == 0 ? s.sums : Sums{}; });
    a.shards[i].unlock();
  }
  a.breaker.restore(s.breaker, time);
  a.requests.restore(s.requests, time);
  a.tokens.restore(s.tokens, time);
  for (int k = 0; k < 3; ++k) a.transitions[k].store(s.transitions[k], std::memory_order_relaxed);
}

}  // namespace

std::vector<std::byte> Telemetry::save(double now, std::uint64_t tag) const {
  check_now(now);
  const double time = timeline_.at(now);
  ByteWriter out(kMagic);
  out.put(tag);
  out.put(static_cast<std::uint32_t>(arms_));
  out.put(static_cast<std::uint32_t>(config_.quantiles));
  for (int i = 0; i < arms_; ++i) {
    const Arm& a = *table_[static_cast<std::size_t>(i)];
    Saved s{a.sums(), a.breaker.save(time), a.requests.seconds_to_empty(time), a.tokens.seconds_to_empty(time)};
    s.sums.last = s.sums.outcomes == 0 ? 0 : std::max(0.0, time - s.sums.last);
    s.sums.limit_at = !s.sums.reported() ? 0 : std::max(0.0, time - s.sums.limit_at);
    for (int k = 0; k < 3; ++k) s.transitions[k] = a.transitions[k].load(std::memory_order_relaxed);
    out.put(s);
    if (counts_) put_counts(out, [&](int b) { return std::atomic_ref(counts(i)[b]).load(std::memory_order_relaxed); });
  }
  return out.finish();
}

void Telemetry::restore(std::span<const std::byte> bytes, double now, std::uint64_t tag) {
  check_now(now);
  ByteReader in(bytes, kMagic, "snapshot");
  in.expect(in.get<std::uint64_t>() == tag && in.get<std::uint32_t>() == static_cast<std::uint32_t>(arms_),
            "is of other arms");
  in.expect(in.get<std::uint32_t>() == static_cast<std::uint32_t>(config_.quantiles), "differs in telemetry.quantiles");
  std::vector<Saved> saved;
  std::vector<Counts> sketches(static_cast<std::size_t>(arms_));
  for (int i = 0; i < arms_; ++i) {
    saved.push_back(in.get<Saved>());
    in.expect(sound(saved.back()), "a number is out of range");
    if (counts_)
      get_counts(in, [&](int b, std::uint64_t n) {
        sketches[static_cast<std::size_t>(i)].emplace_back(
            b, static_cast<std::uint32_t>(std::min<std::uint64_t>(n, 0xFFFF0000u)));
      });
  }
  in.finish();
  const double time = timeline_.at(now);
  for (Saved& s : saved) {
    s.sums.last = time - s.sums.last;
    s.sums.limit_at = time - s.sums.limit_at;
  }
  for (std::size_t i = 0; i < saved.size(); ++i) {
    put_back(*table_[i], saved[i], time);
    if (counts_) put_back(std::span(counts(static_cast<int>(i)), buckets::kCount), sketches[i]);
  }
}

}  // namespace turnout::telemetry
