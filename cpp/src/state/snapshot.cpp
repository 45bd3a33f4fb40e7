#include "state/checks.hpp"
#include "state/impl.hpp"

namespace turnout::state {
namespace {

constexpr std::string_view kSnapshotMagic = "turnsnap";

// The tickets as they are now, read without the lock; their bytes are kept until it is given back.
class SharedTickets {
 public:
  explicit SharedTickets(Memory::Impl& of) : of_(of) {
    copy.chunks.reserve(of.config.tickets / 16 + 8);
    copy.answered.resize(std::bit_ceil(of.config.tickets));  // touched here, not under the lock
    copy.runs.reserve(64);
    names.reserve(kMaxArms);
  }
  void read() {  // under decisions
    of_.tickets.copy(copy);
    for (const std::string& name : of_.names) names.push_back(&name);
    counts = of_.counts;
    counts.forgotten += of_.tickets.forgotten();
    counts.lost_records += of_.log.lost();
    sequence = of_.log.sequence();
    ++of_.sharing;
    shared_ = true;
  }
  ~SharedTickets() {
    copy.chunks.clear();
    const std::lock_guard lock(of_.decisions);
    of_.sharing -= shared_;
  }
  SharedTickets(const SharedTickets&) = delete;
  SharedTickets& operator=(const SharedTickets&) = delete;

  Tickets::Copy copy;
  Names names;
  Counts counts;
  std::uint64_t sequence = 0;

 private:
  Memory::Impl& of_;
  bool shared_ = false;
};

void put_counts(Writer& out, const Counts& c) {
  for (const std::uint64_t n : {c.opened, c.forgotten, c.refused, c.lost_records}) out.number(n);
  for (const std::uint64_t n : c.receipts) out.number(n);
}

void put_tickets(Writer& out, const Tickets::Copy& from) {
  out.number(static_cast<std::uint32_t>(from.runs.size()));
  for (const auto& [prefix, last] : from.runs) out.number(prefix).number(last);
  out.number(from.end - from.begin);
  std::size_t chunk = 0, offset = 0;
  const std::size_t mask = from.answered.size() - 1;
  if (from.chunks.empty()) return;
  for (std::uint64_t position = from.chunks[0]->first; position < from.end; ++position) {
    if (chunk + 1 < from.chunks.size() && from.chunks[chunk + 1]->first == position) ++chunk, offset = 0;
    const std::byte* const at = from.chunks[chunk]->bytes.get() + offset;
    const std::size_t size = TicketView(at).size();
    offset += size;
    if (position < from.begin) continue;
    out.number(from.answered[position & mask]).number(static_cast<std::uint16_t>(size)).bytes({at, size});
  }
}

// What restore() reads before it changes anything.
struct Snapshot {
  std::uint64_t sequence = 0;
  Counts counts;
  std::vector<std::string> names;
  std::vector<NamedSlot> slots;
  std::vector<std::pair<std::uint32_t, std::uint64_t>> runs;
  std::vector<std::pair<std::uint64_t, Bytes>> tickets;  // answered, bytes
};

class SnapshotReader {
 public:
  SnapshotReader(Bytes bytes, const Config& config)
      : config_(config), in_(check_head(bytes, kSnapshotMagic, config, kPath)) {}

  Snapshot read() {
    const auto replica = in_.number<std::uint64_t>();
    if (replica != config_.replica)
      refuse("snapshot.replica", "expected " + std::to_string(config_.replica) + ", got " + std::to_string(replica));
    out_.sequence = in_.number<std::uint64_t>();
    counts();
    names();
    out_.slots = decode_slots(in_.bytes(in_.number<std::uint64_t>()), config_, kPath);
    runs();
    tickets();
    expect(in_.done(), "goes on after its end, or ends early");
    return std::move(out_);
  }

