#include <algorithm>

#include "state/checks.hpp"
#include "state/impl.hpp"
#include "state/observe.hpp"
#include "state/outcome_bytes.hpp"

namespace turnout::state {
namespace {

constexpr std::uint64_t kMaxCount = (std::uint64_t{1} << Tickets::kCountBits) - 1;

// Every arm that a ticket names, to be named in the log.
int arms_of(const Ticket& t, std::int32_t (&out)[kMaxCandidates + kMaxNodes]) {
  int n = 0;
  for (int i = 0; i < t.candidate_count; ++i) out[n++] = t.candidates[i].arm;
  for (int i = 0; i < t.step_count; ++i) out[n++] = t.steps[i].arm;
  return n;
}

}  // namespace

void check(const Config& c) {
  const auto integer = [](std::int64_t value, std::int64_t least, std::int64_t most, const char* path) {
    check_integer(value, least, most, path, ErrorKind::config);
  };
  integer(c.dim, 1, kMaxContext, "memory.dim");
  integer(static_cast<std::int64_t>(c.space.size()), 0, kMaxName, "memory.space");
  if (c.replica == 0) throw Error(ErrorKind::config, "memory.replica", "expected a number that is not 0, got 0");
  integer(c.ticket_prefix, 0, (1 << 24) - 1, "memory.ticket_prefix");
  integer(static_cast<std::int64_t>(c.tickets), 1, 1 << 24, "memory.tickets");
  check_number(c.discount, 1e-9, 1, "memory.discount", ErrorKind::config);
  integer(c.epochs, 1, kMaxEpochs, "memory.epochs");
  integer(static_cast<std::int64_t>(c.log_bytes), 4096, std::int64_t{1} << 31, "memory.log_bytes");
}

Memory::Memory(Config config) {
  check(config);
  impl_ = std::make_unique<Impl>(std::move(config));
}
Memory::~Memory() = default;
const Config& Memory::config() const { return impl_->config; }

int Memory::arm(std::string_view name) {
  if (name.empty() || name.size() > kMaxName)
    refuse("arm", "expected a name of 1 to " + std::to_string(kMaxName) + " bytes, got " + std::to_string(name.size()));
  const std::lock_guard lock(impl_->decisions);
  return impl_->arm(name);
}

int Memory::arms() const { return impl_->arm_count.load(std::memory_order_acquire); }

std::string Memory::arm_name(int arm) const {
  check_integer(arm, 0, arms() - 1, "arm");
  const std::lock_guard lock(impl_->decisions);
  return impl_->names[static_cast<std::size_t>(arm)];
}

void Memory::open(Ticket& ticket) {
  Impl& m = *impl_;
  check(ticket, m.config.dim, arms());
  std::byte bytes[kMaxTicketBytes];
  const std::size_t size = encode(ticket, bytes);
  std::int32_t arms[kMaxCandidates + kMaxNodes];
  const int n = arms_of(ticket, arms);
  const std::lock_guard lock(m.decisions);
  const std::uint64_t count = m.tickets.opened(m.config.ticket_prefix) + 1;
  if (count > kMaxCount) refuse("ticket", "this run has counted all the tickets that it can");
  ticket.id = std::uint64_t{m.config.ticket_prefix} << Tickets::kCountBits | count;
  ticket.epoch = m.epoch;
  stamp(bytes, ticket.id, ticket.epoch);
  m.tickets.push({bytes, size}, m.sharing > 0);
  ++m.counts.opened;
  const std::uint64_t sequence = m.log.next_sequence();
  m.log.append(RecordType::ticket, {number_bytes(sequence), {bytes, size}}, {arms, static_cast<std::size_t>(n)});
}

Receipt Memory::report(std::uint64_t ticket, int node, const Outcome& outcome, bool learn) {
  check(outcome);
  Impl& m = *impl_;
  const std::scoped_lock evidence(m.evidence);
  const std::scoped_lock decisions(m.decisions);
  std::uint64_t position = 0;
  const Receipt receipt = m.find(ticket, node, position);
  if (receipt == Receipt::accepted) {
    if (learn && !m.learn(position, node, outcome)) {
      ++m.counts.refused;
      refuse("outcome", "an arm's sums have no room for it in this epoch");
    }
    m.tickets.answered(position) |= bit_of(node);
    std::byte payload[kOutcomeBytes];
    encode(ticket, node, outcome, learn, m.log.next_sequence(), payload);
    m.log.append(RecordType::outcome, {payload});
  }
  ++m.counts.receipts[static_cast<int>(receipt)];
  return receipt;
}

void Memory::advance(std::uint32_t epoch) {
  Impl& m = *impl_;
  const std::scoped_lock evidence(m.evidence);
  if (!m.begin_epoch(epoch)) return;
  const std::scoped_lock decisions(m.decisions);
  m.epoch = epoch;
  const std::uint64_t sequence = m.log.next_sequence();
  m.log.append(RecordType::epoch, {number_bytes(sequence), number_bytes(epoch)});
}

std::uint32_t Memory::epoch() const {
  const std::lock_guard lock(impl_->decisions);
  return impl_->epoch;
}

std::uint64_t Memory::version() const { return impl_->version.load(std::memory_order_acquire); }

std::uint64_t Memory::version(int arm) const {
  check_integer(arm, 0, arms() - 1, "arm");
  const std::uint64_t changes = impl_->arm_changes[static_cast<std::size_t>(arm)].load(std::memory_order_acquire);
  return impl_->config.discount == 1 ? changes : changes + impl_->now.load(std::memory_order_acquire);
}

Counts Memory::counts() const {
  const std::lock_guard lock(impl_->decisions);
  Counts out = impl_->counts;
  out.open = impl_->tickets.size();
  out.forgotten += impl_->tickets.forgotten();
  out.pending_bytes = impl_->log.size();
  out.lost_records += impl_->log.lost();
  return out;
}

void Memory::note(std::uint64_t ticket, std::span<const std::byte> bytes) {
  check_integer(static_cast<std::int64_t>(bytes.size()), 0, kMaxNote, "note");
  const std::lock_guard lock(impl_->decisions);
  const std::uint64_t sequence = impl_->log.next_sequence();
  impl_->log.append(RecordType::note, {number_bytes(sequence), number_bytes(ticket), bytes});
}

std::vector<std::byte> Memory::take() {
  const std::lock_guard taking(impl_->taking);
  std::size_t size = 0;
  {
    const std::lock_guard lock(impl_->decisions);
    size = impl_->log.swap(impl_->spare);
  }
  return {impl_->spare.get(), impl_->spare.get() + size};
}

}  // namespace turnout::state
