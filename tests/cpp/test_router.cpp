#include "turnout/router.hpp"

#include <limits>
#include <thread>

#include "allocations.hpp"
#include "snapshot.hpp"

using namespace turnout;
using trace::Decision;
using trace::Reason;

namespace {

const Router& router() {
  static const Router r(planted::snapshot());
  return r;
}

const std::string_view kTexts[] = {"what is this", "prove it", "a", "zebra crossing at noon",
                                   "q w e r t y u i o p a s d f g h j k l"};

Decision route(const Request& request) {
  const auto ws = router().workspace();
  Decision out;
  router().route(request, *ws, out);
  return out;
}

Request ask(std::string_view text) {
  Request request;
  request.text = text;
  return request;
}

}  // namespace

TEST(a_plan_comes_out_and_its_costs_add_up) {
  for (const auto text : kTexts) {
    Request request = ask(text);
    request.value_usd = 1;
    const Decision d = route(request);
    CHECK(d.node_count > 0 && d.feasible() && d.tool_count == 4 && d.alternative_count == 3);
    double usd = 0;
    for (const auto& node : d.plan_nodes()) usd += node.usd;
    CHECK_NEAR(usd, d.usd, 1e-12);
    CHECK(d.utility >= d.alternatives[0].utility - 1e-9);
  }
}

TEST(a_warm_route_allocates_nothing_of_ours) {
  set_allocation_counter(allocations::count);
  const Router scaled(planted::snapshot(0.5, true));  // and with lexical scores
  const Router own(planted::own_responses());
  const auto ws = router().workspace(), scaled_ws = scaled.workspace(), own_ws = own.workspace();
  Constraints constraints;
  constraints.denied = {1, 0, 0};
  constraints.filter.kinds = 1;
  static Decision out;
  const auto all = [&] {
    for (const auto text : kTexts)
      for (const int kind : {0, 1, 2, 3, 4}) {
        Request request = ask(text);
        if (kind == 1) request.budget = Usd(0.0004);
        if (kind == 2) request.max_seconds = Seconds(4);
        if (kind == 3) request.sample = true;
        if (kind == 4) request.constraints = &constraints;
        router().route(request, *ws, out);
        scaled.route(request, *scaled_ws, out);
        own.route(request, *own_ws, out);
      }
  };
  all();
  const long before = allocations::count(), engines_before = engine_allocations();
  all();
  const long engines = engine_allocations() - engines_before, ours = allocations::count() - before - engines;
  set_allocation_counter(nullptr);
  std::printf("     %ld allocations of ours, %.1f of the engines a decision\n", ours,
              static_cast<double>(engines) / 75);
  CHECK(ours == 0);
  CHECK(engines > 0);  // else nothing was counted
}

TEST(a_batch_equals_single_routes) {
  std::vector<std::string_view> texts;
  for (int i = 0; i < 3 * kMaxBatch + 5; ++i) texts.push_back(kTexts[i % 5]);
  for (const bool sample : {false, true}) {
    Request common;
    common.sample = sample;
    common.seed = 9;
    const auto ws = router().workspace();
    std::vector<Decision> batch(texts.size());
    router().route_batch(texts, common, *ws, batch.data());
    for (std::size_t i = 0; i < texts.size(); ++i) {
      common.text = texts[i];
      CHECK(trace::equal(batch[i], route(common)));
    }
  }
}

