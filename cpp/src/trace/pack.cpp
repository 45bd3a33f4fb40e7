// The packed form: a fixed head, then the used entries of each array, then those of the allocation's distributions.
#include <algorithm>
#include <cstring>
#include <type_traits>

#include "turnout/trace.hpp"

namespace turnout::trace {
namespace {

constexpr std::uint32_t kMagic = 0x34445254;  // "TRD4"

// Everything of a Decision that is not an array. Trivially copyable, so its bytes are its value.
struct Head {
  std::uint32_t magic;
  std::uint8_t from_vector, stopped_early, on_account, learning;
  Statistic statistic;
  turnout::assign::Status status;
  std::uint64_t ticket, seed, reservation, telemetry_version, state_version, draw;
  std::int64_t nanoseconds[kStages];
  std::int32_t in_tokens, kept_tokens, depth, layers, choices, operators, labels;
  std::int32_t nodes, tools, alternatives, llms, conditions, candidates, chosen;
  std::int64_t max_calls;
  float floor, output_scale, domain_similarity;
  double difficulty, logit, value_usd, usd_per_second, budget, max_seconds, max_tokens, pressure;
  double quality, usd, usd_bound, seconds, seconds_bound, utility, gap, prior;
  std::int32_t metric_nodes, metric_edges, metric_depth, metric_width;
  double critical_path;
  plan::NodeSet critical_nodes;
  Reasons reasons;
};
static_assert(std::is_trivially_copyable_v<Head>);

template <class T>
void put(std::vector<std::byte>& out, const T* items, std::size_t n) {
  const std::size_t at = out.size();
  out.resize(at + n * sizeof(T));
  if (n > 0) std::memcpy(out.data() + at, items, n * sizeof(T));
}

template <class T>
void take(std::span<const std::byte>& in, T* items, std::size_t n) {
  if (in.size() < n * sizeof(T)) throw Error(ErrorKind::input, "decision", "packed bytes end too early");
  if (n > 0) std::memcpy(static_cast<void*>(items), in.data(), n * sizeof(T));
  in = in.subspan(n * sizeof(T));
}

// Field by field: padding has no value.
void put_condition(std::vector<std::byte>& out, const Condition& c) {
  put(out, &c.health, 1);
  put(out, &c.slowdown, 1);
  put(out, &c.rule, 1);
}

void take_condition(std::span<const std::byte>& in, Condition& c) {
  take(in, &c.health, 1);
  take(in, &c.slowdown, 1);
  take(in, &c.rule, 1);
}

void put_candidate(std::vector<std::byte>& out, const Candidate& c) {
  put(out, &c.llm, 1);
  put(out, &c.probability, 1);
}

void take_candidate(std::span<const std::byte>& in, Candidate& c) {
  take(in, &c.llm, 1);
  take(in, &c.probability, 1);
}

// Every field of the head beside its counterpart in a Decision; `copy` decides which of the two is written.
template <class H, class D, class Copy>
void each_field(H& h, D& d, const Copy& copy) {
  copy(h.from_vector, d.from_vector);
  copy(h.stopped_early, d.allocation.stopped_early);
  copy(h.statistic, d.statistic);
  copy(h.status, d.status);
  copy(h.ticket, d.ticket);
  copy(h.seed, d.seed);
  copy(h.reservation, d.reservation);
  copy(h.telemetry_version, d.telemetry_version);
  copy(h.on_account, d.on_account);
  copy(h.learning, d.learning);
  copy(h.state_version, d.state_version);
  copy(h.draw, d.draw);
  copy(h.candidates, d.candidate_count);
  copy(h.chosen, d.chosen);
  copy(h.prior, d.prior);
  copy(h.max_calls, d.max_calls);
  copy(h.max_tokens, d.max_tokens);
  copy(h.pressure, d.pressure);
  copy(h.conditions, d.condition_count);
  for (int i = 0; i < kStages; ++i) copy(h.nanoseconds[i], d.nanoseconds[i]);
  copy(h.in_tokens, d.in_tokens);
  copy(h.kept_tokens, d.kept_tokens);
  copy(h.depth, d.allocation.depth);
  copy(h.layers, d.allocation.layers);
  copy(h.choices, d.allocation.count);
  copy(h.operators, d.allocation.operators);
  copy(h.labels, d.labels);
  copy(h.nodes, d.node_count);
  copy(h.tools, d.tool_count);
  copy(h.alternatives, d.alternative_count);
  copy(h.llms, d.llm_count);
  copy(h.floor, d.floor);
  copy(h.output_scale, d.output_scale);
  copy(h.domain_similarity, d.domain_similarity);
  copy(h.difficulty, d.difficulty);
  copy(h.logit, d.logit);
  copy(h.value_usd, d.value_usd);
  copy(h.usd_per_second, d.usd_per_second);
  copy(h.budget, d.budget.value);
  copy(h.max_seconds, d.max_seconds.value);
  copy(h.quality, d.quality);
  copy(h.usd, d.usd);
  copy(h.usd_bound, d.usd_bound);
  copy(h.seconds, d.seconds);
  copy(h.seconds_bound, d.seconds_bound);
  copy(h.utility, d.utility);
  copy(h.gap, d.gap);
  copy(h.metric_nodes, d.metrics.nodes);
  copy(h.metric_edges, d.metrics.edges);
  copy(h.metric_depth, d.metrics.depth);
  copy(h.metric_width, d.metrics.width);
  copy(h.critical_path, d.metrics.critical_path.value);
  copy(h.critical_nodes, d.metrics.critical_nodes);
  copy(h.reasons, d.reasons);
}

Head head_of(const Decision& d) {
  Head h;
  std::memset(static_cast<void*>(&h), 0, sizeof h);  // no stray padding: equal decisions pack to equal bytes
  h.magic = kMagic;
  each_field(h, d, [](auto& head, const auto& value) { head = value; });
  return h;
}

void read_head(const Head& h, Decision& d) {
  each_field(
      h, d, [](const auto& head, auto& value) { value = static_cast<std::remove_reference_t<decltype(value)>>(head); });
}

void check(bool ok, const char* what) {
  if (!ok) throw Error(ErrorKind::input, "decision", std::string("does not hold together: ") + what);
}

bool within(std::int32_t n, std::int32_t limit) { return n >= 0 && n <= limit; }
bool below(std::int32_t index, std::int32_t count) { return index >= 0 && index < count; }

void check_head(const Head& h) {
  check(h.magic == kMagic, "unknown format");
  check(within(h.depth, kMaxLayers) && within(h.layers, kMaxLayers) && within(h.choices, kMaxStages) &&
            within(h.operators, kMaxOperators),
        "allocation");
  check(within(h.nodes, kMaxNodes) && within(h.tools, kMaxTools) && within(h.alternatives, kMaxAlternatives) &&
            within(h.llms, kMaxLlms) && (h.conditions == 0 || h.conditions == h.llms) &&
            within(h.candidates, kMaxCandidates) && (h.chosen == 0 || below(h.chosen, h.candidates)),
        "counts");
  check(h.statistic <= Statistic::cap && h.status <= turnout::assign::Status::no_candidate, "enumerations");
  check(h.reasons >> kReasons == 0, "reasons");
}

bool known(Rule rule) { return static_cast<int>(rule) < kRules; }

// Nodes before this one, as a set.
constexpr plan::NodeSet before(int node) {
  return node >= kMaxNodes ? ~plan::NodeSet{0} : (plan::NodeSet{1} << node) - 1;
}

void check_node(const Decision& d, int i) {
  const Node& n = d.nodes[i];
  check(n.oper < d.allocation.operators && n.layer < kMaxLayers && n.slot < kMaxNodes && n.stage < kMaxStages, "nodes");
  check(below(n.llm, d.llm_count) && n.tools >> d.tool_count == 0 && (n.depends_on & ~before(i)) == 0, "nodes");
  check(n.calls >= 0 && n.rounds >= 0 && n.max_input_tokens >= 0 && n.max_output_tokens >= 0, "nodes");
}

void check_entries(const Decision& d) {
  for (int i = 0; i < d.allocation.count; ++i)
    check(d.allocation.choices[i].oper < d.allocation.operators && d.allocation.choices[i].layer < d.allocation.layers,
          "choices");
  for (int i = 0; i < d.node_count; ++i) check_node(d, i);
  for (int i = 0; i < d.tool_count; ++i) check(d.tools[i].id >= 0, "tools");
  for (int i = 0; i < d.alternative_count; ++i)
    check(below(d.alternatives[i].llm, d.llm_count) && known(d.alternatives[i].rule), "alternatives");
  for (int i = 0; i < d.llm_count; ++i) check(known(d.rules[i]), "rules");
  for (int i = 0; i < d.condition_count; ++i) check(known(d.conditions[i].rule), "conditions");
  for (int i = 0; i < d.candidate_count; ++i)
    check(d.candidates[i].llm == -1 || below(d.candidates[i].llm, d.llm_count), "candidates");
  check((d.metrics.critical_nodes & ~before(d.node_count)) == 0, "critical path");
}

}  // namespace

void check_names(const Decision& d, const Names& names) {
  const auto listed = [](std::int32_t i, const auto& list) {
    return i >= 0 && static_cast<std::size_t>(i) < list.size();
  };
  const auto as_many = [](std::int32_t n, const auto& list) { return list.size() == static_cast<std::size_t>(n); };
  check(as_many(d.llm_count, names.llms), "names of LLMs");
  check(as_many(d.allocation.operators, names.operators) && as_many(d.allocation.operators, names.roles),
        "names of operators");
  for (const Node& n : d.plan_nodes()) check(listed(n.slot, names.roles[n.oper]), "names of roles");
  for (int i = 0; i < d.tool_count; ++i) check(listed(d.tools[i].id, names.capabilities), "names of tools");
}

void pack(const Decision& d, std::vector<std::byte>& out) {
  const Head head = head_of(d);
  check_head(head);
  const auto& a = d.allocation;
  put(out, &head, 1);
  put(out, a.choices, static_cast<std::size_t>(a.count));
  for (int layer = 0; layer < a.layers; ++layer) {
    put(out, a.scores[layer], static_cast<std::size_t>(a.operators));
    put(out, a.probabilities[layer], static_cast<std::size_t>(a.operators));
  }
  put(out, d.nodes, static_cast<std::size_t>(d.node_count));
  put(out, d.tools, static_cast<std::size_t>(d.tool_count));
  put(out, d.alternatives, static_cast<std::size_t>(d.alternative_count));
  put(out, d.rules, static_cast<std::size_t>(d.llm_count));
  for (int i = 0; i < d.condition_count; ++i) put_condition(out, d.conditions[i]);
  for (int i = 0; i < d.candidate_count; ++i) put_candidate(out, d.candidates[i]);
}

Decision unpack(std::span<const std::byte> in) {
  Head head;
  take(in, &head, 1);
  check_head(head);
  Decision d;
  read_head(head, d);
  auto& a = d.allocation;
  take(in, a.choices, static_cast<std::size_t>(a.count));
  for (int layer = 0; layer < a.layers; ++layer) {
    take(in, a.scores[layer], static_cast<std::size_t>(a.operators));
    take(in, a.probabilities[layer], static_cast<std::size_t>(a.operators));
  }
  take(in, d.nodes, static_cast<std::size_t>(d.node_count));
  take(in, d.tools, static_cast<std::size_t>(d.tool_count));
  take(in, d.alternatives, static_cast<std::size_t>(d.alternative_count));
  take(in, d.rules, static_cast<std::size_t>(d.llm_count));
  for (int i = 0; i < d.condition_count; ++i) take_condition(in, d.conditions[i]);
  for (int i = 0; i < d.candidate_count; ++i) take_candidate(in, d.candidates[i]);
  check(in.empty(), "trailing bytes");
  check_entries(d);
  return d;
}

bool equal(const Decision& a, const Decision& b) {
  Head h = head_of(a), k = head_of(b);
  for (Head* head : {&h, &k}) {
    head->ticket = 0;
    head->reservation = 0;
    std::fill_n(head->nanoseconds, kStages, 0);
  }
  if (std::memcmp(&h, &k, sizeof h) != 0) return false;  // also the counts, so that what follows may take those of `a`
  const auto same = [](const auto* p, const auto* q, int n) { return std::equal(p, p + n, q); };
  const auto& x = a.allocation;
  const auto& y = b.allocation;
  for (int layer = 0; layer < x.layers; ++layer)
    if (!same(x.scores[layer], y.scores[layer], x.operators) ||
        !same(x.probabilities[layer], y.probabilities[layer], x.operators))
      return false;
  return same(x.choices, y.choices, x.count) && same(a.nodes, b.nodes, a.node_count) &&
         same(a.tools, b.tools, a.tool_count) && same(a.alternatives, b.alternatives, a.alternative_count) &&
         same(a.rules, b.rules, a.llm_count) && same(a.conditions, b.conditions, a.condition_count) &&
         same(a.candidates, b.candidates, a.candidate_count);
}

}  // namespace turnout::trace
