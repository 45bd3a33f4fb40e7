// Ledgers alone, on one thread. Threads: test_budget_threads.cpp; what follows from a budget: test_budget_rules.cpp.
#include "turnout/budget.hpp"

#include <limits>
#include <vector>

#include "allocations.hpp"
#include "check.hpp"

using namespace turnout;
using namespace turnout::budget;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

Amount usd(double value) { return {.usd = Usd(value)}; }

struct Tree {
  Ledger ledger;
  AccountId acme, search, run;
  explicit Tree(const Config& config = {}) : ledger(config) {
    acme = ledger.open(kNoAccount, "acme", {.usd = Usd(10), .calls = 5}, 0);
    search = ledger.open(acme, "search", {.usd = Usd(4)}, 0);
    run = ledger.open(search, "run-17", {.usd = Usd(6), .tokens = 1000}, 0);
  }
  ReservationId reserve(AccountId account, const Amount& amount, double now = 0, double ttl = 60) {
    ReservationId id;
    CHECK(!ledger.reserve(account, amount, now, ttl, id));
    return id;
  }
  Units held(AccountId account, double now = 0) { return ledger.state(account, now).held; }
  Units spent(AccountId account, double now = 0) { return ledger.state(account, now).spent; }
};

bool all_zero(const Units& u) { return u == Units{}; }

}  // namespace

