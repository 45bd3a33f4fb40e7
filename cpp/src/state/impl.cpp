#include "state/impl.hpp"

#include <algorithm>
#include <set>

#include "state/checks.hpp"
#include "state/observe.hpp"

namespace turnout::state {

Memory::Impl::Impl(Config c)
    : config(std::move(c)),
      tickets(config.tickets),
      log(config),
      spare(std::make_unique_for_overwrite<std::byte[]>(config.log_bytes)),
      arm_changes(kMaxArms) {
  own.replica = config.replica;
}

int Memory::Impl::arm(std::string_view name) {
  if (const auto known = numbers.find(name); known != numbers.end()) return known->second;
  if (names.size() == kMaxArms) refuse("arm", "expected at most " + std::to_string(kMaxArms) + " arms");
  const int number = static_cast<int>(names.size());
  numbers.emplace(names.emplace_back(name), number);
  log.add_arm(name);
  arm_count.store(number + 1, std::memory_order_release);
  return number;
}

void Memory::Impl::check_room(std::span<const NamedSlot> slots, const char* path,
                              std::span<const std::string> more) const {
  std::set<std::string_view> added;
  for (const NamedSlot& s : slots) added.insert(s.names.begin(), s.names.end());
  added.insert(more.begin(), more.end());
  std::erase_if(added, [&](std::string_view name) { return numbers.contains(name); });
  if (names.size() + added.size() > kMaxArms)
    refuse(path, "its arms would be more than " + std::to_string(kMaxArms) + " in all");
}

Names Memory::Impl::name_pointers() const {
  Names out;
  out.reserve(names.size());
  for (const std::string& name : names) out.push_back(&name);
  return out;
}

bool Memory::Impl::is_new(const Slot& slot) const {
  const auto known = others.find(slot.replica);
  return known == others.end() || newer(slot.epoch, slot.sequence, *known->second);
}

void Memory::Impl::changed(std::int32_t arm, std::uint64_t times) {
  arm_changes[static_cast<std::size_t>(arm)].fetch_add(times, std::memory_order_release);
}

bool Memory::Impl::begin_epoch(std::uint32_t next) {
  if (next <= own.epoch) return false;
  own.epoch = next;
  fold_old();
  ++own.sequence;
  if (next > now.load()) now.store(next, std::memory_order_release);
  version.fetch_add(1, std::memory_order_release);
  return true;
}

bool Memory::Impl::fold_old() {
  const auto kept = static_cast<std::uint32_t>(config.epochs);
  if (own.epoch < kept) return false;
  const std::uint32_t last = own.epoch - kept;
  first_epoch = std::max<std::uint64_t>(first_epoch, std::uint64_t{last} + 1);
  bool any = false;
  for (std::size_t i = 0; i < own.arms.size(); ++i) {
    const std::uint64_t before = own.arms[i].changes;
    any |= fold(own.arms[i], last, config.discount);
    changed(static_cast<std::int32_t>(i), own.arms[i].changes - before);
  }
  return any;
}

Receipt Memory::Impl::find(std::uint64_t id, int& node, std::uint64_t& position) const {
  const auto [found, at] = tickets.find(id);
  if (found != Found::open) return found == Found::expired ? Receipt::expired : Receipt::unknown;
  position = at;
  const TicketView ticket = tickets.at(at);
  check_integer(node, -1, ticket.steps() - 1, "node");
  node = node_of(ticket, node);
  if ((tickets.answered(at) & bit_of(node)) != 0) return Receipt::duplicate;
  return ticket.epoch() < first_epoch ? Receipt::expired : Receipt::accepted;
}

bool Memory::Impl::learn(std::uint64_t position, int node, const Outcome& outcome) {
  const TicketView ticket = tickets.at(position);
  Observations seen;
  observe(ticket, node, outcome, seen);
  std::int32_t context[kMaxContext];
  const std::span x(context, static_cast<std::size_t>(config.dim));
  ticket.context(x);
  if (own.arms.size() < names.size()) own.arms.resize(names.size());
  const auto of = [&](const Observation& o) -> ArmEvidence& { return own.arms[static_cast<std::size_t>(o.arm)]; };
  for (const Observation& o : seen.all())
    if (!has_room(of(o), ticket.epoch(), o, x)) return false;
  bool any = false;
  for (const Observation& o : seen.all()) {
    const bool failed = outcome.failure != Failure::none;
    if (!failed && !o.scored && !o.charged) continue;
    if (failed) ++of(o).failures[static_cast<int>(outcome.failure)];
    if (o.scored || o.charged) add(of(o), ticket.epoch(), o, x, copies);
    ++of(o).changes;
    changed(o.arm);
    any = true;
  }
  if (any) {
    ++own.sequence;
    version.fetch_add(1, std::memory_order_release);
  }
  return true;
}

std::vector<ArmEvidence> Memory::Impl::renumber(NamedSlot& slot) {
  std::vector<ArmEvidence> out;
  for (std::size_t i = 0; i < slot.names.size(); ++i) {
    const auto number = static_cast<std::size_t>(arm(slot.names[i]));
    if (out.size() <= number) out.resize(number + 1);
    out[number] = std::move(slot.slot.arms[i]);
  }
  return out;
}

namespace {

bool same(const Part& a, const Part& b) {
  return a.epoch == b.epoch && (a.sums ? b.sums && *a.sums == *b.sums : !b.sums);
}

const ArmEvidence& arm_of(const SlotPointer& slot, std::size_t i) {
  static const ArmEvidence nothing;
  return slot && i < slot->arms.size() ? slot->arms[i] : nothing;
}

// A replica that lost what it had sent, and went on, has no more changes perhaps, but other ones.
std::uint64_t changes_between(const ArmEvidence& a, const ArmEvidence& b) {
  if (b.changes > a.changes) return b.changes - a.changes;
  return !same(a.base, b.base) || !std::equal(a.failures, a.failures + kFailures, b.failures) ||
         !std::equal(a.parts.begin(), a.parts.end(), b.parts.begin(), b.parts.end(), same);
}

}  // namespace

SlotPointer Memory::Impl::install(NamedSlot named) {
  const Slot& s = named.slot;
  auto next = std::make_shared<const Slot>(Slot{s.replica, s.sequence, s.epoch, renumber(named)});
  SlotPointer& before = others[next->replica];
  version.fetch_add(next->sequence - (before ? before->sequence : 0), std::memory_order_release);
  for (std::size_t i = 0; i < std::max(next->arms.size(), before ? before->arms.size() : 0); ++i)
    changed(static_cast<std::int32_t>(i), changes_between(arm_of(before, i), arm_of(next, i)));
  if (next->epoch > now.load()) now.store(next->epoch, std::memory_order_release);
  return before = std::move(next);
}

// Epochs may be kept otherwise than when the slot was written.
void Memory::Impl::install_own(NamedSlot named) {
  own = {named.slot.replica, named.slot.sequence, named.slot.epoch, renumber(named)};
  for (std::size_t i = 0; i < own.arms.size(); ++i) {
    changed(static_cast<std::int32_t>(i), own.arms[i].changes);
    if (own.arms[i].base.sums) first_epoch = std::max<std::uint64_t>(first_epoch, own.arms[i].base.epoch + 1);
  }
  own.sequence += fold_old();
  epoch = own.epoch;
  if (epoch > now.load()) now.store(epoch, std::memory_order_release);
  version.fetch_add(own.sequence, std::memory_order_release);
}

Shared::Shared(Memory::Impl& of, std::unique_lock<std::mutex>& evidence, int only)
    : now(of.now.load()), of_(of), evidence_(evidence) {
  own_ = only < 0 ? of.own : Slot{of.own.replica, of.own.sequence, of.own.epoch, {}};
  const auto arm = static_cast<std::size_t>(only);
  if (only >= 0 && arm < of.own.arms.size()) {
    own_.arms.resize(arm + 1);
    own_.arms[arm] = of.own.arms[arm];
  }
  bool placed = own_.sequence == 0;
  for (const auto& [replica, slot] : of.others) {
    if (!placed && own_.replica < replica) slots.push_back(&own_), placed = true;
    slots.push_back(others_.emplace_back(slot).get());
  }
  if (!placed) slots.push_back(&own_);
  ++of.copies.reading;
  ++of.copies.stamp;
}

Shared::~Shared() {
  own_.arms.clear();
  if (!evidence_.owns_lock()) evidence_.lock();
  --of_.copies.reading;
}

}  // namespace turnout::state
