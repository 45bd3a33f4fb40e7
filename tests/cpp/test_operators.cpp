#include "turnout/operators.hpp"

#include <limits>
#include <memory>

#include "allocations.hpp"
#include "check.hpp"
#include "tables.hpp"

using namespace turnout;
using operators::Allocation;
using operators::Config;
using operators::DepthRule;
using operators::Mask;

namespace {

const double kNan = std::numeric_limits<double>::quiet_NaN();

Config config() {
  Config c;
  c.cut_points = {0.25, 0.5, 0.75};
  c.max_uses = kMaxStages;
  return c;
}

Allocation allocate(const Config& c, const std::vector<catalog::Operator>& table, double d, Philox* rng = nullptr,
                    std::vector<Mask> masks = {}) {
  operators::validate(c, table);
  masks.resize(table.size(), Mask::usable);
  Allocation out;
  operators::allocate(c, table, operators::make_tables(table), masks, d, rng, out);
  return out;
}

std::vector<int> drawn(const Allocation& a) {
  std::vector<int> out;
  for (int i = 0; i < a.count; ++i) out.push_back(a.choices[i].oper);
  return out;
}

std::string refusal(const std::function<void(Config&)>& spoil) {
  Config c = config();
  spoil(c);
  return check::message_of<Error>([&] { operators::validate(c, tables::small().operators); });
}

bool points_to(const std::string& message, const std::string& path) { return message.rfind(path + ": ", 0) == 0; }

using Drawn = std::vector<int>;

}  // namespace

TEST(depth_counts_the_cut_points_that_d_reaches) {
  const Config c = config();
  CHECK(operators::depth(c, 0) == 1 && operators::depth(c, 1) == 4);
  CHECK(operators::depth(c, std::nextafter(0.5, 0.0)) == 2);
  CHECK(operators::depth(c, 0.5) == 3);
}

TEST(daao_rule_is_the_ceiling_and_at_least_one) {
  Config c = config();
  c.depth_rule = DepthRule::ceil;
  CHECK(operators::depth(c, 0) == 1 && operators::depth(c, 1) == 4);
  CHECK(operators::depth(c, 0.25) == 1 && operators::depth(c, std::nextafter(0.25, 1.0)) == 2);
  c.layers = kMaxLayers;
  CHECK(operators::depth(c, 1) == kMaxLayers);
}

TEST(a_difficulty_that_is_no_probability_is_refused) {
  for (const double d : {-0.1, 1.1, kNan})
    CHECK(points_to(check::message_of<Error>([&] { operators::depth(config(), d); }), "difficulty"));
}

TEST(configurations_are_checked) {
  CHECK(refusal([](Config&) {}).empty());
  CHECK(points_to(refusal([](Config& c) { c.layers = 0; }), "operators.layers"));
  CHECK(points_to(refusal([](Config& c) { c.layers = 3; }), "operators.cut_points"));
  CHECK(points_to(refusal([](Config& c) { c.cut_points[1] = 0.2; }), "operators.cut_points[1]"));
  CHECK(points_to(refusal([](Config& c) { c.cut_points[2] = kNan; }), "operators.cut_points[2]"));
  CHECK(points_to(refusal([](Config& c) { c.activation_threshold = 0; }), "operators.activation_threshold"));
  CHECK(points_to(refusal([](Config& c) { c.temperature = kNan; }), "operators.temperature"));
  CHECK(points_to(refusal([](Config& c) { c.cost_weight = -1; }), "operators.cost_weight"));
  CHECK(points_to(refusal([](Config& c) { c.cost_weight = 1e300; }), "operators.cost_weight"));
  CHECK(points_to(refusal([](Config& c) { c.reference_ability = kNan; }), "operators.reference_ability"));
  CHECK(points_to(refusal([](Config& c) { c.max_stages = kMaxStages + 1; }), "operators.max_stages"));
  CHECK(points_to(refusal([](Config& c) { c.max_uses = 0; }), "operators.max_uses"));
}

TEST(masks_name_what_is_missing) {
  auto table = tables::small().operators;
  table[0].needs_llm = 0b01;
  table[1].min_llms = 3;
  table[2].needs_capability = catalog::kind_bit(catalog::Kind::code);
  const catalog::Policy policies[] = {0b10, 0b10, 0b11};
  const std::uint8_t all[] = {1, 1, 1}, two[] = {1, 1, 0};
  Mask masks[4];
  operators::mask_operators(table, policies, all, catalog::kind_bit(catalog::Kind::code), masks);
  for (const Mask m : masks) CHECK(m == Mask::usable);
  operators::mask_operators(table, policies, two, catalog::kind_bit(catalog::Kind::tool), masks);
  CHECK(masks[0] == Mask::llm_policy && masks[1] == Mask::too_few_llms);
  CHECK(masks[2] == Mask::capability_kind && masks[3] == Mask::usable);
  CHECK(std::string(operators::mask_name(masks[1])) == "too_few_llms");
  CHECK(std::string(operators::mask_name(static_cast<Mask>(99))) == "unknown");
}

TEST(the_first_operator_generates_even_when_another_scores_more) {
  const std::vector table = {tables::op("weak", true, 0.1, 1), tables::op("strong", false, 1, 1)};
  Config c = config();
  c.activation_threshold = 1;
  CHECK(drawn(allocate(c, table, 0)) == (Drawn{0, 1}));
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Philox rng(seed);
    CHECK(drawn(allocate(c, table, 0, &rng)).front() == 0);
  }
}

