// assign: an LLM for each call slot under hard limits, exact over the plan. Never knows how quality was predicted.
//
//   maximise  value_usd * p_T - sum(usd) - usd_per_second * sum(seconds)
//   subject to sum(usd_bound) <= budget, sum(seconds_bound) <= max_seconds
//   p_0 = 0,  p_t = p_(t-1) (1 - break_t (1 - g_t)) + (1 - p_(t-1)) fix_t g_t,  g_t = curve_t(sum_s weight_s
//   quality[s][m_s])
//
// An optional stage may be skipped (p unchanged, no cost). Seconds of a stage are the sum over its slots, or the max
// when they run in parallel. p_t is monotone in p_(t-1) and in every g_t, so label dominance is exact.
//
// Every term (quality, USD, seconds that cost or are limited) is rounded to a binary grid on which sums are exact:
// 2^-40 for probabilities, 2^-51 of the largest total for the others. Equal plans are then equal to the last bit in any
// order of summation, and a tie is a tie. docs/adr/0002-assign.md has the method and its numbers.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "turnout/core.hpp"

namespace turnout::assign {

struct Stage {
  int first_slot = 0, slots = 0;
  bool optional = false, parallel = false, distinct = false;
  double fix = 0, break_ = 0;
  const double* curve = nullptr;    // catalog::kCurveKnots values
  const double* weights = nullptr;  // one a slot
};

// All matrices are [slots, llms] row-major; `allowed` is 0 where a hard rule forbids the pair. Every number is finite
// and
// >= 0, also where it is not allowed; shares are in [0, 1]; every stage has a slot. Checked where data enters.
struct Problem {
  int llms = 0, slots = 0;
  std::span<const Stage> stages;
  const double* quality = nullptr;        // [llms]: P(correct) of each LLM on this query
  const double* usd = nullptr;            // expected
  const double* usd_bound = nullptr;      // the statistic that the budget bounds
  const double* seconds = nullptr;        // expected
  const double* seconds_bound = nullptr;  // the statistic that max_seconds bounds
  const std::uint8_t* allowed = nullptr;
  double value_usd = 0, usd_per_second = 0;
  Usd budget = Usd::unlimited();
  Seconds max_seconds = Seconds::unlimited();
};

enum class Status : std::uint8_t {
  unlimited_best,  // the best plan without limits meets them: it is the answer
  exact,           // limits bind; proved optimal
  label_cap,       // feasible; kMaxLabels was reached; `gap` bounds the utility lost
  infeasible,      // no plan meets the limits: of the mandatory stages alone, the fewest overspent USD, then the fewest
                   // overspent seconds, then the preferred plan among these
  no_candidate,    // a mandatory slot has no allowed LLM: nothing is assigned
};
const char* status_name(Status status);

struct Solution {
  Status status = Status::no_candidate;
  std::int16_t llm[kMaxNodes];  // per slot; -1 where its stage is skipped
  bool skipped[kMaxStages] = {};
  double quality = 0;  // p_T
  Usd usd, usd_bound;
  Seconds seconds, seconds_bound;
  double utility = 0;
  double gap = 0;  // upper bound of the optimum - utility; 0 when proved optimal
  int labels = 0;  // labels created by the limited search
};

// Scratch memory, sized once for the largest problem: solve() allocates nothing.
class Workspace {
 public:
  explicit Workspace(int max_llms = kMaxLlms);
  ~Workspace();
  Workspace(Workspace&&) noexcept;
  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

// Throws Error(input) when the problem is larger than the workspace. Deterministic; ties go to the lower total USD,
// then to the lower LLM indices in slot order.
void solve(const Problem& problem, Workspace& ws, Solution& out);

// Quality, cost and time of a given assignment (llm per slot, -1 for every slot of a skipped stage): the definition.
void evaluate(const Problem& problem, Solution& solution);

}  // namespace turnout::assign