TEST(threads_with_a_workspace_each_agree) {
  std::vector<Decision> expected;
  for (const auto text : kTexts) expected.push_back(route(ask(text)));
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&] {
      const auto ws = router().workspace();
      Decision out;
      for (int i = 0; i < 100; ++i) {
        router().route(ask(kTexts[i % 5]), *ws, out);
        wrong += !trace::equal(out, expected[static_cast<std::size_t>(i % 5)]);
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(wrong == 0);
}

TEST(a_used_workspace_and_record_leave_no_mark) {
  const auto ws = router().workspace();
  Decision out;
  Request tight = ask("zebra crossing at noon");
  tight.budget = Usd(1e-9);
  tight.sample = true;
  router().route(tight, *ws, out);
  for (const auto text : kTexts) {
    router().route(ask(text), *ws, out);
    CHECK(trace::equal(out, route(ask(text))));
  }
}

TEST(empty_text_routes_at_the_mean) {
  for (const std::string_view text : {"", " \n\t"}) {
    const Decision d = route(ask(text));
    CHECK(d.has(Reason::no_text) && d.difficulty == 0.5 && d.tool_count == 0 && d.node_count > 0);
  }
}

TEST(long_text_keeps_head_and_tail) {
  const Decision d = route(ask("a b c d e f g h i j k l m n o p q r s t u v w x y z"));
  CHECK(d.has(Reason::truncated) && d.in_tokens == 26 && d.kept_tokens == 16);
}

TEST(infeasible_budgets_say_so) {
  Request request = ask("prove it");
  request.budget = Usd(1e-9);
  const Decision d = route(request);
  CHECK(!d.feasible() && d.has(Reason::budget_infeasible) && d.has(Reason::limits_bind) && d.node_count > 0);
  CHECK(d.usd_bound > 1e-9);
}

TEST(nothing_allowed_is_no_plan) {
  Constraints none;
  none.allowed = {0, 0, 0};
  Request request = ask("prove it");
  request.constraints = &none;
  const Decision d = route(request);
  CHECK(d.node_count == 0 && d.has(Reason::no_llm_allowed) && !d.feasible());
  CHECK(trace::sentence(d, router().snapshot().names).find("No plan") == 0);
}

TEST(wrong_calls_are_refused) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto with = [](auto change) {
    Request request = ask("x");
    change(request);
    route(request);
  };
  CHECK_ERROR(with([&](Request& r) { r.value_usd = nan; }), ErrorKind::input, "value_usd");
  CHECK_ERROR(with([&](Request& r) { r.value_usd = -1; }), ErrorKind::input, "value_usd");
  CHECK_ERROR(with([&](Request& r) { r.budget = Usd(-1); }), ErrorKind::input, "budget_usd");
  CHECK_ERROR(with([&](Request& r) { r.max_seconds = Seconds(nan); }), ErrorKind::input, "max_seconds");
  CHECK_ERROR(with([&](Request& r) { r.tools = 9; }), ErrorKind::input, "tools");
  std::vector<float> x(planted::kDim, 0.5f);
  x[2] = std::numeric_limits<float>::infinity();
  CHECK_ERROR(with([&](Request& r) { r.vector = x.data(); }), ErrorKind::input, "query[2]");
  const std::string long_text(kMaxTextBytes + 1, 'a');
  CHECK_ERROR(with([&](Request& r) { r.text = long_text; }), ErrorKind::input, "query");
}

TEST(snapshots_that_do_not_fit_are_refused) {
  const auto with = [](auto change) {
    Snapshot s = planted::snapshot();
    change(s);
    Router r(std::move(s));
  };
  CHECK_ERROR(with([](Snapshot& s) { s.difficulty = nullptr; }), ErrorKind::config, "difficulty");
  CHECK_ERROR(with([](Snapshot& s) { s.catalog.llms.clear(); }), ErrorKind::config, "pool.llms");
  CHECK_ERROR(with([](Snapshot& s) { s.catalog.llms[1].skill.push_back(0); }), ErrorKind::config, "pool.llms[1].skill");
  CHECK_ERROR(with([](Snapshot& s) { s.catalog.capabilities.pop_back(); }), ErrorKind::config, "capability");
  CHECK_ERROR(with([](Snapshot& s) { s.operators.cut_points.pop_back(); }), ErrorKind::config, "operators.cut_points");
}

TEST(packed_decisions_come_back_whole_and_damaged_ones_are_refused) {
  for (const auto text : kTexts) {
    const Decision d = route(ask(text));
    std::vector<std::byte> bytes;
    trace::pack(d, bytes);
    CHECK(trace::equal(trace::unpack(bytes), d));
    for (std::size_t n = 0; n < bytes.size(); n += 7)
      CHECK_ERROR(trace::unpack({bytes.data(), n}), ErrorKind::input, "decision");
  }
}

namespace {

// The path to the culprit of a wrong call; "" when it was none.
std::string refused(const Router& r, const Request& request, Router::Workspace& ws) {
  Decision out;
  try {
    r.route(request, ws, out);
  } catch (const Error& error) {
    return error.path;
  }
  return "";
}

std::vector<float> unit_vector() { return planted::unit_rows(1, 77); }

}  // namespace

