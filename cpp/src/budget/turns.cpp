#include "turnout/budget/turns.hpp"

#include <algorithm>
#include <cmath>

#include "turnout/core.hpp"

namespace turnout::budget {

TurnHistogram::TurnHistogram() : counts_(kMaxTurns) {}

void TurnHistogram::add(std::int64_t turns) {
  if (turns < 1) throw Error(ErrorKind::input, "turns", "expected at least 1, got " + std::to_string(turns));
  ++counts_[static_cast<std::size_t>(std::min<std::int64_t>(turns, kMaxTurns) - 1)];
  ++count_;
}

void TurnHistogram::merge(const TurnHistogram& other) {
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
}

int TurnHistogram::quantile(double q) const {
  if (!(q > 0 && q <= 1)) throw Error(ErrorKind::input, "q", "expected a number above 0, at most 1");
  if (count_ == 0) throw Error(ErrorKind::input, "turns", "none were added");
  const auto rank = static_cast<std::int64_t>(std::ceil(q * static_cast<double>(count_)));
  std::int64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i)
    if ((seen += counts_[i]) >= rank) return static_cast<int>(i + 1);
  return kMaxTurns;
}

const char* turn_name(Turn turn) {
  static constexpr const char* kNames[] = {"go", "remind", "stop"};
  return kNames[static_cast<std::size_t>(turn)];
}

TurnControl::TurnControl(int limit, int hard_cap, int extension)
    : limit_(limit), hard_cap_(hard_cap), extension_(extension) {
  const auto refuse = [](const char* path, int got) {
    throw Error(ErrorKind::input, path,
                "expected 1 <= limit <= hard_cap <= " + std::to_string(TurnHistogram::kMaxTurns) +
                    " and an extension of at least 1, got " + std::to_string(got));
  };
  if (limit < 1) refuse("limit", limit);
  if (hard_cap < limit || hard_cap > TurnHistogram::kMaxTurns) refuse("hard_cap", hard_cap);
  if (extension < 1) refuse("extension", extension);
}

Turn TurnControl::next() {
  if (used_ >= limit_) return Turn::stop;
  return ++used_ == limit_ ? Turn::remind : Turn::go;
}

bool TurnControl::extend(bool requested, bool affordable) {
  if (!requested || !affordable || limit_ >= hard_cap_) return false;
  limit_ += std::min(extension_, hard_cap_ - limit_);
  ++extensions_;
  return true;
}

}  // namespace turnout::budget
