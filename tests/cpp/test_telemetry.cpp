#include "turnout/telemetry.hpp"

#include <thread>

#include "allocations.hpp"
#include "check.hpp"

using namespace turnout;
using namespace turnout::telemetry;

namespace {

const double kNan = std::numeric_limits<double>::quiet_NaN();
const double kInf = std::numeric_limits<double>::infinity();

Config quick() {
  Config c;
  c.half_life = 10;
  c.prior_weight = 1;
  return c;
}

Outcome success(double seconds = 0, double expected = 0) { return {true, seconds, expected, 0, 0, Kind::none}; }
Outcome failure(Kind kind = Kind::error, double seconds = 0) { return {false, seconds, 0, 0, 0, kind}; }

}  // namespace

TEST(an_arm_without_outcomes_changes_nothing) {
  Telemetry t(2, quick());
  t.record(1, failure(), 5);
  const ArmState s = t.read(0, 1e9);
  CHECK(s.health == 1.0 && s.latency_ratio == 1.0 && s.seconds == 0 && s.load == 0 && s.rate_limit_proximity == 0);
  CHECK(s.breaker == Breaker::closed && s.updates == 0 && s.idle_seconds == kInf);
}

TEST(successes_alone_leave_health_at_one_and_expected_seconds_leave_the_ratio_at_one) {
  Telemetry t(1, quick());
  for (int i = 0; i < 1000; ++i) t.record(0, success(2.5, 2.5), 0.1 * i);
  const ArmState s = t.read(0, 150);
  CHECK(s.health == 1.0);
  CHECK_NEAR(s.latency_ratio, 1.0, 1e-15);
  CHECK_NEAR(s.seconds, 2.5, 1e-14);
}

TEST(outcomes_count_half_after_a_half_life) {
  Telemetry t(1, quick());
  t.record(0, failure(), 0);
  CHECK(t.read(0, 0).health == 0.5);
  CHECK_NEAR(t.read(0, 10).health, 1 / 1.5, 1e-15);
  t.record(0, success(4, 1), 10);
  const ArmState s = t.read(0, 10);
  CHECK_NEAR(s.health, 2 / 2.5, 1e-15);
  CHECK_NEAR(s.latency_ratio, (4.0 + 1) / 2, 1e-15);
  CHECK_NEAR(s.calls, 1.5, 1e-15);
  CHECK_NEAR(s.calls_per_second, 1.5 * std::log(2.0) / 10, 1e-15);
  CHECK(s.seconds == 4 && s.by_kind[0] == 1 && s.by_kind[1] == 1 && s.updates == 2);
}

TEST(years_later_only_the_prior_is_left) {
  Telemetry t(1, quick());
  for (int i = 0; i < 100; ++i) t.record(0, failure(Kind::timeout, 60), i);
  for (const double later : {1e4, 1e9, 1e15}) {
    const ArmState s = t.read(0, later);
    CHECK(s.health == 1.0 && s.latency_ratio == 1.0 && s.seconds == 0 && s.calls == 0);
  }
  t.record(0, failure(), -1e15);  // and back: the clock was set, no time has passed
  CHECK(t.read(0, -1e15).health == 0.5);
}

TEST(evidence_is_forgotten_at_one_weight_however_its_time_passed) {
  Telemetry one(1, quick()), steps(1, quick());
  for (Telemetry* t : {&one, &steps}) t->record(0, success(7), 0);
  for (const double now : {300.0, 500.0}) steps.record(0, success(), now);  // without seconds
  CHECK(one.read(0, 639).seconds == 7 && steps.read(0, 639).seconds == 7);
  CHECK(one.read(0, 641).seconds == 0 && steps.read(0, 641).seconds == 0);
}

TEST(a_clock_that_was_set_back_passes_no_time) {
  Telemetry t(1, quick()), same(1, quick());
  t.record(0, failure(), 1000);
  same.record(0, failure(), 1000);
  t.record(0, failure(), 5);
  same.record(0, failure(), 1000);
  CHECK(t.read(0, 5).health == same.read(0, 1000).health);
  CHECK(t.read(0, 15).health == same.read(0, 1010).health);  // from there time goes on
}

TEST(late_outcomes_weigh_what_they_would_have_in_time) {
  Telemetry in_order(1, quick()), late(1, quick());
  const double times[] = {0, 0.25, 0.5, 0.75, 1.0}, shuffled[] = {1.0, 0.25, 0.75, 0, 0.5};
  for (const double now : times) in_order.record(0, now == 0.25 ? failure() : success(now + 1), now);
  for (const double now : shuffled) late.record(0, now == 0.25 ? failure() : success(now + 1), now);
  const ArmState a = in_order.read(0, 3), b = late.read(0, 3);
  CHECK_NEAR(a.health, b.health, 1e-15);
  CHECK_NEAR(a.seconds, b.seconds, 1e-14);
}

