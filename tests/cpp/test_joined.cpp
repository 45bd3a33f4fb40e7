// The router beside telemetry and a ledger: what they change, that they change nothing when they say nothing, and that
// decisions on one account from many threads never overspend it.
#include <atomic>
#include <thread>

#include "allocations.hpp"
#include "snapshot.hpp"
#include "turnout/budget.hpp"
#include "turnout/router.hpp"
#include "turnout/telemetry.hpp"

using namespace turnout;
using trace::Decision;
using trace::Reason;
using trace::Rule;

namespace {

const Router& router() {
  static const Router r(planted::snapshot());
  return r;
}

Request ask(std::string_view text = "prove it", double value = 1) {
  Request request;
  request.text = text;
  request.value_usd = value;
  return request;
}

Decision route(const Request& request) {
  const auto ws = router().workspace();
  Decision out;
  router().route(request, *ws, out);
  return out;
}

Decision route(const Request& request, const Purse& purse) {
  const auto ws = router().workspace();
  Decision out;
  router().route(request, purse, *ws, out);
  return out;
}

struct Now {
  telemetry::Telemetry telemetry;
  std::vector<std::int32_t> arms;
  std::vector<trace::Condition> conditions;

  explicit Now(int capacity = 0)
      : telemetry(3, config(capacity)), arms{0, 1, 2}, conditions(router().snapshot().catalog.llms.size()) {}
  static telemetry::Config config(int capacity) {
    telemetry::Config c;
    c.arms.resize(3);
    for (auto& arm : c.arms) arm = {capacity, {100, 0, 60}};
    return c;
  }
  Request ask_at(double now) {
    Request request = ask();
    request.telemetry_version = read_conditions(telemetry, arms, now, conditions);
    request.conditions = conditions;
    return request;
  }
};

telemetry::Outcome failure() {
  telemetry::Outcome o;
  o.ok = false;
  o.kind = telemetry::Kind::error;
  return o;
}

telemetry::Outcome success(double seconds, double expected) {
  telemetry::Outcome o;
  o.seconds = seconds;
  o.expected_seconds = expected;
  return o;
}

budget::AccountId account_of(budget::Ledger& ledger, double usd, double calls = 1e9) {
  budget::Limits limits;
  limits.usd = Usd(usd);
  limits.calls = calls;
  return ledger.open(budget::kNoAccount, "run", limits, 0);
}

}  // namespace

TEST(telemetry_without_outcomes_changes_nothing_but_the_record) {
  Now now;
  const Decision plain = route(ask());
  Decision with = route(now.ask_at(5));
  CHECK(with.condition_count == 3 && !trace::equal(with, plain));
  with.condition_count = 0;
  with.telemetry_version = plain.telemetry_version;
  CHECK(trace::equal(with, plain));
}

TEST(health_and_slowdown_are_what_telemetry_reads) {
  Now now;
  for (int i = 0; i < 4; ++i) now.telemetry.record(1, success(6, 2), 0);
  now.telemetry.record(2, failure(), 0);
  const Decision d = route(now.ask_at(0));
  const auto one = now.telemetry.read(1, 0), two = now.telemetry.read(2, 0);
  CHECK(d.conditions[0] == trace::Condition());
  CHECK(d.conditions[1].slowdown == one.latency_ratio && one.latency_ratio > 1.5);
  CHECK(d.conditions[2].health == two.health && two.health < 1);
  const Decision plain = route(ask());
  for (int a = 0; a < d.alternative_count; ++a)
    for (int b = 0; b < plain.alternative_count; ++b)
      if (d.alternatives[a].llm == 1 && plain.alternatives[b].llm == 1 && d.nodes[0].oper == plain.nodes[0].oper)
        CHECK(d.alternatives[a].seconds == one.latency_ratio * plain.alternatives[b].seconds);
}

TEST(an_open_breaker_a_used_up_limit_and_a_full_queue) {
  Now now(4);
  for (int i = 0; i < 3; ++i) now.telemetry.record(0, failure(), 1);
  now.telemetry.report_rate_limit(1, 1.0, 30, 1);
  for (int i = 0; i < 3; ++i) now.telemetry.begin(2, 1);
  const Decision d = route(now.ask_at(1));
  CHECK(d.rules[0] == Rule::tripped && d.rules[1] == Rule::rate_limited && d.rules[2] == Rule::none);
  CHECK(d.conditions[2].slowdown == 4);  // load 3/4: 1 / (1 - 3/4)
  CHECK(d.has(Reason::llm_unavailable) && d.feasible());
  for (const auto& node : d.plan_nodes()) CHECK(node.llm == 2);
  now.telemetry.begin(2, 1);
  CHECK_NEAR(route(now.ask_at(1)).conditions[2].slowdown, 20, 1e-9);
}

TEST(a_limit_that_was_just_used_up_stays_so_until_a_little_is_free) {
  Now now;
  telemetry::Outcome o = failure();
  o.kind = telemetry::Kind::rate_limited;  // frees itself within 60 s
  now.telemetry.record(1, o, 1);
  CHECK(route(now.ask_at(1.5)).rules[1] == Rule::rate_limited);
  CHECK(route(now.ask_at(1.7)).rules[1] == Rule::none);
}