TEST(wrong_requests_are_refused_by_name) {
  const auto ws = router().workspace();
  const auto path = [&](auto change) {
    Request request = ask("prove it");
    change(request);
    return refused(router(), request, *ws);
  };
  static Constraints rules;
  CHECK(path([](Request&) {}).empty());
  CHECK(path([](Request& r) { r.value_usd = 1e308; }) == "value_usd");
  CHECK(path([](Request& r) { r.usd_per_second = 2e6; }) == "usd_per_second");
  CHECK(path([](Request& r) { r.budget = Usd(-1); }) == "budget_usd");
  CHECK(path([](Request& r) { r.max_seconds = Seconds(std::numeric_limits<double>::quiet_NaN()); }) == "max_seconds");
  CHECK(path([](Request& r) { r.tools = kMaxTools + 1; }) == "tools");
  CHECK(path([](Request& r) { r.statistic = static_cast<trace::Statistic>(7); }) == "statistic");
  CHECK(path([](Request& r) { rules = {}, rules.denied = {1}, r.constraints = &rules; }) == "constraints.denied");
  CHECK(path([](Request& r) { rules = {}, rules.allowed = {1}, r.constraints = &rules; }) == "constraints.allowed");
  CHECK(path([](Request& r) { rules = {}, rules.disabled = {1}, r.constraints = &rules; }) == "constraints.disabled");
  CHECK(path([](Request& r) { rules = {}, rules.filter.cost_bias = -1, r.constraints = &rules; }) ==
        "constraints.cost_bias");
}

TEST(a_workspace_serves_its_own_router_only) {
  const Router other(planted::snapshot());
  const auto ws = other.workspace();
  CHECK(refused(router(), ask("prove it"), *ws) == "workspace");
}

TEST(vectors_are_of_norm_one_and_rows_are_named) {
  const auto ws = router().workspace();
  std::vector<float> x = unit_vector();
  Request request;
  request.vector = x.data();
  CHECK(refused(router(), request, *ws).empty());
  for (const float scale : {10.0f, 1e37f}) {
    std::vector<float> far = x;
    for (float& v : far) v *= scale;
    request.vector = far.data();
    CHECK(refused(router(), request, *ws) == "query");
  }
  constexpr int kRows = 2 * kMaxBatch + 3, kBad = kMaxBatch + 1;
  std::vector<float> rows;
  for (int i = 0; i < kRows; ++i) rows.insert(rows.end(), x.begin(), x.end());
  rows[kBad * planted::kDim + 5] = std::numeric_limits<float>::infinity();
  std::vector<Decision> out(kRows);
  std::string path;
  try {
    router().route_batch(rows.data(), kRows, Request(), *ws, out.data());
  } catch (const Error& error) {
    path = error.path;
  }
  CHECK(path == "queries[" + std::to_string(kBad) + "][5]");
}

TEST(a_batch_of_vectors_equals_single_routes) {
  constexpr int kRows = kMaxBatch + 3;
  const std::vector<float> rows = planted::unit_rows(kRows, 78);
  const auto ws = router().workspace();
  Request common;
  common.in_tokens = 50;
  std::vector<Decision> batch(kRows);
  router().route_batch(rows.data(), kRows, common, *ws, batch.data());
  for (int i = 0; i < kRows; ++i) {
    common.vector = rows.data() + i * planted::kDim;
    CHECK(trace::equal(batch[static_cast<std::size_t>(i)], route(common)));
  }
}

TEST(an_absurd_price_of_a_denied_llm_changes_nothing) {
  Snapshot dear = planted::snapshot();
  dear.catalog.llms[2].usd_per_mtok_out = kMaxUsdPerMtok;
  dear.catalog.llms[2].usd_per_call = kMaxUsdPerCall;
  const Router r(std::move(dear));
  const auto ws = r.workspace();
  Constraints rules;
  rules.denied = {0, 0, 1};
  Request request = ask("prove it");
  request.value_usd = 1;
  request.constraints = &rules;
  Decision out;
  r.route(request, *ws, out);
  double usd = 0, bound = 0;
  for (const auto& node : out.plan_nodes()) usd += node.usd, bound += node.usd_bound;
  CHECK(usd > 0);
  CHECK_NEAR(out.usd / usd, 1, 1e-9);
  CHECK_NEAR(out.usd_bound / bound, 1, 1e-9);
}

