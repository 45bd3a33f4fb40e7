// The parts of telemetry that stand alone: breaker, sketch, drift, timeline.
#include <algorithm>

#include "check.hpp"
#include "turnout/telemetry.hpp"

using namespace turnout;
using namespace turnout::telemetry;

namespace {

bool is(const Transition& t, Breaker from, Breaker to, Cause cause) {
  return t.from == from && t.to == to && t.cause == cause;
}

BreakerConfig config(int probes = 1) {
  BreakerConfig c;
  c.cool_down_seconds = 10;
  c.max_cool_down_seconds = 35;
  c.probes = probes;
  return c;
}

CircuitBreaker& open(CircuitBreaker& b, double time) {
  for (int i = 0; i < b.config().consecutive_failures; ++i) b.record(false, time);
  return b;
}

}  // namespace

TEST(three_failures_in_a_row_open_it_and_a_success_between_does_not) {
  CircuitBreaker b(config());
  CHECK(!b.record(false, 0) && !b.record(false, 0) && !b.record(true, 0) && !b.record(false, 0) && !b.record(false, 0));
  CHECK(b.admits(0) && b.state(0) == Breaker::closed);
  CHECK(is(b.record(false, 0), Breaker::closed, Breaker::open, Cause::consecutive_failures));
  CHECK(!b.admits(9.99) && b.state(9.99) == Breaker::open && b.retry_after(4) == 6);
  CHECK(b.admits(10) && b.state(10) == Breaker::half_open && b.retry_after(10) == 0);
}

TEST(half_open_admits_the_stated_probes_and_all_must_succeed) {
  CircuitBreaker b(config(2));
  Transition t;
  open(b, 0);
  CHECK(!b.try_acquire(9, t) && !t);
  CHECK(b.try_acquire(10, t) && is(t, Breaker::open, Breaker::half_open, Cause::cooled_down));
  CHECK(b.try_acquire(10, t) && !t);
  CHECK(!b.try_acquire(10, t) && !b.admits(10));
  CHECK(!b.record(true, 11));
  CHECK(is(b.record(true, 11), Breaker::half_open, Breaker::closed, Cause::probes_succeeded));
  CHECK(b.try_acquire(11, t) && !t && b.quiet());
}

TEST(a_probe_that_fails_opens_it_for_longer_up_to_the_cap) {
  CircuitBreaker b(config());
  Transition t;
  open(b, 0);
  double time = 0;
  for (const double cool_down : {10.0, 20.0, 35.0, 35.0}) {
    CHECK(!b.admits(time + cool_down - 0.01));
    CHECK(b.try_acquire(time += cool_down, t));
    CHECK(is(b.record(false, time), Breaker::half_open, Breaker::open, Cause::probe_failed));
  }
  CHECK(b.try_acquire(time += 35, t) && b.record(true, time));  // closed: the backoff starts anew
  open(b, time);
  CHECK(b.retry_after(time) == 10);
}

TEST(probes_that_nobody_answered_are_handed_out_again) {
  CircuitBreaker b(config());
  Transition t;
  open(b, 0);
  CHECK(b.try_acquire(10, t) && !b.try_acquire(19.9, t));
  CHECK(b.try_acquire(20, t) && !t);
}

TEST(stragglers_change_nothing_while_it_is_open) {
  CircuitBreaker b(config());
  open(b, 0);
  CHECK(!b.record(false, 1) && !b.record(true, 2) && b.retry_after(2) == 8);
}

TEST(a_failure_rate_opens_it_above_its_number_of_calls) {
  Config c;
  c.half_life = 1e9;
  c.breaker = config();
  c.breaker.consecutive_failures = 0;
  c.breaker.failure_rate = 0.5;
  c.breaker.min_calls = 10;
  Telemetry t(1, c);
  for (int i = 0; i < 9; ++i) t.record(0, {i % 3 != 0, 0, 0, 0, 0, i % 3 ? Kind::none : Kind::error}, 0);
  CHECK(t.read(0, 0).breaker == Breaker::closed);  // 3 of 9
  for (int i = 0; i < 3; ++i) t.record(0, {false, 0, 0, 0, 0, Kind::timeout}, 0);
  CHECK(t.read(0, 0).breaker == Breaker::open);  // 6 of 12
  Event events[4];
  CHECK(t.events(0, events) == 1 && events[0].transition.cause == Cause::failure_rate);
}