TEST(conditions_are_checked) {
  Now now;
  const auto wrong = [&now](trace::Condition c) {
    Request request = now.ask_at(1);
    now.conditions[2] = c;
    return request;
  };
  CHECK_ERROR(route(wrong({1.5, 1, Rule::none})), ErrorKind::input, "conditions[2].health");
  CHECK_ERROR(route(wrong({1, 0, Rule::none})), ErrorKind::input, "conditions[2].slowdown");
  CHECK_ERROR(route(wrong({1, 1, Rule::budget})), ErrorKind::input, "conditions[2].rule");
  CHECK_ERROR(route(wrong({1, 1, static_cast<Rule>(200)})), ErrorKind::input, "conditions[2].rule");
}

TEST(a_half_open_breaker_admits_its_probes_and_no_more) {
  Now now;
  for (int i = 0; i < 3; ++i) now.telemetry.record(0, failure(), 0);
  const double later = now.telemetry.read(0, 0).retry_after + 1;
  CHECK(route(now.ask_at(later)).rules[0] == Rule::none);
  while (now.telemetry.try_acquire(0, later)) {
  }
  CHECK(route(now.ask_at(later)).rules[0] == Rule::tripped);
}

TEST(what_is_left_limits_the_plan_and_is_reserved) {
  budget::Ledger ledger;
  const auto account = account_of(ledger, 0.01, 50);
  const Decision d = route(ask(), {&ledger, account, 0, 60});
  CHECK(d.feasible() && d.reservation != 0 && d.on_account && d.pressure == 1 && d.value_usd == 1);
  const auto state = ledger.state(account, 0);
  CHECK(state.held == budget::units_of(budget::Amount{Usd(d.usd_bound), d.tokens(), Seconds(d.seconds_bound),
                                                      static_cast<double>(d.calls())},
                                       "plan"));
  CHECK(d.budget.value == 0.01 && d.max_calls == 50);
  const Decision next = route(ask(), {&ledger, account, 0, 60});
  CHECK(next.pressure < 1 && next.value_usd == next.pressure && next.budget < d.budget);
}

TEST(without_limits_an_account_changes_nothing_but_the_record) {
  budget::Ledger ledger;
  const auto account = ledger.open(budget::kNoAccount, "free", {}, 0);
  Decision with = route(ask(), {&ledger, account, 0, 60});
  CHECK(with.reservation != 0);
  with.on_account = false;
  CHECK(trace::equal(with, route(ask())));
}

TEST(a_plan_that_does_not_fit_reserves_nothing) {
  budget::Ledger ledger;
  const auto account = account_of(ledger, 1e-9);
  const Decision d = route(ask(), {&ledger, account, 0, 60});
  CHECK(!d.feasible() && d.reservation == 0 && d.has(Reason::budget_infeasible));
  budget::Ledger other;
  const Decision calls = route(ask(), {&other, account_of(other, 1, 0), 0, 60});
  CHECK(!calls.feasible() && calls.has(Reason::calls_infeasible) && other.counts().reserved == 0);
}

TEST(a_stale_account_is_an_error) {
  budget::Ledger ledger;
  const auto account = account_of(ledger, 1);
  ledger.close(account, 0);
  const Purse purse{&ledger, account, 0, 60};
  CHECK_ERROR(route(ask(), purse), ErrorKind::input, "account");
}

TEST(a_wrong_time_to_live_is_an_error_also_where_nothing_fits) {
  budget::Ledger ledger;
  const auto account = account_of(ledger, 1e-9);
  for (const double ttl : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN()})
    CHECK_ERROR(route(ask(), Purse{&ledger, account, 0, ttl}), ErrorKind::input, "ttl");
}

TEST(sixteen_threads_on_one_account_never_overspend) {
  budget::Ledger ledger;
  const double limit = 0.25;
  const auto account = account_of(ledger, limit);
  std::atomic<int> made{0}, refused{0};
  std::atomic<std::int64_t> spent{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 16; ++t)
    threads.emplace_back([&, t] {
      const auto ws = router().workspace();
      Decision out;
      for (int i = 0; i < 60; ++i) {
        router().route(ask("prove it", 0.02), {&ledger, account, 0, 60}, *ws, out);
        if (out.reservation == 0) {
          ++refused;
          continue;
        }
        ++made;
        const double part = (t + i) % 3 == 0 ? 1.0 : 0.5;
        const budget::Amount actual{Usd(part * out.usd_bound), 1, Seconds(0.1), 1};
        spent += budget::units_of(actual, "actual")[0];
        ledger.commit({out.reservation}, actual, 0);
      }
    });
  for (auto& thread : threads) thread.join();
  const auto state = ledger.state(account, 0);
  std::printf("     %d reserved, %d refused\n", made.load(), refused.load());
  CHECK(made > 0 && refused > 0);
  CHECK(state.spent[0] == spent && state.held == budget::Units{} && state.spent[0] <= state.limits[0]);
  CHECK(ledger.counts().overrun == 0);
}

TEST(a_warm_decision_with_both_allocates_nothing_of_ours) {
  Now now;
  budget::Ledger ledger;
  const auto account = account_of(ledger, 1000);
  const auto ws = router().workspace();
  static Decision out;
  set_allocation_counter(allocations::count);
  const auto some = [&] {
    for (int i = 0; i < 50; ++i) {
      router().route(now.ask_at(i), {&ledger, account, static_cast<double>(i), 60}, *ws, out);
      ledger.release({out.reservation}, i);
      now.telemetry.record(0, success(1, 1), i);
    }
  };
  some();
  const long before = allocations::count(), engines_before = engine_allocations();
  some();
  const long engines = engine_allocations() - engines_before;
  CHECK(allocations::count() - before - engines == 0);
  CHECK(engines > 0);
  set_allocation_counter(nullptr);
}
