// Sums of weights a class, and how far answers agree.
#include <algorithm>
#include <limits>

#include "check.hpp"

namespace turnout::consensus {
namespace {

void check_answers(std::span<const std::int32_t> answers, std::size_t classes) {
  check_votes("answers", answers.size());
  for (std::size_t i = 0; i < answers.size(); ++i)
    if (answers[i] < kNoAnswer || (answers[i] >= 0 && static_cast<std::size_t>(answers[i]) >= classes))
      refuse("answers", i, "a class, or -1 for no answer");
}

void check(const Ballots& b, std::size_t classes) {
  check_answers(b.answers, classes);
  if (!b.weights.empty()) check_length("weights", b.weights.size(), b.answers.size());
  if (!b.abilities.empty()) check_length("abilities", b.abilities.size(), b.answers.size());
  check_not_negative("weights", b.weights);
  check_finite("abilities", b.abilities);
}

double weight(const Ballots& b, std::size_t i) { return b.weights.empty() ? 1 : b.weights[i]; }

// Of the voters for a class that weigh anything.
double ablest(const Ballots& b, std::int32_t answer) {
  double most = -std::numeric_limits<double>::infinity();
  if (b.abilities.empty()) return most;
  for (std::size_t i = 0; i < b.answers.size(); ++i)
    if (b.answers[i] == answer && weight(b, i) > 0) most = std::max(most, b.abilities[i]);
  return most;
}

double tally(const Ballots& b, std::span<double> scores) {
  std::fill(scores.begin(), scores.end(), 0.0);
  double all = 0;
  for (std::size_t i = 0; i < b.answers.size(); ++i) {
    if (b.answers[i] < 0) continue;
    scores[static_cast<std::size_t>(b.answers[i])] += weight(b, i);
    all += weight(b, i);
  }
  return all;
}

}  // namespace

Winner vote(const Ballots& b, std::span<double> scores) {
  check(b, scores.size());
  const double all = tally(b, scores);
  Winner best;
  double ability = 0;
  for (std::size_t k = 0; k < scores.size(); ++k) {
    if (scores[k] <= 0 || scores[k] < best.score) continue;
    const bool tied = scores[k] == best.score;
    const double voter = ablest(b, static_cast<std::int32_t>(k));
    if (!tied || voter > ability) {
      best = {static_cast<std::int32_t>(k), scores[k], scores[k] / all};
      ability = voter;
    }
    best.tied = tied;
  }
  return best;
}

void quadratic(std::span<const double> credits, std::span<const std::int32_t> voters,
               std::span<const std::int32_t> authors, std::span<double> weights) {
  check_votes("credits", credits.size());
  check_length("voters", voters.size(), credits.size());
  check_length("authors", authors.size(), credits.size());
  check_length("weights", weights.size(), credits.size());
  check_not_negative("credits", credits);
  for (std::size_t i = 0; i < credits.size(); ++i)
    weights[i] = authors[i] != kNobody && authors[i] == voters[i] ? 0 : std::sqrt(credits[i]);
}

Agreement agreement(std::span<const std::int32_t> answers, std::span<double> counts) {
  check_answers(answers, counts.size());
  Agreement a;
  a.answers = static_cast<int>(tally({answers, {}, {}}, counts));
  for (const double count : counts) {
    if (count == 0) continue;
    const double share = count / a.answers;
    ++a.distinct;
    a.share = std::max(a.share, share);
    if (share < 1) a.entropy -= share * std::log2(share);
  }
  if (a.answers > 1) a.sigma = static_cast<double>(a.distinct - 1) / (a.answers - 1);
  return a;
}

}  // namespace turnout::consensus