TEST(refusals_count_against_health_and_not_against_the_breaker) {
  Telemetry t(1, {});
  for (int i = 0; i < 20; ++i) t.record(0, {false, 0, 0, 0, 0, Kind::refused}, 0);
  const ArmState s = t.read(0, 0);
  CHECK(s.breaker == Breaker::closed && s.health < 0.1);
}

TEST(every_transition_is_an_event_and_is_counted) {
  Config c;
  c.breaker = config();
  Telemetry t(2, c);
  const Outcome bad{false, 0, 0, 0, 0, Kind::error};
  for (int i = 0; i < 3; ++i) t.record(1, bad, 5);
  CHECK(!t.admits(1, 14) && t.admits(1, 15) && t.read(1, 15).breaker == Breaker::half_open);
  CHECK(t.try_acquire(1, 16) && !t.try_acquire(1, 16));
  t.record(1, {}, 17);
  Event events[8];
  CHECK(t.events(0, events) == 3);
  CHECK(events[0].now == 5 && events[1].now == 16 && events[2].now == 17 && events[2].sequence == 3);
  CHECK(events[0].arm == 1 && events[2].transition.to == Breaker::closed);
  CHECK(t.events(2, events) == 1 && t.events(3, events) == 0);
  const ArmState s = t.read(1, 17);
  CHECK(s.transitions[0] == 1 && s.transitions[1] == 1 && s.transitions[2] == 1 && s.breaker == Breaker::closed);
}

TEST(who_only_asks_admits_probes_with_the_next_outcome) {
  Config c;
  c.breaker = config();
  Telemetry t(1, c);
  for (int i = 0; i < 3; ++i) t.record(0, {false, 0, 0, 0, 0, Kind::error}, 0);
  CHECK(t.admits(0, 10));
  t.record(0, {}, 11);
  CHECK(t.read(0, 11).breaker == Breaker::closed);
  Event events[4];
  CHECK(t.events(0, events) == 3 && events[1].transition.cause == Cause::cooled_down);
}

TEST(the_latest_events_are_kept) {
  Config c;
  c.breaker = config();
  c.breaker.consecutive_failures = 1;
  c.breaker.cool_down_seconds = 0;
  Telemetry t(1, c);
  for (int i = 0; i < 3 * kMaxEvents; ++i) t.record(0, {i % 2 == 1, 0, 0, 0, 0, i % 2 ? Kind::none : Kind::error}, i);
  std::vector<Event> events(2 * kMaxEvents);
  const int n = t.events(0, events);
  CHECK(n == kMaxEvents);
  for (int i = 1; i < n; ++i) CHECK(events[std::size_t(i)].sequence == events[std::size_t(i) - 1].sequence + 1);
}

TEST(a_clock_that_is_set_back_does_not_keep_a_breaker_open) {
  Config c;
  c.breaker = config();
  Telemetry t(1, c);
  for (int i = 0; i < 3; ++i) t.record(0, {false, 0, 0, 0, 0, Kind::error}, 1e9);
  CHECK(!t.admits(0, 0));
  CHECK(!t.admits(0, 9.9) && t.admits(0, 10));
}

TEST(quantiles_are_within_their_stated_error) {
  Philox rng(3);
  for (int trial = 0; trial < 50; ++trial) {
    QuantileSketch s;
    std::vector<double> values;
    const double scale = std::exp2(-15 + 40 * rng.uniform()), spread = 3 * rng.uniform();
    for (int i = 0; i < 500; ++i)
      values.push_back(std::min(buckets::kLargest, scale * std::exp(spread * rng.normal())));
    for (const double v : values) s.add(v);
    std::sort(values.begin(), values.end());
    for (const double q : {0.0, 0.01, 0.25, 0.5, 0.9, 0.99, 1.0}) {
      const double exact = values[std::max<std::size_t>(1, std::size_t(std::ceil(q * 500))) - 1];
      const double got = s.quantile(q);
      CHECK(got >= (exact > 0x1.0p-20 ? exact : 0) && got <= exact * (1 + 1.0 / 128));
    }
  }
}

TEST(whole_numbers_up_to_256_are_exact) {
  QuantileSketch s;
  for (int i = 0; i <= 256; ++i) s.add(i);
  for (int i = 0; i <= 256; ++i) {
    CHECK(s.quantile((i + 1) / 257.0) == i || s.quantile((i + 0.5) / 257.0) == i);
    CHECK_NEAR(s.share_at_most(i), (i + 1) / 257.0, 1e-15);
  }
}

