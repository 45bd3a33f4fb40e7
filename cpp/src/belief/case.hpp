// What is known of one query: its answers, counted once each, and the weights that they leave.
#pragma once

#include "weights.hpp"

namespace turnout::belief {

class Case {
 public:
  Case(std::span<const Llm> llms, std::span<const Answer> answers, const AnswerModel& model);  // checks both

  int classes() const { return weights_.classes(); }
  const Weights& weights() const { return weights_; }
  double posterior(int answer) const { return weights_.mass(slot_[static_cast<std::size_t>(answer)]); }
  double posterior_of_none() const { return weights_.mass(weights_.classes()); }

  int votes() const { return votes_; }
  double sigma() const;
  int best() const;  // the likeliest class; in a tie the one of the ablest voter, then the first
  int slot(int answer) const { return answer < 0 ? -1 : slot_[static_cast<std::size_t>(answer)]; }
  bool left(int llm) const;    // whether it may be asked
  Voter voter(int llm) const;  // with what it has said
  double ablest() const;       // P(correct) of the ablest that has answered; 0 where nobody has
  bool last_failed() const { return !answers_.empty() && answers_.back().answer == consensus::kNoAnswer; }

 private:
  void count_once();
  Voter fresh(int llm) const;
  void add_own(Voter& voter, int llm, std::size_t end) const;
  void check_sample(std::size_t i, std::size_t j) const;
  void judge();
  double ability(int answer) const;

  std::span<const Llm> llms_;
  std::span<const Answer> answers_;
  AnswerModel model_;
  Nodes shifts_;
  std::array<bool, kMaxAnswers> counts_{};
  std::array<int, kMaxDistinct> slot_{};  // of a class, in the order in which the classes were counted
  int distinct_ = 0, votes_ = 0;
  Weights weights_;
};

}  // namespace turnout::belief
