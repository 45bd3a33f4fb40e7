#include <string>

#include "allocations.hpp"
#include "check.hpp"
#include "pool_plans.hpp"

using namespace plans;
using assign::Status;

namespace {

// One mandatory one-slot stage over LLMs with these qualities and prices; seconds are 1.
Instance single(std::vector<double> quality, std::vector<double> usd) {
  Instance x;
  x.llms = static_cast<int>(quality.size());
  x.quality = quality;
  x.stages.push_back({.first_slot = 0, .slots = 1, .fix = 1, .break_ = 1});
  x.curves.push_back(identity());
  x.weights.push_back({1.0});
  x.usd = x.usd_bound = usd;
  x.seconds = x.seconds_bound = std::vector<double>(usd.size(), 1.0);
  x.allowed.assign(usd.size(), 1);
  return x;
}

void add_stage(Instance& x, int slots, bool optional, double fix, double breaks) {
  x.stages.push_back({.first_slot = x.slots(), .slots = slots, .optional = optional, .fix = fix, .break_ = breaks});
  x.curves.push_back(identity());
  x.weights.push_back(std::vector<double>(static_cast<std::size_t>(slots), 1.0 / slots));
  const auto n = static_cast<std::size_t>(x.llms);
  for (int s = 0; s < slots; ++s)
    for (auto* matrix : {&x.usd, &x.usd_bound, &x.seconds, &x.seconds_bound})
      for (std::size_t m = 0; m < n; ++m) matrix->push_back((*matrix)[m]);
  x.allowed.resize(x.usd.size(), 1);
}

Solution solved(Instance& x) {
  static assign::Workspace ws;
  Solution s;
  assign::solve(x.problem(), ws, s);
  return s;
}

std::string text(const Solution& s, int slots) {
  std::string out;
  for (int i = 0; i < slots; ++i) out += (i ? " " : "") + std::to_string(s.llm[i]);
  return out;
}

// The formula of the header in plain doubles.
double plain_quality(const Instance& x, const Solution& s) {
  double p = 0;
  for (std::size_t t = 0; t < x.stages.size(); ++t) {
    const Stage& stage = x.stages[t];
    if (s.skipped[t]) continue;
    double c = 0;
    for (int i = 0; i < stage.slots; ++i)
      c += x.weights[t][static_cast<std::size_t>(i)] * x.quality[static_cast<std::size_t>(s.llm[stage.first_slot + i])];
    const double g = catalog::curve_at(x.curves[t], c);
    p = p * (1 - stage.break_ * (1 - g)) + (1 - p) * stage.fix * g;
  }
  return p;
}

double plain_sum(const Instance& x, const Solution& s, const std::vector<double>& matrix, bool parallel) {
  double total = 0;
  for (const Stage& stage : x.stages) {
    double sum = 0;
    for (int i = stage.first_slot; i < stage.first_slot + stage.slots; ++i) {
      if (s.llm[i] < 0) continue;
      const double v = matrix[static_cast<std::size_t>(i * x.llms + s.llm[i])];
      sum = parallel && stage.parallel ? std::max(sum, v) : sum + v;
    }
    total += sum;
  }
  return total;
}

// Optional stages whose bound is what they gain in log(1 - p): a subset sum, where no plan outdoes another.
Instance subset_sum(std::uint64_t seed) {
  Random r(seed);
  Instance x = single({0.5, 0.6}, {0, 0});
  x.usd_bound = {1, 1};
  double total = 1;
  for (int t = 0; t < 11; ++t) {
    add_stage(x, 1, true, r.uniform(0.02, 0.06), 0);
    const std::size_t row = x.usd.size() - 2;
    for (std::size_t m = 0; m < 2; ++m) x.usd_bound[row + m] = -std::log(1 - x.stages.back().fix * x.quality[m]);
    total += x.usd_bound[row];
  }
  x.budget = Usd(0.5 + 0.5 * total);
  return x;
}

}  // namespace

