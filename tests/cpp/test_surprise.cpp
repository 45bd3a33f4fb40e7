// When an arm is said to be dead, when it is probed, and how seldom that is wrong.
#include <array>
#include <cmath>
#include <limits>
#include <thread>
#include <vector>

#include "allocations.hpp"
#include "check.hpp"
#include "turnout/bandit/surprise.hpp"
#include "turnout/core.hpp"

using namespace turnout;
using namespace turnout::bandit;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
const std::array<double, 8> kPredictions = {.3, .4, .5, .6, .7, .8, .9, .95};

void kill(Surprise& surprise, int arm, double p = 0.8) {
  while (!surprise.state(arm).dead) surprise.observe(arm, p, 0);
}

}  // namespace

TEST(an_arm_that_is_as_predicted_is_hardly_ever_suspended) {
  Philox rng(1);
  for (const double p : kPredictions) {
    Surprise surprise(1);
    constexpr int kOutcomes = 400'000;
    std::uint64_t up = 0, down = 0;
    bool was_up = false, was_down = false;
    for (int i = 0; i < kOutcomes; ++i) {
      surprise.observe(0, p, rng.uniform() < p ? 1 : 0);
      const SurpriseState s = surprise.state(0);
      up += s.drifting_up && !was_up;
      down += s.drifting_down && !was_down;
      was_up = s.drifting_up;
      was_down = s.drifting_down;
    }
    CHECK(surprise.state(0).deaths < kOutcomes / 10'000);
    CHECK(up < kOutcomes / 10'000 && down < kOutcomes / 10'000);
  }
}

TEST(graded_scores_do_not_raise_the_false_alarms) {
  Philox rng(2);
  Surprise surprise(1);
  for (int i = 0; i < 200'000; ++i) surprise.observe(0, 0.5, rng.uniform());
  CHECK(surprise.state(0).deaths == 0);
}

TEST(a_dead_arm_is_found_within_the_stated_outcomes) {
  const std::array<int, 8> most = {28, 19, 14, 11, 8, 6, 5, 4};
  for (std::size_t i = 0; i < kPredictions.size(); ++i) {
    Surprise surprise(1);
    int outcomes = 0;
    for (; !surprise.state(0).dead; ++outcomes) surprise.observe(0, kPredictions[i], 0);
    CHECK(outcomes == most[i]);
    CHECK(!surprise.admits(0) && surprise.state(0).deaths == 1);
  }
}

TEST(drift_is_reported_and_never_acted_on) {
  Philox rng(3);
  for (const double shift : {-0.2, 0.2}) {
    Surprise surprise(1);
    int outcomes = 0;
    for (; outcomes < 2000 && !surprise.state(0).drifting_up && !surprise.state(0).drifting_down; ++outcomes)
      surprise.observe(0, 0.6, rng.uniform() < 0.6 + shift ? 1 : 0);
    const SurpriseState s = surprise.state(0);
    CHECK(outcomes < 400 && s.drifting_up == (shift > 0) && s.drifting_down == (shift < 0));
    CHECK(!s.dead && surprise.admits(0));
    for (int i = 0; i < 5000; ++i) surprise.observe(0, 0.6, rng.uniform() < 0.6 ? 1 : 0);
    CHECK(!surprise.state(0).drifting_up && !surprise.state(0).drifting_down);  // over, and said so
  }
}

TEST(probes_come_at_doubled_distances_and_a_success_ends_the_suspension) {
  Surprise surprise(2, {.probe_after = 10, .probe_at_most = 35});
  kill(surprise, 1);
  for (const int wait : {10, 20, 35, 35}) {
    for (int i = 0; i < wait; ++i) {
      CHECK(!surprise.admits(1) && surprise.admits(0));
      surprise.decided(0);
    }
    CHECK(surprise.admits(1));
    surprise.decided(-1);  // a probe that nobody takes stays due
    CHECK(surprise.admits(1));
    surprise.decided(1);
    CHECK(!surprise.admits(1));
    surprise.observe(1, 0.8, 0);
    CHECK(surprise.state(1).dead);
  }
  CHECK(surprise.state(1).probes == 4);
  surprise.observe(1, 0.8, 1);
  CHECK(surprise.admits(1) && !surprise.state(1).dead);
  kill(surprise, 1);
  for (int i = 0; i < 10; ++i) surprise.decided(-1);
  CHECK(surprise.admits(1));  // the distance starts anew
}

TEST(what_was_expected_to_fail_is_never_dead) {
  Surprise surprise(1);
  for (int i = 0; i < 10'000; ++i) surprise.observe(0, 0.02, 0);
  for (int i = 0; i < 10'000; ++i) surprise.observe(0, 0, 0);
  CHECK(!surprise.state(0).dead);
}

TEST(the_version_changes_exactly_when_a_reader_must_look_again) {
  Surprise surprise(1, {.probe_after = 1});
  auto before = surprise.version();
  surprise.observe(0, 0.8, 0);
  surprise.decided(0);
  CHECK(surprise.version() == before);
  kill(surprise, 0);
  CHECK(surprise.version() > before);
  before = surprise.version();
  surprise.decided(-1);
  CHECK(surprise.version() > before && surprise.admits(0));
  before = surprise.version();
  surprise.forget(0);
  CHECK(surprise.version() > before && surprise.state(0).outcomes == 0);
}

TEST(arms_are_added_while_others_are_watched_from_many_threads) {
  Surprise surprise(1);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&surprise, t] {
      Philox rng(static_cast<std::uint64_t>(t));
      for (int i = 0; i < 20'000; ++i) {
        const int arm = static_cast<int>(rng.next() % static_cast<unsigned>(surprise.arms()));
        surprise.observe(arm, 0.8, rng.uniform() < 0.02 ? 1 : 0);
        surprise.decided(surprise.admits(arm) ? arm : -1);
      }
    });
  for (int n = 1; n <= 300; ++n) surprise.grow(n);
  for (auto& t : threads) t.join();
  std::uint64_t outcomes = 0;
  for (int i = 0; i < surprise.arms(); ++i) outcomes += surprise.state(i).outcomes;
  CHECK(surprise.arms() == 300 && outcomes == 80'000);
}

TEST(watching_allocates_nothing_and_refuses_what_is_wrong) {
  Surprise surprise(3);
  const long before = allocations::count();
  for (int i = 0; i < 1000; ++i) {
    surprise.observe(i % 3, 0.5, i % 2);
    surprise.decided(i % 3);
  }
  CHECK(allocations::count() == before);
  CHECK_ERROR(surprise.observe(0, kNan, 1), ErrorKind::input, "p");
  CHECK_ERROR(surprise.observe(0, 0.5, 1.5), ErrorKind::input, "score");
  CHECK_ERROR(surprise.observe(3, 0.5, 1), ErrorKind::input, "arm");
  CHECK_ERROR(surprise.decided(-2), ErrorKind::input, "arm");
  CHECK_ERROR(surprise.admits(-1), ErrorKind::input, "arm");
  CHECK_ERROR(surprise.grow(4097), ErrorKind::input, "arms");
  CHECK(surprise.state(0).outcomes == 334);
  CHECK_ERROR(Surprise(1, {.dead = 0}), ErrorKind::config, "surprise.dead");
  CHECK_ERROR(Surprise(1, {.drift = kNan}), ErrorKind::config, "surprise.drift");
  CHECK_ERROR(Surprise(1, {.false_alarm = 0}), ErrorKind::config, "surprise.false_alarm");
  CHECK_ERROR(Surprise(1, {.probe_after = 0}), ErrorKind::config, "surprise.probe_after");
  CHECK_ERROR(Surprise(1, {.probe_after = 9, .probe_at_most = 8}), ErrorKind::config, "surprise.probe_at_most");
}
