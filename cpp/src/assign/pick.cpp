#include "assign/pick.hpp"

#include <limits>

namespace turnout::assign {
namespace {

constexpr double kNone = -std::numeric_limits<double>::infinity();

Top top_of(const Slot& slot, double slope, int wanted) {
  Top top;
  for (int k = 0; k < slot.count; ++k) {
    const double v = slope * slot.gain[k] - slot.cost[k];
    if (top.count == wanted && !(v > top.value[wanted - 1])) continue;
    int i = top.count < wanted ? top.count++ : wanted - 1;
    for (; i > 0 && v > top.value[i - 1]; --i) top.value[i] = top.value[i - 1], top.at[i] = top.at[i - 1];
    top.value[i] = v, top.at[i] = k;
  }
  for (int i = 0; i < top.count; ++i) top.llm[i] = slot.points[top.at[i]].choice;
  return top;
}

// Tries all choices of the tops; writes the best one's positions in them.
class Chooser {
 public:
  Chooser(const Slot* slots, const Stage& stage, double slope) : n_(stage.slots) {
    for (int s = 0; s < n_; ++s) tops_[s] = top_of(slots[s], slope, n_);
    choose(0, 0);
  }
  double value() const { return best_; }
  int at(int s) const { return tops_[s].at[chosen_[s]]; }

 private:
  void choose(int s, double value) {
    if (s == n_ || s == kMaxDistinct) {
      if (value > best_) best_ = value, std::copy(now_, now_ + n_, chosen_);
      return;
    }
    for (int i = 0; i < tops_[s].count; ++i)
      if (free(s, tops_[s].llm[i])) now_[s] = i, choose(s + 1, value + tops_[s].value[i]);
  }
  bool free(int s, int llm) const {
    for (int r = 0; r < s; ++r)
      if (tops_[r].llm[now_[r]] == llm) return false;
    return true;
  }

  Top tops_[kMaxDistinct];
  int n_, now_[kMaxDistinct] = {}, chosen_[kMaxDistinct] = {};
  double best_ = kNone;
};

bool tried(const Stage& stage) { return stage.distinct && stage.slots > 1; }

}  // namespace

int best_candidate(const Slot& slot, double slope) {
  int best = 0;
  double most = slope * slot.gain[0] - slot.cost[0];
  for (int k = 1; k < slot.count; ++k) {
    const double v = slope * slot.gain[k] - slot.cost[k];
    best = v > most ? k : best;
    most = v > most ? v : most;
  }
  return best;
}

double best_values(const Slot* slots, const Stage& stage, double slope) {
  if (tried(stage)) return Chooser(slots, stage, slope).value();
  double sum = 0;
  for (int s = 0; s < stage.slots; ++s) sum += best_value(slots[s], slope);
  return sum;
}

bool best_candidates(const Slot* slots, const Stage& stage, double slope, std::int16_t* at) {
  if (tried(stage)) {
    const Chooser chooser(slots, stage, slope);
    if (chooser.value() == kNone) return false;
    for (int s = 0; s < stage.slots; ++s) at[s] = static_cast<std::int16_t>(chooser.at(s));
    return true;
  }
  for (int s = 0; s < stage.slots; ++s) {
    if (slots[s].count == 0) return false;
    at[s] = static_cast<std::int16_t>(best_candidate(slots[s], slope));
  }
  return true;
}

BestWith::BestWith(const Slot* slots, const Stage& stage, double slope) : slots_(slots), stage_(stage), slope_(slope) {
  for (int s = 0; s < stage.slots; ++s) {
    if (tried(stage)) tops_[s] = top_of(slots[s], slope, stage.slots);
    else sum_ += best_[s] = best_value(slots[s], slope);
  }
}

double BestWith::value(int s, int k) const {
  const double own = slope_ * slots_[s].gain[k] - slots_[s].cost[k];
  if (!tried(stage_)) return own + (sum_ - best_[s]);
  return own + others(0, s, slots_[s].points[k].choice, -1);
}

// The best of slots r and later, but for s: none takes `llm`, or `before`, which the slot before took.
double BestWith::others(int r, int s, int llm, int before) const {
  if (r >= stage_.slots || r >= kMaxDistinct) return 0;
  if (r == s) return others(r + 1, s, llm, before);
  double best = kNone;
  for (int i = 0; i < tops_[r].count; ++i)
    if (tops_[r].llm[i] != llm && tops_[r].llm[i] != before) best = std::max(best, tops_[r].value[i] + others(r + 1, s, llm, tops_[r].llm[i]));
  return best;
}

}  // namespace turnout::assign