TEST(equals_brute_force) {
  assign::Workspace ws;
  int statuses[5] = {}, different = 0;
  for (std::uint64_t i = 0; i < 6000; ++i) {
    Random r(i);
    Instance x = Maker(r, i % 2 == 0).make();
    const Problem p = x.problem();
    Solution s;
    assign::solve(p, ws, s);
    const Solution oracle = brute_force(p);
    different += !same_choice(p, s, oracle);
    CHECK(s.utility == oracle.utility && s.usd == oracle.usd && s.usd_bound == oracle.usd_bound && s.gap == 0);
    ++statuses[static_cast<int>(s.status)];
  }
  CHECK(different == 0);
  CHECK(statuses[static_cast<int>(Status::unlimited_best)] > 1000);
  CHECK(statuses[static_cast<int>(Status::exact)] > 500);
  CHECK(statuses[static_cast<int>(Status::infeasible)] > 500);
  CHECK(statuses[static_cast<int>(Status::no_candidate)] > 100);
  CHECK(statuses[static_cast<int>(Status::label_cap)] == 0);
}

TEST(evaluate_is_the_formula) {
  assign::Workspace ws;
  for (std::uint64_t i = 0; i < 500; ++i) {
    Random r(i);
    Instance x = pool_plan(r, 16, 12);
    x.usd_per_second = r.chance(0.5) ? 1e-3 : 0;
    Solution s;
    assign::solve(x.problem(), ws, s);
    CHECK_NEAR(s.quality, plain_quality(x, s), 1e-10);
    CHECK_NEAR(s.usd.value, plain_sum(x, s, x.usd, false), 1e-13);
    CHECK_NEAR(s.usd_bound.value, plain_sum(x, s, x.usd_bound, false), 1e-13);
    CHECK_NEAR(s.seconds.value, plain_sum(x, s, x.seconds, true), 1e-12);
    CHECK_NEAR(s.seconds_bound.value, plain_sum(x, s, x.seconds_bound, true), 1e-11);
    CHECK_NEAR(s.utility, x.value_usd * s.quality - s.usd.value - x.usd_per_second * s.seconds.value, 1e-10);
  }
}

TEST(without_limits_the_best_is_the_answer) {
  Instance x = single({0.5, 0.9, 0.6}, {0.001, 0.1, 0.002});
  x.value_usd = 1;
  Solution s = solved(x);
  CHECK(s.status == Status::unlimited_best && s.llm[0] == 1 && s.labels == 0);
  x.budget = Usd(0.1);
  CHECK(solved(x).status == Status::unlimited_best);
  x.budget = Usd(0.0999);
  s = solved(x);
  CHECK(s.status == Status::exact && s.llm[0] == 2 && s.gap == 0);
}

TEST(a_limit_bounds_its_own_statistic) {
  Instance x = single({0.5, 0.9}, {0.001, 0.002});
  x.usd_bound = {0.001, 0.2};
  x.budget = Usd(0.1);
  CHECK(solved(x).llm[0] == 0);
  x.budget = Usd::unlimited();
  x.seconds_bound = {3, 9};
  x.max_seconds = Seconds(5);
  CHECK(solved(x).llm[0] == 0);
  x.max_seconds = Seconds(9);
  CHECK(solved(x).llm[0] == 1);
}

TEST(ties_go_to_lower_usd_then_to_lower_indices) {
  Instance x = single({0.5, 0.5, 0.5}, {0.25, 0.125, 0.125});
  x.seconds = {0, 2, 2};
  x.usd_per_second = 0.0625;  // 0.25 USD or 0.125 + 2 * 0.0625: the same utility
  Solution s = solved(x);
  CHECK(s.llm[0] == 1);
  Instance flat = single({0.2, 0.9, 0.9}, {0, 0, 0});
  flat.curves[0].assign(catalog::kCurveKnots, 0.5);  // quality does not matter
  CHECK(solved(flat).llm[0] == 0);
  flat.value_usd = 0;
  CHECK(solved(flat).llm[0] == 0);
  Instance pair = single({0.5, 0.75}, {0, 0});
  add_stage(pair, 3, true, 0.5, 0.5);
  pair.value_usd = 0;
  CHECK(text(solved(pair), 4) == "0 -1 -1 -1");
}

