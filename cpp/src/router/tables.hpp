// Everything on the catalog's side of a decision, computed once at load: costs as lines in the query's tokens.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "turnout/catalog.hpp"
#include "turnout/operators.hpp"
#include "turnout/router.hpp"

namespace turnout {

// The `cap` statistic lets outputs and prompts run to this multiple of their p90 (outputs) and mean (prompts).
inline constexpr double kCapFactor = 1.5;

// Cost of one slot on one LLM: usd = base + per_token * query tokens.
struct Line {
  double base = 0, per_token = 0;
  double at(double tokens) const { return base + per_token * tokens; }
};

struct SlotCost {
  Line usd[3];        // by trace::Statistic
  double seconds[3];  // by trace::Statistic
  std::int32_t max_output_tokens = 0;
};

// The same taken apart, for queries whose answers are `scale` times as long as the LLM's own.
struct OutputCost {
  double mean = 0, p90 = 0, limit = 0;  // tokens of an answer, and where it is cut
  double usd_rest[3];                   // by trace::Statistic: all but the answer and the query's tokens
  double usd_per_token = 0;             // of an answer, all calls together
  double seconds_rest = 0, seconds_per_token = 0;

  double tokens(int statistic, double scale) const;
  std::int32_t max_tokens(double scale) const;
};

struct Router::Tables {
  int llms = 0;
  std::vector<int> first_slot;            // of each operator, into the slots of the whole catalog
  std::vector<catalog::Slot> slots;       // of all operators, and `direct_slot`
  std::vector<SlotCost> costs;            // [slots, llms]
  std::vector<OutputCost> outputs;        // [slots, llms]
  std::vector<catalog::Policy> policies;  // of each LLM
  std::vector<double> weights;            // of each slot
  std::vector<double> abilities;          // [llms]
  std::vector<float> skills;              // [llms, S]
  std::vector<double> discriminations;    // [llms]
  std::vector<double> length_gains;       // [llms]; empty: all LLMs share the query's output scale
  std::vector<float> length_skills;       // [llms, S]; likewise
  std::vector<std::uint8_t> all_llms;     // ones
  std::vector<operators::Mask> masks;     // without constraints
  std::uint32_t capability_kinds = 0;     // that the catalog holds
  operators::Tables operators;
  int alternative_operator = -1;  // the cheapest one that generates with a single slot

  int direct_slot = 0;  // a call that is asked the query and nothing else; of no operator

  // Of one slot on one LLM, for a query of so many tokens to which its answers have this scale. A scale of 1 is what
  // was computed at load.
  double usd(int slot, int llm, int statistic, double tokens, double scale) const {
    const auto cell = static_cast<std::size_t>(slot * llms + llm);
    const Line& line = costs[cell].usd[statistic];
    if (scale == 1) return line.at(tokens);
    const OutputCost& o = outputs[cell];
    return o.usd_rest[statistic] + o.usd_per_token * o.tokens(statistic, scale) + line.per_token * tokens;
  }
  double seconds(int slot, int llm, int statistic, double scale) const {
    const auto cell = static_cast<std::size_t>(slot * llms + llm);
    if (scale == 1) return costs[cell].seconds[statistic];
    return outputs[cell].seconds_rest + outputs[cell].seconds_per_token * outputs[cell].tokens(statistic, scale);
  }
  std::int32_t max_output_tokens(int slot, int llm, double scale) const {
    const auto cell = static_cast<std::size_t>(slot * llms + llm);
    return scale == 1 ? costs[cell].max_output_tokens : outputs[cell].max_tokens(scale);
  }
  double output_scale(int llm, const difficulty::Assessment& a) const {
    if (length_gains.empty()) return static_cast<double>(a.output_scale);
    const int width = static_cast<int>(skills.size()) / llms;
    const double shift = static_cast<double>(dot(length_skills.data() + llm * width, a.skills, width));
    const double gain = length_gains[static_cast<std::size_t>(llm)];
    return static_cast<double>(difficulty::output_scale(gain * static_cast<double>(a.log_output_scale) + shift));
  }
  std::int32_t input_tokens(int slot, double tokens) const;  // expected prompt of one call
  std::int32_t input_cap(int slot, double tokens) const;     // what the cap statistic charges
};

inline std::int32_t OutputCost::max_tokens(double scale) const {
  return static_cast<std::int32_t>(std::min({std::ceil(kCapFactor * p90 * scale), limit, 1e9}));
}

inline double OutputCost::tokens(int statistic, double scale) const {
  if (statistic == static_cast<int>(trace::Statistic::cap)) return max_tokens(scale);
  return std::min((statistic == static_cast<int>(trace::Statistic::mean) ? mean : p90) * scale, limit);
}

std::unique_ptr<const Router::Tables> make_tables(const Snapshot& snapshot);

}  // namespace turnout
