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

bool equal_slots(const Slot* slots, int s) { return s > 0 && slots[s].points == slots[s - 1].points; }

// The best choice of distinct LLMs from the tops, slot `left_out` apart: their sum, and positions in the tops.
struct Chosen {
  double value = kNone;
  int at[kMaxDistinct] = {};
};

class Chooser {
 public:
  Chooser(const Top* tops, int slots, int left_out = -1, int without = -1)
      : tops_(tops), n_(slots), left_out_(left_out), without_(without) {
    choose(0, 0);
  }
  const Chosen& best() const { return best_; }

 private:
  void choose(int s, double value) {
    if (s == n_ || s == kMaxDistinct) {
      if (value > best_.value) best_.value = value, std::copy(now_, now_ + n_, best_.at);
      return;
    }
    if (s == left_out_) return choose(s + 1, value);
    for (int i = 0; i < tops_[s].count; ++i) {
      if (!free(s, tops_[s].llm[i])) continue;
      now_[s] = i;
      choose(s + 1, value + tops_[s].value[i]);
      if (i == 0 && s + 1 == n_) return;  // the last slot's best that is free
    }
  }
  bool free(int s, int llm) const {
    if (llm == without_) return false;
    for (int r = 0; r < s; ++r)
      if (r != left_out_ && tops_[r].llm[now_[r]] == llm) return false;
    return true;
  }

  const Top* tops_;
  int n_, left_out_, without_, now_[kMaxDistinct] = {};
  Chosen best_;
};

void set_tops(const Slot* slots, const Stage& stage, double slope, Top* tops) {
  for (int s = 0; s < stage.slots; ++s)
    tops[s] = equal_slots(slots, s) ? tops[s - 1] : top_of(slots[s], slope, stage.slots);
}

// Two slots that want the same LLM: one of them gets its second.
Chosen of_two(const Top& a, const Top& b) {
  Chosen chosen;
  const double first = a.count > 1 ? a.value[1] + b.value[0] : kNone,
               second = b.count > 1 ? a.value[0] + b.value[1] : kNone;
  chosen.value = std::max(first, second);
  chosen.at[first >= second ? 0 : 1] = 1;
  return chosen;
}

// Where no two slots want the same LLM, each gets the one it wants.
bool nobody_shares(const Top* tops, int slots) {
  for (int s = 0; s < slots; ++s) {
    if (tops[s].count == 0) return false;
    for (int r = 0; r < s; ++r)
      if (tops[r].llm[0] == tops[s].llm[0]) return false;
  }
  return true;
}

// Equal slots share out the best.
bool all_equal(const Slot* slots, const Stage& stage) {
  for (int s = 1; s < stage.slots; ++s)
    if (!equal_slots(slots, s)) return false;
  return true;
}

Chosen choose_distinct(const Slot* slots, const Stage& stage, double slope, Top* tops) {
  set_tops(slots, stage, slope, tops);
  Chosen chosen;
  if (nobody_shares(tops, stage.slots)) {
    chosen.value = 0;
  } else if (all_equal(slots, stage)) {
    if (tops[0].count < stage.slots) return chosen;
    chosen.value = 0;
    for (int s = 0; s < stage.slots; ++s) chosen.at[s] = s;
  } else if (stage.slots == 2 && tops[0].count > 0 && tops[1].count > 0) {
    return of_two(tops[0], tops[1]);
  } else {
    return Chooser(tops, stage.slots).best();
  }
  for (int s = 0; s < stage.slots; ++s) chosen.value += tops[s].value[chosen.at[s]];
  return chosen;
}

bool tried(const Stage& stage) { return stage.distinct && stage.slots > 1; }

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

}  // namespace

bool best_candidates(const Slot* slots, const Stage& stage, double slope, std::int16_t* at) {
  if (tried(stage)) {
    Top tops[kMaxDistinct];
    const Chosen best = choose_distinct(slots, stage, slope, tops);
    for (int s = 0; s < stage.slots && best.value > kNone; ++s)
      at[s] = static_cast<std::int16_t>(tops[s].at[best.at[s]]);
    return best.value > kNone;
  }
  for (int s = 0; s < stage.slots; ++s) {
    if (slots[s].count == 0) return false;
    at[s] = static_cast<std::int16_t>(best_candidate(slots[s], slope));
  }
  return true;
}

Sum best_sum(const Slot* slots, const Stage& stage, double slope) {
  Top tops[kMaxDistinct];
  const Chosen best = tried(stage) ? choose_distinct(slots, stage, slope, tops) : Chosen{};
  Sum sum;
  for (int s = 0; s < stage.slots; ++s) {
    const int k = tried(stage) ? tops[s].at[best.at[s]] : best_candidate(slots[s], slope);
    sum.gain += slots[s].gain[k], sum.cost += slots[s].cost[k];
  }
  return sum;
}

BestWith::BestWith(const Slot* slots, const Stage& stage, double slope) : slots_(slots), stage_(stage), slope_(slope) {
  if (tried(stage)) set_tops(slots, stage, slope, tops_);
  for (int s = 0; s < stage.slots && !tried(stage); ++s)
    sum_ += best_[s] = most(slots[s].gain, slots[s].cost, slots[s].count, slope);
  for (int s = 0; s < stage.slots && tried(stage); ++s) {
    const Chosen others = Chooser(tops_, stage.slots, s).best();
    best_[s] = others.value;
    for (int r = 0; r < stage.slots; ++r)
      taken_[s][r] = r == s || others.value == kNone ? -1 : tops_[r].llm[others.at[r]];
  }
}

double BestWith::value(int s, int k) const {
  const double own = slope_ * slots_[s].gain[k] - slots_[s].cost[k];
  if (!tried(stage_)) return own + (sum_ - best_[s]);
  const int llm = slots_[s].points[k].choice;
  for (int r = 0; r < stage_.slots; ++r)
    if (taken_[s][r] == llm) return own + Chooser(tops_, stage_.slots, s, llm).best().value;
  return own + best_[s];
}

}  // namespace turnout::assign