TEST(edges_of_buckets_follow_each_other) {
  for (int i = 1; i < buckets::kCount; ++i) {
    const double edge = buckets::upper_edge(i);
    CHECK(buckets::index(edge) == i && buckets::index(std::nextafter(edge, 0)) == (i == 1 ? 1 : i));
    if (i + 1 < buckets::kCount) CHECK(buckets::index(std::nextafter(edge, 1e300)) == i + 1);
  }
  CHECK(buckets::upper_edge(buckets::kCount - 1) == buckets::kLargest);
  CHECK(buckets::index(0) == 0 && buckets::index(0x1.0p-20) == 0 && buckets::index(5e-324) == 0);
}

TEST(merging_in_any_order_gives_the_same_sketch) {
  Philox rng(4);
  QuantileSketch parts[3], all, one, other;
  for (int i = 0; i < 3000; ++i) {
    const double v = rng.uniform() * 100;
    all.add(v);
    parts[i % 3].add(v);
  }
  for (const int i : {0, 1, 2}) one.merge(parts[i]);
  for (const int i : {2, 0, 1}) other.merge(parts[i]);
  CHECK(one == all && other == all);
  CHECK(QuantileSketch::load(all.save()) == all);
}

TEST(wrong_values_and_damaged_sketches_are_refused) {
  QuantileSketch s;
  s.add(1.5, 3);
  const QuantileSketch before = s;
  for (const double v : {-1.0, std::nan(""), 0x1.0p29}) CHECK_ERROR(s.add(v), ErrorKind::input, "value");
  CHECK(s == before);
  CHECK_ERROR(s.quantile(1.1), ErrorKind::input, "q");
  CHECK_ERROR(QuantileSketch().quantile(0.5), ErrorKind::input, "q");
  const auto good = s.save();
  for (std::size_t i = 0; i < good.size(); ++i) {
    auto bad = good;
    bad[i] ^= std::byte{4};
    CHECK_ERROR(QuantileSketch::load(bad), ErrorKind::input, "sketch");
    CHECK_ERROR(QuantileSketch::load(std::span(good).first(i)), ErrorKind::input, "sketch");
  }
}

TEST(jensen_shannon_is_zero_for_equals_and_one_for_strangers) {
  const double p[] = {3, 1, 0}, same[] = {6, 2, 0}, stranger[] = {0, 0, 7};
  CHECK_NEAR(jensen_shannon(p, same), 0, 1e-15);
  CHECK_NEAR(jensen_shannon(p, stranger), 1, 1e-15);
  CHECK(jensen_shannon(p, stranger, 0.5) < 1 && jensen_shannon(p, stranger) == jensen_shannon(stranger, p));
  const double none[] = {0, 0, 0}, wrong[] = {1, -1, 0}, shorter[] = {1, 2};
  CHECK_ERROR(jensen_shannon(p, none), ErrorKind::input, "q");
  CHECK_ERROR(jensen_shannon(wrong, p), ErrorKind::input, "p");
  CHECK_ERROR(jensen_shannon(p, shorter), ErrorKind::input, "q");
}

TEST(drift_compares_the_last_two_windows_that_are_over) {
  Drift d(2, 3, {10, 0, 5});
  for (int i = 0; i < 10; ++i) d.record(0, 0, i);
  for (int i = 0; i < 10; ++i) d.record(0, 2, 10 + i);
  CHECK(!d.read(0, 19).enough);  // the second window is not over
  const DriftReport r = d.read(0, 20);
  CHECK(r.enough && r.before == 10 && r.after == 10);
  CHECK_NEAR(r.divergence, 1, 1e-15);
  CHECK(!d.read(1, 20).enough && d.read(1, 20).before == 0);
  CHECK(!d.read(0, 30).enough && d.read(0, 30).before == 10 && d.read(0, 30).after == 0);
  CHECK(d.read(0, 1e12).before == 0 && d.read(0, -1e12).before == 0);
  CHECK_ERROR(d.record(2, 0, 0), ErrorKind::input, "cluster");
  CHECK_ERROR(d.record(0, 3, 0), ErrorKind::input, "arm");
  CHECK_ERROR(Drift(1, 1, {0, 0, 1}), ErrorKind::config, "drift.window_seconds");
}
