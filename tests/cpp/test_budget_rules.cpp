// What follows from a budget: pressure's price, pacing, decisions on what remains, turn limits, selection.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "allocations.hpp"
#include "check.hpp"
#include "turnout/budget.hpp"

using namespace turnout;
using namespace turnout::budget;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::vector<double> probabilities(const std::vector<double>& values, double r) {
  std::vector<double> out(values.size());
  selection_probabilities(values, r, out);
  return out;
}

double entropy(const std::vector<double>& p) {
  double sum = 0;
  for (const double x : p) sum -= x > 0 ? x * std::log(x) : 0;
  return sum;
}

std::vector<double> random_values(Philox& rng, std::size_t n) {
  std::vector<double> values(n);
  for (double& v : values) v = std::exp(8 * rng.uniform() - 4);
  return values;
}

}  // namespace

TEST(a_value_under_pressure_rises_with_it_and_is_itself_at_one) {
  CHECK(effective_value(0.0123, 1) == 0.0123 && lambda(0.0123, 1) == 0.0123);
  double before = -1;
  for (int i = 0; i <= 100; ++i) {
    const double value = effective_value(0.2, i / 100.0);
    CHECK(value > before);
    CHECK_NEAR(1 / lambda(1 / 0.2, i / 100.0, 0.01), effective_value(0.2, i / 100.0, 0.01), 1e-15);
    before = value;
  }
  CHECK(effective_value(0.2, 0) == 0 && effective_value(0.2, 0, 0.5) == 0.1 && lambda(2, 0, 0.5) == 4);
  CHECK_ERROR(lambda(-1, 1), ErrorKind::input, "base");
  CHECK_ERROR(lambda(1, 1.01), ErrorKind::input, "pressure");
  CHECK_ERROR(lambda(1, 1, 0), ErrorKind::input, "floor");
  CHECK_ERROR(effective_value(kNan, 1), ErrorKind::input, "value_usd");
  CHECK_ERROR(effective_value(1, kNan), ErrorKind::input, "pressure");
  CHECK_ERROR(effective_value(1, 1, -0.1), ErrorKind::input, "floor");
}

TEST(a_plan_is_linear_between_its_points) {
  const std::vector<PlanPoint> points = {{10, 100}, {20, 100}, {30, 400}};
  const Pacer pacer(points, 5, 1000);
  const std::array<std::array<double, 2>, 8> expected = {
      {{900, 0}, {1000, 0}, {1005, 50}, {1010, 100}, {1015, 100}, {1025, 250}, {1030, 400}, {1e9, 400}}};
  for (const auto& [now, planned] : expected) CHECK(pacer.planned(now) == planned);
}

TEST(a_burst_and_then_the_plan_gets_through) {
  Pacer pacer(std::vector<PlanPoint>{{128, 256}}, 10, 0);
  CHECK(!pacer.admit(10.5, 0) && pacer.admit(10, 0) && !pacer.admit(0.1, 0));
  CHECK(pacer.multiplier(0) == 0 && pacer.pace(0) == kInf);
  CHECK(pacer.admit(2, 1) && !pacer.admit(0.1, 1));
  CHECK(pacer.multiplier(3.5) == 0.5 && pacer.spent() == 12 && pacer.pace(6) == 1);
  CHECK(pacer.multiplier(60) == 1 && pacer.credit(60) == 10);  // idle time saves up a burst, no more
  pacer.record(25, 60);
  CHECK(pacer.credit(60) == -15 && pacer.multiplier(60) == 0 && !pacer.admit(0.1, 67) && pacer.admit(1, 68));
}

// Over any time between two admissions, what is admitted is at most what was planned for it + the burst.
TEST(no_window_lets_more_than_its_plan_and_a_burst_through) {
  Philox rng(3);
  for (int trial = 0; trial < 20; ++trial) {
    std::vector<PlanPoint> plan;
    for (int i = 1; i <= 5; ++i)
      plan.push_back({i * 20.0, (plan.empty() ? 0 : plan.back().total) + 100 * rng.uniform()});
    Pacer pacer(plan, 7, 0);
    std::vector<std::array<double, 2>> admitted;  // when, how much
    for (double now = 0; now < 110; now += rng.uniform() * (trial % 2 == 0 ? 0.2 : 4))
      if (const double amount = 8 * rng.uniform(); pacer.admit(amount, now)) admitted.push_back({now, amount});
    CHECK(admitted.size() > 5);
    for (std::size_t i = 0; i < admitted.size(); ++i) {
      double sum = 0;
      for (std::size_t j = i; j < admitted.size(); ++j) {
        sum += admitted[j][1];
        CHECK(sum <= pacer.planned(admitted[j][0]) - pacer.planned(admitted[i][0]) + 7 + 1e-9);
      }
    }
  }
}

