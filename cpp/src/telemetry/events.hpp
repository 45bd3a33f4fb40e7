// The latest transitions of breakers. Writers take a place each; readers skip a place that is being written.
#pragma once

#include <array>
#include <atomic>
#include <bit>

#include "turnout/telemetry.hpp"

namespace turnout::telemetry {

class Telemetry::EventRing {
 public:
  void add(int arm, Transition t, double now) {
    const std::uint64_t sequence = next_.fetch_add(1, std::memory_order_relaxed) + 1;
    Place& p = places_[sequence % kMaxEvents];
    p.shown.store(0, std::memory_order_relaxed);
    p.now.store(now, std::memory_order_release);
    p.what.store(static_cast<std::uint64_t>(arm) << 32 | static_cast<std::uint64_t>(t.from) << 16 |
                     static_cast<std::uint64_t>(t.to) << 8 | static_cast<std::uint64_t>(t.cause),
                 std::memory_order_release);
    p.shown.store(sequence, std::memory_order_release);
  }

  int read(std::uint64_t after, std::span<Event> out) const {
    const std::uint64_t last = next_.load(std::memory_order_acquire);
    const std::uint64_t first = std::max(after, last > kMaxEvents ? last - kMaxEvents : 0) + 1;
    std::size_t n = 0;
    for (std::uint64_t s = first; s <= last && n < out.size(); ++s) n += read_one(s, out[n]);
    return static_cast<int>(n);
  }

 private:
  struct Place {
    std::atomic<std::uint64_t> shown{0};  // the sequence number of what stands here; 0 while it is written
    std::atomic<double> now{0};
    std::atomic<std::uint64_t> what{0};
  };

  bool read_one(std::uint64_t sequence, Event& out) const {
    const Place& p = places_[sequence % kMaxEvents];
    if (p.shown.load(std::memory_order_acquire) != sequence) return false;
    const double now = p.now.load(std::memory_order_acquire);
    const std::uint64_t what = p.what.load(std::memory_order_acquire);
    if (p.shown.load(std::memory_order_relaxed) != sequence) return false;
    out = {sequence,
           now,
           static_cast<int>(what >> 32),
           {static_cast<Breaker>(what >> 16 & 0xFF), static_cast<Breaker>(what >> 8 & 0xFF),
            static_cast<Cause>(what & 0xFF)}};
    return true;
  }

  std::atomic<std::uint64_t> next_{0};
  std::array<Place, kMaxEvents> places_;
};

}  // namespace turnout::telemetry
