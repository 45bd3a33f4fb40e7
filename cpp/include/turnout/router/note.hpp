// A logged decision, read back: what it was asked and what it answered.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "turnout/router.hpp"

namespace turnout {

struct Note {
  std::int32_t tools = 0;
  std::optional<Constraints> constraints;
  double allowance = 0;  // of a draw, as Learner::allowance() gave it
  trace::Names names;    // that the decision's ids stand for; of capabilities those it mentions
  bool is_text = false;
  std::string text;
  std::vector<float> vector;
  trace::Decision decision;
  std::vector<trace::Condition> conditions;  // of `names.llms`, or none
};

// Checks every count; throws Error(input) with the path "note". Bytes are this machine's own, as trace::pack's.
Note read_note(std::span<const std::byte> bytes);
// Its rules and conditions, by name, for another router's ids; what that does not know is dropped.
void rename(Note& note, const trace::Names& names);
// The same question again, for a router whose vectors have `dim` numbers; valid while the note lives. What an account
// left and what telemetry said are in it. Error(input) where its vector is another's.
Request request_of(const Note& note, int dim);

}  // namespace turnout