TEST(a_jump_of_the_clock_lets_at_most_a_burst_through) {
  Pacer pacer(std::vector<PlanPoint>{{1000, 1000}}, 5, 0);
  const auto drain = [&](double now) {
    int count = 0;
    while (pacer.admit(1, now)) ++count;
    return count;
  };
  CHECK(drain(0) == 5 && drain(2) == 2);
  CHECK(drain(900) == 5);                 // forward
  CHECK(drain(3) == 0 && drain(5) == 2);  // back: it goes on from there
  CHECK(drain(-1e9) == 0 && drain(1e9) == 5 && drain(1e9) == 0);
  CHECK(drain(5) == 0);
  for (int i = 0; i < 10; ++i) CHECK(drain(4.5) == 0 && drain(5) == 0);  // a late reader fills nothing twice
  CHECK(drain(6) == 1);
}

TEST(what_is_no_plan_is_refused) {
  using Points = std::vector<PlanPoint>;
  CHECK_ERROR(Pacer(Points{}, 1, 0), ErrorKind::input, "plan");
  CHECK_ERROR(Pacer(Points(4097), 1, 0), ErrorKind::input, "plan");
  CHECK_ERROR(Pacer(Points({{1, 1}, {1, 2}}), 1, 0), ErrorKind::input, "plan[1].seconds");
  CHECK_ERROR(Pacer(Points({{0, 1}}), 1, 0), ErrorKind::input, "plan[0].seconds");
  CHECK_ERROR(Pacer(Points({{1, 2}, {2, 1}}), 1, 0), ErrorKind::input, "plan[1].total");
  CHECK_ERROR(Pacer(Points({{1, kNan}}), 1, 0), ErrorKind::input, "plan[0].total");
  CHECK_ERROR(Pacer(Points({{1, 1}}), 0, 0), ErrorKind::input, "burst");
  CHECK_ERROR(Pacer(Points({{1, 1}}), 1, kInf), ErrorKind::input, "start");
  Pacer pacer(Points({{1, 1}}), 1, 0);
  CHECK_ERROR(pacer.admit(-1, 0), ErrorKind::input, "amount");
  CHECK_ERROR(pacer.record(kNan, 0), ErrorKind::input, "amount");
  CHECK_ERROR(pacer.admit(1, kNan), ErrorKind::input, "now");
  CHECK(pacer.spent() == 0 && pacer.credit(0) == 1);
}

TEST(bands_cut_the_remaining_share) {
  CHECK(decide(1) == Action::go_on && decide(0.5) == Action::go_on && decide(0.49) == Action::dig);
  CHECK(decide(0.25) == Action::dig && decide(0.1) == Action::pivot && decide(0.09) == Action::stop);
  CHECK(decide(0) == Action::stop && decide(0, {0, 0, 0}) == Action::go_on &&
        decide(0.5, {1, 1, 0.5}) == Action::pivot);
  CHECK_ERROR(decide(0.5, {0.2, 0.3, 0.1}), ErrorKind::config, "bands");
  CHECK_ERROR(decide(0.5, {kNan, 0.3, 0.1}), ErrorKind::config, "bands");
  CHECK_ERROR(decide(1.1), ErrorKind::input, "share");
}

TEST(the_unified_cost_adds_tokens_and_calls) {
  const std::vector<double> calls = {10, 3}, prices = {0.001, 0.02};
  CHECK_NEAR(unified_cost(2e6, 5e5, 3, 15, calls, prices).value, 6 + 7.5 + 0.01 + 0.06, 1e-12);
  CHECK(unified_cost(0, 0, 3, 15, {}, {}) == Usd(0));
  CHECK_ERROR(unified_cost(-1, 0, 3, 15, {}, {}), ErrorKind::input, "tokens_in");
  CHECK_ERROR(unified_cost(1, 0, 3, 15, calls, {}), ErrorKind::input, "usd_per_call");
  const std::vector<double> bad = {1, kNan};
  CHECK_ERROR(unified_cost(1, 0, 3, 15, bad, prices), ErrorKind::input, "calls[1]");
  CHECK_ERROR(unified_cost(1e300, 0, 1e300, 15, {}, {}), ErrorKind::input, "usd");
}

