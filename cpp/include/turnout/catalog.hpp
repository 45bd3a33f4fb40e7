// catalog: the immutable snapshot of what can be chosen: LLMs, operators, tools, agents. Never knows queries.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "turnout/core.hpp"

namespace turnout::catalog {

// Policy bits are named by the host; these names are predefined. For an LLM a bit says what it offers, for a capability
// what the caller must have granted.
using Policy = std::uint32_t;
inline constexpr Policy kAllPolicy = ~Policy{0};

struct Llm {
  std::string id;
  double usd_per_mtok_in = 0, usd_per_mtok_out = 0, usd_per_call = 0;  // USD per million tokens, USD per call
  std::int64_t context_tokens = 0;                                     // prompt + output
  std::int64_t max_output_tokens = 0;
  Policy policy = 0;
  // P(correct) = floor(q) + (1 - floor(q)) sigmoid(ability + skill . s(q) - discrimination b(q)); b(q) = logit of the
  // difficulty d(q); ability 0 is the reference LLM.
  double ability = 0;
  double ability_se = 0;
  std::vector<double> skill;
  double discrimination = 1;
  double output_tokens_mean = 256, output_tokens_p90 = 512;  // of a direct answer
  // Its answers to a query are exp(length_gain v(q) + length_skill . s(q)) times as long, v(q) the logarithm of the
  // output scale; an empty length_skill is zeros.
  double length_gain = 1;
  std::vector<double> length_skill;
  double seconds_to_first_token = 0.5, seconds_per_output_token = 0.02;

  bool operator==(const Llm&) const = default;
};

// One call slot of an operator: an LLM is assigned to each.
struct Slot {
  std::string role;
  int calls = 1;       // how often it is called: cost multiplies
  int rounds = 1;      // of which one after the other: time multiplies
  double in_mult = 1;  // prompt tokens = in_mult * query tokens + in_extra
  double in_extra = 0;
  double out_mult = 1;  // output tokens = out_mult * the LLM's own
  double weight = 1;    // share in the operator's competence; a stage's weights sum to 1
  bool uses_tools = false;

  bool operator==(const Slot&) const = default;
};

inline constexpr int kCurveKnots = 65;

// With competence c (weighted mean of its LLMs' P(correct)) and g = curve(c), an operator maps quality p to
// p (1 - break (1 - g)) + (1 - p) fix g. Monotone in p and in every LLM's P(correct), for fix and break in [0, 1].
struct Operator {
  std::string id;
  bool generates = false;  // may begin a plan
  bool stops = false;      // early stop: no slots, ends the plan
  bool parallel = false;   // its slots run side by side: seconds = max, else sum
  bool distinct = false;   // its slots take pairwise distinct LLMs
  double fix = 0, break_ = 0;
  std::vector<double> curve;  // kCurveKnots values over c = 0 .. 1, non-decreasing, linear between
  std::vector<Slot> slots;
  int min_llms = 1;                    // distinct usable LLMs that it needs
  Policy needs_llm = 0;                // policy bits that its LLMs must offer
  std::uint32_t needs_capability = 0;  // capability kinds of which the catalog must hold at least one each
  bool measured = false;               // fix, break, curve and weights come from recorded outcomes, not from priors
  std::string source;                  // where the numbers come from

  bool operator==(const Operator&) const = default;
};

enum class Kind : std::uint8_t { tool = 0, agent = 1, code = 2, retrieval = 3 };
inline constexpr int kKinds = 4;
constexpr std::uint32_t kind_bit(Kind k) { return 1u << static_cast<unsigned>(k); }
const char* kind_name(Kind kind);

struct Capability {
  std::string id;
  Kind kind = Kind::tool;
  std::string description;
  Policy requires_ = 0;  // all of these must be granted by the caller
  double usd_per_call = 0;
  double seconds = 0;

  bool operator==(const Capability&) const = default;
};

// Value of a curve (kCurveKnots values) at c, by linear interpolation; c is clamped to [0, 1], NaN to 0.
double curve_at(const std::vector<double>& curve, double c);

// Each list alone. Throws Error(config) with the path to the culprit, as in "operators[3].slots[0].calls".
void validate(const std::vector<Llm>& llms);
void validate(const std::vector<Operator>& operators);
void validate(const std::vector<Capability>& capabilities);

// Everything that can be chosen, checked once.
struct Catalog {
  std::vector<Llm> llms;
  std::vector<Operator> operators;
  std::vector<Capability> capabilities;

  void validate() const;

  bool operator==(const Catalog&) const = default;
};

}  // namespace turnout::catalog
