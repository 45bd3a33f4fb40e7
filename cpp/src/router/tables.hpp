// Everything on the catalog's side of a decision, computed once at load: costs as lines in the query's tokens.
#pragma once

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

struct Router::Tables {
  int llms = 0;
  std::vector<int> first_slot;            // of each operator, into the slots of the whole catalog
  std::vector<catalog::Slot> slots;       // of all operators
  std::vector<SlotCost> costs;            // [slots, llms]
  std::vector<SlotCost> direct;           // [llms]: one call that is asked the query and nothing else
  std::vector<catalog::Policy> policies;  // of each LLM
  std::vector<double> weights;            // of each slot
  std::vector<double> abilities;          // [llms]
  std::vector<float> skills;              // [llms, S]
  std::vector<std::uint8_t> all_llms;     // ones
  std::vector<operators::Mask> masks;     // without constraints
  std::uint32_t capability_kinds = 0;     // that the catalog holds
  operators::Tables operators;
  int alternative_operator = -1;  // the cheapest one that generates with a single slot

  const SlotCost& cost(int slot, int llm) const { return costs[static_cast<std::size_t>(slot * llms + llm)]; }
  std::int32_t input_tokens(int slot, double tokens) const;  // expected prompt of one call
  std::int32_t input_cap(int slot, double tokens) const;     // what the cap statistic charges
};

std::unique_ptr<const Router::Tables> make_tables(const Snapshot& snapshot);

}  // namespace turnout
