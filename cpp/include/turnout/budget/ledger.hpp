// A tree of accounts (tenant / project / run / step) and the reservations on them. What an account spends and holds
// counts in each of its ancestors too; a reservation fits in all of them, in all dimensions, or is not made.
//
// Any thread may call anything. One short lock a ledger makes every call atomic: no reader ever sees spent + held above
// a limit, but after an overrun or a lowered limit. Calls that take a path or list accounts hold the lock while they
// do.
//
// Time: every call that is given `now` first gives back the holds that have expired by then.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "turnout/budget/amount.hpp"

namespace turnout::budget {

inline constexpr int kMaxDepth = 16;  // accounts on a path
inline constexpr int kMaxAccounts = 1 << 20;
inline constexpr int kMaxReservations = 1 << 16;
inline constexpr std::size_t kMaxNameBytes = 256;

struct Config {
  int max_accounts = 4096;
  int max_reservations = 4096;  // held at once; ones that expired are remembered in what is left
};

// A handle. Of a closed account it is stale, also when the place is in use again.
struct AccountId {
  std::uint32_t index = ~0u;
  std::uint32_t generation = 0;
  bool operator==(const AccountId&) const = default;
};
inline constexpr AccountId kNoAccount{};

// Never used twice by a ledger (for 2^48 reservations).
struct ReservationId {
  std::uint64_t value = 0;
  bool operator==(const ReservationId&) const = default;
};

// Why a reservation was not made; true where it was not.
struct Refusal {
  enum class Reason : std::uint8_t { none, limit, table_full };
  Reason reason = Reason::none;
  // Of a limit, the first that refuses: from the account up to its root, usd, tokens, seconds, calls.
  AccountId account;
  Dimension dimension = Dimension::usd;
  double missing = 0;  // dollars, tokens, seconds or calls beyond what remains
  explicit operator bool() const { return reason != Reason::none; }
};
const char* reason_name(Refusal::Reason reason);

// What a commit or release did.
struct Settlement {
  bool counted = false;  // false: settled before, or expired and forgotten; nothing was changed
  bool late = false;     // the hold had expired or its account was closed
  bool overrun = false;  // more was spent than reserved, in some dimension
  bool operator==(const Settlement&) const = default;
};

struct AccountState {
  AccountId id, parent;
  std::string path;  // "acme/search/run-17"
  Units limits{}, spent{}, held{};
  Units overrun{};  // of spent, what went beyond its reservation
};

// Of calls since the ledger was made. Held now: reserved - expired - committed - released + late. `late` are commits
// and releases of what had expired, `stale` those that found nothing; closing an account expires its holds.
struct Counts {
  std::uint64_t reserved = 0, refused = 0, committed = 0, released = 0, expired = 0;
  std::uint64_t late = 0, overrun = 0, stale = 0;
  bool operator==(const Counts&) const = default;
};

class Ledger {
 public:
  // Allocates the tables. Throws Error(config) with the path "ledger.max_accounts" or "ledger.max_reservations".
  explicit Ledger(const Config& config = {});
  ~Ledger();
  Ledger(const Ledger&) = delete;

  // Accounts. Throws Error(input): "account" (stale), "name" (empty, too long, with '/' or control characters, taken),
  // "limits.<dimension>", "ledger.max_accounts" (full), "account" (deeper than kMaxDepth). A refused call changes
  // nothing.
  AccountId open(AccountId parent, std::string_view name, const Limits& limits, double now);
  // Named "~1", "~2", ... in order of opening.
  AccountId open(AccountId parent, const Limits& limits, double now);
  // By path, "acme/search/run-17": ancestors that are not open are opened without limits. All of them or none; errors
  // as above, "name" where the account itself is open.
  AccountId open(std::string_view path, const Limits& limits, double now);
  // Closes it and its descendants: what they hold is given back, what they spent stays in their ancestors. A later
  // commit of such a hold is late and counts in the nearest ancestor that is open; without one it is stale.
  void close(AccountId account, double now);
  // May be below what is spent and held: then nothing more is reserved until there is room again.
  void set_limits(AccountId account, const Limits& limits, double now);
  AccountId find(std::string_view path) const;  // kNoAccount where there is none
  std::string path(AccountId account) const;
  bool is_open(AccountId account) const;

  // Holds `amount` for `ttl` seconds (> 0, infinity: for ever) in the account and all of its ancestors, or in none. A
  // dimension in which an account is over its limit refuses any amount, also 0. `out` is written where it was made.
  Refusal reserve(AccountId account, const Amount& amount, double now, double ttl, ReservationId& out);
  // What a reservation of `amount` would answer.
  Refusal check(AccountId account, const Amount& amount, double now) const;
  // Gives the hold back and counts what was spent, whatever it is: more than was reserved (an overrun), also beyond a
  // limit, and also after the hold expired (late). Throws Error(input) for an id that this ledger never gave.
  Settlement commit(ReservationId id, const Amount& actual, double now);
  Settlement release(ReservationId id, double now);
  // Holds for `ttl` seconds from now; false where it is no longer held.
  bool extend(ReservationId id, double ttl, double now);
  bool is_held(ReservationId id, double now) const;
  // Gives back what has expired; how many holds that were.
  int sweep(double now);

  // The least over the account and its ancestors; 0 where one is over its limit, infinity where none has a limit.
  Amount remaining(AccountId account, double now) const;
  // The least of remaining / limit over dimensions, the account and its ancestors; 1 where nothing is limited.
  double pressure(AccountId account, double now) const;
  AccountState state(AccountId account, double now) const;
  std::vector<AccountState> snapshot(double now) const;  // by path
  Counts counts() const;
  int held_count(double now) const;  // reservations held now

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace turnout::budget
