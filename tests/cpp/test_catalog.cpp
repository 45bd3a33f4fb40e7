#include <limits>

#include "check.hpp"
#include "tables.hpp"
#include "turnout/catalog.hpp"

using namespace turnout;
using catalog::Catalog;

namespace {

const double kNan = std::numeric_limits<double>::quiet_NaN();
const double kInf = std::numeric_limits<double>::infinity();

// The message of validate() after `spoil` changed one thing.
std::string refusal(const std::function<void(Catalog&)>& spoil) {
  Catalog c = tables::small();
  spoil(c);
  return check::message_of<Error>([&] { c.validate(); });
}

bool points_to(const std::string& message, const std::string& path) { return message.rfind(path + ": ", 0) == 0; }

}  // namespace

TEST(a_good_catalog_passes) {
  CHECK(refusal([](Catalog&) {}).empty());
}

TEST(refusals_say_what_was_expected_and_what_came) {
  CHECK(refusal([](Catalog& c) { c.llms[2].usd_per_mtok_in = -1; }) ==
        "pool.llms[2].usd_per_mtok_in: expected a number >= 0, got -1");
  CHECK(refusal([](Catalog& c) { c.llms.clear(); }) == "pool.llms: expected at least one LLM, got none");
  CHECK(refusal([](Catalog& c) { c.llms[2].id = "a"; }) == "pool.llms[2].id: \"a\" is the id of pool.llms[0] too");
  CHECK(refusal([](Catalog& c) { c.operators[2].slots[1].weight = 0.25; }) ==
        "operators[2].slots: expected weights that sum to 1, got 0.75");
  CHECK(refusal([](Catalog& c) { c.operators[1].slots[2].calls = 0; }) ==
        "operators[1].slots[2].calls: expected at least its rounds (1), got 0");
  CHECK(refusal([](Catalog& c) { c.operators[0].curve[9] = 0; }) ==
        "operators[0].curve[9]: expected at least the value before it (0.125), got 0");
}

TEST(every_number_of_an_llm_is_checked) {
  struct {
    const char* field;
    double catalog::Llm::* member;
    bool negative_ok, zero_ok;
  } const fields[] = {
      {"usd_per_mtok_in", &catalog::Llm::usd_per_mtok_in, false, true},
      {"usd_per_mtok_out", &catalog::Llm::usd_per_mtok_out, false, true},
      {"usd_per_call", &catalog::Llm::usd_per_call, false, true},
      {"ability", &catalog::Llm::ability, true, true},
      {"ability_se", &catalog::Llm::ability_se, false, true},
      {"output_tokens_mean", &catalog::Llm::output_tokens_mean, false, false},
      {"output_tokens_p90", &catalog::Llm::output_tokens_p90, false, false},
      {"seconds_to_first_token", &catalog::Llm::seconds_to_first_token, false, true},
      {"seconds_per_output_token", &catalog::Llm::seconds_per_output_token, false, true},
  };
  for (const auto& f : fields) {
    const auto with = [&](double x) { return refusal([&](Catalog& c) { c.llms[1].*f.member = x; }); };
    const std::string path = std::string("pool.llms[1].") + f.field;
    CHECK(points_to(with(kNan), path));
    CHECK(points_to(with(kInf), path));
    CHECK(points_to(with(-kInf), path));
    CHECK(with(-1).empty() == f.negative_ok);
    CHECK(with(0).empty() == f.zero_ok);
    CHECK(with(0.75).empty());
  }
}

