// The best LLMs for one stage when competence has a price: slots decide alone, or few distinct ones by trying them.
// Costs are those of the last set_slot_costs().
#pragma once

#include "assign/internal.hpp"

namespace turnout::assign {

constexpr int kMaxDistinct = 3;  // slots of a stage whose distinct LLMs are tried exactly

// max of worth * gain - cost; columns are padded to fours.
inline double most(const double* gain, const double* cost, int n, double worth) {
  double lanes[4] = {-1e300, -1e300, -1e300, -1e300};
  for (int k = 0; k < n; k += 4)
    for (int i = 0; i < 4; ++i) {
      const double v = worth * gain[k + i] - cost[k + i];
      lanes[i] = v > lanes[i] ? v : lanes[i];
    }
  const double a = lanes[0] > lanes[1] ? lanes[0] : lanes[1], b = lanes[2] > lanes[3] ? lanes[2] : lanes[3];
  return a > b ? a : b;
}

// The best candidates for the slots of a stage; `distinct` of at most kMaxDistinct slots. False when there are not
// enough distinct LLMs.
bool best_candidates(const Slot* slots, const Stage& stage, double slope, std::int16_t* at);

// Their competence and cost, where there are enough.
struct Sum {
  double gain = 0, cost = 0;
};
Sum best_sum(const Slot* slots, const Stage& stage, double slope);

// The best of a few candidates of a slot: of k distinct slots, a best choice takes each from its slot's best k.
struct Top {
  int count = 0;
  double value[kMaxDistinct];
  int at[kMaxDistinct], llm[kMaxDistinct];
};

// The best of a stage when one slot takes a given candidate.
class BestWith {
 public:
  BestWith(const Slot* slots, const Stage& stage, double slope);
  double value(int s, int k) const;

 private:
  const Slot* slots_;
  const Stage& stage_;
  double slope_, sum_ = 0, best_[kMaxNodes];  // best_: of the slot, or, of distinct ones, of the others
  Top tops_[kMaxDistinct];
  int taken_[kMaxDistinct][kMaxDistinct];  // by the others' best
};

}  // namespace turnout::assign
