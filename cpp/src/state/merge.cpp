#include "state/checks.hpp"
#include "state/impl.hpp"

namespace turnout::state {
namespace {

std::vector<std::byte> encode(Memory::Impl& m, bool all) {
  std::unique_lock evidence(m.evidence);
  const Shared shared(m, evidence);
  std::unique_lock decisions(m.decisions);
  const Names names = m.name_pointers();
  decisions.unlock();
  evidence.unlock();
  const Slot* const own = &shared.own();
  if (all) return encode_slots(shared.slots, names, m.config);
  return encode_slots({&own, own->sequence > 0 ? std::size_t{1} : 0}, names, m.config);
}

}  // namespace

std::vector<std::byte> Memory::slot() const { return encode(*impl_, false); }
std::vector<std::byte> Memory::slots() const { return encode(*impl_, true); }

void Memory::Impl::check_own(std::span<const NamedSlot> slots, const char* path) const {
  for (const NamedSlot& s : slots)
    if (s.slot.replica == own.replica && newer(s.slot.epoch, s.slot.sequence, own))
      refuse(std::string(path) + ".replica",
             "there is a later slot of this replica, " + std::to_string(own.replica) +
                 ": two memories share its number, or this one has lost what it had sent");
}

std::vector<SlotPointer> Memory::Impl::take_in(std::vector<NamedSlot>& slots) {
  std::vector<SlotPointer> out;
  for (NamedSlot& s : slots)
    if (s.slot.replica != own.replica && is_new(s.slot)) out.push_back(install(std::move(s)));
  return out;
}

// What was new is logged after the locks are given back: a slot that a log says twice changes nothing.
bool Memory::merge(std::span<const std::byte> bytes) {
  Impl& m = *impl_;
  std::vector<NamedSlot> slots = decode_slots(bytes, m.config, "slots");
  std::vector<SlotPointer> added;
  Names names;
  {
    const std::scoped_lock evidence(m.evidence);
    m.check_own(slots, "slots");
    const std::scoped_lock decisions(m.decisions);
    m.check_room(slots, "slots");
    added = m.take_in(slots);
    names = m.name_pointers();
  }
  if (added.empty()) return false;
  std::vector<const Slot*> pointers;
  for (const SlotPointer& s : added) pointers.push_back(s.get());
  const std::vector<std::byte> record = encode_slots(pointers, names, m.config);
  const std::scoped_lock decisions(m.decisions);
  const std::uint64_t sequence = m.log.next_sequence();
  m.log.append(RecordType::merge, {number_bytes(sequence), record});
  return true;
}

}  // namespace turnout::state