TEST(a_reservation_holds_in_the_account_and_its_ancestors) {
  Tree t;
  const Amount amount{Usd(1.5), 100, Seconds(2), 1};
  const ReservationId id = t.reserve(t.run, amount);
  const Units units{1'500'000'000, 100, 2'000'000, 1};
  for (const AccountId a : {t.run, t.search, t.acme}) CHECK(t.held(a) == units);
  CHECK(t.ledger.remaining(t.run, 0) == (Amount{Usd(2.5), 900, Seconds(kInf), 4}));
  CHECK(t.ledger.commit(id, {Usd(0.5), 70, Seconds(1), 1}, 1) == (Settlement{true, false, false}));
  for (const AccountId a : {t.run, t.search, t.acme}) {
    CHECK(all_zero(t.held(a)));
    CHECK(t.spent(a) == (Units{500'000'000, 70, 1'000'000, 1}));
  }
}

TEST(the_first_refusal_is_named_and_nothing_is_held) {
  Tree t;
  ReservationId id{77};
  Refusal r = t.ledger.reserve(t.run, {Usd(4.5), 2000, Seconds(0), 6}, 0, 60, id);
  CHECK(r && r.reason == Refusal::Reason::limit && r.account == t.run && r.dimension == Dimension::tokens);
  CHECK(r.missing == 1000);
  r = t.ledger.reserve(t.run, {Usd(4.5), 10, Seconds(0), 6}, 0, 60, id);
  CHECK(r && r.account == t.search && r.dimension == Dimension::usd && r.missing == 0.5);
  r = t.ledger.reserve(t.run, {Usd(4), 10, Seconds(0), 6}, 0, 60, id);
  CHECK(r && r.account == t.acme && r.dimension == Dimension::calls && r.missing == 1);
  CHECK(id.value == 77);
  for (const AccountId a : {t.run, t.search, t.acme}) CHECK(all_zero(t.held(a)));
  CHECK(t.ledger.counts().refused == 3 && t.ledger.counts().reserved == 0);
  CHECK(!t.ledger.check(t.run, usd(4), 0) && t.ledger.check(t.run, usd(4.1), 0));
}

TEST(the_last_unit_fits_and_one_more_does_not) {
  Tree t;
  t.reserve(t.run, usd(3.999999999));
  ReservationId id;
  CHECK(t.ledger.reserve(t.run, usd(0.000000002), 0, 60, id));
  t.reserve(t.run, usd(0.000000001));
  CHECK(t.ledger.reserve(t.run, usd(1e-12), 0, 60, id));  // rounds up to a unit
  CHECK(!t.ledger.reserve(t.run, usd(0), 0, 60, id));
}

TEST(amounts_round_up_and_limits_down) {
  CHECK(units_of(usd(1e-10), "x")[0] == 1 && units_of(usd(0), "x")[0] == 0);
  CHECK(units_of(Amount{.tokens = 2000.1}, "x")[1] == 2001 && units_of(Amount{.calls = 0.5}, "x")[3] == 1);
  CHECK(units_of(Limits{.usd = Usd(1.9e-9), .tokens = 9.9}, "x") == (Units{1, 9, kUnlimited, kUnlimited}));
  for (int cents = 1; cents < 20'000; ++cents) {  // 1.07 * 1e9 is above 1,070,000,000 in doubles
    const double value = cents / 100.0;
    CHECK(units_of(usd(value), "x")[0] == cents * std::int64_t{10'000'000});
    CHECK(units_of(Limits{.usd = Usd(value)}, "x")[0] == cents * std::int64_t{10'000'000});
  }
  CHECK(amount_of(units_of(Amount{Usd(1.07), 3, Seconds(0.25), 1}, "x")) == (Amount{Usd(1.07), 3, Seconds(0.25), 1}));
  CHECK(limits_of(units_of(Limits{}, "x")) == Limits{});
}

TEST(what_is_no_amount_is_refused_with_its_path) {
  Tree t;
  ReservationId id;
  const auto reserve = [&](const Amount& a) { t.ledger.reserve(t.run, a, 5, 60, id); };
  CHECK_ERROR(reserve(usd(-1)), ErrorKind::input, "amount.usd");
  CHECK_ERROR(reserve(usd(kNan)), ErrorKind::input, "amount.usd");
  CHECK_ERROR(reserve({.tokens = kInf}), ErrorKind::input, "amount.tokens");
  CHECK_ERROR(reserve({.seconds = Seconds(1e9)}), ErrorKind::input, "amount.seconds");
  CHECK_ERROR(reserve({.calls = 1e300}), ErrorKind::input, "amount.calls");
  for (const double ttl : {0.0, -1.0, kNan})
    CHECK_ERROR(t.ledger.reserve(t.run, usd(1), 0, ttl, id), ErrorKind::input, "ttl");
  for (const double now : {kInf, -kInf, kNan, 1.01e12, -1.01e12}) {
    CHECK_ERROR(t.ledger.reserve(t.run, usd(1), now, 60, id), ErrorKind::input, "now");
    CHECK_ERROR(t.ledger.pressure(t.run, now), ErrorKind::input, "now");
    CHECK_ERROR(t.ledger.sweep(now), ErrorKind::input, "now");
  }
  CHECK_ERROR(t.ledger.open(t.run, "x", {.tokens = -1}, 0), ErrorKind::input, "limits.tokens");
  CHECK_ERROR(t.ledger.open(t.run, "x", {.usd = Usd(2e9)}, 0), ErrorKind::input, "limits.usd");
  CHECK_ERROR(t.ledger.commit({}, usd(1), 0), ErrorKind::input, "reservation");
  CHECK_ERROR(t.ledger.commit({std::uint64_t{9} << 16}, usd(1), 0), ErrorKind::input, "reservation");
  CHECK_ERROR(t.ledger.release({(std::uint64_t{1} << 16) + 5000}, 0), ErrorKind::input, "reservation");
  CHECK(t.ledger.snapshot(0).size() == 3 && t.ledger.counts() == Counts{});
  CHECK_ERROR(Ledger({0, 1}), ErrorKind::config, "ledger.max_accounts");
  CHECK_ERROR(Ledger({1, (1 << 16) + 1}), ErrorKind::config, "ledger.max_reservations");
}

TEST(a_refused_commit_leaves_the_hold) {
  Tree t;
  const ReservationId id = t.reserve(t.run, usd(1));
  CHECK_ERROR(t.ledger.commit(id, usd(kNan), 1), ErrorKind::input, "actual.usd");
  CHECK(t.held(t.run)[0] == 1'000'000'000);
  CHECK(t.ledger.commit(id, usd(1), 1).counted);
}

TEST(settling_twice_changes_nothing_and_says_so) {
  Tree t;
  const ReservationId a = t.reserve(t.run, usd(1)), b = t.reserve(t.run, usd(1));
  CHECK(t.ledger.commit(a, usd(1), 0).counted && t.ledger.release(b, 0).counted);
  for (const ReservationId id : {a, b}) {
    CHECK(t.ledger.commit(id, usd(3), 0) == Settlement{});
    CHECK(t.ledger.release(id, 0) == Settlement{});
    CHECK(!t.ledger.extend(id, 9, 0));
  }
  t.reserve(t.run, usd(1));  // takes a slot that was used: the old ids stay dead
  CHECK(t.ledger.release(a, 0) == Settlement{} && t.ledger.release(b, 0) == Settlement{});
  CHECK(t.spent(t.acme)[0] == 1'000'000'000 && t.held(t.acme)[0] == 1'000'000'000);
  CHECK(t.ledger.counts().stale == 6);
}

TEST(an_overrun_counts_and_closes_the_account_until_there_is_room) {
  Tree t;
  const ReservationId id = t.reserve(t.run, usd(1));
  CHECK(t.ledger.commit(id, usd(4.5), 0) == (Settlement{true, false, true}));
  for (const AccountId a : {t.run, t.search, t.acme}) {
    CHECK(t.spent(a)[0] == 4'500'000'000);
    CHECK(t.ledger.state(a, 0).overrun == (Units{3'500'000'000, 0, 0, 0}));
  }
  CHECK(t.ledger.remaining(t.run, 0).usd == Usd(0) && t.ledger.pressure(t.run, 0) == 0);
  ReservationId out;
  const Refusal r = t.ledger.reserve(t.run, {.tokens = 1}, 0, 60, out);  // not even what costs nothing
  CHECK(r && r.account == t.search && r.dimension == Dimension::usd && r.missing == 0.5);
  t.ledger.set_limits(t.search, {.usd = Usd(5)}, 0);
  CHECK(!t.ledger.reserve(t.run, usd(0.5), 0, 60, out));
}

TEST(holds_expire_at_their_time_and_a_late_commit_counts) {
  Tree t;
  const ReservationId a = t.reserve(t.run, usd(4), 100, 10);
  ReservationId out;
  CHECK(t.ledger.reserve(t.run, usd(4), 109.9, 60, out));
  CHECK(!t.ledger.reserve(t.run, usd(4), 110, 60, out));  // given back before it is asked
  CHECK(t.ledger.commit(a, usd(1), 111) == (Settlement{true, true, false}));
  CHECK(t.spent(t.acme, 111)[0] == 1'000'000'000 && t.held(t.acme, 111)[0] == 4'000'000'000);
  CHECK(t.ledger.commit(a, usd(1), 111) == Settlement{});
  CHECK(t.ledger.sweep(169.9) == 0 && t.ledger.sweep(170) == 1 && t.ledger.sweep(170) == 0);
  CHECK(t.ledger.release(out, 171) == (Settlement{true, true, false}));
  CHECK(t.ledger.counts() == (Counts{2, 1, 1, 1, 2, 2, 0, 1}));
}

TEST(readers_see_what_has_expired_by_their_time) {
  Tree t;
  t.reserve(t.run, usd(1), 0, 10);
  CHECK(t.ledger.pressure(t.run, 9) == 0.75 && t.ledger.pressure(t.run, 10) == 1);
}

TEST(an_extension_counts_from_now) {
  Tree t;
  const ReservationId a = t.reserve(t.run, usd(1), 0, 10), b = t.reserve(t.run, usd(1), 0, 20);
  CHECK(t.ledger.extend(a, 25, 5));
  CHECK(t.ledger.sweep(20) == 1 && !t.ledger.extend(b, 5, 20));
  CHECK(t.ledger.extend(a, kInf, 29));
  CHECK(t.ledger.sweep(1e12) == 0 && t.ledger.commit(a, usd(1), 1e12) == (Settlement{true, false, false}));
}

TEST(an_extension_may_be_shorter_than_what_was_left) {
  Tree t;
  const ReservationId id = t.reserve(t.run, usd(1), 0, 100);
  CHECK(t.ledger.extend(id, 10, 5) && t.ledger.sweep(14) == 0 && t.ledger.sweep(15) == 1);
}

// A heap of many expiries, of which some leave from the middle.
TEST(holds_expire_in_the_order_of_their_times) {
  constexpr int kHolds = 500;
  Ledger ledger;
  const AccountId account = ledger.open(kNoAccount, "a", {}, 0);
  Philox rng(2);
  std::vector<int> expiring(200);
  for (int i = 0; i < kHolds; ++i) {
    ReservationId id;
    const auto ttl = static_cast<int>(1 + rng.next() % 199);
    CHECK(!ledger.reserve(account, {.calls = 1}, 0, ttl, id));
    const auto what = rng.next() % 3;
    const int later = what == 1 ? static_cast<int>(1 + rng.next() % 199) : ttl;
    if (what == 0) CHECK(ledger.release(id, 0).counted);
    if (what == 1) CHECK(ledger.extend(id, later, 0));
    if (what != 0) ++expiring[static_cast<std::size_t>(later)];
  }
  for (int now = 0; now < 200; ++now) CHECK(ledger.sweep(now) == expiring[static_cast<std::size_t>(now)]);
  CHECK(ledger.held_count(200) == 0);
}

TEST(an_unknown_reservation_moves_no_time) {
  Tree t;
  t.reserve(t.run, usd(1), 0, 10);
  const ReservationId unknown{std::uint64_t{9} << 16};
  CHECK_ERROR(t.ledger.commit(unknown, usd(1), 50), ErrorKind::input, "reservation");
  CHECK_ERROR(t.ledger.release(unknown, 50), ErrorKind::input, "reservation");
  CHECK_ERROR(t.ledger.extend(unknown, 1, 50), ErrorKind::input, "reservation");
  CHECK(t.ledger.counts().expired == 0);
}

// Late commits leave the queue of what is remembered at its ends and in its middle.
TEST(what_is_remembered_is_forgotten_from_the_oldest_on) {
  Tree t({.max_accounts = 8, .max_reservations = 4});
  std::vector<ReservationId> ids;
  for (int i = 0; i < 4; ++i) ids.push_back(t.reserve(t.run, usd(0.1), 0, 1 + i));
  CHECK(t.ledger.commit(ids[1], usd(0.1), 10).late);
  t.reserve(t.run, usd(0.1), 10, 100);  // the place of ids[1]
  t.reserve(t.run, usd(0.1), 10, 100);  // of ids[0], the oldest
  CHECK(!t.ledger.commit(ids[0], usd(0.1), 10).counted);
  CHECK(t.ledger.commit(ids[3], usd(0.1), 10).late);
  t.reserve(t.run, usd(0.1), 10, 100);  // of ids[3]
  t.reserve(t.run, usd(0.1), 10, 100);  // of ids[2]
  CHECK(!t.ledger.commit(ids[2], usd(0.1), 10).counted && t.ledger.held_count(10) == 4);
}

TEST(a_clock_that_jumps_neither_frees_early_nor_keeps_for_ever) {
  Tree t;
  t.reserve(t.run, usd(1), 1e9, 10);
  CHECK(t.ledger.sweep(5) == 0);     // back by 30 years: no time has passed
  CHECK(t.ledger.sweep(14.9) == 0);  // 9.9 s since
  CHECK(t.ledger.sweep(15.0) == 1);
  t.reserve(t.run, usd(1), 20, 10);
  for (int i = 0; i < 1000; ++i) CHECK(t.ledger.sweep(i % 2 == 0 ? 20.5 : 20.4) == 0);  // threads out of step
  CHECK(t.ledger.sweep(30) == 1);
  t.reserve(t.run, usd(1), 30, 10);
  CHECK(t.ledger.sweep(1e9) == 1);   // forward: time passes
  t.reserve(t.run, usd(1), 31, 10);  // and back: the next hold lasts as long as it should
  CHECK(t.ledger.sweep(40.9) == 0 && t.ledger.sweep(41) == 1);
}

TEST(a_full_table_refuses_and_forgets_only_what_expired) {
  Tree t({.max_accounts = 8, .max_reservations = 3});
  const ReservationId a = t.reserve(t.run, usd(0.1), 0, 1), b = t.reserve(t.run, usd(0.1), 0, 2);
  t.reserve(t.run, usd(0.1), 0, 100);
  ReservationId out;
  const Refusal r = t.ledger.reserve(t.run, usd(0.1), 0, 60, out);
  CHECK(r.reason == Refusal::Reason::table_full && r.account == t.run && t.held(t.run)[0] == 300'000'000);
  CHECK(t.ledger.check(t.run, usd(0.1), 0).reason == Refusal::Reason::table_full);
  t.reserve(t.run, usd(0.1), 5, 100);  // a and b have expired; the place of a, the older, is taken
  CHECK(t.ledger.commit(a, usd(0.1), 5) == Settlement{});
  CHECK(t.ledger.commit(b, usd(0.1), 5) == (Settlement{true, true, false}));
  CHECK(t.spent(t.run, 5)[0] == 100'000'000 && t.ledger.held_count(5) == 2);
}

TEST(accounts_are_found_by_path_and_stale_handles_are_errors) {
  Tree t;
  CHECK(t.ledger.find("acme/search/run-17") == t.run && t.ledger.find("acme/search/") == kNoAccount);
  CHECK(t.ledger.path(t.run) == "acme/search/run-17" && t.ledger.is_open(t.run));
  CHECK_ERROR(t.ledger.open(t.search, "run-17", {}, 0), ErrorKind::input, "name");
  for (const char* name : {"", "a/b", "a\nb"}) CHECK_ERROR(t.ledger.open(t.run, name, {}, 0), ErrorKind::input, "name");
  CHECK_ERROR(t.ledger.open(t.run, std::string(257, 'a'), {}, 0), ErrorKind::input, "name");
  t.ledger.close(t.run, 0);
  const AccountId again = t.ledger.open(t.search, "run-17", {}, 0);
  CHECK(again.index == t.run.index && again != t.run);
  ReservationId out;
  CHECK_ERROR(t.ledger.reserve(t.run, usd(1), 0, 60, out), ErrorKind::input, "account");
  CHECK_ERROR(t.ledger.remaining(t.run, 0), ErrorKind::input, "account");
  CHECK_ERROR(t.ledger.close(t.run, 0), ErrorKind::input, "account");
  CHECK_ERROR(t.ledger.open(t.run, "x", {}, 0), ErrorKind::input, "account");
  CHECK_ERROR(t.ledger.pressure(kNoAccount, 0), ErrorKind::input, "account");
}

TEST(opening_by_path_opens_the_ancestors_or_nothing) {
  Ledger ledger({.max_accounts = 4, .max_reservations = 1});
  const AccountId run = ledger.open("acme/search/run-17", {.calls = 2}, 0);
  CHECK(ledger.path(run) == "acme/search/run-17" && ledger.find("acme/search") != kNoAccount);
  CHECK(ledger.state(ledger.find("acme"), 0).limits[3] == kUnlimited && ledger.state(run, 0).limits[3] == 2);
  CHECK_ERROR(ledger.open("acme/search", {}, 0), ErrorKind::input, "name");
  for (const char* path : {"", "/", "/acme", "acme/", "other//x", "acme/\n"})
    CHECK_ERROR(ledger.open(path, {}, 0), ErrorKind::input, "name");
  CHECK_ERROR(ledger.open("other/x", {}, 0), ErrorKind::input, "ledger.max_accounts");  // needs two, one is left
  CHECK_ERROR(ledger.open("a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a", {}, 0), ErrorKind::input, "account");
  CHECK(ledger.snapshot(0).size() == 3);
  ledger.open("acme/other", {}, 0);
  CHECK(ledger.snapshot(0)[1].path == "acme/other");
}

TEST(unnamed_accounts_get_names_and_places_are_bounded) {
  Ledger ledger({.max_accounts = 3, .max_reservations = 1});
  const AccountId a = ledger.open(kNoAccount, {}, 0);
  ledger.open(a, "~2", {}, 0);
  const AccountId c = ledger.open(a, {}, 0);
  CHECK(ledger.path(a) == "~1" && ledger.path(c) == "~1/~3");
  CHECK_ERROR(ledger.open(a, {}, 0), ErrorKind::input, "ledger.max_accounts");
  ledger.close(c, 0);
  CHECK(ledger.path(ledger.open(a, {}, 0)) == "~1/~4");

  Ledger other;
  other.open(kNoAccount, "~", {}, 0);
  CHECK(other.path(other.open(kNoAccount, {}, 0)) == "~1");
}

TEST(accounts_nest_to_the_stated_depth) {
  Ledger ledger;
  AccountId account = kNoAccount;
  for (int i = 0; i < kMaxDepth; ++i) account = ledger.open(account, "a", {.calls = 3}, 0);
  CHECK_ERROR(ledger.open(account, "a", {}, 0), ErrorKind::input, "account");
  ReservationId id;
  CHECK(!ledger.reserve(account, {.calls = 3}, 0, 60, id));
  for (const AccountState& s : ledger.snapshot(0)) CHECK(s.held[3] == 3);
}

TEST(closing_gives_back_what_is_held_and_keeps_what_was_spent) {
  Tree t;
  const AccountId step = t.ledger.open(t.run, "step", {}, 0);
  t.ledger.commit(t.reserve(step, usd(1)), usd(1), 0);
  const ReservationId of_run = t.reserve(t.run, usd(1)), of_step = t.reserve(step, usd(0.5));
  const ReservationId expired = t.reserve(step, usd(0.5), 0, 1), of_search = t.reserve(t.search, usd(0.25));
  t.ledger.close(t.run, 2);
  const AccountId other = t.ledger.open("other/place", {}, 2);  // in the places of those that were closed
  CHECK(other.index == t.run.index || other.index == step.index);
  CHECK(!t.ledger.is_open(t.run) && !t.ledger.is_open(step) && t.ledger.find("acme/search/run-17/step") == kNoAccount);
  CHECK(t.held(t.search, 2)[0] == 250'000'000 && t.spent(t.search, 2)[0] == 1'000'000'000);
  for (const ReservationId id : {of_run, of_step, expired})
    CHECK(t.ledger.commit(id, usd(0.1), 2) == (Settlement{true, true, false}));  // counts in the parent
  CHECK(t.spent(t.search, 2)[0] == 1'300'000'000 && t.spent(t.acme, 2)[0] == 1'300'000'000);
  CHECK(t.ledger.commit(of_search, usd(0.1), 2) == (Settlement{true, false, false}));
  const ReservationId last = t.reserve(t.acme, usd(1), 2);
  CHECK(t.spent(other, 2) == Units{});
  t.ledger.close(t.acme, 2);
  t.ledger.close(t.ledger.find("other"), 2);
  CHECK(t.ledger.commit(last, usd(1), 2) == Settlement{} && t.ledger.snapshot(2).empty());
}

TEST(pressure_is_the_least_remaining_share_of_all_levels) {
  Tree t;
  CHECK(t.ledger.pressure(t.run, 0) == 1);
  const ReservationId id = t.reserve(t.run, {Usd(1), 100, Seconds(9), 1});
  CHECK(t.ledger.pressure(t.run, 0) == 0.75);  // search: 3 of 4 USD; run: 5 of 6; acme: 4 of 5 calls
  CHECK(t.ledger.pressure(t.acme, 0) == 0.8);
  t.ledger.commit(id, {Usd(0), 900, Seconds(9), 1}, 0);
  CHECK(t.ledger.pressure(t.run, 0) == 0.1);  // 100 of 1,000 tokens
  const AccountId other = t.ledger.open(kNoAccount, "other", {}, 0);
  t.reserve(other, {Usd(1), 1, Seconds(1), 1});
  CHECK(t.ledger.pressure(other, 0) == 1 &&
        t.ledger.remaining(other, 0) == (Amount{Usd(kInf), kInf, Seconds(kInf), kInf}));
  t.ledger.set_limits(other, {.calls = 0}, 0);
  CHECK(t.ledger.pressure(other, 0) == 0);
  t.ledger.set_limits(other, {.seconds = Seconds(0)}, 0);
  CHECK(t.ledger.pressure(other, 0) == 0);
  const AccountId none = t.ledger.open(kNoAccount, "none", {.calls = 0}, 0);
  CHECK(t.ledger.pressure(none, 0) == 0);
}

TEST(sums_cannot_overflow) {
  Ledger ledger({.max_accounts = 1, .max_reservations = 1 << 16});
  const AccountId account = ledger.open(kNoAccount, "a", {}, 0);
  const Amount most = {.tokens = static_cast<double>(kMaxAmountUnits)};
  std::vector<ReservationId> ids;
  ReservationId id;
  // As close to "no limit" as reservations get, in an account whose every reservation is then overrun.
  while (ledger.state(account, 0).spent[1] <= kUnlimited - 2 * kMaxAmountUnits) {
    CHECK(!ledger.reserve(account, most, 0, 60, id));
    ledger.commit(id, most, 0);
  }
  for (int i = 0; i < 1 << 16; ++i) {
    CHECK(!ledger.reserve(account, {}, 0, 60, id));
    ids.push_back(id);
  }
  for (const ReservationId held : ids) ledger.commit(held, most, 0);
  const AccountState state = ledger.state(account, 0);
  CHECK(state.spent[1] == kUnlimited - kMaxAmountUnits + (std::int64_t{1} << 62) && state.held[1] == 0);
  CHECK(ledger.reserve(account, {}, 0, 60, id));
}

TEST(a_warm_ledger_allocates_nothing) {
  Tree t;
  std::vector<ReservationId> ids(100);
  const auto work = [&](double now) {
    for (auto& id : ids) CHECK(!t.ledger.reserve(t.run, usd(0.01), now, 1 + now, id));
    for (std::size_t i = 0; i < ids.size(); ++i)
      if (i % 4 == 0)
        t.ledger.commit(ids[i], usd(0.001), now);
      else if (i % 4 == 1)
        t.ledger.release(ids[i], now);
      else if (i % 4 == 2)
        t.ledger.extend(ids[i], 3, now);
    t.ledger.remaining(t.run, now);
    t.ledger.pressure(t.run, now);
    t.ledger.check(t.run, usd(50), now);
    t.ledger.sweep(now + 1e6);
  };
  const long before = allocations::count();
  work(1);
  work(2e6);
  CHECK(allocations::count() == before);
}
