// operators: difficulty -> layers of operators. DAAO's layered allocator (arXiv 2509.11079, section 3) with its rules
// explicit: depth by cut points, cumulative activation, first layer generates, early stop, masks with a reason.
// Never knows prices of LLMs.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "turnout/catalog.hpp"
#include "turnout/core.hpp"

namespace turnout::operators {

enum class DepthRule : std::uint8_t {
  cut_points,  // 1 + the number of cut points that are <= d
  ceil,        // DAAO: ceil(d * L), 0 -> 1
};

// Why an operator cannot be used with this pool and catalog.
enum class Mask : std::uint8_t { usable = 0, too_few_llms, llm_policy, capability_kind, disabled };
const char* mask_name(Mask mask);

struct Config {
  int layers = 4;  // L, 1 .. kMaxLayers
  DepthRule depth_rule = DepthRule::cut_points;
  std::vector<double> cut_points;     // L - 1 in [0, 1], non-decreasing; not read by DAAO's rule
  double activation_threshold = 0.3;  // operators are taken until their probabilities sum to it, in (0, 1]
  double temperature = 0.01;          // of the softmax, > 0
  double cost_weight = 0.02;          // score lost per direct-call-equivalent of cost
  double reference_ability = 1.5;     // of the best LLM that the scores suppose, in logits above the reference LLM
  int max_stages = 8;                 // operators of one plan at most
  int max_uses = 1;                   // of one operator in a plan: what it fixes, it does not fix again
};
// Throws Error(config) with the path to the culprit, as in "operators.cut_points[1]".
void validate(const Config& config, const std::vector<catalog::Operator>& operators);

// Layers for a difficulty in [0, 1]; anything else is Error(input).
int depth(const Config& config, double difficulty);

// What scores suppose of distinct LLMs: each is this much less able than the one before, in logits. A prior, from the
// four ablest of the pool that ships (1.56, 1.39, 1.00, 0.90).
inline constexpr double kDistinctStep = 0.3;

// P(correct) of an LLM of this ability at this difficulty: sigmoid(ability - logit(difficulty)).
double competence(double ability, double difficulty);
// The operator's competence, were its slots run by the LLM that scores suppose, or by it and those next to it.
double competence(const catalog::Operator& oper, double reference_ability, double difficulty);

// The composition rule: the quality after an operator that found quality p and whose LLMs have competence c.
double quality_after(const catalog::Operator& oper, double p, double c);

// The query of which relative costs are stated: a short one, a typical answer, and output priced at 4 times input.
inline constexpr double kNominalInputTokens = 128, kNominalOutputTokens = 256, kOutputPriceRatio = 4;

// Priors of the operator table, as columns that are computed once at load.
struct Tables {
  std::vector<double> relative_cost;  // of each operator, in direct calls of the nominal query
};
Tables make_tables(const std::vector<catalog::Operator>& operators);

struct Choice {
  std::uint8_t oper = 0;
  std::uint8_t layer = 0;
  float score = 0;
  float probability = 0;
  bool operator==(const Choice&) const = default;
};

// The result: choices in the order in which they run, and each layer's distribution for the trace. An early stop that
// was drawn is the last choice. Rows of layers that were not reached, and operators beyond the table, are not written.
struct Allocation {
  int operators = 0;  // of the table: entries of a row
  int depth = 0;      // what the depth rule said
  int layers = 0;     // layers with at least one choice (early stop may end before depth)
  bool stopped_early = false;
  int count = 0;
  Choice choices[kMaxStages] = {};
  float scores[kMaxLayers][kMaxOperators] = {};
  float probabilities[kMaxLayers][kMaxOperators] = {};
};

// masks: one an operator. In each of depth(d) layers, operators are taken until their probabilities sum to the
// activation threshold: in descending score (ties: lower index), or with `rng` sampled without replacement. The first
// of all must generate; early stop ends the plan where it is drawn; an operator whose slots no longer fit is not taken,
// nor one that was taken max_uses times.
// Scores are the operator table's priors: what the operator adds to the quality that the layers before have reached, at
// its competence(oper, reference_ability, d), less cost_weight * relative_cost. Early stop adds 0. Allocates no memory.
void allocate(const Config& config, const std::vector<catalog::Operator>& operators, const Tables& tables,
              std::span<const Mask> masks, double difficulty, Philox* rng, Allocation& out);

// Which operators this pool and catalog can run, with the reason where not. `usable_llms` are those that pass the
// caller's rules; policy is per LLM; capability_kinds are the kinds that the catalog holds. Early stop needs nothing.
void mask_operators(const std::vector<catalog::Operator>& operators, std::span<const catalog::Policy> llm_policy,
                    std::span<const std::uint8_t> usable_llms, std::uint32_t capability_kinds, std::span<Mask> out);

}  // namespace turnout::operators
