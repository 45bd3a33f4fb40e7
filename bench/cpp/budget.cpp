// Nanoseconds of reserve + commit, and of reading pressure: one thread, two threads on one account, two on two accounts
// under one root; heap allocations; and the same counting by atomic counters with rollback, the alternative to the
// ledger's lock (without its table of reservations, expiry and exact refusals). Fails when the sums are wrong.
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <thread>
#include <vector>

#include "allocations.hpp"
#include "turnout/budget.hpp"

using namespace turnout;
using namespace turnout::budget;

namespace {

constexpr int kOperations = 400'000, kRuns = 7;
constexpr Amount kAmount{Usd(0.01), 2000, Seconds(1), 1}, kActual{Usd(0.004), 1500, Seconds(0.5), 1};
int failures = 0;

// A path of accounts from a root down.
std::vector<AccountId> path(Ledger& ledger, int depth, int leaves) {
  AccountId parent = kNoAccount;
  for (int i = 1; i < depth; ++i)
    parent = ledger.open(parent, {.usd = Usd(1e6), .tokens = 1e15, .seconds = Seconds(1e10), .calls = 1e12}, 0);
  std::vector<AccountId> out;
  for (int i = 0; i < leaves; ++i) out.push_back(ledger.open(parent, {.usd = Usd(1e6), .calls = 1e12}, 0));
  return out;
}

void pairs(Ledger& ledger, AccountId account) {
  ReservationId id;
  for (int i = 0; i < kOperations; ++i) {
    const double now = i * 1e-6;
    if (ledger.reserve(account, kAmount, now, 60, id) || !ledger.commit(id, kActual, now).counted) ++failures;
  }
}

// Best of some runs; `work(thread)` does kOperations.
template <class Work>
double nanoseconds(int threads, Work&& work) {
  double best = 1e300;
  for (int r = 0; r < kRuns; ++r) {
    const auto start = std::chrono::steady_clock::now();
    std::vector<std::thread> others;
    for (int t = 1; t < threads; ++t) others.emplace_back([&, t] { work(t); });
    work(0);
    for (auto& other : others) other.join();
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
    best = std::min(best, took.count() / kOperations);
  }
  return best;
}

void print(const char* name, int threads, double ns) {
  std::printf("  %-44s %6.1f ns a thread, %6.2f million a second in all\n", name, ns, threads * 1e3 / ns);
}

void check_sum(Ledger& ledger, AccountId account, std::int64_t operations) {
  const Units one = units_of(kActual, "actual");
  const AccountState state = ledger.state(account, 0);
  for (std::size_t d = 0; d < kDimensions; ++d)
    if (state.spent[d] != one[d] * operations || state.held[d] != 0) ++failures;
}

void report(int depth, int threads, int accounts) {
  Ledger ledger;
  const auto leaves = path(ledger, depth, accounts);
  const double ns = nanoseconds(threads, [&](int t) { pairs(ledger, leaves[static_cast<std::size_t>(t % accounts)]); });
  char name[64];
  std::snprintf(name, sizeof name, "ledger, depth %d, %d thread(s), %d account(s)", depth, threads, accounts);
  print(name, threads, ns);
  const std::int64_t all = std::int64_t{kOperations} * kRuns * threads;
  for (const AccountId leaf : leaves) check_sum(ledger, leaf, all / accounts);
}

// The alternative: a counter a dimension and level, raised by compare-and-swap, and lowered again where a later one
// refuses.
struct Counters {
  struct alignas(64) Level {
    std::array<std::atomic<std::int64_t>, kDimensions> used{};
    Units limits{};
  };
  std::array<Level, 16> levels;

  static bool raise(std::atomic<std::int64_t>& used, std::int64_t by, std::int64_t limit) {
    std::int64_t now = used.load(std::memory_order_relaxed);
    do {
      if (now + by > limit) return false;
    } while (!used.compare_exchange_weak(now, now + by, std::memory_order_acq_rel));
    return true;
  }
  bool reserve(std::size_t depth, const Units& units) {
    for (std::size_t i = 0; i < depth * kDimensions; ++i) {
      Level& level = levels[i / kDimensions];
      if (raise(level.used[i % kDimensions], units[i % kDimensions], level.limits[i % kDimensions])) continue;
      while (i-- > 0) levels[i / kDimensions].used[i % kDimensions] -= units[i % kDimensions];
      return false;
    }
    return true;
  }
  void commit(std::size_t depth, const Units& units, const Units& actual) {
    for (std::size_t i = 0; i < depth * kDimensions; ++i)
      levels[i / kDimensions].used[i % kDimensions] += actual[i % kDimensions] - units[i % kDimensions];
  }
};

void report_counters(std::size_t depth, int threads) {
  Counters counters;
  for (auto& level : counters.levels) level.limits.fill(kMaxLimitUnits);
  const auto work = [&](int) {
    for (int i = 0; i < kOperations; ++i) {
      const Units units = units_of(kAmount, "amount");
      if (!counters.reserve(depth, units)) ++failures;
      counters.commit(depth, units, units_of(kActual, "actual"));
    }
  };
  char name[64];
  std::snprintf(name, sizeof name, "atomic counters alone, depth %d, %d thread(s)", static_cast<int>(depth), threads);
  print(name, threads, nanoseconds(threads, work));
}

void report_readers() {
  Ledger ledger;
  const AccountId account = path(ledger, 3, 1)[0];
  double sum = 0;
  print("ledger, depth 3, pressure", 1, nanoseconds(1, [&](int) {
          for (int i = 0; i < kOperations; ++i) sum += ledger.pressure(account, i * 1e-6);
        }));
  if (sum != static_cast<double>(kOperations) * kRuns) ++failures;
}

void report_allocations() {
  Ledger ledger;
  const AccountId account = path(ledger, 3, 1)[0];
  const long before = allocations::count();
  pairs(ledger, account);
  const long made = allocations::count() - before;
  std::printf("  allocations of %d reserve + commit: %ld\n", kOperations, made);
  if (made != 0) ++failures;
}

// With many other holds, the heap of expiries is deep.
void report_full_table() {
  Ledger ledger({.max_accounts = 16, .max_reservations = 1 << 16});
  const AccountId account = path(ledger, 3, 1)[0];
  ReservationId id;
  for (int i = 0; i < 60'000; ++i)
    if (ledger.reserve(account, {.calls = 1}, 0, 1e6 + (i * 7919) % 60'000, id)) ++failures;
  print("ledger, depth 3, 60,000 other holds", 1, nanoseconds(1, [&](int) { pairs(ledger, account); }));
}

}  // namespace

int main() {
  std::printf("reserve + commit, four dimensions, best of %d runs of %d\n", kRuns, kOperations);
  for (const int depth : {1, 3, 8}) report(depth, 1, 1);
  for (const int depth : {1, 3}) {
    report(depth, 2, 1);
    report(depth, 2, 2);
  }
  report(3, 16, 16);
  for (const std::size_t depth : {1u, 3u})
    for (const int threads : {1, 2}) report_counters(depth, threads);
  report_full_table();
  report_readers();
  report_allocations();
  std::printf("  wrong sums or refusals: %d\n", failures);
  return failures == 0 ? 0 : 1;
}