TEST(equal_slots_take_the_lowest_order) {
  Instance x = single({0.5, 0.75, 0.625}, {0, 0.25, 0});
  x.stages.clear(), x.curves.clear(), x.weights.clear();
  x.usd.clear(), x.usd_bound.clear(), x.seconds.clear(), x.seconds_bound.clear(), x.allowed.clear();
  x.stages.push_back({.first_slot = 0, .slots = 3, .distinct = true, .fix = 1, .break_ = 1});
  x.curves.push_back(identity());
  x.weights.push_back({1.0 / 3, 1.0 / 3, 1.0 / 3});
  for (int s = 0; s < 3; ++s)
    for (const double usd : {0.0, 0.25, 0.0}) x.usd.push_back(usd), x.allowed.push_back(1);
  x.usd_bound = x.usd;
  x.seconds = x.seconds_bound = std::vector<double>(9, 1.0);
  CHECK(text(solved(x), 3) == "0 1 2");
}

TEST(distinct_slots_take_distinct_llms) {
  Instance x = single({0.5, 0.9, 0.6}, {0.001, 0.002, 0.001});
  add_stage(x, 2, false, 0.5, 0.1);
  x.stages.back().distinct = true;
  const Solution s = solved(x);
  CHECK(s.llm[1] != s.llm[2] && s.llm[1] >= 0);
}

TEST(a_distinct_stage_needs_enough_llms) {
  Instance x = single({0.5, 0.9}, {0.001, 0.002});
  add_stage(x, 2, false, 0.5, 0.1);
  x.stages.back().distinct = true;
  CHECK(solved(x).status == Status::unlimited_best);
  for (const int row : {1, 2}) x.allowed[static_cast<std::size_t>(row * 2 + 1)] = 0;  // LLM 0 alone, for both slots
  const Solution s = solved(x);
  CHECK(s.status == Status::no_candidate && text(s, 3) == "-1 -1 -1" && s.skipped[0] && s.skipped[1]);
  x.stages.back().optional = true;
  CHECK(solved(x).status == Status::unlimited_best && solved(x).skipped[1]);
}

TEST(no_candidate_for_a_mandatory_slot) {
  Instance x = single({0.5, 0.9}, {0.001, 0.002});
  x.allowed = {0, 0};
  const Solution s = solved(x);
  CHECK(s.status == Status::no_candidate && s.llm[0] == -1 && s.quality == 0 && s.utility == 0 && s.usd == Usd(0));
}

TEST(an_optional_stage_is_taken_when_it_pays) {
  Instance x = single({0.5}, {0.01});
  add_stage(x, 1, true, 0.8, 0.1);
  x.value_usd = 1;  // 0.5 -> 0.5 * 0.95 + 0.5 * 0.4 = 0.675
  Solution s = solved(x);
  CHECK(!s.skipped[1] && s.llm[1] == 0);
  CHECK_NEAR(s.quality, 0.675, 1e-12);
  x.value_usd = 0.05;
  s = solved(x);
  CHECK(s.skipped[1] && s.llm[1] == -1);
}

TEST(slots_side_by_side_take_the_longest) {
  Instance x = single({0.5, 0.6}, {0.001, 0.001});
  x.seconds = x.seconds_bound = {2, 3};
  add_stage(x, 2, false, 0.5, 0.1);
  x.stages.back().parallel = true;
  x.max_seconds = Seconds(6);
  Solution s = solved(x);
  CHECK(text(s, 3) == "1 1 1" && s.seconds_bound == Seconds(6));
  x.max_seconds = Seconds(5);  // the first slot or both others
  s = solved(x);
  CHECK(s.status == Status::exact && s.seconds_bound == Seconds(5));
  x.stages.back().parallel = false;
  CHECK(solved(x).status == Status::infeasible);
}

TEST(infeasible_budgets_give_the_least_violation) {
  Instance x = single({0.5, 0.9}, {0.02, 0.04});
  add_stage(x, 1, true, 0.9, 0);
  x.budget = Usd(0.01);
  Solution s = solved(x);
  CHECK(s.status == Status::infeasible && s.llm[0] == 0 && s.skipped[1]);
  x.budget = Usd(0.05);
  x.seconds_bound = {7, 5, 1, 1};
  x.max_seconds = Seconds(3);
  s = solved(x);
  CHECK(s.status == Status::infeasible && s.llm[0] == 1 &&
        s.skipped[1]);  // the budget is met, seconds are as few as can be
  x.budget = Usd(0.03);
  s = solved(x);
  CHECK(s.llm[0] == 0 && s.seconds_bound == Seconds(7));  // USD come first
  x.budget = Usd(0);
  CHECK(solved(x).llm[0] == 0);
}

