// The log of decisions and outcomes as columns, for off-policy evaluation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "turnout/state/ticket.hpp"

namespace turnout::state {

// A row is an outcome of a whole plan, or of node 0 where there is one, with its decision. Candidates are padded to
// kMaxCandidates a row, with arm -1 and zeros.
struct Feedback {
  int dim = 0;
  std::vector<std::uint64_t> ticket, state_version;
  std::vector<std::uint32_t> epoch;
  std::vector<std::int32_t> chosen, candidate_count, failure;
  std::vector<std::int32_t> arms;  // indices into arm_names
  std::vector<double> probabilities, predicted_quality, predicted_usd, predicted_seconds;
  std::vector<float> context;  // dim a row
  std::vector<double> prior, value_usd, usd_per_second;
  std::vector<double> score, usd, in_tokens, out_tokens, seconds;
  std::vector<std::uint8_t> learned;
  std::vector<std::string> arm_names;
  std::uint64_t tickets = 0, unanswered = 0, orphans = 0;  // orphans: outcomes whose ticket is not in the log
  std::vector<std::pair<std::uint64_t, std::span<const std::byte>>> notes;  // they point into the parts
  std::vector<std::size_t> read;                                            // bytes of whole records, of each part
};

// Parts of a log, in order. Each ticket and node counts once. Throws Error(input) where parts differ in dimension or
// space.
Feedback read_log(std::span<const std::span<const std::byte>> parts);

}  // namespace turnout::state
