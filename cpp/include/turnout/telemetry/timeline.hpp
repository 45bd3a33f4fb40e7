// A clock of the caller's that may jump both ways, as time that never runs backwards.
#pragma once

#include <atomic>
#include <limits>

namespace turnout::telemetry {

// Up to this many seconds before the latest `now`, a record is merely late; earlier than that, the clock was set back.
inline constexpr double kLateSeconds = 60;

// now + offset, where a clock that was set back adds the step to the offset: no time has passed, and time goes on from
// there. Threads that disagree about the clock while it is set back may be off by that step, once.
class Timeline {
 public:
  // The time of `now`, which must be finite. Every call is a statement about the present and moves the latest `now`.
  double at(double now) {
    double latest = latest_.load(std::memory_order_relaxed);
    while (now > latest)
      if (latest_.compare_exchange_weak(latest, now, std::memory_order_relaxed)) break;
    if (now < latest - kLateSeconds) set_back(latest, now);
    return now + offset_.load(std::memory_order_relaxed);
  }

 private:
  void set_back(double latest, double now) {
    if (latest_.compare_exchange_strong(latest, now, std::memory_order_relaxed))
      offset_.fetch_add(latest - now, std::memory_order_relaxed);
  }

  std::atomic<double> latest_{-std::numeric_limits<double>::infinity()}, offset_{0};
};

}  // namespace turnout::telemetry