TEST(token_limits_and_skills_of_llms) {
  CHECK(points_to(refusal([](Catalog& c) { c.llms[0].context_tokens = 0; }), "pool.llms[0].context_tokens"));
  CHECK(points_to(refusal([](Catalog& c) { c.llms[0].max_output_tokens = 0; }), "pool.llms[0].max_output_tokens"));
  CHECK(points_to(refusal([](Catalog& c) { c.llms[0].max_output_tokens = 8193; }), "pool.llms[0].max_output_tokens"));
  CHECK(points_to(refusal([](Catalog& c) { c.llms[1].skill = {0.5}; }), "pool.llms[1].skill"));
  CHECK(points_to(refusal([](Catalog& c) {
                    for (auto& l : c.llms) l.skill = {0.5, kNan};
                  }),
                  "pool.llms[0].skill[1]"));
  CHECK(points_to(refusal([](Catalog& c) {
                    for (auto& l : c.llms) l.skill.resize(kMaxSkills + 1);
                  }),
                  "pool.llms[0].skill"));
  CHECK(refusal([](Catalog& c) {
          for (auto& l : c.llms) l.skill.resize(kMaxSkills);
        }).empty());
}

TEST(discriminations_and_lengths_of_llms) {
  const auto with = [](auto change) { return refusal([&](Catalog& c) { change(c.llms[1]); }); };
  const auto path = [](const char* field) { return std::string("pool.llms[1].") + field; };
  for (const double bad : {0.0, -1.0, 10.5, kNan, kInf})
    CHECK(points_to(with([&](auto& l) { l.discrimination = bad; }), path("discrimination")));
  for (const double bad : {-0.5, 4.5, kNan, kInf})
    CHECK(points_to(with([&](auto& l) { l.length_gain = bad; }), path("length_gain")));
  for (const double bad : {-50.5, 50.5, kNan})
    CHECK(points_to(refusal([&](Catalog& c) {
                      for (auto& l : c.llms) l.skill = {0, 0};
                      c.llms[1].length_skill = {0, bad};
                    }),
                    path("length_skill[1]")));
  CHECK(points_to(with([](auto& l) { l.length_skill.assign(l.skill.size() + 1, 0.0); }), path("length_skill")));
  CHECK(with([](auto& l) {
          l.discrimination = 10;
          l.length_gain = 4;
          l.length_skill.assign(l.skill.size(), -50.0);
        }).empty());
  CHECK(with([](auto& l) { l.length_gain = 0; }).empty());
}

TEST(stated_limits_hold_at_their_edge) {
  const auto pool_of = [](int n) {
    return [n](Catalog& c) {
      c.llms.clear();
      for (int i = 0; i < n; ++i) c.llms.push_back(tables::llm(std::to_string(i)));
    };
  };
  CHECK(refusal(pool_of(kMaxLlms)).empty());
  CHECK(refusal(pool_of(kMaxLlms + 1)) == "pool.llms: expected at most 256 LLMs, got 257");
  const auto table_of = [](int n) {
    return [n](Catalog& c) {
      c.operators.clear();
      for (int i = 0; i < n; ++i) c.operators.push_back(tables::op(std::to_string(i), true, 1, 1));
    };
  };
  CHECK(refusal(table_of(kMaxOperators)).empty());
  CHECK(points_to(refusal(table_of(kMaxOperators + 1)), "operators"));
  CHECK(refusal([](Catalog& c) { c.operators[0] = tables::op("wide", true, 1, 1, kMaxNodes); }).empty());
  CHECK(points_to(refusal([](Catalog& c) { c.operators[0] = tables::op("wide", true, 1, 1, kMaxNodes + 1); }),
                  "operators[0].slots"));
}

