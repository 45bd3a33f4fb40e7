#include "reservations.hpp"

namespace turnout::budget {

Reservations::Reservations(int capacity) : slots_(static_cast<std::size_t>(capacity)), free_(slots_.size()) {
  for (std::size_t i = 0; i < free_.size(); ++i) free_[i] = static_cast<std::uint32_t>(free_.size() - 1 - i);
  heap_.reserve(slots_.size());
}

Reservation* Reservations::find(ReservationId id) {
  const std::uint64_t serial = id.value >> kSlotBits, index = id.value & (kMaxReservations - 1);
  if (serial == 0 || serial > serial_ || index >= slots_.size())
    throw Error(ErrorKind::input, "reservation", "was never made by this ledger");
  Reservation& r = slots_[index];
  return r.id == id.value && r.state != Reservation::State::free ? &r : nullptr;
}

Reservation* Reservations::take() {
  if (free_.empty() && oldest_ == kEnd) return nullptr;
  if (free_.empty()) free(slots_[oldest_]);
  Reservation& r = slots_[free_.back()];
  r.id = ++serial_ << kSlotBits | free_.back();
  free_.pop_back();
  return &r;
}

void Reservations::hold(Reservation& r, double expires) {
  r.state = Reservation::State::held;
  r.expires = expires;
  heap_.emplace_back();  // never beyond its capacity
  sift(heap_.size() - 1, {expires, r.id});
}

void Reservations::reschedule(Reservation& r, double expires) {
  r.expires = expires;
  sift(r.place, {expires, r.id});
}

Reservation* Reservations::first_expired(double time) {
  return heap_.empty() || heap_.front().expires > time ? nullptr : &slot(heap_.front().id);
}

void Reservations::expire(Reservation& r) {
  remove_from_heap(r);
  r.state = Reservation::State::expired;
  enqueue(static_cast<std::uint32_t>(r.id & (kMaxReservations - 1)));
}

void Reservations::free(Reservation& r) {
  r.state == Reservation::State::held ? remove_from_heap(r) : dequeue(r);
  r.state = Reservation::State::free;
  free_.push_back(static_cast<std::uint32_t>(r.id & (kMaxReservations - 1)));
}

void Reservations::put(std::size_t place, const Entry& entry) {
  heap_[place] = entry;
  slot(entry.id).place = static_cast<std::uint32_t>(place);
}

// Puts `entry` where the heap's order wants it, from `place` on up or down.
void Reservations::sift(std::size_t place, Entry entry) {
  for (; place > 0 && entry < heap_[(place - 1) / 2]; place = (place - 1) / 2) put(place, heap_[(place - 1) / 2]);
  for (std::size_t child = 2 * place + 1; child < heap_.size(); child = 2 * place + 1) {
    child += child + 1 < heap_.size() && heap_[child + 1] < heap_[child];
    if (!(heap_[child] < entry)) break;
    put(place, heap_[child]);
    place = child;
  }
  put(place, entry);
}

void Reservations::remove_from_heap(Reservation& r) {
  const Entry last = heap_.back();
  heap_.pop_back();
  if (last.id != r.id) sift(r.place, last);
}

void Reservations::enqueue(std::uint32_t index) {
  Reservation& r = slots_[index];
  r.previous = newest_;
  r.next = kEnd;
  (newest_ == kEnd ? oldest_ : slots_[newest_].next) = index;
  newest_ = index;
}

void Reservations::dequeue(Reservation& r) {
  (r.previous == kEnd ? oldest_ : slots_[r.previous].next) = r.next;
  (r.next == kEnd ? newest_ : slots_[r.next].previous) = r.previous;
}

}  // namespace turnout::budget
