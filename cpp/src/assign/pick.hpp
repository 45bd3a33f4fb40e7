// The best LLMs for one stage when competence has a price: slots decide alone, or few distinct ones by trying them.
#pragma once

#include "assign/internal.hpp"

namespace turnout::assign {

constexpr int kMaxDistinct = 3;  // slots of a stage whose distinct LLMs are tried exactly

// max over a slot's candidates of slope * gain - cost.
inline double best_value(const Slot& slot, double slope) {
  double lanes[4] = {-1e300, -1e300, -1e300, -1e300};
  for (int k = 0; k < slot.count; k += 4)
    for (int i = 0; i < 4; ++i) {
      const double v = slope * slot.gain[k + i] - slot.cost[k + i];
      lanes[i] = v > lanes[i] ? v : lanes[i];
    }
  const double a = lanes[0] > lanes[1] ? lanes[0] : lanes[1], b = lanes[2] > lanes[3] ? lanes[2] : lanes[3];
  return a > b ? a : b;
}

int best_candidate(const Slot& slot, double slope);

// The same over the slots of a stage; `distinct` of at most kMaxDistinct slots.
double best_values(const Slot* slots, const Stage& stage, double slope);
// ... and which they are. False when there are not enough distinct LLMs.
bool best_candidates(const Slot* slots, const Stage& stage, double slope, std::int16_t* at);

// The best when slot s takes candidate k.
double best_values_with(const Slot* slots, const Stage& stage, double slope, int s, int k);

}  // namespace turnout::assign
