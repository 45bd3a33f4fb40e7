// The next step after an answer: stop, or ask whom.
#pragma once

#include "turnout/belief/answers.hpp"

namespace turnout::belief {

enum class Action : std::uint8_t {
  stop,
  retry,     // elsewhere: the last call failed
  escalate,  // to an LLM that is abler than all that have answered
  probe,     // more evidence: a first answer, another LLM's, or another sample
};
const char* action_name(Action action);

enum class Reason : std::uint8_t {
  // of a stop
  agreed,        // all answers are alike, and no further one is worth its cost
  confident,     // no single further answer would change what is returned
  not_worth_it,  // one would, but costs more than that is worth
  no_budget,     // one would be worth its cost, and does not fit into what is left
  no_llm_left,   // nobody is left to ask
  // of a call
  unanswered,   // there is no answer yet
  unsure,       // the answers are alike, and not enough
  disagreed,    // they are not
  call_failed,  // the last call
};
const char* reason_name(Reason reason);

struct Left {
  double usd = std::numeric_limits<double>::infinity(), seconds = std::numeric_limits<double>::infinity();
  double calls = std::numeric_limits<double>::infinity();
};

struct Question {
  std::span<const Llm> llms;
  std::span<const Answer> answers;  // in the order in which they came
  double value_usd = 0;             // of a right answer
  double wrong_usd = 0;             // what returning a wrong one costs
  double usd_per_second = 0;
  Left left;
  AnswerModel model;
  int depth = 2;  // calls to look ahead, 1 to 3
};

struct Step {
  Action action = Action::stop;
  Reason reason = Reason::no_llm_left;
  int llm = -1;          // to ask; -1 on a stop
  int answer = -1;       // the likeliest so far; -1: there is none
  double posterior = 0;  // that it is right
  double voi = 0;        // USD that the best next call is worth, less the expected cost of a second one
  double cost = 0;       // USD of it, with its time's price
  double sigma = 0;      // disagreement of the answers, 0 to 1
  int votes = 0;         // answers that count
  bool abstain = false;  // on a stop: returning no answer is better than returning this one
};

// Asks where voi > cost, the call of the largest voi - cost: of equal ones the cheapest, then the first. Looks one call
// ahead over all LLMs; further over those that no other one beats in P(correct) and cost, at most kWidth of them. What
// does not fit into what is left is never asked for. A pure function: it reads no clock and keeps nothing. Throws
// Error(input) with the path, as in "llms[2].p_correct" or "answers[1].llm".
Step next(const Question& question);

inline constexpr int kWidth = 8;

}  // namespace turnout::belief
