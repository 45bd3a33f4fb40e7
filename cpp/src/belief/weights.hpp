// Weights of the hypotheses (how hard the query is, which answer is right, which is the trap), updated answer by
// answer.
#pragma once

#include <array>
#include <span>

#include "turnout/belief/next.hpp"

namespace turnout::belief {

inline constexpr int kNodes = 5;                 // of Gauss-Hermite quadrature over the shift
inline constexpr int kSlots = kMaxDistinct + 3;  // classes, two that a look-ahead adds, and the unseen ones together

using Nodes = std::array<double, kNodes>;

// P(correct) of one LLM at each node, so that their mean is p.
Nodes at_nodes(double p, const Nodes& shifts);
Nodes shifts_of(double spread);  // factors of the odds

// Somebody who is to answer: what it said before, if anything.
struct Voter {
  Nodes p;
  double common = 0;                 // of its wrong answers are the trap
  std::array<double, kSlots> own{};  // earlier samples by class
  double samples = 0;
};

class Weights {
 public:
  Weights(const AnswerModel& model, int distinct);
  Weights(const Weights& other);  // of what is in use alone
  Weights& operator=(const Weights&) = delete;
  int classes() const { return classes_; }
  double mass(int truth) const;  // of a class; of classes(): of all that were not seen
  double total() const;

  void add_class();                              // a class that was not seen before, with no evidence for it yet
  void observe(const Voter& voter, int answer);  // multiplies by the likelihood
  void observe_new(const Voter& voter);          // that it says something that was not seen, whatever it is
  void weigh(int truth, double factor);
  void normalise();

  // Of a further answer of `voter`, for each outcome (a class, or last a new one), what is best then: the largest of
  // value * mass(truth) - wrong * rest, and of 0. `changes`: whether one differs from `now`, the choice without it.
  double expected_best(const Voter& voter, double value, double wrong, int now, bool& changes) const;

 private:
  struct Sums;
  void joint(const Sums& sums, const Voter& voter, int answer, std::span<double> out) const;
  void joint_new(const Sums& sums, const Voter& voter, std::span<double> out) const;
  double likelihood(const Voter& voter, int answer, int node, int truth, int trap) const;
  double unseen() const { return model_.others + 1 - classes_; }

  AnswerModel model_;
  int classes_ = 0;
  double w_[kNodes][kSlots][kSlots];  // [node][truth][trap]; at `classes_` the unseen ones
};

// The best choice of masses: a class, or -1 where returning nothing is best.
struct Choice {
  int answer = -1;
  double value = 0;
};
Choice best_choice(std::span<const double> masses, double total, double value, double wrong);

}  // namespace turnout::belief
