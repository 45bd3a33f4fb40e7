// Which answer is right, given who said what: a posterior over the answers that were seen and over none of them.
#pragma once

#include <cstdint>
#include <limits>
#include <span>

#include "turnout/consensus.hpp"

namespace turnout::belief {

inline constexpr int kMaxAnswers = 64;   // that one decision looks at
inline constexpr int kMaxDistinct = 12;  // different ones among them

// How answers come about. One of `others` + 1 answers is right, none likelier than another beforehand. An LLM is right
// with its P(correct), whose logit is shifted for all LLMs alike by a normal variable: the query is harder or easier
// than it looked. A wrong answer is the query's trap with probability common + common_gain * P(correct), else any wrong
// one. A further sample of an LLM repeats one of its earlier ones with the correlation rho (a Polya urn).
struct AnswerModel {
  int others = 9;             // wrong answers that exist; more where more are seen
  double common = 0.2;        // of wrong answers are the trap: LLMs agree, but are wrong
  double common_gain = 0.75;  // more of them, times the LLM's P(correct): where the able err, they err alike
  double spread = 2.2;        // standard deviation of the shift, in logits
  double rho = 0.6;           // between samples of one LLM
  double score_weight = 1;    // of a judge's log odds
};

// Throws Error(config) with the path "model.<field>".
void validate(const AnswerModel& model);

struct Llm {
  double p_correct = 0;  // before any answer to this query
  double usd = 0, seconds = 0;
  bool allowed = true;
  int samples = 1;  // that may be drawn of it
};

struct Answer {
  std::int32_t llm = 0;
  std::int32_t answer = consensus::kNoAnswer;   // its class, 0, 1, ...; kNoAnswer: the call failed
  std::int64_t sample = consensus::kOwnSample;  // the same sample of the same LLM counts once
  bool reused = false;                          // kept from before: counts only where nothing else of this LLM does
  double score = std::numeric_limits<double>::quiet_NaN();  // a judge's, in [0, 1]; 0.5 says nothing
};

// P(class k is right) for the classes 0 .. out.size() - 2; the last is P(none of them). Throws Error(input).
void answer_posterior(std::span<const Llm> llms, std::span<const Answer> answers, const AnswerModel& model,
                      std::span<double> out);

}  // namespace turnout::belief
