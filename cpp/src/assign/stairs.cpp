// The candidates' costs at a multiplier, and of each slot those that can be chosen at any worth of competence.
#include "assign/pick.hpp"

namespace turnout::assign {
namespace {

using Impl = Workspace::Impl;

void cost(const Slot& slot, double net_weight, double multiplier) {
  const int n = (slot.count + 3) / 4 * 4;
  for (int k = 0; k < n; ++k)
    slot.cost[k] = net_weight * slot.net[k] + multiplier * slot.use[k];
}

// Of candidates in the order of falling gain: those that fewer than `wanted` before them match in cost. The other
// slots of a stage of distinct LLMs can take at most wanted - 1 of these.
void climb(Slot& slot, int wanted) {
  double least[kMaxDistinct] = {1e300, 1e300, 1e300};  // ascending
  int n = 0;
  for (int k = 0; k < slot.count; ++k) {
    double c = slot.cost[k];
    slot.stair[n] = static_cast<std::uint16_t>(k);
    slot.stair_gain[n] = slot.gain[k], slot.stair_cost[n] = c;
    n += c < least[wanted - 1];
    for (double& x : least) {
      const double more = c > x ? c : x;
      x = c < x ? c : x;
      c = more;
    }
  }
  slot.stairs = n;
  for (; n % 4 != 0; ++n)
    slot.stair_gain[n] = 0, slot.stair_cost[n] = 1e300;
}

}  // namespace

void set_slot_costs(Impl& w, double net_weight, double multiplier) {
  w.multiplier[0] = multiplier, w.multiplier[1] = 0;
  w.slack = 0x1p-37 * w.terms.money.magic + 0x1p-36 * multiplier * w.limit[0];
  for (const Stage& stage : w.problem.stages)
    for (int s = stage.first_slot; s < stage.first_slot + stage.slots; ++s) {
      if (s > stage.first_slot && w.slots[s].points == w.slots[s - 1].points) {
        w.slots[s].stairs = w.slots[s - 1].stairs;
        continue;
      }
      cost(w.slots[s], net_weight, multiplier);
      climb(w.slots[s], stage.distinct ? stage.slots : 1);
    }
}

}  // namespace turnout::assign