TEST(numbers_beyond_reason_are_refused_at_load) {
  const auto path = [](auto change) -> std::string {
    Snapshot s = planted::snapshot();
    change(s.catalog);
    try {
      const Router r(std::move(s));
    } catch (const Error& error) {
      return error.path;
    }
    return "";
  };
  using catalog::Catalog;
  CHECK(path([](Catalog& c) { c.llms[1].usd_per_call = 1e12; }) == "pool.llms[1].usd_per_call");
  CHECK(path([](Catalog& c) { c.llms[1].usd_per_mtok_in = 1e15; }) == "pool.llms[1].usd_per_mtok_in");
  CHECK(path([](Catalog& c) { c.llms[0].seconds_per_output_token = 1e307; }) ==
        "pool.llms[0].seconds_per_output_token");
  CHECK(path([](Catalog& c) { c.llms[0].skill = {1e39, -1e39}; }) == "pool.llms[0].skill[0]");
  CHECK(path([](Catalog& c) { c.operators[0].slots[0].out_mult = 1e9; }) == "operators[0].slots[0].out_mult");
}

TEST(the_router_names_its_catalog) {
  Snapshot s = planted::snapshot();
  s.names = {};
  const Router r(std::move(s));
  const auto& names = r.snapshot().names;
  CHECK(names.llms.size() == r.snapshot().catalog.llms.size() && names.operators.size() == names.roles.size());
  const auto ws = r.workspace();
  Decision out;
  r.route(ask("prove it"), *ws, out);
  CHECK(!trace::render(out, names, true).empty());
}

TEST(where_every_prompt_is_too_long_the_largest_window_is_taken) {
  Snapshot s = planted::snapshot();
  for (auto& oper : s.catalog.operators)
    for (auto& slot : oper.slots) slot.in_extra = 1e6;
  const Router r(std::move(s));
  const auto ws = r.workspace();
  Decision out;
  r.route(ask("prove it"), *ws, out);
  CHECK(out.has(Reason::context_exceeded) && !out.has(Reason::no_llm_allowed) && out.node_count > 0 && !out.feasible());
  std::int64_t largest = 0;
  for (const auto& llm : r.snapshot().catalog.llms) largest = std::max(largest, llm.context_tokens);
  for (const auto& node : out.plan_nodes())
    CHECK(r.snapshot().catalog.llms[static_cast<std::size_t>(node.llm)].context_tokens == largest);
  for (int i = 0; i < out.alternative_count; ++i) CHECK(out.alternatives[i].rule == trace::Rule::context);
}

TEST(queries_are_assessed_and_predicted_as_they_are_routed) {
  std::vector<std::string_view> texts(kMaxBatch + 9);
  for (std::size_t i = 0; i < texts.size(); ++i) texts[i] = i % 7 == 3 ? "" : kTexts[i % 5];
  const auto ws = router().workspace();
  std::vector<difficulty::Assessment> found(texts.size());
  std::vector<int> tokens(texts.size());
  router().assess(texts, 0, *ws, found.data(), tokens.data());
  const auto llms = router().snapshot().catalog.llms.size();
  std::vector<double> quality(llms), usd(llms);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const Decision d = route(ask(texts[i]));
    CHECK(found[i].logit == d.logit && found[i].domain_similarity == d.domain_similarity && tokens[i] == d.in_tokens);
    router().predict(found[i], quality.data());
    router().direct_usd(found[i], tokens[i], trace::Statistic::mean, usd.data());
    for (const auto& node : d.plan_nodes()) CHECK(node.quality == quality[static_cast<std::size_t>(node.llm)]);
    for (std::size_t m = 0; m < llms; ++m) {
      const auto& llm = router().snapshot().catalog.llms[m];
      const double out = std::min(llm.output_tokens_mean, static_cast<double>(llm.max_output_tokens));
      CHECK_NEAR(usd[m], (tokens[i] * llm.usd_per_mtok_in + out * llm.usd_per_mtok_out) / 1e6 + llm.usd_per_call,
                 1e-15);
    }
  }
}

TEST(rows_that_cannot_be_assessed_are_named) {
  const auto ws = router().workspace();
  std::vector<float> rows = planted::unit_rows(3, 79);
  difficulty::Assessment out[3];
  router().assess(rows.data(), 3, 0, *ws, out);
  rows[2 * planted::kDim] += 1;
  CHECK_ERROR(router().assess(rows.data(), 3, 64, *ws, out), ErrorKind::input, "queries[66]");
  const std::string long_text(kMaxTextBytes + 1, 'a');
  const std::string_view texts[] = {"a", long_text};
  int tokens[2];
  CHECK_ERROR(router().assess(texts, 5, *ws, out, tokens), ErrorKind::input, "queries[6]");
  const Router other(planted::snapshot());
  CHECK_ERROR(other.assess(rows.data(), 1, 0, *ws, out), ErrorKind::input, "workspace");
}