// Exact, so within any rank error; merged from parts too.
TEST(streaming_quantiles_of_turns_are_exact) {
  Philox rng(5);
  for (const int n : {1, 2, 3, 100, 10'000}) {
    std::vector<int> runs;
    TurnHistogram all, first, second;
    for (int i = 0; i < n; ++i) {
      const int turns = 1 + static_cast<int>(-30 * std::log(1 - rng.uniform()));
      runs.push_back(turns);
      all.add(turns);
      (i % 3 == 0 ? first : second).add(turns);
    }
    first.merge(second);
    std::sort(runs.begin(), runs.end());
    for (const double q : {0.001, 0.25, 0.5, 0.75, 0.9, 1.0}) {
      const auto rank = static_cast<std::size_t>(std::ceil(q * n)) - 1;
      CHECK(all.quantile(q) == runs[rank] && first.quantile(q) == runs[rank]);
    }
    CHECK(first.count() == n);
  }
  TurnHistogram turns;
  CHECK_ERROR(turns.quantile(0.5), ErrorKind::input, "turns");
  CHECK_ERROR(turns.add(0), ErrorKind::input, "turns");
  turns.add(1'000'000);
  CHECK(turns.quantile(1) == TurnHistogram::kMaxTurns);
  for (const double q : {0.0, 1.1, kNan}) CHECK_ERROR(turns.quantile(q), ErrorKind::input, "q");
}

TEST(turns_end_at_the_limit_and_never_pass_the_hard_cap) {
  TurnControl turns(3, 6, 2);
  CHECK(turns.next() == Turn::go && turns.next() == Turn::go && turns.next() == Turn::remind);
  CHECK(turns.next() == Turn::stop && turns.used() == 3);
  CHECK(!turns.extend(false, true) && !turns.extend(true, false) && turns.limit() == 3);
  CHECK(turns.extend(true, true) && turns.limit() == 5 && turns.next() == Turn::go && turns.next() == Turn::remind);
  CHECK(turns.extend(true, true) && turns.limit() == 6 && turns.next() == Turn::remind);
  CHECK(!turns.extend(true, true) && turns.next() == Turn::stop && turns.used() == 6 && turns.extensions() == 2);
  CHECK_ERROR(TurnControl(0, 5, 1), ErrorKind::input, "limit");
  CHECK_ERROR(TurnControl(5, 4, 1), ErrorKind::input, "hard_cap");
  CHECK_ERROR(TurnControl(5, 4097, 1), ErrorKind::input, "hard_cap");
  CHECK_ERROR(TurnControl(5, 6, 0), ErrorKind::input, "extension");
}

TEST(no_sequence_of_turns_and_extensions_passes_the_hard_cap) {
  Philox rng(8);
  for (int trial = 0; trial < 500; ++trial) {
    const int cap = 1 + static_cast<int>(rng.next() % 50), limit = 1 + static_cast<int>(rng.next() % cap);
    TurnControl turns(limit, cap, 1 + static_cast<int>(rng.next() % 2'000'000'000));
    for (int i = 0; i < 200; ++i) {
      const int before = turns.limit();
      const bool requested = rng.next() % 2 == 0, affordable = rng.next() % 2 == 0;
      CHECK(!turns.extend(requested, affordable) || (requested && affordable));
      CHECK(turns.limit() >= before && turns.limit() <= cap);
      turns.next();
      CHECK(turns.used() <= turns.limit());
    }
    CHECK(turns.used() <= cap);
  }
}

TEST(selection_goes_from_proportional_to_the_largest) {
  const std::vector<double> values = {1, 2, 4, 1};
  CHECK(probabilities(values, 1) == (std::vector<double>{0.125, 0.25, 0.5, 0.125}));
  CHECK(probabilities(values, 0) == (std::vector<double>{0, 0, 1, 0}));
  for (const double r : {1e-6, 1e-12, 5e-324}) CHECK(probabilities(values, r) == (std::vector<double>{0, 0, 1, 0}));
  CHECK_NEAR(probabilities(values, 0.5)[2], 16.0 / 22, 1e-12);
  CHECK(probabilities({3, 1, 3}, 0) == (std::vector<double>{0.5, 0, 0.5}));  // ties share
  CHECK(probabilities({0, 0}, 0.5) == (std::vector<double>{0.5, 0.5}));
  CHECK(probabilities({0, 5e-324}, 1) == (std::vector<double>{0, 1}));
  const auto wide = probabilities({1e300, 1e-300, 1e299}, 1e-6);
  CHECK(wide == (std::vector<double>{1, 0, 0}));
}

TEST(entropy_does_not_rise_as_the_budget_falls) {
  Philox rng(9);
  for (int trial = 0; trial < 50; ++trial) {
    const auto values = random_values(rng, 2 + rng.next() % 30);
    double before = kInf;
    for (double r = 1; r > 1e-9; r *= 0.8) {
      const auto p = probabilities(values, r);
      CHECK_NEAR(std::accumulate(p.begin(), p.end(), 0.0), 1, 1e-12);
      CHECK(entropy(p) <= before + 1e-12);
      before = entropy(p);
    }
  }
}

// Chi-square at 1 %: 9 degrees of freedom, 21.67.
TEST(draws_follow_the_probabilities) {
  constexpr int kDraws = 100'000;
  Philox values_rng(10), rng(11);
  const auto values = random_values(values_rng, 10);
  for (const double r : {1.0, 0.7}) {
    const auto p = probabilities(values, r);
    std::array<int, 10> counts{};
    std::vector<double> scratch(10);
    for (int i = 0; i < kDraws; ++i) ++counts[static_cast<std::size_t>(select(values, r, rng, scratch))];
    double chi_square = 0;
    for (std::size_t i = 0; i < 10; ++i) chi_square += std::pow(counts[i] - kDraws * p[i], 2) / (kDraws * p[i]);
    CHECK(chi_square < 21.67);
  }
  Philox one(12), two(12);
  std::vector<double> scratch(10);
  for (int i = 0; i < 100; ++i) CHECK(select(values, 0.3, one, scratch) == select(values, 0.3, two, scratch));
  const std::vector<double> some = {0, 1, 0};  // what has no probability is never drawn
  scratch.resize(3);
  for (int i = 0; i < 1000; ++i) CHECK(select(some, 1, rng, scratch) == 1);
}

TEST(selection_refuses_bad_values_and_allocates_nothing) {
  std::vector<double> out(2);
  const std::vector<double> bad = {1, -1}, good = {1, 2};
  CHECK_ERROR(selection_probabilities(bad, 1, out), ErrorKind::input, "values[1]");
  CHECK_ERROR(selection_probabilities({}, 1, {}), ErrorKind::input, "values");
  CHECK_ERROR(selection_probabilities(good, 1.5, out), ErrorKind::input, "r");
  CHECK_ERROR(selection_probabilities(good, kNan, out), ErrorKind::input, "r");
  Philox rng(1);
  const long before = allocations::count();
  for (int i = 0; i < 10; ++i) select(good, 0.5, rng, out);
  CHECK(allocations::count() == before);
}

// K steps of a binomial with probability p are there after M trials but for eps; simulated.
TEST(the_terminal_bound_holds) {
  CHECK_NEAR(terminal_bound(0.5, 4, std::exp(-2.0)), (4 + 4 + 4) / 0.5, 1e-9);
  CHECK(terminal_bound(1, 0, 0.5) == 2 * std::log(2.0));
  Philox rng(13);
  for (const double p : {0.1, 0.5, 0.9}) {
    const auto trials = static_cast<int>(std::ceil(terminal_bound(p, 20, 0.05)));
    int failed = 0;
    for (int i = 0; i < 2000; ++i) {
      int steps = 0;
      for (int k = 0; k < trials; ++k) steps += rng.uniform() < p;
      failed += steps < 20;
    }
    CHECK(failed <= 100);  // 5 %
  }
  CHECK_ERROR(terminal_bound(0, 1, 0.1), ErrorKind::input, "p_min");
  CHECK_ERROR(terminal_bound(0.5, -1, 0.1), ErrorKind::input, "steps");
  CHECK_ERROR(terminal_bound(0.5, 1, 1), ErrorKind::input, "eps");
}
