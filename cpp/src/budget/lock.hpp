// A lock for sections of tens of nanoseconds: spins, then lets others run. bench_budget has its numbers beside those of
// atomic counters with rollback.
#pragma once

#include <atomic>
#include <thread>

namespace turnout::budget {

class SpinLock {
 public:
  void lock() {
    while (taken_.exchange(true, std::memory_order_acquire)) wait();
  }
  void unlock() { taken_.store(false, std::memory_order_release); }

 private:
  static constexpr int kSpins = 100;
  void wait() const {
    for (int i = 0; taken_.load(std::memory_order_relaxed); ++i)
      if (i < kSpins)
        pause();
      else
        std::this_thread::yield();  // the holder may have lost its core
  }
  static void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#else
    asm volatile("yield");
#endif
  }
  alignas(64) std::atomic<bool> taken_ = false;
};

}  // namespace turnout::budget
