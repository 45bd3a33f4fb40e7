// Threads: eight update, two read. What it hunts: sums read between two updates, updates that are lost, a breaker that
// hands out a probe twice or changes state without an event. Under ThreadSanitizer also any plain race.
#include <atomic>
#include <thread>

#include "check.hpp"
#include "turnout/telemetry.hpp"

using namespace turnout;
using namespace turnout::telemetry;

namespace {

#ifdef __SANITIZE_THREAD__
constexpr int kCalls = 4000;
#else
constexpr int kCalls = 40000;
#endif
constexpr int kWriters = 8, kReaders = 2;

// Every outcome has the same numbers, so whatever whole number of updates a reader sees, the means are these.
const Outcome kSuccess{true, 3, 2, 0.25, 100, Kind::none};

template <class F>
void in_threads(int count, F&& f) {
  std::vector<std::thread> all;
  for (int k = 0; k < count; ++k) all.emplace_back([&f, k] { f(k); });
  for (auto& thread : all) thread.join();
}

bool torn(const ArmState& s) {
  if (s.by_kind[0] == 0) return false;
  return s.health != 1 || std::abs(s.seconds - 3) > 1e-9 || std::abs(s.usd - 0.25) > 1e-9 ||
         std::abs(s.tokens - 100) > 1e-9 || s.latency_ratio < 1 || s.latency_ratio > 1.5;
}

}  // namespace

TEST(readers_see_whole_updates_and_none_is_lost) {
  for (const int shards : {1, 4}) {
    Config c;
    c.shards = shards;
    Telemetry t(2, c);
    std::atomic<int> writing{kWriters}, wrong{0};
    in_threads(kWriters + kReaders, [&](int k) {
      if (k < kWriters) {
        for (int i = 0; i < kCalls; ++i) {
          t.begin(i % 2, 1e-4 * i);
          t.record(i % 2, kSuccess, 1e-4 * i);
          t.end(i % 2, 1e-4 * i);
        }
        --writing;
      } else {
        while (writing != 0) {
          ArmState s[2];
          t.read(1e-4 * kCalls, s);
          wrong += torn(s[0]) || torn(s[1]) || s[0].in_flight > kWriters;
        }
      }
    });
    CHECK(wrong == 0);
    CHECK(t.version() == std::uint64_t{3} * kWriters * kCalls);
    CHECK(t.read(0, 10).by_kind[0] == std::uint64_t{kWriters} * kCalls / 2 && t.read(0, 10).in_flight == 0);
    CHECK(t.sketch(0).count() == std::uint64_t{kWriters} * kCalls / 2);
  }
}

TEST(snapshots_that_are_taken_meanwhile_can_be_restored) {
  Telemetry t(1, {});
  std::atomic<bool> done{false};
  std::thread writer([&] {
    // Every bucket, one after the other: each save finds others used.
    for (int i = 0; i < buckets::kCount; ++i) {
      Outcome o = kSuccess;
      o.seconds = std::min(buckets::upper_edge(i), 1e6);
      t.record(0, o, 1);
    }
    done = true;
  });
  int failed = 0;
  do {
    try {
      Telemetry(1, {}).restore(t.save(1), 1);
    } catch (const Error&) {
      ++failed;
    }
  } while (!done);
  writer.join();
  CHECK(failed == 0);
}

TEST(a_probe_is_handed_out_once) {
  BreakerConfig c;
  c.cool_down_seconds = 1;
  c.max_cool_down_seconds = 1;
  c.probes = 3;
  for (int round = 0; round < 50; ++round) {
    CircuitBreaker b(c);
    for (int i = 0; i < 3; ++i) b.record(false, 0);
    std::atomic<int> acquired{0}, opened{0};
    in_threads(kWriters, [&](int) {
      Transition t;
      acquired += b.try_acquire(1.5, t);
      opened += static_cast<bool>(t);
    });
    CHECK(acquired == 3 && opened == 1);
  }
}

TEST(transitions_under_contention_are_all_events) {
  Config c;
  c.breaker.cool_down_seconds = 0;
  Telemetry t(1, c);
  in_threads(kWriters, [&](int k) {
    for (int i = 0; i < kCalls / 10; ++i) {
      t.try_acquire(0, i);
      t.record(0, {(i + k) % 4 == 0, 0, 0, 0, 0, (i + k) % 4 ? Kind::error : Kind::none}, i);
    }
  });
  const ArmState s = t.read(0, kCalls);
  const auto total = s.transitions[0] + s.transitions[1] + s.transitions[2];
  std::vector<Event> events(kMaxEvents);
  const int n = t.events(0, events);
  CHECK(n > 0 && events[static_cast<std::size_t>(n) - 1].sequence == total);
  // Into half-open as often as out of open, give or take the state it is in now.
  CHECK(s.transitions[2] <= s.transitions[1] && s.transitions[1] - s.transitions[2] <= 1);
}

TEST(drift_counts_every_decision) {
  Drift d(1, 2, {100, 0, 1});
  in_threads(kWriters, [&](int k) {
    for (int i = 0; i < kCalls; ++i) d.record(0, k % 2, 50.0 * i / kCalls);
  });
  d.record(0, 0, 150);
  CHECK(d.read(0, 200).before == std::uint64_t{kWriters} * kCalls && d.read(0, 200).after == 1);
}