namespace {

// exp(gain v + skill . s), clamped; v and s as the difficulty room says them.
double scale_of(const catalog::Llm& llm, const difficulty::Assessment& a) {
  double u = llm.length_gain * static_cast<double>(a.log_output_scale);
  for (std::size_t k = 0; k < llm.length_skill.size(); ++k) u += llm.length_skill[k] * static_cast<double>(a.skills[k]);
  return static_cast<double>(static_cast<float>(std::clamp(std::exp(u), 1.0 / 16, 16.0)));
}

// Every number of every node, against the formulas written out. How many nodes run longer and shorter than usual.
std::pair<int, int> check_costs(const Router& scaled) {
  const auto ws = scaled.workspace();
  Decision out;
  int longer = 0, shorter = 0;
  for (const auto text : kTexts)
    for (const auto statistic : {trace::Statistic::p90, trace::Statistic::cap}) {
      Request request = ask(text);
      request.value_usd = 1;
      request.statistic = statistic;
      scaled.route(request, *ws, out);
      difficulty::Assessment a;
      int counted = 0;
      scaled.assess({&text, 1}, 0, *ws, &a, &counted);
      CHECK(out.node_count > 0 && out.output_scale == a.output_scale && out.floor == a.floor);
      for (const auto& node : out.plan_nodes()) {
        const auto& llm = scaled.snapshot().catalog.llms[static_cast<std::size_t>(node.llm)];
        const double scale = scale_of(llm, a);
        longer += scale > 1, shorter += scale < 1;
        const auto& slot = scaled.snapshot().catalog.operators[node.oper].slots[node.slot];
        const auto limit = static_cast<double>(llm.max_output_tokens);
        const double mean = std::min(llm.output_tokens_mean * slot.out_mult * scale, limit);
        const double p90 = std::min(llm.output_tokens_p90 * slot.out_mult * scale, limit);
        const double cap = std::min(std::ceil(1.5 * llm.output_tokens_p90 * slot.out_mult * scale), limit);
        const bool capped = statistic == trace::Statistic::cap;
        const double prompt = slot.in_mult * out.in_tokens + slot.in_extra;
        const auto usd = [&](double in, double output) {
          return slot.calls * (llm.usd_per_call + (in * llm.usd_per_mtok_in + output * llm.usd_per_mtok_out) / 1e6);
        };
        const auto seconds = [&](double output) {
          return slot.rounds * (llm.seconds_to_first_token + output * llm.seconds_per_output_token);
        };
        CHECK(node.max_output_tokens == cap);
        CHECK_NEAR(node.usd / usd(prompt, mean), 1, 1e-6);
        CHECK_NEAR(node.usd_bound / (capped ? usd(1.5 * prompt, cap) : usd(prompt, p90)), 1, 1e-6);
        CHECK_NEAR(node.seconds / seconds(mean), 1, 1e-6);
        CHECK_NEAR(node.seconds_bound / seconds(capped ? cap : p90), 1, 1e-6);
        CHECK(node.quality >= static_cast<double>(out.floor));
      }
    }
  return {longer, shorter};
}

}  // namespace

TEST(costs_follow_the_output_scale) {
  for (const auto& [longer, shorter] :
       {check_costs(Router(planted::snapshot(0.5))), check_costs(Router(planted::own_responses()))})
    CHECK(longer > 0 && shorter > 0);
}

TEST(discrimination_and_length_are_of_each_llm) {
  const Router own(planted::own_responses()), shared(planted::snapshot(0.5, false, true));
  const auto& llms = own.snapshot().catalog.llms;
  const auto ws = own.workspace();
  for (const auto text : kTexts) {
    difficulty::Assessment a;
    int tokens = 0;
    own.assess({&text, 1}, 0, *ws, &a, &tokens);
    std::vector<double> p(llms.size()), usd(llms.size()), p_shared(llms.size()), usd_shared(llms.size());
    own.predict(a, p.data()), own.direct_usd(a, tokens, trace::Statistic::mean, usd.data());
    shared.predict(a, p_shared.data()), shared.direct_usd(a, tokens, trace::Statistic::mean, usd_shared.data());
    CHECK(p[0] == p_shared[0] && usd[0] == usd_shared[0]);
    for (std::size_t m = 0; m < llms.size(); ++m) {
      const auto& llm = llms[m];
      double logit = llm.ability - llm.discrimination * a.logit;
      for (std::size_t k = 0; k < llm.skill.size(); ++k) logit += llm.skill[k] * static_cast<double>(a.skills[k]);
      const auto floor = static_cast<double>(a.floor);
      CHECK_NEAR(p[m], floor + (1 - floor) / (1 + std::exp(-logit)), 1e-6);
      const double out =
          std::min(llm.output_tokens_mean * scale_of(llm, a), static_cast<double>(llm.max_output_tokens));
      const double expected = (tokens * llm.usd_per_mtok_in + out * llm.usd_per_mtok_out) / 1e6 + llm.usd_per_call;
      CHECK_NEAR(usd[m] / expected, 1, 1e-6);
    }
  }
}

