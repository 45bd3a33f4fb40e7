// What a Memory holds. Two locks: `evidence` guards the slots, `decisions` the tickets, the log and the arms' names;
// who needs both takes evidence first. open() takes decisions only, and nobody holds that for long.
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <mutex>
#include <unordered_map>

#include "state/evidence.hpp"
#include "state/log.hpp"
#include "state/slot_bytes.hpp"
#include "state/tickets.hpp"

namespace turnout::state {

using SlotPointer = std::shared_ptr<const Slot>;

// The bit of a node in a ticket's mask; a plan of one node has one bit for the node and for all of it.
inline int node_of(const TicketView& ticket, int node) { return node < 0 && ticket.steps() == 1 ? 0 : node; }
inline std::uint64_t bit_of(int node) { return std::uint64_t{1} << (node + 1); }

struct Memory::Impl {
  explicit Impl(Config c);

  const Config config;
  mutable std::mutex evidence, decisions, taking;
  // Under evidence:
  Slot own;
  std::map<std::uint64_t, SlotPointer> others;
  std::uint64_t first_epoch = 0;  // whose evidence is still apart; tickets of earlier ones are expired
  Copies copies;
  // Under decisions:
  Tickets tickets;
  Log log;
  std::deque<std::string> names;
  std::unordered_map<std::string_view, int> numbers;
  Counts counts;
  std::uint32_t epoch = 0;  // own.epoch, for open()
  int sharing = 0;          // snapshots that read the tickets' bytes
  // Under taking:
  std::unique_ptr<std::byte[]> spare;  // the log's other buffer

  std::atomic<int> arm_count{0};
  std::atomic<std::uint64_t> version{0};
  std::atomic<std::uint32_t> now{0};  // the latest epoch of any slot
  std::vector<std::atomic<std::uint64_t>> arm_changes;

  // Under decisions.
  int arm(std::string_view name);
  void check_room(std::span<const NamedSlot> slots, const char* path, std::span<const std::string> more = {}) const;
  Names name_pointers() const;
  // Under evidence.
  bool is_new(const Slot& slot) const;
  void check_own(std::span<const NamedSlot> slots, const char* path) const;
  bool begin_epoch(std::uint32_t next);  // false: it is not later
  bool fold_old();                       // true: there was something to fold
  void changed(std::int32_t arm, std::uint64_t times = 1);
  // Under both.
  Receipt find(std::uint64_t id, int& node, std::uint64_t& position) const;
  bool learn(std::uint64_t position, int node, const Outcome& outcome);  // false: the sums have no room
  SlotPointer install(NamedSlot slot);                                   // of another replica
  std::vector<SlotPointer> take_in(std::vector<NamedSlot>& slots);       // those that are new
  void install_own(NamedSlot slot);
  std::vector<ArmEvidence> renumber(NamedSlot& slot);
};

void check(const Config& config);

// Evidence as it is now, to be read without the lock: what is written meanwhile is written to copies. Made while the
// caller holds `evidence`, who may then unlock it; given back under it.
class Shared {
 public:
  Shared(Memory::Impl& of, std::unique_lock<std::mutex>& evidence, int only = -1);  // of one arm, or of all
  ~Shared();
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  std::vector<const Slot*> slots;  // that hold anything, by replica; of one's own only that arm's evidence is there
  std::uint32_t now;
  const Slot& own() const { return own_; }

 private:
  Memory::Impl& of_;
  std::unique_lock<std::mutex>& evidence_;
  Slot own_;
  std::vector<SlotPointer> others_;
};

}  // namespace turnout::state
