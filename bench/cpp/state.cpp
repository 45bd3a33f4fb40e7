// Nanoseconds of opening a ticket and of reporting its outcome, d = 32, 16 arms; of taking, snapshots, slots and
// merges; the longest wait of an open() beside snapshots of 65,536 tickets; and recovery of a log of a million
// outcomes. Fails when an answer is wrong.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "allocations.hpp"
#include "states.hpp"

using namespace states;

namespace {

constexpr int kWide = 32, kBenchArms = 16, kCalls = 2000, kRounds = 151;

double now() {
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

template <class F>
double ns_each(int calls, F&& f) {
  const double start = now();
  for (int i = 0; i < calls; ++i) f(i);
  return (now() - start) / calls;
}

// After each round comes what is not timed.
template <class F, class G>
void report(const char* name, int calls, F&& f, G&& after, int rounds = kRounds) {
  std::vector<double> ns;
  for (int i = 0; i < rounds; ++i) ns.push_back(ns_each(calls, f)), after();
  std::sort(ns.begin(), ns.end());
  std::printf("  %-44s median %9.1f ns, best %9.1f\n", name, ns[ns.size() / 2], ns[0]);
}

Config wide(std::uint64_t replica = 1) {
  Config c = config(replica, kWide);
  c.tickets = 65536;
  c.epochs = 8;
  c.log_bytes = std::size_t{64} << 20;
  return c;
}

std::vector<Ticket> tickets(int n) {
  Philox random(7);
  std::vector<Ticket> out;
  for (int i = 0; i < n; ++i) out.push_back(ticket(random, kWide, kBenchArms));
  return out;
}

// Tickets, outcomes and epochs of this many decisions.
void live(Memory& m, const std::vector<Ticket>& from, int decisions) {
  for (int i = 0; i < decisions; ++i) {
    Ticket t = from[static_cast<std::size_t>(i) % from.size()];
    if (i % (decisions / 9 + 1) == 0) m.advance(m.epoch() + 1);
    m.open(t);
    m.report(t.id, -1, scored(i % 3 == 0, 0.001));
  }
}

bool decisions(Memory& m, const std::vector<Ticket>& from) {
  std::vector<Ticket> t(from.begin(), from.begin() + kCalls);
  const auto clear = [&] { m.take(); };
  live(m, from, 70000);
  clear();
  const long before = allocations::count();
  long taken = 0;
  const auto counted_clear = [&] {
    const long start = allocations::count();
    clear();
    taken += allocations::count() - start;
  };
  report("open", kCalls, [&](int i) { m.open(t[static_cast<std::size_t>(i)]); }, counted_clear);
  std::uint64_t accepted = m.counts().receipts[0];
  report(
      "report, the whole plan (1 to 3 arms)", kCalls,
      [&](int i) { m.report(t[static_cast<std::size_t>(i)].id, -1, scored(i % 2, 0.001)); },
      [&] {
        counted_clear();
        for (Ticket& ticket : t) m.open(ticket);
        counted_clear();
      });
  report(
      "report, one node", kCalls, [&](int i) { m.report(t[static_cast<std::size_t>(i)].id, 0, scored(i % 2)); },
      [&] {
        counted_clear();
        for (Ticket& ticket : t) m.open(ticket);
        counted_clear();
      });
  accepted = m.counts().receipts[0] - accepted;
  // The vectors of the rounds' times are ours, one growth each.
  const long allocated = allocations::count() - before - taken;
  std::printf("  heap allocations besides take(): %ld\n", allocated);
  return accepted == 2 * std::uint64_t{kRounds} * kCalls && m.counts().lost_records == 0;
}

bool bytes(Memory& m, const std::vector<Ticket>& from) {
  const auto nothing = [] {};
  Totals totals;
  report("totals, 9 parts", 100, [&](int i) { m.totals(i % kBenchArms, totals); }, nothing);
  std::vector<Ticket> t = from;
  Data log;
  const auto fill = [&] {
    for (Ticket& ticket : t) m.open(ticket);
  };
  fill();
  report("take, of 2,000 tickets", 1, [&](int) { log = m.take(); }, fill);
  Data snapshot, slot;
  report("snapshot, 65,536 tickets", 1, [&](int) { snapshot = m.snapshot(); }, nothing, 21);
  report("slot, 16 arms, 9 parts", 1, [&](int) { slot = m.slot(); }, nothing);
  std::printf("  %zu bytes a ticket in the log, %zu MB a snapshot, %zu KB a slot\n", log.size() / t.size(),
              snapshot.size() >> 20, slot.size() >> 10);
  Memory other(wide(2));
  bool changed = true;
  report(
      "merge, a new slot", 1, [&](int) { changed &= other.merge(slot); },
      [&] {
        live(m, from, 1);
        m.take();
        slot = m.slot();
        other.take();
      });
  other.merge(slot);
  report("merge, nothing new", 1, [&](int) { changed &= !other.merge(slot); }, nothing);
  Memory back(wide());
  back.restore(snapshot);
  return changed && back.counts().open == 65536 && back.snapshot() == snapshot;
}

// Opens beside snapshots: what a decision waits for.
void waits(Memory& m, const std::vector<Ticket>& from) {
  std::atomic<bool> done{false};
  std::thread other([&] {
    for (int i = 0; i < 20; ++i) m.snapshot();
    done = true;
  });
  std::vector<double> ns;
  ns.reserve(10000000);
  Ticket t = from[0];
  while (!done && ns.size() < ns.capacity()) {
    const double start = now();
    m.open(t);
    ns.push_back(now() - start);
  }
  other.join();
  m.take();
  std::sort(ns.begin(), ns.end());
  const auto at = [&](double q) { return ns[static_cast<std::size_t>(q * static_cast<double>(ns.size() - 1))] / 1e3; };
  std::printf("  open beside 20 snapshots, us: p50 %.2f, p99 %.2f, p99.99 %.1f, most %.1f of %zu\n", at(0.5), at(0.99),
              at(0.9999), at(1), ns.size());
}

bool recover_1m(const std::vector<Ticket>& from) {
  constexpr int kOutcomes = 1000000;
  Config c = wide(3);
  Memory m(c);
  add_arms(m, kBenchArms);
  Data log;
  for (int i = 0; i < 20; ++i) {
    live(m, from, kOutcomes / 20);
    const Data batch = m.take();
    log.insert(log.end(), batch.begin(), batch.end());
  }
  std::vector<double> seconds;
  bool same = m.counts().lost_records == 0;
  for (int round = 0; round < 3; ++round) {
    Memory back(c);
    const double start = now();
    same &= back.apply(log) == log.size();
    seconds.push_back((now() - start) / 1e9);
    same &= back.slots() == m.slots() && back.counts().receipts[0] == kOutcomes;
  }
  std::sort(seconds.begin(), seconds.end());
  const double start = now();
  const std::span<const std::byte> part = log;
  const Feedback rows = read_log({&part, 1});
  std::printf("  state_recover_1m: median %.3f s, best %.3f, of %zu MB; read_log %.3f s\n", seconds[1], seconds[0],
              log.size() >> 20, (now() - start) / 1e9);
  return same && rows.ticket.size() == kOutcomes;
}

}  // namespace

int main() {
  std::printf("state, d = %d, %d arms\n", kWide, kBenchArms);
  const std::vector<Ticket> from = tickets(kCalls);
  Memory m(wide());
  add_arms(m, kBenchArms);
  bool right = decisions(m, from);
  right &= bytes(m, from);
  waits(m, from);
  right &= recover_1m(from);
  std::printf("  %s\n", right ? "answers are right" : "WRONG");
  return right ? 0 : 1;
}
