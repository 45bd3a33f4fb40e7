// state: what was learned, durable and mergeable. Does no I/O: it gives and takes bytes, and a store keeps them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "turnout/state/ticket.hpp"

namespace turnout::state {

struct Config {
  int dim = 0;                      // d, of every ticket's context
  std::string space;                // what the context's features mean; bytes of another space are refused
  std::uint64_t replica = 0;        // not 0; no two memories that are ever merged share one
  std::uint32_t ticket_prefix = 0;  // 24 bits, anew for each run: a ticket is prefix << 40 | count
  std::size_t tickets = 65536;      // open ones; beyond it the oldest is forgotten, and counted
  double discount = 1;              // of evidence, an epoch
  int epochs = 8;                   // that are kept apart, so that late outcomes find theirs
  std::size_t log_bytes = std::size_t{16} << 20;  // that wait for a store; beyond it records are lost, and counted
};

// What an outcome says of one call: whose it was, and the P(correct) that it was decided with. Nothing of a plan of
// several calls as a whole.
struct Evidence {
  int count = 0;
  std::int32_t arms[1];
  double quality[1];
};

enum class Receipt : std::uint8_t { accepted, duplicate, expired, unknown };
inline constexpr int kReceipts = 4;
const char* receipt_name(Receipt receipt);

// All evidence on an arm, discounted to the present epoch. `precision` is the upper triangle, row by row, of the
// weighted sum of x x^T, without any prior.
struct Totals {
  double weight = 0;                      // of outcomes with a score
  std::vector<double> precision, moment;  // [d (d + 1) / 2]; [d]: sum of x (score - prior)
  double score = 0, prior = 0;            // weighted sums
  double usd = 0, usd_expected = 0, usd_count = 0;
  std::int64_t failures[kFailures] = {};  // by kind, not discounted
};

struct Counts {
  std::uint64_t opened = 0, open = 0, forgotten = 0;  // tickets
  std::uint64_t receipts[kReceipts] = {};
  std::uint64_t refused = 0;                          // outcomes: an arm's sums had no room for them
  std::uint64_t pending_bytes = 0, lost_records = 0;  // of the log
};

// Thread-safe. A call holds one lock for well under a microsecond, but for the ones that give or take bytes.
class Memory {
 public:
  explicit Memory(Config config);
  ~Memory();
  const Config& config() const;

  int arm(std::string_view name);  // its index, added where it is new; Error(input) beyond 4,096
  int arms() const;
  std::string arm_name(int arm) const;

  // Remembers a ticket, gives it its id and epoch, and logs it.
  void open(Ticket& ticket);
  // `node` of the plan, or -1: all of it (the same as node 0 where there is one). Applies at most once for a ticket and
  // node. Where `learn` is false the outcome is logged and counted, and changes no evidence. Throws Error(input), also
  // (and counted) where an arm's sums have no room for it.
  Receipt report(std::uint64_t ticket, int node, const Outcome& outcome, bool learn = true,
                 Evidence* evidence = nullptr);

  void advance(std::uint32_t epoch);  // to a later epoch; an earlier one is ignored
  std::uint32_t epoch() const;
  // A function of the evidence: equal states have equal versions. Lock-free.
  std::uint64_t version() const;
  std::uint64_t version(int arm) const;  // changes when totals(arm) may have
  void totals(int arm, Totals& out) const;
  Counts counts() const;

  std::vector<std::byte> take();  // records since the last take, in order
  // The record of a decision for replays, opaque here; belongs to a ticket.
  void note(std::uint64_t ticket, std::span<const std::byte> bytes);
  std::vector<std::byte> snapshot() const;
  void restore(std::span<const std::byte> snapshot);  // into a new Memory; Error(input) with what is wrong
  // Applies the records of a log up to the first that is torn or damaged; returns the bytes of those. What a snapshot
  // or an earlier call included changes nothing. Error(input), nothing changed: the log of another memory.
  std::size_t apply(std::span<const std::byte> log);
  std::vector<std::byte> slot() const;           // of this replica
  std::vector<std::byte> slots() const;          // of all replicas that it knows
  bool merge(std::span<const std::byte> slots);  // true: something was new. Error(input), nothing changed

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace turnout::state
