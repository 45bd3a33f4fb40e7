// The packed form: a fixed head, then the used entries of each array, then those of the allocation's distributions.
#include <algorithm>
#include <cstring>
#include <type_traits>

#include "turnout/trace.hpp"

namespace turnout::trace {
namespace {

constexpr std::uint32_t kMagic = 0x31445254;  // "TRD1"

// Everything of a Decision that is not an array. Trivially copyable, so its bytes are its value.
struct Head {
  std::uint32_t magic;
  std::uint8_t from_vector, stopped_early;
  Statistic statistic;
  turnout::assign::Status status;
  std::uint64_t ticket, seed;
  std::int64_t nanoseconds[kStages];
  std::int32_t in_tokens, kept_tokens, depth, layers, choices, operators, labels;
  std::int32_t nodes, tools, alternatives, llms;
  float domain_similarity;
  double difficulty, logit, value_usd, usd_per_second, budget, max_seconds;
  double quality, usd, usd_bound, seconds, seconds_bound, utility, gap;
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

Head head_of(const Decision& d, int operators) {
  Head h;
  std::memset(static_cast<void*>(&h), 0, sizeof h);  // no stray padding: equal decisions pack to equal bytes
  h.magic = kMagic;
  h.from_vector = d.from_vector;
  h.stopped_early = d.allocation.stopped_early;
  h.statistic = d.statistic;
  h.status = d.status;
  h.ticket = d.ticket;
  h.seed = d.seed;
  std::copy_n(d.nanoseconds, kStages, h.nanoseconds);
  h.in_tokens = d.in_tokens;
  h.kept_tokens = d.kept_tokens;
  h.depth = d.allocation.depth;
  h.layers = d.allocation.layers;
  h.choices = d.allocation.count;
  h.operators = operators;
  h.labels = d.labels;
  h.nodes = d.node_count;
  h.tools = d.tool_count;
  h.alternatives = d.alternative_count;
  h.llms = d.llm_count;
  h.domain_similarity = d.domain_similarity;
  h.difficulty = d.difficulty;
  h.logit = d.logit;
  h.value_usd = d.value_usd;
  h.usd_per_second = d.usd_per_second;
  h.budget = d.budget.value;
  h.max_seconds = d.max_seconds.value;
  h.quality = d.quality;
  h.usd = d.usd;
  h.usd_bound = d.usd_bound;
  h.seconds = d.seconds;
  h.seconds_bound = d.seconds_bound;
  h.utility = d.utility;
  h.gap = d.gap;
  h.metric_nodes = d.metrics.nodes;
  h.metric_edges = d.metrics.edges;
  h.metric_depth = d.metrics.depth;
  h.metric_width = d.metrics.width;
  h.critical_path = d.metrics.critical_path.value;
  h.critical_nodes = d.metrics.critical_nodes;
  h.reasons = d.reasons;
  return h;
}

void check(bool ok, const char* what) {
  if (!ok) throw Error(ErrorKind::input, "decision", std::string("packed bytes are corrupt: ") + what);
}

bool within(std::int32_t n, std::int32_t limit) { return n >= 0 && n <= limit; }

void check_head(const Head& h) {
  check(h.magic == kMagic, "unknown format");
  check(within(h.choices, kMaxStages) && within(h.layers, kMaxLayers) && within(h.operators, kMaxOperators), "allocation");
  check(within(h.nodes, kMaxNodes) && within(h.tools, kMaxTools) && within(h.alternatives, kMaxAlternatives) &&
            within(h.llms, kMaxLlms), "counts");
  check(h.statistic <= Statistic::cap && h.status <= turnout::assign::Status::no_candidate, "enumerations");
}

void check_entries(const Decision& d, int operators) {
  for (int i = 0; i < d.allocation.count; ++i)
    check(d.allocation.choices[i].oper < operators && d.allocation.choices[i].layer < kMaxLayers, "choices");
  for (const Node& n : d.plan_nodes())
    check(n.oper < operators && n.llm >= 0 && n.llm < d.llm_count && (n.tools >> d.tool_count) == 0, "nodes");
  for (int i = 0; i < d.alternative_count; ++i)
    check(d.alternatives[i].llm >= 0 && d.alternatives[i].llm < d.llm_count && d.alternatives[i].rule <= Rule::time, "alternatives");
  for (int i = 0; i < d.llm_count; ++i) check(d.rules[i] <= Rule::time, "rules");
}

void read_head(const Head& h, Decision& d) {
  d.from_vector = h.from_vector != 0;
  d.allocation.stopped_early = h.stopped_early != 0;
  d.statistic = h.statistic;
  d.status = h.status;
  d.ticket = h.ticket;
  d.seed = h.seed;
  std::copy_n(h.nanoseconds, kStages, d.nanoseconds);
  d.in_tokens = h.in_tokens;
  d.kept_tokens = h.kept_tokens;
  d.allocation.depth = h.depth;
  d.allocation.layers = h.layers;
  d.allocation.count = h.choices;
  d.labels = h.labels;
  d.node_count = h.nodes;
  d.tool_count = h.tools;
  d.alternative_count = h.alternatives;
  d.llm_count = h.llms;
  d.domain_similarity = h.domain_similarity;
  d.difficulty = h.difficulty;
  d.logit = h.logit;
  d.value_usd = h.value_usd;
  d.usd_per_second = h.usd_per_second;
  d.budget = Usd(h.budget);
  d.max_seconds = Seconds(h.max_seconds);
  d.quality = h.quality;
  d.usd = h.usd;
  d.usd_bound = h.usd_bound;
  d.seconds = h.seconds;
  d.seconds_bound = h.seconds_bound;
  d.utility = h.utility;
  d.gap = h.gap;
  d.metrics.nodes = h.metric_nodes;
  d.metrics.edges = h.metric_edges;
  d.metrics.depth = h.metric_depth;
  d.metrics.width = h.metric_width;
  d.metrics.critical_path = Seconds(h.critical_path);
  d.metrics.critical_nodes = h.critical_nodes;
  d.reasons = h.reasons;
}

}  // namespace

void pack(const Decision& d, int operators, std::vector<std::byte>& out) {
  const Head head = head_of(d, operators);
  put(out, &head, 1);
  put(out, d.allocation.choices, static_cast<std::size_t>(d.allocation.count));
  for (int layer = 0; layer < d.allocation.layers; ++layer) {
    put(out, d.allocation.scores[layer], static_cast<std::size_t>(operators));
    put(out, d.allocation.probabilities[layer], static_cast<std::size_t>(operators));
  }
  put(out, d.nodes, static_cast<std::size_t>(d.node_count));
  put(out, d.tools, static_cast<std::size_t>(d.tool_count));
  put(out, d.alternatives, static_cast<std::size_t>(d.alternative_count));
  put(out, d.rules, static_cast<std::size_t>(d.llm_count));
}

Decision unpack(std::span<const std::byte> in) {
  Head head;
  take(in, &head, 1);
  check_head(head);
  Decision d;
  read_head(head, d);
  take(in, d.allocation.choices, static_cast<std::size_t>(head.choices));
  for (int layer = 0; layer < head.layers; ++layer) {
    take(in, d.allocation.scores[layer], static_cast<std::size_t>(head.operators));
    take(in, d.allocation.probabilities[layer], static_cast<std::size_t>(head.operators));
  }
  take(in, d.nodes, static_cast<std::size_t>(head.nodes));
  take(in, d.tools, static_cast<std::size_t>(head.tools));
  take(in, d.alternatives, static_cast<std::size_t>(head.alternatives));
  take(in, d.rules, static_cast<std::size_t>(head.llms));
  check(in.empty(), "trailing bytes");
  check_entries(d, head.operators);
  return d;
}

bool equal(const Decision& a, const Decision& b) {
  const auto& x = a.allocation;
  const auto& y = b.allocation;
  const auto same = [](const auto* p, const auto* q, int n) { return std::equal(p, p + n, q); };
  const auto same_choice = [](const operators::Choice& p, const operators::Choice& q) {
    return p.oper == q.oper && p.layer == q.layer && p.score == q.score && p.probability == q.probability;
  };
  Head h = head_of(a, 0), k = head_of(b, 0);
  for (Head* head : {&h, &k}) {
    head->ticket = 0;
    std::fill_n(head->nanoseconds, kStages, 0);
  }
  return std::memcmp(&h, &k, sizeof h) == 0 && std::equal(x.choices, x.choices + x.count, y.choices, same_choice) &&
         same(a.nodes, b.nodes, a.node_count) && same(a.tools, b.tools, a.tool_count) &&
         same(a.alternatives, b.alternatives, a.alternative_count) && same(a.rules, b.rules, a.llm_count);
}

}  // namespace turnout::trace