TEST(operators_hold_together) {
  const auto op = [](int i, const std::function<void(catalog::Operator&)>& spoil) {
    return refusal([&](Catalog& c) { spoil(c.operators[static_cast<std::size_t>(i)]); });
  };
  for (const double bad : {-0.01, 1.01, kNan}) {
    CHECK(points_to(op(2, [&](auto& o) { o.fix = bad; }), "operators[2].fix"));
    CHECK(points_to(op(2, [&](auto& o) { o.break_ = bad; }), "operators[2].break"));
    CHECK(points_to(op(2, [&](auto& o) { o.slots[0].weight = bad; }), "operators[2].slots[0].weight"));
  }
  CHECK(points_to(op(0, [](auto& o) { o.fix = 0; }), "operators[0].fix"));
  CHECK(points_to(op(0, [](auto& o) { o.curve.pop_back(); }), "operators[0].curve"));
  CHECK(points_to(op(0, [](auto& o) { o.curve.back() = 1.5; }), "operators[0].curve[64]"));
  CHECK(points_to(op(0, [](auto& o) { o.curve[0] = kNan; }), "operators[0].curve[0]"));
  CHECK(points_to(op(0, [](auto& o) { o.slots.clear(); }), "operators[0].slots"));
  CHECK(points_to(op(0, [](auto& o) { o.slots[0].rounds = 0; }), "operators[0].slots[0].rounds"));
  CHECK(points_to(op(0, [](auto& o) { o.slots[0].rounds = 2; }), "operators[0].slots[0].calls"));
  CHECK(points_to(op(0, [](auto& o) { o.slots[0].in_mult = -1; }), "operators[0].slots[0].in_mult"));
  CHECK(points_to(op(0, [](auto& o) { o.slots[0].out_mult = kInf; }), "operators[0].slots[0].out_mult"));
  CHECK(points_to(op(1, [](auto& o) { o.distinct = true; }), "operators[1].min_llms"));
  CHECK(op(1, [](auto& o) { o.distinct = true, o.min_llms = 3; }).empty());
  CHECK(points_to(op(0, [](auto& o) { o.min_llms = 0; }), "operators[0].min_llms"));
  CHECK(points_to(op(0, [](auto& o) { o.needs_capability = 1u << catalog::kKinds; }), "operators[0].needs_capability"));
  CHECK(points_to(op(3, [](auto& o) { o.slots.resize(1); }), "operators[3].slots"));
  CHECK(points_to(op(3, [](auto& o) { o.generates = true; }), "operators[3].generates"));
  CHECK(refusal([](Catalog& c) {
          for (auto& o : c.operators) o.generates = false;
        }) == "operators: expected at least one operator that generates, got none");
}

TEST(capabilities_hold_together) {
  CHECK(points_to(refusal([](Catalog& c) { c.capabilities[0].usd_per_call = kNan; }), "capabilities[0].usd_per_call"));
  CHECK(points_to(refusal([](Catalog& c) { c.capabilities[0].seconds = -1; }), "capabilities[0].seconds"));
  CHECK(points_to(refusal([](Catalog& c) { c.capabilities[0].id = ""; }), "capabilities[0].id"));
  CHECK(points_to(refusal([](Catalog& c) { c.capabilities[0].kind = static_cast<catalog::Kind>(7); }),
                  "capabilities[0].kind"));
  CHECK(refusal([](Catalog& c) { c.capabilities.clear(); }).empty());
}

TEST(kinds_have_names) {
  CHECK(std::string(catalog::kind_name(catalog::Kind::tool)) == "tool");
  CHECK(std::string(catalog::kind_name(catalog::Kind::retrieval)) == "retrieval");
  CHECK(std::string(catalog::kind_name(static_cast<catalog::Kind>(9))) == "unknown");
}

TEST(curves_interpolate_between_their_knots) {
  const auto curve = tables::identity_curve();
  for (const double c : {0.0, 0.1, 0.5, 1.0 / 3, 0.999, 1.0}) CHECK_NEAR(catalog::curve_at(curve, c), c, 1e-15);
  auto steps = curve;
  steps[32] = 0.5, steps[33] = 0.75;
  CHECK(catalog::curve_at(steps, 32.0 / 64) == 0.5);
  CHECK(catalog::curve_at(steps, 32.5 / 64) == 0.625);
  CHECK(catalog::curve_at(curve, -0.5) == 0 && catalog::curve_at(curve, 1.5) == 1);
  CHECK(catalog::curve_at(curve, kNan) == 0);
}