TEST(the_cap_leaves_a_feasible_plan_and_a_valid_bound) {
  assign::Workspace ws;
  int capped = 0;
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    Instance x = subset_sum(seed);
    const Problem p = x.problem();
    Solution s;
    assign::solve(p, ws, s);
    const Solution oracle = brute_force(p);
    CHECK(within(p, s) && s.labels <= kMaxLabels);
    CHECK(oracle.utility >= s.utility);
    CHECK(oracle.utility <= s.utility + s.gap);
    if (s.status == Status::exact) CHECK(same_choice(p, s, oracle) && s.gap == 0);
    capped += s.status == Status::label_cap;
  }
  CHECK(capped > 0);
}

// More ways to fill a stage than options are kept: bounds must cover what was cut.
TEST(large_pools_stay_within_limits_and_bounds) {
  assign::Workspace ws;
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    Random r(seed);
    Instance x = pool_plan(r, 200, 14);
    x.stages[1].distinct = true;
    if (!bind_budget(x, r, ws)) continue;
    const Problem p = x.problem();
    Solution s;
    assign::solve(p, ws, s);
    CHECK(s.status == Status::exact || s.status == Status::label_cap);
    CHECK(within(p, s) && s.gap >= 0);
    Solution part = s;  // the same plan, one LLM changed: never better than the bound
    for (int i = 0; i < 4000; ++i) {
      const int slot = r.below(p.slots);
      if (s.llm[slot] < 0) continue;
      part = s;
      part.llm[slot] = static_cast<std::int16_t>(r.below(p.llms));
      assign::evaluate(p, part);
      const Stage& stage = x.stages[1];
      const bool allowed = part.llm[stage.first_slot] != part.llm[stage.first_slot + 1] || stage.slots < 2;
      if (allowed && within(p, part) && stage.slots < 3) CHECK(part.utility <= s.utility + s.gap);
    }
  }
}

TEST(solve_allocates_nothing) {
  assign::Workspace ws;
  std::vector<Instance> instances;
  for (std::uint64_t i = 0; i < 200; ++i) {
    Random r(i);
    instances.push_back(i < 100 ? Maker(r, i % 2 == 0).make() : pool_plan(r, i < 190 ? 16 : 256, 12));
    if (i >= 100 && i % 3 > 0) bind_budget(instances.back(), r, ws);
    if (i >= 100 && i % 3 > 1) bind_seconds(instances.back(), r, ws);
  }
  instances.push_back(subset_sum(0));
  for (Instance& x : instances) {
    const Problem p = x.problem();
    Solution s;
    const long before = allocations::count();
    assign::solve(p, ws, s);
    CHECK(allocations::count() == before);
  }
}

TEST(the_same_problem_gives_the_same_answer) {
  assign::Workspace one, other(16);
  for (std::uint64_t i = 0; i < 50; ++i) {
    Random r(i);
    Instance x = pool_plan(r, 16, 12);
    bind_budget(x, r, other);  // leaves another history in `other`
    const Problem p = x.problem();
    Solution a, b;
    assign::solve(p, one, a);
    assign::solve(p, other, b);
    CHECK(same_choice(p, a, b) && a.utility == b.utility && a.labels == b.labels);
  }
}

TEST(a_problem_that_is_too_large_is_refused) {
  assign::Workspace one(1);
  Instance x = single({0.5, 0.9}, {0.001, 0.002});
  Solution s;
  CHECK(check::message_of<Error>([&] { assign::solve(x.problem(), one, s); }) == "llms: expected at most 1, got 2");
  Problem p = x.problem();
  p.slots = kMaxNodes + 1;
  assign::Workspace ws;
  CHECK(check::message_of<Error>([&] { assign::solve(p, ws, s); }) == "slots: expected at most 32, got 33");
}

TEST(statuses_have_names) {
  CHECK(std::string(assign::status_name(Status::unlimited_best)) == "unlimited_best");
  CHECK(std::string(assign::status_name(Status::no_candidate)) == "no_candidate");
  CHECK(std::string(assign::status_name(static_cast<Status>(9))) == "unknown");
}
