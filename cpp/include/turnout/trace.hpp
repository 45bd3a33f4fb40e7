// trace: the Decision record, its equality, its packed form and its rendering. Computes nothing of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "turnout/assign.hpp"
#include "turnout/capability.hpp"
#include "turnout/core.hpp"
#include "turnout/operators.hpp"
#include "turnout/plan.hpp"

namespace turnout::trace {

// What a reader must know beside the plan. A route never raises for a routing reason: it falls back, and says so here.
enum class Reason : std::uint8_t {
  no_text,              // empty text: routed at the mean difficulty of the training data
  truncated,            // only head and tail of a long text entered the vector
  out_of_domain,        // unlike the training data: treat difficulty and quality as rough
  prior_operators,      // the plan holds an operator whose numbers are priors, not measured
  operators_masked,     // some operator was unavailable with this pool, catalog or constraints
  stopped_early,        // the early-stop operator ended the plan before its depth
  operators_skipped,    // operators that cost more than they are worth, or that the limits exclude, were dropped
  single_call,          // one call is worth more than the operators that were allocated, or all that the limits allow
  limits_bind,          // the best plan without limits was not feasible
  label_cap,            // the exact search was cut; see gap
  budget_infeasible,    // no plan fits the USD budget: least violation
  time_infeasible,      // no plan fits max_seconds: least violation
  context_exceeded,     // no allowed LLM has the context window: largest taken
  no_llm_allowed,       // every LLM is excluded by a hard rule: no plan
  no_operator,          // no usable operator can begin a plan: no plan
  no_capability,        // the plan wants tools and none is proposed
  sampled,              // drawn with the seed, not greedy
  negative_utility,     // the plan costs more than its chance of success is worth: a host may abstain
  no_in_tokens,         // a vector came without its length: prompts are priced at no tokens of the query's
  tools_withheld,       // tools passed the filter, and none of those found reached the threshold of relevance
  llm_unavailable,      // telemetry excludes an LLM: its breaker is open, or its rate limit is used up
  calls_infeasible,     // no plan makes so few calls: the least violation
  tokens_infeasible,    // the plan may take more tokens than are left, and so may one call: the least violation
  reservation_refused,  // others took what the account had left while the plan was made: nothing is reserved
  explored,             // a learner drew this plan instead of the best one
};
inline constexpr int kReasons = 25;
const char* reason_name(Reason reason);

using Reasons = std::uint32_t;
constexpr Reasons bit(Reason r) { return Reasons{1} << static_cast<unsigned>(r); }

// The hard rule that excludes an LLM from this query.
enum class Rule : std::uint8_t {
  none,
  not_allowed,
  denied,
  policy,
  context,
  budget,
  time,
  tripped,
  rate_limited,
  calls,
  tokens,
  suspended
};
inline constexpr int kRules = 12;
const char* rule_name(Rule rule);

// What telemetry says of an LLM right now: P(correct) is multiplied by its health, its seconds by its slowdown.
struct Condition {
  double health = 1, slowdown = 1;
  Rule rule = Rule::none;  // tripped, rate_limited or suspended: no plan uses it
  bool operator==(const Condition&) const = default;
};

// Which statistic of a plan's cost (and seconds) a limit bounds.
enum class Statistic : std::uint8_t { p90, mean, cap };
const char* statistic_name(Statistic statistic);

inline constexpr std::int64_t kNoCallLimit = std::numeric_limits<std::int64_t>::max();

enum Stage : std::uint8_t { embed, difficulty, capability, operators, assign, plan, kStages };
const char* stage_name(Stage stage);

// One call slot of the plan.
struct Node {
  std::uint8_t oper = 0, layer = 0, slot = 0, stage = 0;
  std::int16_t llm = -1;
  std::uint16_t tools = 0;  // bit i: Decision::tools[i]
  std::int32_t calls = 1, rounds = 1;
  std::int32_t max_input_tokens = 0, max_output_tokens = 0;  // a call; what the `cap` statistic charges
  plan::NodeSet depends_on = 0;
  double quality = 0;   // P(correct) of this LLM on this query
  double prior = 0;     // the same by the outcome model alone, without what was learned and without telemetry
  double slowdown = 1;  // by telemetry; in both of its seconds
  double usd = 0, usd_bound = 0, seconds = 0, seconds_bound = 0;
  bool operator==(const Node&) const = default;
};

// One LLM as a single call of the first generating operator, ranked by utility (feasible ones first).
struct Alternative {
  std::int16_t llm = -1;
  Rule rule = Rule::none;
  double quality = 0, usd = 0, usd_bound = 0, seconds = 0, utility = 0;
  bool operator==(const Alternative&) const = default;
};

// A plan that a learner could have drawn: a single call of an LLM, or (llm -1, the first one) a plan of several.
struct Candidate {
  std::int16_t llm = -1;
  double probability = 0;
  bool operator==(const Candidate&) const = default;
};

struct Decision {
  std::uint64_t ticket = 0;                // not part of equality
  std::int64_t nanoseconds[kStages] = {};  // not part of equality
  std::uint64_t reservation = 0;           // in the account's ledger; 0: none; not part of equality

