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
enum class Mask : std::uint8_t { usable = 0, too_few_llms, llm_policy, capability_kind, not_generating, disabled };
const char* mask_name(Mask mask);

struct Config {
  int layers = 4;                   // L, 1 .. kMaxLayers
  DepthRule depth_rule = DepthRule::cut_points;
  std::vector<double> cut_points;   // L - 1, non-decreasing
  double activation_threshold = 0.3;  // operators are taken until their probabilities sum to it, in (0, 1]
  double temperature = 0.1;         // of the softmax, > 0
  double cost_weight = 0.02;        // score lost per direct-call-equivalent of cost
  int max_stages = 8;               // operators of one plan at most
};
void validate(const Config& config, const std::vector<catalog::Operator>& operators);

int depth(const Config& config, double difficulty);

// Priors of the operator table, as columns that are computed once at load.
struct Tables {
  std::vector<double> relative_cost;  // of each operator, in direct calls
};
Tables make_tables(const std::vector<catalog::Operator>& operators);

struct Choice {
  std::uint8_t oper = 0;
  std::uint8_t layer = 0;
  float score = 0;
  float probability = 0;
};

// The result: choices in the order in which they run, and each layer's distribution for the trace.
struct Allocation {
  int depth = 0;     // what the depth rule said
  int layers = 0;    // layers that were filled (early stop may end before depth)
  bool stopped_early = false;
  int count = 0;
  Choice choices[kMaxStages] = {};
  float scores[kMaxLayers][kMaxOperators] = {};
  float probabilities[kMaxLayers][kMaxOperators] = {};
};

// masks: one a operator. With `rng` operators are sampled without replacement, otherwise taken in descending
// probability (ties: lower index). Scores are the operator table's priors: the gain in quality for a reference LLM, less
// cost_weight * relative_cost.
void allocate(const Config& config, const std::vector<catalog::Operator>& operators, const Tables& tables,
              std::span<const Mask> masks, double difficulty, Philox* rng, Allocation& out);

// Which operators this pool and catalog can run, with the reason where not. `usable_llms` are those that pass the
// caller's rules; policy is per LLM.
void mask_operators(const std::vector<catalog::Operator>& operators, std::span<const catalog::Policy> llm_policy,
                    std::span<const std::uint8_t> usable_llms, std::uint32_t capability_kinds, std::span<Mask> out);

}  // namespace turnout::operators
