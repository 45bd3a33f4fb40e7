#include "turnout/trace.hpp"

#include <cstring>
#include <limits>

#include "check.hpp"

using namespace turnout;
using trace::Decision;
using trace::Names;
using trace::Reason;
using trace::Rule;

namespace {

Names names() {
  Names n;
  n.bundle = "planted";
  n.embedder = "static";
  n.llms = {"tiny", "large", "giant"};
  n.operators = {"direct", "review", "early_stop"};
  n.capabilities = {"web_search", "run_python"};
  n.roles = {{"answer"}, {"critic", "editor"}, {}};
  n.cut_points = {0.25, 0.5};
  return n;
}

trace::Node node(std::uint8_t oper, std::uint8_t slot, std::uint8_t stage, std::int16_t llm, plan::NodeSet depends_on) {
  trace::Node n;
  n.oper = oper;
  n.slot = slot;
  n.stage = n.layer = stage;
  n.llm = llm;
  n.depends_on = depends_on;
  n.usd = 0.001;
  return n;
}

// direct on tiny, then review by large and tiny; two layers, one tool, every limit.
Decision decision() {
  Decision d;
  d.ticket = 7;
  d.nanoseconds[trace::embed] = 1500;
  d.in_tokens = 12;
  d.kept_tokens = 10;
  d.difficulty = 0.625;
  d.allocation.operators = 3;
  d.allocation.depth = d.allocation.layers = 2;
  d.allocation.count = 3;
  d.allocation.stopped_early = true;
  d.allocation.choices[0] = {0, 0, 0.5f, 0.75f};
  d.allocation.choices[1] = {1, 1, 0.25f, 0.5f};
  d.allocation.choices[2] = {2, 1, 0, 0.25f};
  for (int layer = 0; layer < 2; ++layer)
    for (int i = 0; i < 3; ++i) d.allocation.probabilities[layer][i] = 0.25f * static_cast<float>(i + layer);
  d.value_usd = 0.01;
  d.usd_per_second = 0.0001;
  d.budget = Usd(0.005);
  d.max_seconds = Seconds(4);
  d.status = assign::Status::exact;
  d.quality = 0.9;
  d.usd = 0.003;
  d.usd_bound = 0.004;
  d.seconds = 2;
  d.seconds_bound = 5;
  d.utility = 0.0058;
  d.labels = 42;
  d.llm_count = 3;
  d.rules[2] = Rule::denied;
  d.node_count = 3;
  d.nodes[0] = node(0, 0, 0, 0, 0);
  d.nodes[1] = node(1, 0, 1, 1, 1);
  d.nodes[2] = node(1, 1, 1, 0, 2);
  d.nodes[2].tools = 1;
  d.tool_count = 1;
  d.tools[0] = {1, 0.5f, 0.5f};
  d.alternative_count = 1;
  d.alternatives[0].llm = 1;
  d.metrics.width = 1;
  d.metrics.critical_path = Seconds(2);
  d.metrics.critical_nodes = 7;
  d.reasons = trace::bit(Reason::out_of_domain) | trace::bit(Reason::limits_bind);
  return d;
}

std::vector<std::byte> packed(const Decision& d) {
  std::vector<std::byte> bytes;
  trace::pack(d, bytes);
  return bytes;
}

template <class Change>
Decision with(const Change& change) {
  Decision d = decision();
  change(d);
  return d;
}

// pack() copies entries as they are: what is wrong with them shows when they are read.
template <class Change>
void unpack_with(const Change& change) {
  trace::unpack(packed(with(change)));
}

bool contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST(a_full_decision_comes_back_whole) {
  const Decision d = decision(), back = trace::unpack(packed(d));
  CHECK(trace::equal(back, d) && back.ticket == 7 && back.nanoseconds[trace::embed] == 1500);
  CHECK(packed(back) == packed(d));
  trace::check_names(back, names());
}

TEST(every_entry_is_checked_when_it_is_read) {
  CHECK_ERROR(unpack_with([](Decision& d) { d.tools[0].id = -7; }), ErrorKind::input, "decision");
  CHECK_ERROR(unpack_with([](Decision& d) { d.nodes[1].llm = 3; }), ErrorKind::input, "decision");
  CHECK_ERROR(unpack_with([](Decision& d) { d.nodes[1].oper = 3; }), ErrorKind::input, "decision");
  CHECK_ERROR(unpack_with([](Decision& d) { d.nodes[1].slot = kMaxNodes; }), ErrorKind::input, "decision");
  CHECK_ERROR(unpack_with([](Decision& d) { d.nodes[1].stage = kMaxStages; }), ErrorKind::input, "decision");
  CHECK_ERROR(unpack_with([](Decision& d) { d.nodes[1].layer = kMaxLayers; }), ErrorKind::input, "decision");
  CHECK_ERROR(unpack_with([](Decision& d) { d.nodes[1].depends_on = 2; }), ErrorKind::input, "decision");
  CHECK_ERROR(unpack_with([](Decision& d) { d.nodes[1].tools = 2; }), ErrorKind::input, "decision");
  CHECK_ERROR(unpack_with([](Decision& d) { d.nodes[1].calls = -1; }), ErrorKind::input, "decision");
  CHECK_ERROR(unpack_with([](Decision& d) { d.allocation.choices[1].oper = 3; }), ErrorKind::input, "decision");
  CHECK_ERROR(unpack_with([](Decision& d) { d.allocation.choices[1].layer = 2; }), ErrorKind::input, "decision");
  CHECK_ERROR(unpack_with([](Decision& d) { d.alternatives[0].llm = -1; }), ErrorKind::input, "decision");
  CHECK_ERROR(unpack_with([](Decision& d) { d.rules[1] = static_cast<Rule>(trace::kRules); }), ErrorKind::input,
              "decision");
  CHECK_ERROR(unpack_with([](Decision& d) { d.metrics.critical_nodes = 8; }), ErrorKind::input, "decision");
}

TEST(counts_out_of_range_are_not_packed) {
  CHECK_ERROR(packed(with([](Decision& d) { d.allocation.operators = kMaxOperators + 1; })), ErrorKind::input,
              "decision");
  CHECK_ERROR(packed(with([](Decision& d) { d.allocation.layers = kMaxLayers + 1; })), ErrorKind::input, "decision");
  CHECK_ERROR(packed(with([](Decision& d) { d.node_count = -1; })), ErrorKind::input, "decision");
  CHECK_ERROR(packed(with([](Decision& d) { d.llm_count = kMaxLlms + 1; })), ErrorKind::input, "decision");
  CHECK_ERROR(packed(with([](Decision& d) { d.reasons = ~trace::Reasons{0}; })), ErrorKind::input, "decision");
}

// Whatever one changed byte makes of a record: it is refused, or it can be rendered.
TEST(damaged_records_are_refused_or_render) {
  const auto whole = packed(decision());
  int refused = 0;
  for (std::size_t i = 0; i < whole.size(); ++i)
    for (const int flip : {1, 128, 255}) {
      auto bytes = whole;
      bytes[i] ^= static_cast<std::byte>(flip);
      try {
        const Decision d = trace::unpack(bytes);
        trace::check_names(d, names());
        CHECK(!trace::render(d, names(), true).empty());
        CHECK(packed(d).size() == whole.size());
      } catch (const Error&) {
        ++refused;
      }
    }
  CHECK(refused > 0);
  auto longer = whole;
  longer.push_back(std::byte{0});
  CHECK_ERROR(trace::unpack(longer), ErrorKind::input, "decision");
}

TEST(names_fit_the_record_or_are_refused) {
  const auto fit = [](auto change) {
    Names n = names();
    change(n);
    trace::check_names(decision(), n);
  };
  CHECK_ERROR(fit([](Names& n) { n.llms.pop_back(); }), ErrorKind::input, "decision");
  CHECK_ERROR(fit([](Names& n) {
                n.operators.resize(5000);
                n.roles.resize(5000);
              }),
              ErrorKind::input, "decision");
  CHECK_ERROR(fit([](Names& n) { n.roles.pop_back(); }), ErrorKind::input, "decision");
  CHECK_ERROR(fit([](Names& n) { n.roles[1].pop_back(); }), ErrorKind::input, "decision");
  CHECK_ERROR(fit([](Names& n) { n.capabilities.pop_back(); }), ErrorKind::input, "decision");
}

TEST(equality_is_of_everything_but_ticket_and_timings) {
  const Decision d = decision();
  CHECK(trace::equal(d, with([](Decision& o) {
                       o.ticket = 8;
                       o.nanoseconds[0] = 1;
                     })));
  CHECK(!trace::equal(d, with([](Decision& o) { o.allocation.probabilities[1][2] = 0.9f; })));
  CHECK(!trace::equal(d, with([](Decision& o) { o.allocation.scores[0][0] = 0.9f; })));
  CHECK(!trace::equal(d, with([](Decision& o) { o.allocation.choices[2].probability = 0.9f; })));
  CHECK(!trace::equal(d, with([](Decision& o) { o.nodes[2].usd = 1; })));
  CHECK(!trace::equal(d, with([](Decision& o) { o.tools[0].id = 0; })));
  CHECK(!trace::equal(d, with([](Decision& o) { o.gap = 1; })));
  CHECK(trace::equal(d, with([](Decision& o) {
                       o.allocation.scores[2][0] = 9;
                       o.nodes[3].usd = 1;
                     })));  // not used
}

TEST(a_full_decision_renders) {
  CHECK(trace::render(decision(), names()) ==
        "embed      static: 12 tokens, 10 kept\n"
        "difficulty d = 0.625 (the reference LLM fails), domain similarity 1.000, out of domain\n"
        "capability run_python 0.500\n"
        "operators  depth 2 (cut points 0.250 0.500), prior scores; layer 1: direct 0.75; layer 2: review 0.50, "
        "early_stop 0.25; "
        "stopped early\n"
        "assign     exact: utility 0.005800 = $0.0100 x 0.900 - $0.003000 - 0.000100 $/s x 2.00 s, 42 labels, gap 0, "
        "p90 $0.004000 <= $0.005000, p90 5.00 s > 4.00 s\n"
        "plan       direct > review on tiny, large: 3 calls, width 1, critical path 2.00 s\n"
        "reasons    out_of_domain, limits_bind");
  CHECK(trace::sentence(decision(), names()) ==
        "direct > review on tiny, large: P(correct) 0.90 for $0.003000 in 2.0 s; difficulty 0.62.");
  CHECK(contains(trace::render(decision(), names(), true), "kept  [1.5 us]\n"));
}

TEST(an_empty_decision_renders) {
  Decision d;
  d.from_vector = true;
  d.in_tokens = -1;
  d.reasons = trace::bit(Reason::no_llm_allowed);
  const std::string text = trace::render(d, names());
  CHECK(contains(text, "static: vector given\n") && contains(text, "none proposed\n") && contains(text, "no plan\n"));
  CHECK(contains(text, "assign     no_candidate\n"));
  CHECK(trace::sentence(d, names()) == "No plan (no_llm_allowed).");
}

TEST(calls_are_counted_beyond_an_int) {
  Decision d = decision();
  for (int i = 0; i < 3; ++i) d.nodes[i].calls = std::numeric_limits<std::int32_t>::max();
  CHECK(d.calls() == 3LL * std::numeric_limits<std::int32_t>::max());
  CHECK(contains(trace::render(d, names()), ": 6442450941 calls, "));
}

TEST(every_code_has_a_name) {
  for (int i = 0; i < trace::kReasons; ++i) CHECK(std::strlen(trace::reason_name(static_cast<Reason>(i))) > 0);
  for (int i = 0; i < trace::kStages; ++i) CHECK(std::strlen(trace::stage_name(static_cast<trace::Stage>(i))) > 0);
  CHECK(std::string(trace::reason_name(Reason::sampled)) == "sampled");
  CHECK(std::string(trace::rule_name(Rule::none)) == "none" && std::string(trace::rule_name(Rule::time)) == "time");
  CHECK(std::string(trace::statistic_name(trace::Statistic::p90)) == "p90");
  CHECK(std::string(trace::statistic_name(trace::Statistic::cap)) == "cap");
  CHECK(std::string(trace::stage_name(trace::embed)) == "embed" &&
        std::string(trace::stage_name(trace::plan)) == "plan");
}
