// One shard of an arm's sums: one writer at a time, readers that never wait.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <utility>

#include "telemetry/sums.hpp"

namespace turnout::telemetry {

// Two copies. A writer fills the one that is not shown, then shows it. A reader that finds the shown copy's number
// changed may have read a copy that was being filled again, and reads anew: that takes two whole updates within one
// read, and a writer that is interrupted holds up nobody.
class alignas(64) Shard {
 public:
  bool try_lock() {
    return locked_.load(std::memory_order_relaxed) == 0 && locked_.exchange(1, std::memory_order_acquire) == 0;
  }
  void unlock() { locked_.store(0, std::memory_order_release); }

  Sums read() const {
    for (;;) {
      const std::uint64_t number = number_.load(std::memory_order_acquire);
      const Sums out = copy(number);
      if (number_.load(std::memory_order_relaxed) == number) return out;
    }
  }
  std::uint64_t changes() const { return number_.load(std::memory_order_acquire); }

  // Needs the lock.
  template <class Change>
  void update(Change&& change) {
    const std::uint64_t number = number_.load(std::memory_order_relaxed);
    Sums sums = copy(number);
    change(sums);
    store(copies_[(number + 1) & 1], std::bit_cast<Words>(sums), Indices());
    number_.store(number + 1, std::memory_order_release);
  }

 private:
  using Words = std::array<std::uint64_t, sizeof(Sums) / 8>;

  using Copy = std::array<std::atomic<std::uint64_t>, sizeof(Sums) / 8>;
  using Indices = std::make_index_sequence<sizeof(Sums) / 8>;

  Sums copy(std::uint64_t number) const { return std::bit_cast<Sums>(load(copies_[number & 1], Indices())); }

  // Word by word, unrolled: a loop would go through memory. Acquire: the number is read again after every word.
  template <std::size_t... I>
  static Words load(const Copy& from, std::index_sequence<I...>) {
    return {from[I].load(std::memory_order_acquire)...};
  }
  // Release: no word shows before the number of the copy before.
  template <std::size_t... I>
  static void store(Copy& to, const Words& words, std::index_sequence<I...>) {
    (to[I].store(words[I], std::memory_order_release), ...);
  }

  std::atomic<std::uint32_t> locked_{0};
  std::atomic<std::uint64_t> number_{0};
  Copy copies_[2] = {};
};

// A small number for the calling thread, given out in turn.
inline unsigned thread_number() {
  static std::atomic<unsigned> next{0};
  thread_local const unsigned number = next.fetch_add(1, std::memory_order_relaxed);
  return number;
}

// Changes the first shard that is free, starting with the thread's own.
template <class Change>
void update_one(std::span<Shard> shards, Change&& change) {
  for (unsigned i = thread_number();; ++i) {
    Shard& shard = shards[i % shards.size()];
    if (!shard.try_lock()) continue;
    shard.update(change);
    return shard.unlock();
  }
}

inline Sums merged(std::span<const Shard> shards, double half_life) {
  Sums out;
  for (const Shard& shard : shards)
    if (shard.changes() != 0) out.merge(shard.read(), half_life);
  return out;
}

}  // namespace turnout::telemetry