  std::uint64_t seed = 0;
  std::int32_t in_tokens = 0, kept_tokens = 0;  // in_tokens is -1 when a vector came without it
  bool from_vector = false;

  double difficulty = 0.5, logit = 0;
  float floor = 0, output_scale = 1;
  float domain_similarity = 1;

  operators::Allocation allocation;

  double value_usd = 0, usd_per_second = 0;
  Usd budget = Usd::unlimited();
  Seconds max_seconds = Seconds::unlimited();
  Statistic statistic = Statistic::p90;
  std::int64_t max_calls = kNoCallLimit;
  double max_tokens = std::numeric_limits<double>::infinity();
  bool on_account = false;
  double pressure = 1;  // share of the account that is left; value_usd has been multiplied by it

  turnout::assign::Status status = turnout::assign::Status::no_candidate;
  double quality = 0, usd = 0, usd_bound = 0, seconds = 0, seconds_bound = 0, utility = 0, gap = 0;
  std::int32_t labels = 0;

  std::int32_t node_count = 0, tool_count = 0, alternative_count = 0, llm_count = 0;
  Node nodes[kMaxNodes];
  turnout::capability::Hit tools[kMaxTools];
  Alternative alternatives[kMaxAlternatives];
  Rule rules[kMaxLlms] = {};         // per LLM of the pool
  std::int32_t condition_count = 0;  // 0 without telemetry, else llm_count
  Condition conditions[kMaxLlms];
  std::uint64_t telemetry_version = 0;

  bool learning = false;            // a learner had something to say, or explores
  std::uint64_t state_version = 0;  // of its state
  std::uint64_t draw = 0;           // number of its draw, where it draws
  double prior = 0;                 // P(correct) by the outcome model alone
  std::int32_t candidate_count = 0, chosen = 0;
  Candidate candidates[kMaxCandidates];

  plan::Metrics metrics;
  Reasons reasons = 0;

  bool has(Reason r) const { return (reasons & bit(r)) != 0; }
  bool feasible() const {
    return node_count > 0 && status != turnout::assign::Status::infeasible && !has(Reason::context_exceeded);
  }
  // Probability with which this plan was chosen.
  double propensity() const { return candidate_count == 0 ? 1 : candidates[chosen].probability; }
  // LLM calls of the plan; wide, for a slot may ask for any number of them.
  std::int64_t calls() const {
    std::int64_t sum = 0;
    for (const Node& node : plan_nodes()) sum += node.calls;
    return sum;
  }
  // Tokens that its calls may take, prompts and answers: what `cap` charges.
  double tokens() const {
    double sum = 0;
    for (const Node& n : plan_nodes())
      sum += static_cast<double>(n.calls) * (static_cast<double>(n.max_input_tokens) + n.max_output_tokens);
    return sum;
  }
  std::span<const Node> plan_nodes() const { return {nodes, static_cast<std::size_t>(node_count)}; }
};

// Equal in everything but ticket, reservation and timings.
bool equal(const Decision& a, const Decision& b);

// Appends only the used entries, as bytes, for batches and pickles. Both throw Error(input): pack() where a count is
// out of range, unpack() checks every count and index; what indices name, check_names() checks. The form is this
// machine's own (no byte order), not an archive format.
void pack(const Decision& decision, std::vector<std::byte>& out);
Decision unpack(std::span<const std::byte> bytes);

// The names that ids stand for. Shared by every Decision of a router.
struct Names {
  std::string bundle, bundle_version, embedder;
  std::vector<std::string> llms, operators, capabilities;
  std::vector<std::vector<std::string>> roles;  // of each operator's slots
  std::vector<double> cut_points;
};

// Throws Error(input) unless these are names for everything that the record points to. Rendering supposes it.
void check_names(const Decision& decision, const Names& names);

// "chain_of_thought > review", and the reasons joined by ", " ("" when there are none).
std::string operators_text(const Decision& decision, const Names& names);
std::string reasons_text(const Decision& decision);
// A sentence: what it will do, at what price.
std::string sentence(const Decision& decision, const Names& names);
// One line a stage, with the numbers that decided; timings only when asked.
std::string render(const Decision& decision, const Names& names, bool timings = false);

}  // namespace turnout::trace