 private:
  static constexpr const char* kPath = "snapshot";
  void counts() {
    Counts& c = out_.counts;
    for (std::uint64_t* n : {&c.opened, &c.forgotten, &c.refused, &c.lost_records}) *n = in_.number<std::uint64_t>();
    for (std::uint64_t& n : c.receipts) n = in_.number<std::uint64_t>();
  }
  void names() {
    const auto n = in_.number<std::uint32_t>();
    expect(n <= kMaxArms, "more arms than there can be");
    for (std::uint32_t i = 0; i < n && in_.ok(); ++i) {
      out_.names.emplace_back(in_.text());
      expect(!out_.names.back().empty() && out_.names.back().size() <= kMaxName, "an arm's name is out of range");
    }
  }
  void runs() {
    const auto n = in_.number<std::uint32_t>();
    expect(n <= in_.left() / 12, "says more runs than it holds");
    for (std::uint32_t i = 0; i < n; ++i) {
      const auto prefix = in_.number<std::uint32_t>();
      out_.runs.emplace_back(prefix, in_.number<std::uint64_t>());
      const std::uint64_t last = out_.runs.back().second;
      expect(last > 0 && last == Tickets::count_of(last), "a run's count is out of range");
    }
  }
  void tickets() {
    const auto n = in_.number<std::uint64_t>();
    expect(n <= in_.left() / (10 + kTicketHead), "says more tickets than it holds");
    std::vector<std::int32_t> arms(out_.names.size());
    for (std::uint64_t i = 0; i < n; ++i) {
      const auto answered = in_.number<std::uint64_t>();
      out_.tickets.emplace_back(answered, in_.bytes(in_.number<std::uint16_t>()));
      expect(sound(out_.tickets.back().second, config_.dim, arms), "a ticket is out of range");
      order(TicketView(out_.tickets.back().second.data()).id());
    }
    for (const auto& [prefix, last] : out_.runs) {
      const auto known = counted_.find(prefix);
      expect(known == counted_.end() || known->second <= last, "a run counted less than its tickets");
    }
  }
  void order(std::uint64_t id) {
    std::uint64_t& last = counted_[Tickets::prefix_of(id)];
    expect(Tickets::count_of(id) > last, "its tickets are not in order");
    last = Tickets::count_of(id);
  }
  void expect(bool ok, const char* what) const {
    if (!ok) refuse(kPath, what);
  }

  const Config& config_;
  Reader in_;
  Snapshot out_;
  std::unordered_map<std::uint32_t, std::uint64_t> counted_;
};

bool is_new_memory(const Memory::Impl& m) {
  return m.own.sequence == 0 && m.others.empty() && m.log.sequence() == 0 &&
         m.tickets.opened(m.config.ticket_prefix) == 0;
}

Tickets tickets_of(const Snapshot& from, ArmMap arms, const Config& config) {
  Tickets out(config.tickets);
  std::byte bytes[kMaxTicketBytes];
  for (const auto& [answered, ticket] : from.tickets) {
    renumber(ticket, arms, bytes);
    out.answered(out.push({bytes, ticket.size()}, false)) = answered;
  }
  out.restore_runs(from.runs);
  return out;
}

}  // namespace

std::vector<std::byte> Memory::snapshot() const {
  Impl& m = *impl_;
  SharedTickets tickets(m);
  std::unique_lock evidence(m.evidence);
  const Shared shared(m, evidence);
  {
    const std::scoped_lock decisions(m.decisions);
    tickets.read();
  }
  evidence.unlock();
  const std::vector<std::byte> slots = encode_slots(shared.slots, tickets.names, m.config);
  Writer out;
  out.reserve(slots.size() + tickets.copy.chunks.size() * (std::size_t{1} << 16) + 12 * tickets.copy.answered.size());
  put_head(out, kSnapshotMagic, m.config);
  out.number(m.config.replica).number(tickets.sequence);
  put_counts(out, tickets.counts);
  out.number(static_cast<std::uint32_t>(tickets.names.size()));
  for (const std::string* name : tickets.names) out.text(*name);
  out.number(std::uint64_t{slots.size()}).bytes(slots);
  put_tickets(out, tickets.copy);
  return finish(out);
}

void Memory::restore(std::span<const std::byte> bytes) {
  Impl& m = *impl_;
  Snapshot from = SnapshotReader(bytes, m.config).read();
  const std::scoped_lock evidence(m.evidence);
  const std::scoped_lock decisions(m.decisions);
  if (!is_new_memory(m)) refuse("snapshot", "expected a memory that is new, got one in use");
  m.check_room(from.slots, "snapshot", from.names);
  std::vector<std::int32_t> arms;
  for (const std::string& name : from.names) arms.push_back(m.arm(name));
  m.tickets = tickets_of(from, arms, m.config);
  m.counts = from.counts;
  m.log.set_sequence(from.sequence);
  for (NamedSlot& s : from.slots)
    if (s.slot.replica == m.config.replica)
      m.install_own(std::move(s));
    else
      m.install(std::move(s));
}

}  // namespace turnout::state
