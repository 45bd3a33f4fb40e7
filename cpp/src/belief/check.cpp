#include "check.hpp"

#include <cmath>
#include <string>

namespace turnout::belief {
namespace {

constexpr double kMost = 1e9;  // USD and seconds of a call
constexpr double kMostCommon = 0.999;

[[noreturn]] void refuse(const char* column, std::size_t i, const char* field, const char* expected) {
  throw Error(ErrorKind::input, std::string(column) + "[" + std::to_string(i) + "]." + field,
              std::string("expected ") + expected);
}

void check_model(bool ok, const char* field, const char* expected) {
  if (!ok) throw Error(ErrorKind::config, std::string("model.") + field, std::string("expected ") + expected);
}

bool within(double x, double most) { return x >= 0 && x <= most; }

}  // namespace

void validate(const AnswerModel& m) {
  check_model(m.others >= 1 && m.others <= 1'000'000, "others", "1 to 1000000 wrong answers");
  // Were every wrong answer the trap, three different answers could not be.
  check_model(within(m.common, kMostCommon), "common", "a number from 0 to 0.999");
  check_model(within(m.common_gain, 1) && m.common + m.common_gain <= kMostCommon, "common_gain",
              "a number from 0 to 0.999 that leaves common + common_gain <= 0.999");
  check_model(within(m.spread, 5), "spread", "a number from 0 to 5");
  check_model(m.rho >= 0 && m.rho <= 0.999, "rho", "a number from 0 to 0.999");
  check_model(within(m.score_weight, 10), "score_weight", "a number from 0 to 10");
}

void check_llms(std::span<const Llm> llms) {
  if (llms.size() > static_cast<std::size_t>(kMaxLlms))
    throw Error(ErrorKind::input, "llms", "expected at most " + std::to_string(kMaxLlms));
  for (std::size_t i = 0; i < llms.size(); ++i) {
    if (!within(llms[i].p_correct, 1)) refuse("llms", i, "p_correct", "a number from 0 to 1");
    if (!within(llms[i].usd, kMost)) refuse("llms", i, "usd", "a number from 0 to 1e9");
    if (!within(llms[i].seconds, kMost)) refuse("llms", i, "seconds", "a number from 0 to 1e9");
    if (llms[i].samples < 1 || llms[i].samples > kMaxAnswers) refuse("llms", i, "samples", "1 to 64");
  }
}

int check_answers(std::span<const Answer> answers, std::size_t llms) {
  if (answers.size() > static_cast<std::size_t>(kMaxAnswers))
    throw Error(ErrorKind::input, "answers", "expected at most " + std::to_string(kMaxAnswers));
  int distinct = 0;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const Answer& a = answers[i];
    if (a.llm < 0 || static_cast<std::size_t>(a.llm) >= llms) refuse("answers", i, "llm", "an index of llms");
    if (a.answer < consensus::kNoAnswer || a.answer >= kMaxDistinct)
      refuse("answers", i, "answer", "one of 12 different answers at most, or -1 where the call failed");
    if (!std::isnan(a.score) && !within(a.score, 1)) refuse("answers", i, "score", "a number from 0 to 1");
    distinct = std::max(distinct, a.answer + 1);
  }
  return distinct;
}

void check_question(const Question& q) {
  const auto check = [](bool ok, const char* path, const char* expected) {
    if (!ok) throw Error(ErrorKind::input, path, std::string("expected ") + expected);
  };
  check(within(q.value_usd, kMaxValueUsd), "value_usd", "a number from 0 to 1e6");
  check(within(q.wrong_usd, kMaxValueUsd), "wrong_usd", "a number from 0 to 1e6");
  check(within(q.usd_per_second, kMaxValueUsd), "usd_per_second", "a number from 0 to 1e6");
  check(!std::isnan(q.left.usd), "left.usd", "a number");
  check(!std::isnan(q.left.seconds), "left.seconds", "a number");
  check(!std::isnan(q.left.calls), "left.calls", "a number");
  check(q.depth >= 1 && q.depth <= 3, "depth", "1 to 3");
}

}  // namespace turnout::belief
