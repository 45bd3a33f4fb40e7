// What is remembered of a decision until its outcome comes, and what an outcome says.
#pragma once

#include <cstdint>
#include <limits>

#include "turnout/core.hpp"

namespace turnout::state {

inline constexpr int kMaxContext = 128;  // d, features of a query
inline constexpr int kMaxArms = 4096;    // that a Memory knows by name
using turnout::kMaxCandidates;           // what a decision was drawn from
inline constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

// A plan that could have been drawn: the best one, or a single call of an arm (an LLM).
struct Candidate {
  std::int32_t arm = -1;  // of the Memory; -1: a plan of several calls
  double probability = 0;
  double quality = 0, usd = 0, seconds = 0;  // as predicted at the time, corrections included
};

// One call slot of the plan.
struct Step {
  std::int32_t arm = -1;
  double prior = 0;           // P(correct) by the outcome model alone: outcomes are judged against it
  double usd = 0;             // expected by the catalog's prices alone
  double quality = kUnknown;  // P(correct) as it was decided with
};

struct Ticket {
  std::uint64_t id = 0;             // given by the Memory
  std::uint32_t epoch = 0;          // likewise
  std::uint64_t state_version = 0;  // that the decision read
  double value_usd = 0, usd_per_second = 0;
  double prior = 0;  // P(correct) of the whole plan by the outcome model alone
  std::int32_t dim = 0, candidate_count = 0, chosen = 0, step_count = 0;
  float context[kMaxContext] = {};
  Candidate candidates[kMaxCandidates];
  Step steps[kMaxNodes];
};

// Why there is no answer. `wrong` answers are scores, not failures.
enum class Failure : std::uint8_t { none, timeout, rate_limited, unavailable, refused, invalid, other };
inline constexpr int kFailures = 7;
const char* failure_name(Failure failure);

// Of a whole plan or of one node; what is not known is NaN.
struct Outcome {
  double score = kUnknown;  // [0, 1]
  double usd = kUnknown, in_tokens = kUnknown, out_tokens = kUnknown, seconds = kUnknown;
  Failure failure = Failure::none;
};

}  // namespace turnout::state
