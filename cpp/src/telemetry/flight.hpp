// Calls in flight and calls begun in one word, so that a reader gets both of one moment.
#pragma once

#include <atomic>
#include <cstdint>

namespace turnout::telemetry {

class Flight {
 public:
  struct Seen {
    std::int64_t in_flight;
    std::uint64_t updates;  // begun + ended
  };

  bool begin() {
    return change([](std::uint64_t w) { return (w & kMost) < kMost; }, kBegun + 1);
  }
  bool end() {
    return change([](std::uint64_t w) { return (w & kMost) > 0; }, ~std::uint64_t{0});
  }
  Seen read() const {
    const std::uint64_t w = word_.load(std::memory_order_relaxed);
    return {static_cast<std::int64_t>(w & kMost), 2 * (w / kBegun) - (w & kMost)};
  }

  static constexpr std::uint64_t kBegun = std::uint64_t{1} << 24, kMost = kBegun - 1;

 private:
  template <class May>
  bool change(May&& may, std::uint64_t step) {
    std::uint64_t w = word_.load(std::memory_order_relaxed);
    do
      if (!may(w)) return false;
    while (!word_.compare_exchange_weak(w, w + step, std::memory_order_relaxed));
    return true;
  }

  std::atomic<std::uint64_t> word_{0};
};

}  // namespace turnout::telemetry
