// consensus: what many answers say together. Votes, pools of opinions, agreement; a sample counts once, and samples of
// one LLM count as far as they are independent. Never knows what an answer means: answers are classes 0, 1, ...
#pragma once

#include <cstdint>
#include <span>

#include "turnout/core.hpp"

namespace turnout::consensus {

inline constexpr int kMaxVotes = 1024;
inline constexpr std::int32_t kNoAnswer = -1;   // of a vote that says nothing: it does not count
inline constexpr std::int64_t kOwnSample = -1;  // of a vote whose sample has no id: a sample of its own
inline constexpr std::int32_t kNobody = -1;     // author of an answer that no voter wrote

// Provenance ---------------------------------------------------------------------------------------------------------

// Where a vote comes from. The same sample of the same LLM is one vote, however often it is given.
struct Source {
  std::int32_t llm = 0;
  std::int64_t sample = kOwnSample;
};

// counted[i] = 1 for the first vote of each sample, 0 for its repetitions; how many count. Throws Error(input).
int distinct(std::span<const Source> sources, std::span<std::uint8_t> counted);

// n / (1 + (n - 1) rho): how many independent votes n votes with the intra-class correlation rho are worth (the design
// effect; Kish, "Survey Sampling", 1965). Throws Error(input): "n" >= 0, "rho" in [0, 1].
double effective_votes(double n, double rho);
// weights[i] = 1 / (1 + (n - 1) rho[i]), n votes being of llm i's LLM: an LLM's votes sum to its effective votes.
void independence(std::span<const std::int32_t> llms, std::span<const double> rho, std::span<double> weights);

// Votes --------------------------------------------------------------------------------------------------------------

// `weights` and `abilities` may be empty: 1 each, and all alike.
struct Ballots {
  std::span<const std::int32_t> answers;  // a class, or kNoAnswer
  std::span<const double> weights;        // >= 0
  std::span<const double> abilities;      // P(correct) of each voter, or any number that rises with it
};

struct Winner {
  std::int32_t answer = kNoAnswer;  // where nobody says anything
  double score = 0;                 // sum of the weights that are for it
  double share = 0;                 // of all weights that are for an answer
  bool tied = false;                // others had the same score
};

// The class of the largest sum of weights; in a tie the one with the ablest voter of positive weight, then the lowest
// class. `scores`, one a class, is caller-owned. Throws Error(input) with the path "answers[2]", "weights[2]", ...
Winner vote(const Ballots& ballots, std::span<double> scores);

// Quadratic voting: weights[i] = sqrt(credits[i]), and 0 where a voter votes for an answer of its own. A voter with c
// times the credits of another has sqrt(c) times its weight.
void quadratic(std::span<const double> credits, std::span<const std::int32_t> voters,
               std::span<const std::int32_t> authors, std::span<double> weights);

// Opinions -----------------------------------------------------------------------------------------------------------

// Of N values, in N scratch places: the mean of what is left without the floor(trim N) smallest and largest; the
// median. Throws Error(input): "values", "values[2]", "trim" in [0, 0.5).
double trimmed_mean(std::span<const double> values, double trim, std::span<double> scratch);
double median(std::span<const double> values, std::span<double> scratch);

// Rows of numbers, one an opinion, a column a class; `weights` >= 0, not all 0, or empty: all alike.
struct Opinions {
  std::span<const double> rows;  // [weights or N][classes], row by row
  std::span<const double> weights;
  int classes = 0;
};

// Sum over opinions of weight * probability, with weights that sum to 1.
void linear_pool(const Opinions& opinions, std::span<double> out);
// Proportional to the product of probability^weight, with weights that sum to 1: the mean of log odds where there are
// two classes. A class that one opinion of positive weight rules out is out; Error(input) where that leaves none.
void log_pool(const Opinions& opinions, std::span<double> out);
// Weighted fusion of scores: the `top` largest weights (ties to the first) are scaled to sum to 1, the others are 0.
// `used`, one an opinion, gets them. top = 1 is the argmax of the weights.
void fuse(const Opinions& opinions, int top, std::span<double> used, std::span<double> out);

// Agreement ----------------------------------------------------------------------------------------------------------

// Of n answers that say something.
struct Agreement {
  int answers = 0;     // n
  int distinct = 0;    // classes among them; of ACAR's three probes: how many LLMs to ask
  double sigma = 0;    // (distinct - 1) / (n - 1): 0 all alike, 1 all different; of three 0, 1/2 or 1 (ACAR)
  double share = 0;    // of the largest class: self-consistency
  double entropy = 0;  // of the shares, in bits
};

// `counts`, one a class, is caller-owned.
Agreement agreement(std::span<const std::int32_t> answers, std::span<double> counts);

}  // namespace turnout::consensus
