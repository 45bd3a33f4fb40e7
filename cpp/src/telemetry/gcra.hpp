// How full a limit of so much a window is, as one number: the time at which it would be empty again (the theoretical
// arrival time of the generic cell rate algorithm, ITU-T I.371).
#pragma once

#include <algorithm>
#include <atomic>

namespace turnout::telemetry {

class Meter {
 public:
  // limit 0: there is none.
  Meter(double limit, double window) : window_(window), seconds_each_(limit > 0 ? window / limit : 0) {}

  // Late use never lowers what is full.
  void use(double amount, double time) {
    if (seconds_each_ == 0 || amount == 0) return;
    double empty = empty_.load(std::memory_order_relaxed), next;
    do next = std::max(empty, std::min(std::max(empty, time) + amount * seconds_each_, time + kMostWindows * window_));
    while (!empty_.compare_exchange_weak(empty, next, std::memory_order_relaxed));
  }
  // Used / limit, at most 1.
  double share(double time) const { return std::clamp(seconds_to_empty(time) / window_, 0.0, 1.0); }
  double seconds_to_empty(double time) const { return std::max(0.0, empty_.load(std::memory_order_relaxed) - time); }
  // Of a snapshot, whose limit may have been another.
  void restore(double seconds_to_empty, double time) {
    const double most = seconds_each_ > 0 ? kMostWindows * window_ : 0;
    empty_.store(time + std::min(seconds_to_empty, most), std::memory_order_relaxed);
  }

  static constexpr double kMostWindows = 4;  // what was used beyond the limit is remembered up to here

 private:
  double window_, seconds_each_;
  std::atomic<double> empty_{-1e300};
};

}  // namespace turnout::telemetry
