// Turn limits from a baseline's turns (a16): a quantile of what runs took, a reminder there, and extensions on demand,
// up to a hard cap.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace turnout::budget {

// Turns are small integers, so the streaming quantile is exact: one count for each number of turns. Longer runs count
// as kMaxTurns. Two histograms merge into that of both streams.
class TurnHistogram {
 public:
  static constexpr int kMaxTurns = 4096;
  TurnHistogram();
  void add(std::int64_t turns);  // >= 1; Error(input) "turns"
  void merge(const TurnHistogram& other);
  std::int64_t count() const { return count_; }
  // Nearest rank: the least number of turns that at least a share q of the runs did not exceed. q in (0, 1];
  // Error(input) "q", and "turns" where nothing was added.
  int quantile(double q) const;
  std::span<const std::int64_t> counts() const { return counts_; }  // [i] of i + 1 turns

 private:
  std::vector<std::int64_t> counts_;
  std::int64_t count_ = 0;
};

enum class Turn : std::uint8_t {
  go,      // take it
  remind,  // take it: it is the last one within the limit
  stop,    // do not: the limit is used up
};
const char* turn_name(Turn turn);

class TurnControl {
 public:
  // 1 <= limit <= hard_cap <= TurnHistogram::kMaxTurns, extension >= 1: Error(input) with the path otherwise.
  TurnControl(int limit, int hard_cap, int extension);
  // Asks for one more turn, and counts it unless the answer is stop.
  Turn next();
  // Raises the limit by `extension`, up to the hard cap, if it was asked for and the budget allows; true where it rose.
  bool extend(bool requested, bool affordable);
  int used() const { return used_; }
  int limit() const { return limit_; }
  int hard_cap() const { return hard_cap_; }
  int extensions() const { return extensions_; }

 private:
  int limit_, hard_cap_, extension_;
  int used_ = 0, extensions_ = 0;
};

}  // namespace turnout::budget