TEST(quick_errors_are_no_quick_answers_and_timeouts_are_slow_ones) {
  Telemetry t(1, quick());
  t.record(0, success(2), 0);
  t.record(0, failure(Kind::error, 0.01), 0);
  CHECK(t.read(0, 0).seconds == 2);
  t.record(0, failure(Kind::timeout, 60), 0);
  CHECK(t.read(0, 0).seconds == 31 && t.sketch(0).count() == 2);
}

TEST(load_is_what_is_in_flight_over_the_capacity) {
  Config c = quick();
  c.arms = {{4, {}}, {0, {}}};
  Telemetry t(2, c);
  for (int i = 0; i < 3; ++i) t.begin(0, 0), t.begin(1, 0);
  CHECK(t.read(0, 0).load == 0.75 && t.read(1, 0).load == 0 && t.read(1, 0).in_flight == 3);
  for (int i = 0; i < 3; ++i) t.end(0, 1);
  CHECK(t.read(0, 1).load == 0);
  CHECK_ERROR(t.end(0, 1), ErrorKind::input, "arm");
  CHECK(t.read(0, 1).load == 0 && t.version() == 9);
}

TEST(nearness_to_a_rate_limit_comes_from_calls_tokens_and_headers) {
  Config c = quick();
  c.arms = {{0, {10, 1000, 60}}};
  Telemetry t(1, c);
  for (int i = 0; i < 3; ++i) t.record(0, {true, 0, 0, 0, 250, Kind::none}, 100);
  CHECK_NEAR(t.read(0, 100).rate_limit_proximity, 0.75, 1e-12);
  CHECK_NEAR(t.read(0, 130).rate_limit_proximity, 0.25, 1e-12);
  CHECK(t.read(0, 1e6).rate_limit_proximity == 0);
  t.report_rate_limit(0, 0.9, 10, 200);
  CHECK_NEAR(t.read(0, 205).rate_limit_proximity, 0.45, 1e-12);
  t.record(0, failure(Kind::rate_limited), 300);
  CHECK(t.read(0, 300).rate_limit_proximity == 1);
  CHECK_NEAR(t.read(0, 330).rate_limit_proximity, 0.5, 1e-12);
}

TEST(late_use_does_not_free_a_limit) {
  Config c = quick();
  c.arms = {{0, {10, 0, 1}}};
  Telemetry t(1, c);
  for (int i = 0; i < 10; ++i) t.record(0, success(), 100);
  t.record(0, success(), 95);
  CHECK_NEAR(t.read(0, 100).rate_limit_proximity, 1, 1e-12);
}

TEST(the_latest_report_of_a_limit_counts_whichever_thread_it_came_from) {
  Telemetry t(1, quick());
  t.report_rate_limit(0, 0.9, 100, 10);
  std::thread([&t] { t.report_rate_limit(0, 0, 100, 11); }).join();
  CHECK(t.read(0, 11).rate_limit_proximity == 0);
  t.report_rate_limit(0, 0.5, 0, 11.5);  // free at once
  CHECK(t.read(0, 11.5).rate_limit_proximity == 0);
  t.report_rate_limit(0, 0.2, 100, 20);
  t.report_rate_limit(0, 0.9, 100, 12);
  CHECK_NEAR(t.read(0, 20).rate_limit_proximity, 0.2, 1e-12);
}

TEST(wrong_calls_change_nothing) {
  Telemetry t(2, quick());
  t.record(0, success(1, 1), 7);
  const auto before = t.save(7);
  CHECK_ERROR(t.record(2, success(), 7), ErrorKind::input, "arm");
  CHECK_ERROR(t.record(-1, success(), 7), ErrorKind::input, "arm");
  CHECK_ERROR(t.record(0, success(), kNan), ErrorKind::input, "now");
  CHECK_ERROR(t.record(0, success(), kInf), ErrorKind::input, "now");
  CHECK_ERROR(t.record(0, success(-1), 7), ErrorKind::input, "seconds");
  CHECK_ERROR(t.record(0, success(1, kNan), 7), ErrorKind::input, "expected_seconds");
  CHECK_ERROR(t.record(0, (Outcome{true, 0, 0, kInf, 0, Kind::none}), 7), ErrorKind::input, "usd");
  CHECK_ERROR(t.record(0, (Outcome{true, 0, 0, 0, -1, Kind::none}), 7), ErrorKind::input, "tokens");
  CHECK_ERROR(t.record(0, (Outcome{true, 0, 0, 0, 0, Kind::error}), 7), ErrorKind::input, "kind");
  CHECK_ERROR(t.record(0, (Outcome{false, 0, 0, 0, 0, Kind::none}), 7), ErrorKind::input, "kind");
  CHECK_ERROR(t.report_rate_limit(0, 1.5, 1, 7), ErrorKind::input, "used_share");
  CHECK_ERROR(t.read(0, kNan), ErrorKind::input, "now");
  CHECK(t.save(7) == before);
}

