#include "case.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "check.hpp"

namespace turnout::belief {
namespace {

constexpr double kSurest = 0.999;  // of a judge: no score decides alone
constexpr double kTie = 1e-12;     // posteriors that differ by rounding alone

int checked(std::span<const Llm> llms, std::span<const Answer> answers, const AnswerModel& model) {
  validate(model);
  check_llms(llms);
  return check_answers(answers, llms.size());
}

double log_odds(double score) {
  const double s = std::clamp(score, 1 - kSurest, kSurest);
  return std::log(s / (1 - s));
}

bool same_sample(const Answer& a, const Answer& b) {
  return a.llm == b.llm && a.sample == b.sample && a.sample != consensus::kOwnSample;
}

}  // namespace

Case::Case(std::span<const Llm> llms, std::span<const Answer> answers, const AnswerModel& model)
    : llms_(llms),
      answers_(answers),
      model_(model),
      shifts_(shifts_of(model.spread)),
      distinct_(checked(llms, answers, model)),
      weights_(model, distinct_) {
  count_once();
  slot_.fill(-1);
  const auto place = [&](int answer) {
    auto& slot = slot_[static_cast<std::size_t>(answer)];
    if (slot >= 0) return;
    slot = weights_.classes();
    weights_.add_class();
  };
  for (std::size_t i = 0; i < answers_.size(); ++i) {
    if (!counts_[i]) continue;
    place(answers_[i].answer);
    Voter v = fresh(answers_[i].llm);
    add_own(v, answers_[i].llm, i);
    weights_.observe(v, slot_[static_cast<std::size_t>(answers_[i].answer)]);
    weights_.normalise();
    ++votes_;
  }
  for (int k = 0; k < distinct_; ++k) place(k);  // of answers that do not count
  judge();
}

void Case::check_sample(std::size_t i, std::size_t j) const {
  if (answers_[i].answer != answers_[j].answer)
    throw Error(ErrorKind::input, "answers[" + std::to_string(i) + "].answer",
                "expected the answer that this sample has in answers[" + std::to_string(j) + "]");
}

void Case::count_once() {
  for (std::size_t i = 0; i < answers_.size(); ++i) {
    const Answer& a = answers_[i];
    counts_[i] = a.answer != consensus::kNoAnswer;
    for (std::size_t j = 0; j < answers_.size() && counts_[i]; ++j) {
      const Answer& b = answers_[j];
      if (j == i || a.llm != b.llm || b.answer == consensus::kNoAnswer) continue;
      const bool again = j < i && same_sample(a, b);
      if (again) check_sample(i, j);
      if (again || (a.reused && (!b.reused || j < i))) counts_[i] = false;
    }
  }
}

Voter Case::fresh(int llm) const {
  const double p = llms_[static_cast<std::size_t>(llm)].p_correct;
  return {at_nodes(p, shifts_), model_.common + model_.common_gain * p};
}

// The first `end` answers of an LLM, as far as they count.
void Case::add_own(Voter& v, int llm, std::size_t end) const {
  for (std::size_t i = 0; i < end; ++i) {
    if (!counts_[i] || answers_[i].llm != llm) continue;
    v.own[static_cast<std::size_t>(slot_[static_cast<std::size_t>(answers_[i].answer)])] += 1;
    v.samples += 1;
  }
}

// The median of the judges' log odds of each class.
void Case::judge() {
  std::array<double, kMaxAnswers> odds, scratch;
  bool any = false;
  for (int k = 0; k < distinct_; ++k) {
    std::size_t n = 0;
    for (std::size_t i = 0; i < answers_.size(); ++i)
      if (counts_[i] && answers_[i].answer == k && !std::isnan(answers_[i].score))
        odds[n++] = log_odds(answers_[i].score);
    if (n == 0) continue;
    any = true;
    const double middle = consensus::median({odds.data(), n}, {scratch.data(), n});
    weights_.weigh(slot_[static_cast<std::size_t>(k)], std::exp(model_.score_weight * middle));
  }
  if (any) weights_.normalise();
}

double Case::sigma() const {
  std::array<std::int32_t, kMaxAnswers> said;
  std::array<double, kMaxDistinct> counts;
  std::size_t n = 0;
  for (std::size_t i = 0; i < answers_.size(); ++i)
    if (counts_[i]) said[n++] = answers_[i].answer;
  return consensus::agreement({said.data(), n}, counts).sigma;
}

double Case::ability(int answer) const {
  double most = 0;
  for (std::size_t i = 0; i < answers_.size(); ++i)
    if (counts_[i] && (answer < 0 || answers_[i].answer == answer))
      most = std::max(most, llms_[static_cast<std::size_t>(answers_[i].llm)].p_correct);
  return most;
}

double Case::ablest() const { return ability(-1); }

int Case::best() const {
  int best = distinct_ > 0 ? 0 : -1;
  for (int k = 1; k < distinct_; ++k) {
    const double ahead = posterior(k) - posterior(best);
    if (ahead > kTie || (ahead >= -kTie && ability(k) > ability(best))) best = k;
  }
  return best;
}

bool Case::left(int llm) const {
  if (!llms_[static_cast<std::size_t>(llm)].allowed) return false;
  int drawn = 0;
  for (std::size_t i = 0; i < answers_.size(); ++i) {
    if (answers_[i].llm != llm) continue;
    if (answers_[i].answer == consensus::kNoAnswer) return false;
    drawn += counts_[i];
  }
  return drawn < llms_[static_cast<std::size_t>(llm)].samples;
}

Voter Case::voter(int llm) const {
  Voter v = fresh(llm);
  add_own(v, llm, answers_.size());
  return v;
}

void answer_posterior(std::span<const Llm> llms, std::span<const Answer> answers, const AnswerModel& model,
                      std::span<double> out) {
  const Case c(llms, answers, model);
  if (out.size() != static_cast<std::size_t>(c.classes()) + 1)
    throw Error(ErrorKind::input, "out", "expected one an answer, and one for none of them");
  for (int k = 0; k < c.classes(); ++k) out[static_cast<std::size_t>(k)] = c.posterior(k);
  out.back() = c.posterior_of_none();
}

}  // namespace turnout::belief
