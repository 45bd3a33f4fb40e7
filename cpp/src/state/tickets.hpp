// The open tickets: a bounded ring of their bytes, in chunks that are only appended to, so that a snapshot shares them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "state/ticket_bytes.hpp"

namespace turnout::state {

enum class Found : std::uint8_t { open, expired, unknown };

class Tickets {
 public:
  explicit Tickets(std::size_t capacity);

  // An id is a run's prefix of 24 bits, and its count.
  static constexpr int kCountBits = 40;
  static std::uint32_t prefix_of(std::uint64_t id) { return static_cast<std::uint32_t>(id >> kCountBits); }
  static std::uint64_t count_of(std::uint64_t id) { return id & ((std::uint64_t{1} << kCountBits) - 1); }

  // Keeps a copy; the oldest is forgotten where there is no room. `sharing`: a snapshot reads the chunks.
  // Returns its position.
  std::uint64_t push(Bytes ticket, bool sharing);
  // Where an open ticket lies.
  std::pair<Found, std::uint64_t> find(std::uint64_t id) const;
  TicketView at(std::uint64_t position) const;
  std::uint64_t& answered(std::uint64_t position) { return answered_[position & mask_]; }  // a bit a node
  std::uint64_t answered(std::uint64_t position) const { return answered_[position & mask_]; }
  std::uint64_t opened(std::uint32_t prefix) const;  // the last count of a run; 0: none
  bool is_next(std::uint64_t id) const;              // later than those of its run
  std::uint64_t size() const { return end_ - begin_; }
  std::uint64_t forgotten() const { return forgotten_; }

  // What a snapshot reads without the lock.
  struct Chunk {
    std::unique_ptr<std::byte[]> bytes;
    std::uint64_t first = 0;  // position
    std::size_t used = 0;
  };
  struct Copy {
    std::uint64_t begin = 0, end = 0;
    std::vector<std::shared_ptr<const Chunk>> chunks;
    std::vector<std::uint64_t> answered;                        // of begin to end
    std::vector<std::pair<std::uint32_t, std::uint64_t>> runs;  // prefix, last count
  };
  void copy(Copy& out) const;
  void restore_runs(std::vector<std::pair<std::uint32_t, std::uint64_t>> runs) { seen_ = std::move(runs); }

 private:
  // Consecutive ids at consecutive positions.
  struct Run {
    std::uint64_t count = 0, position = 0;
  };
  static constexpr std::size_t kChunk = std::size_t{1} << 16;
  Chunk& room(std::size_t n);
  void forget(bool sharing);
  void see(std::uint64_t id);
  void extend(std::uint64_t id);

  std::size_t capacity_, mask_;  // the rings have a power of two of places
  std::uint64_t begin_ = 0, end_ = 0, forgotten_ = 0;
  std::vector<std::uint64_t> answered_;
  std::vector<std::byte*> where_;
  std::vector<std::shared_ptr<Chunk>> chunks_;  // oldest first
  std::shared_ptr<Chunk> spare_;
  std::map<std::uint64_t, Run> runs_;  // by first id
  using RunEntry = std::pair<const std::uint64_t, Run>;
  RunEntry *first_ = nullptr, *last_ = nullptr;                // the oldest and the newest of runs_, where known
  std::vector<std::pair<std::uint32_t, std::uint64_t>> seen_;  // newest last
};

}  // namespace turnout::state