TEST(neutral_responses_change_no_bit) {
  Snapshot s = planted::snapshot(0.5);
  for (auto& llm : s.catalog.llms) llm.length_skill.assign(planted::kSkills, 0.0);
  const Router neutral(std::move(s)), plain(planted::snapshot(0.5));
  s = planted::snapshot(0.5);
  s.catalog.llms[2].length_gain = 0.5;  // the others keep the shared scale
  const Router mixed(std::move(s));
  const auto ws = neutral.workspace(), plain_ws = plain.workspace(), mixed_ws = mixed.workspace();
  Constraints rules;
  rules.denied = {0, 0, 1};
  Decision a, b;
  for (const auto text : kTexts) {
    Request request = ask(text);
    request.budget = Usd(0.01);
    neutral.route(request, *ws, a);
    plain.route(request, *plain_ws, b);
    CHECK(trace::equal(a, b));
    request.constraints = &rules;
    mixed.route(request, *mixed_ws, a);
    plain.route(request, *plain_ws, b);
    CHECK(a.usd == b.usd && a.seconds_bound == b.seconds_bound && a.quality == b.quality);
  }
}

TEST(a_scale_of_one_and_no_floor_change_no_bit) {
  const Router neutral(planted::snapshot(0));
  const auto ws = neutral.workspace();
  Decision out;
  for (const auto text : kTexts) {
    Request request = ask(text);
    request.budget = Usd(0.01);
    neutral.route(request, *ws, out);
    CHECK(trace::equal(out, route(request)));
  }
}

TEST(a_router_with_lexical_scores_decides_alike_by_text_vector_and_batch) {
  const Router r(planted::snapshot(0.5, true));
  CHECK(r.dim() == planted::kDim + planted::kLexical && r.unit_dim() == planted::kDim);
  const auto ws = r.workspace();
  const auto width = static_cast<std::size_t>(r.dim());
  std::vector<std::string_view> texts(kMaxBatch + 3);
  for (std::size_t i = 0; i < texts.size(); ++i) texts[i] = kTexts[i % 5];
  std::vector<float> rows(texts.size() * width);
  embed::Workspace embedding;
  for (std::size_t i = 0; i < texts.size(); ++i)
    r.snapshot().embedder->embed(texts[i], embedding, rows.data() + i * width);
  std::vector<Decision> batch(texts.size()), vectors(texts.size());
  Request common;
  r.route_batch(texts, common, *ws, batch.data());
  common.in_tokens = 9;
  r.route_batch(rows.data(), static_cast<int>(texts.size()), common, *ws, vectors.data());
  Decision single;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    r.route(ask(texts[i]), *ws, single);
    CHECK(trace::equal(batch[i], single) && single.tool_count > 0);
    Request request = common;
    request.vector = rows.data() + i * width;
    r.route(request, *ws, single);
    CHECK(trace::equal(vectors[i], single) && single.logit == batch[i].logit);
    CHECK(std::equal(single.tools, single.tools + single.tool_count, batch[i].tools));
  }
}

TEST(lexical_scores_are_bounded_and_rooms_agree_on_them) {
  const Router r(planted::snapshot(-1, true));
  const auto ws = r.workspace();
  std::vector<float> x = unit_vector();
  x.resize(static_cast<std::size_t>(r.dim()), 64.0f);
  Request request;
  request.vector = x.data();
  CHECK(refused(r, request, *ws).empty());
  x[planted::kDim + 2] = 64.5f;
  CHECK(refused(r, request, *ws) == "query[18]");
  x[planted::kDim + 2] = std::numeric_limits<float>::quiet_NaN();
  CHECK(refused(r, request, *ws) == "query[18]");
  Snapshot s = planted::snapshot(-1, true);
  s.embedder = planted::embedder();
  CHECK_ERROR(Router(std::move(s)), ErrorKind::config, "embedder");
  s = planted::snapshot();
  s.embedder = planted::embedder(true);
  CHECK_ERROR(Router(std::move(s)), ErrorKind::config, "embedder");
}
