// The bounded table of reservations: slots, the heap of what is held by its expiry, and the queue of what expired and
// is still remembered, so that a late commit counts. Not thread-safe: the ledger's lock is held.
#pragma once

#include <vector>

#include "turnout/budget/ledger.hpp"

namespace turnout::budget {

inline constexpr int kSlotBits = 16;  // of a ReservationId; the rest is its serial number
static_assert(kMaxReservations == 1 << kSlotBits);

struct Reservation {
  enum class State : std::uint8_t { free, held, expired };
  std::uint64_t id = 0;  // of its last use
  Units units{};
  double expires = 0;
  std::uint32_t account = 0;
  std::uint32_t place = 0;               // in the heap while held
  std::uint32_t previous = 0, next = 0;  // in the queue while expired
  State state = State::free;
};

class Reservations {
 public:
  explicit Reservations(int capacity);

  // The slot of an id that is held or remembered; null where it was settled or forgotten. Error(input, "reservation")
  // for one that was never given.
  Reservation* find(ReservationId id);
  // Null where all slots are held. Forgets the reservation that expired first where no slot is free.
  Reservation* take();
  bool full() const { return heap_.size() == slots_.size(); }
  void hold(Reservation& r, double expires);
  void reschedule(Reservation& r, double expires);
  Reservation* first_expired(double time);  // held, and its time is over; null where there is none
  void expire(Reservation& r);              // held -> remembered
  void free(Reservation& r);
  std::vector<Reservation>& slots() { return slots_; }
  int held() const { return static_cast<int>(heap_.size()); }

 private:
  struct Entry {
    double expires;
    std::uint64_t id;
    bool operator<(const Entry& o) const { return expires != o.expires ? expires < o.expires : id < o.id; }
  };
  Reservation& slot(std::uint64_t id) { return slots_[id & (kMaxReservations - 1)]; }
  void put(std::size_t place, const Entry& entry);
  void sift(std::size_t place, Entry entry);
  void remove_from_heap(Reservation& r);
  void enqueue(std::uint32_t index);
  void dequeue(Reservation& r);

  static constexpr std::uint32_t kEnd = ~0u;
  std::vector<Reservation> slots_;
  std::vector<std::uint32_t> free_;  // the next one last
  std::vector<Entry> heap_;
  std::uint32_t oldest_ = kEnd, newest_ = kEnd;
  std::uint64_t serial_ = 0;
};

}  // namespace turnout::budget
