#include "state/checks.hpp"
#include "state/impl.hpp"
#include "state/log_head.hpp"
#include "state/observe.hpp"
#include "state/outcome_bytes.hpp"

namespace turnout::state {
namespace {

// Applies records under both locks. Each returns false where the record cannot be one that a Memory wrote.
class Replay {
 public:
  explicit Replay(Memory::Impl& memory) : m_(memory) {}

  bool apply(const Record& record) {
    if (record.type == RecordType::head) return head(record.payload);
    if (record.type == RecordType::arm) return arm(record.payload);
    Reader in(record.payload);
    const auto sequence = in.number<std::uint64_t>();
    if (!in.ok() || !begun_) return false;
    if (sequence <= m_.log.sequence()) return true;
    if (!change(record.type, record.payload, in)) return false;
    m_.log.set_sequence(sequence);
    return true;
  }

 private:
  // The first one is of this Memory, or nothing is applied.
  bool head(Bytes payload) {
    LogHead head;
    if (!decode(payload, head)) return false;
    if (!begun_) check(head, m_.config);
    begun_ = true;
    return matches(head, m_.config);
  }

  bool arm(Bytes payload) {
    std::uint32_t number = 0;
    std::string_view name;
    if (!decode_arm(payload, number, name)) return false;
    if (number >= arms_.size()) arms_.resize(number + 1, -1);
    if (m_.names.size() == kMaxArms && !m_.numbers.contains(name)) return false;
    arms_[number] = m_.arm(name);
    return true;
  }

  bool change(RecordType type, Bytes payload, Reader& in) {
    switch (type) {
      case RecordType::ticket:
        return ticket(in.bytes(in.left()));
      case RecordType::outcome:
        return outcome(payload);
      case RecordType::merge:
        return merge(in.bytes(in.left()));
      case RecordType::epoch:
        return epoch(in);
      case RecordType::note:
        return in.left() >= 8;
      default:
        return false;
    }
  }

  bool ticket(Bytes bytes) {
    if (!sound(bytes, m_.config.dim, arms_)) return false;
    const TicketView view(bytes.data());
    if (!m_.tickets.is_next(view.id())) return true;
    if (m_.begin_epoch(view.epoch())) m_.epoch = view.epoch();  // the record of that epoch was lost
    std::byte copy[kMaxTicketBytes];
    renumber(bytes, arms_, copy);
    m_.tickets.push({copy, bytes.size()}, m_.sharing > 0);
    ++m_.counts.opened;
    return true;
  }

  bool outcome(Bytes payload) {
    OutcomeRecord r;
    if (!decode(payload, r)) return false;
    try {
      check(r.outcome);
      std::uint64_t position = 0;
      const Receipt receipt = m_.find(r.ticket, r.node, position);
      if (receipt != Receipt::accepted) return true;
      if (r.learn && !m_.learn(position, r.node, r.outcome)) return true;
      m_.tickets.answered(position) |= bit_of(r.node);
      ++m_.counts.receipts[static_cast<int>(receipt)];
      return true;
    } catch (const Error&) {
      return false;
    }
  }

  bool merge(Bytes bytes) {
    try {
      std::vector<NamedSlot> slots = decode_slots(bytes, m_.config, "log");
      m_.check_own(slots, "log");
      m_.check_room(slots, "log");
      m_.take_in(slots);
      return true;
    } catch (const Error&) {
      return false;
    }
  }

  bool epoch(Reader& in) {
    const auto next = in.number<std::uint32_t>();
    if (!in.done()) return false;
    if (m_.begin_epoch(next)) m_.epoch = next;
    return true;
  }

  Memory::Impl& m_;
  std::vector<std::int32_t> arms_;
  bool begun_ = false;
};

}  // namespace

std::size_t Memory::apply(std::span<const std::byte> log) {
  Impl& m = *impl_;
  const std::scoped_lock evidence(m.evidence);
  const std::scoped_lock decisions(m.decisions);
  RecordReader in(log);
  Replay replay(m);
  Record record;
  std::size_t read = 0;
  while (in.next(record) && replay.apply(record)) read = in.read();
  return read;
}

}  // namespace turnout::state