TEST(nothing_usable_gives_an_empty_plan) {
  const auto table = tables::small().operators;
  CHECK(allocate(config(), table, 0.9, nullptr, std::vector(4, Mask::disabled)).count == 0);
  const Allocation no_generator =
      allocate(config(), table, 0.9, nullptr, {Mask::disabled, Mask::disabled, Mask::usable, Mask::usable});
  CHECK(no_generator.count == 0 && no_generator.layers == 0 && !no_generator.stopped_early);
}

TEST(activation_takes_operators_until_the_threshold_and_ties_go_to_the_lower_index) {
  std::vector<catalog::Operator> table;
  for (const char* id : {"a", "b", "c", "d"}) table.push_back(tables::op(id, true, 1, 1));
  Config c = config();
  const auto taken = [&](double threshold) {
    c.activation_threshold = threshold;
    return drawn(allocate(c, table, 0));
  };
  CHECK(taken(0.25) == (Drawn{0}));
  CHECK(taken(std::nextafter(0.25, 1.0)) == (Drawn{0, 1}));
  CHECK(taken(1) == (Drawn{0, 1, 2, 3}));
}

TEST(early_stop_ends_the_plan) {
  std::vector table = {tables::op("direct", true, 1, 1), tables::op("costly", false, 0.01, 0), tables::stop()};
  const Allocation a = allocate(config(), table, 0.9);
  CHECK(drawn(a) == (Drawn{0, 2}));
  CHECK(a.depth == 4 && a.layers == 2 && a.stopped_early);
  CHECK(a.scores[1][2] == 0);
}

TEST(plans_stay_within_their_limits) {
  const std::vector table = {tables::op("wide", true, 1, 1, 20), tables::op("narrow", true, 0.9, 1, 12)};
  Config c = config();
  c.cost_weight = 0;
  CHECK(drawn(allocate(c, table, 0.9)) == (Drawn{0, 1}));  // 32 slots: nothing more fits
  const std::vector single = {tables::op("direct", true, 1, 1)};
  CHECK(allocate(c, single, 0.9).count == 4);
  c.max_stages = 3;
  CHECK(allocate(c, single, 0.9).count == 3);
  c.max_uses = 1;
  CHECK(allocate(c, single, 0.9).count == 1);
}

TEST(scores_are_gains_at_the_quality_reached) {
  const std::vector table = {tables::op("direct", true, 1, 1), tables::op("review", false, 0.4, 0.1)};
  Config c = config();
  c.reference_ability = 0;
  c.cost_weight = 0.01;
  const Allocation a = allocate(c, table, 0.25);
  CHECK(drawn(a) == (Drawn{0, 1}));
  CHECK_NEAR(a.scores[0][0], 0.74, 1e-6);
  CHECK_NEAR(a.scores[1][0], -0.01, 1e-6);
  CHECK_NEAR(a.scores[1][1], 0.75 * (1 - 0.1 * 0.25) + 0.25 * 0.4 * 0.75 - 0.75 - 0.01 * 1.0, 1e-6);
  CHECK_NEAR(a.probabilities[1][0] + a.probabilities[1][1], 1, 1e-6);
}

TEST(distinct_llms_are_supposed_less_able) {
  catalog::Operator pair = tables::op("pair", true, 1, 1, 2);
  CHECK(operators::competence(pair, 1, 0.5) == operators::competence(1.0, 0.5));
  pair.distinct = true;
  CHECK_NEAR(operators::competence(pair, 1, 0.5),
             (operators::competence(1.0, 0.5) + operators::competence(1 - operators::kDistinctStep, 0.5)) / 2, 1e-15);
}

TEST(costs_are_in_direct_calls) {
  std::vector table = {tables::op("direct", true, 1, 1), tables::op("five", true, 1, 1), tables::stop()};
  table[1].slots[0].calls = 5;
  CHECK(operators::make_tables(table).relative_cost == (std::vector<double>{1, 5, 0}));
}

TEST(sampling_repeats_with_the_seed_and_never_draws_twice_in_a_layer) {
  std::vector<catalog::Operator> table;
  for (const char* id : {"a", "b", "c", "d", "e"}) table.push_back(tables::op(id, true, 1, 1));
  Config c = config();
  c.activation_threshold = 1;
  bool differ = false;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Philox one(seed), two(seed);
    const Drawn first = drawn(allocate(c, table, 0, &one));
    CHECK(first == drawn(allocate(c, table, 0, &two)));
    Drawn sorted = first;
    std::sort(sorted.begin(), sorted.end());
    CHECK(sorted == (Drawn{0, 1, 2, 3, 4}));
    differ = differ || first != sorted;
  }
  CHECK(differ);
}

TEST(allocating_takes_no_memory) {
  std::vector<catalog::Operator> table;
  for (int i = 0; i < kMaxOperators - 1; ++i) table.push_back(tables::op(std::to_string(i), true, 1, 1));
  table.push_back(tables::stop());
  const Config c = config();
  const auto t = operators::make_tables(table);
  const std::vector<Mask> masks(table.size(), Mask::usable);
  const auto out = std::make_unique<Allocation>();
  Philox rng(1);
  const long before = allocations::count();
  operators::allocate(c, table, t, masks, 0.9, nullptr, *out);
  operators::allocate(c, table, t, masks, 0.9, &rng, *out);
  CHECK(allocations::count() == before);
}