TEST(configurations_are_checked) {
  const auto refused = [](auto&& spoil) {
    Config c = quick();
    spoil(c);
    try {
      Telemetry t(1, c);
    } catch (const Error& e) {
      return e.kind == ErrorKind::config ? e.path : "wrong kind";
    }
    return std::string();
  };
  CHECK(refused([](Config&) {}).empty());
  CHECK(refused([](Config& c) { c.half_life = 0; }) == "telemetry.half_life");
  CHECK(refused([](Config& c) { c.half_life = kNan; }) == "telemetry.half_life");
  CHECK(refused([](Config& c) { c.prior_weight = 0; }) == "telemetry.prior_weight");
  CHECK(refused([](Config& c) { c.shards = 0; }) == "telemetry.shards");
  CHECK(refused([](Config& c) { c.arms.resize(2); }) == "telemetry.arms");
  CHECK(refused([](Config& c) { c.arms = {{-1, {}}}; }) == "telemetry.arms[0].capacity");
  CHECK(refused([](Config& c) { c.arms = {{1, {1, 1, 0}}}; }) == "telemetry.arms[0].limit.window_seconds");
  CHECK(refused([](Config& c) { c.breaker.probes = 0; }) == "breaker.probes");
  CHECK_ERROR(Telemetry(0, quick()), ErrorKind::config, "telemetry.arms");
}

TEST(updates_and_reads_take_no_memory) {
  Telemetry t(3, quick());
  t.record(0, success(1, 1), 0);
  ArmState out[3];
  const long before = allocations::count();
  for (int i = 0; i < 100; ++i) {
    t.begin(1, i);
    t.record(1, i % 2 ? success(1, 2) : failure(), i);
    t.end(1, i);
    t.report_rate_limit(2, 0.5, 10, i);
    t.try_acquire(1, i);
    t.read(i, out);
  }
  CHECK(allocations::count() == before);
}

TEST(a_snapshot_restores_what_was_known_under_another_clock) {
  Config c = quick();
  c.arms.resize(3);
  c.arms[0].limit = {10, 0, 60};
  Telemetry t(3, c), other(3, c);
  for (int i = 0; i < 20; ++i) t.record(0, i % 3 ? success(0.1 * i, 1) : failure(), 1000 + i);
  for (int i = 0; i < 3; ++i) t.record(1, failure(), 1019);
  t.report_rate_limit(2, 0.5, 100, 1019);
  const auto bytes = t.save(1020, 42);
  other.record(2, failure(), -5);
  other.restore(bytes, -5, 42);
  for (int arm = 0; arm < 3; ++arm)
    for (const double later : {0.0, 3.0, 29.5, 1000.0}) {
      const ArmState a = t.read(arm, 1020 + later), b = other.read(arm, -5 + later);
      CHECK_NEAR(a.health, b.health, 1e-12);
      CHECK_NEAR(a.latency_ratio, b.latency_ratio, 1e-12);
      CHECK_NEAR(a.rate_limit_proximity, b.rate_limit_proximity, 1e-12);
      CHECK(a.breaker == b.breaker && a.by_kind[1] == b.by_kind[1] && a.transitions[1] == b.transitions[1]);
      CHECK(a.updates == b.updates);
    }
  CHECK(t.sketch(0) == other.sketch(0));
}

TEST(a_snapshot_of_a_limit_that_is_no_longer_given_limits_nothing) {
  Config with = quick(), without = quick();
  with.arms = {{0, {10, 1000, 1e6}}};
  Telemetry t(1, with), other(1, without);
  for (int i = 0; i < 40; ++i) t.record(0, {true, 0, 0, 0, 100, Kind::none}, 0);
  other.restore(t.save(0), 0);
  CHECK(t.read(0, 0).rate_limit_proximity == 1 && other.read(0, 0).rate_limit_proximity == 0);
}

TEST(damaged_snapshots_are_refused_and_change_nothing) {
  Telemetry t(2, quick());
  for (int i = 0; i < 5; ++i) t.record(i % 2, success(1 + i), i);
  const auto good = t.save(10);
  Telemetry other(2, quick());
  other.record(0, failure(), 0);
  const auto before = other.save(0);
  for (std::size_t i = 0; i < good.size(); ++i) {
    auto bad = good;
    bad[i] ^= std::byte{1};
    CHECK_ERROR(other.restore(bad, 0), ErrorKind::input, "snapshot");
    CHECK_ERROR(other.restore(std::span(good).first(i), 0), ErrorKind::input, "snapshot");
  }
  CHECK_ERROR(other.restore(good, 0, 1), ErrorKind::input, "snapshot");
  CHECK_ERROR(Telemetry(3, quick()).restore(good, 0), ErrorKind::input, "snapshot");
  CHECK(other.save(0) == before);
}
