// The LLMs that are worth considering for one slot.
#include <cstring>

#include "assign/stage_builder.hpp"

namespace turnout::assign {
namespace {

bool by_llm(const Point& a, const Point& b) { return a.choice < b.choice; }

bool same_row(const double* matrix, int llms, int a, int b) {
  return std::memcmp(matrix + a * llms, matrix + b * llms, sizeof(double) * static_cast<std::size_t>(llms)) == 0;
}

}  // namespace

bool StageBuilder::equals_previous() const {
  if (slot_ == 0 || stage_.weights[slot_] != stage_.weights[slot_ - 1]) return false;
  const int b = stage_.first_slot + slot_, a = b - 1, n = p_.llms;
  return same_row(p_.usd, n, a, b) && same_row(p_.usd_bound, n, a, b) && same_row(p_.seconds, n, a, b) &&
         same_row(p_.seconds_bound, n, a, b) && std::memcmp(p_.allowed + a * n, p_.allowed + b * n, static_cast<std::size_t>(n)) == 0;
}

Point StageBuilder::point(int row, int llm) const {
  const int cell = row * p_.llms + llm;
  Point x;
  x.gain = kProbability(stage_.weights[slot_] * p_.quality[llm]);
  x.usd = w_.terms.money(p_.usd[cell]);
  x.net = x.usd;
  if (w_.terms.usd_per_second > 0) (stage_.parallel ? x.wait : x.net) += w_.terms.charge(p_.seconds[cell]);
  if (w_.limited && w_.terms.budgeted) x.use[0] = w_.terms.bound(p_.usd_bound[cell]);
  if (w_.limited && w_.terms.timed) x.use[1] = w_.terms.time(p_.seconds_bound[cell]);
  x.choice = static_cast<std::uint16_t>(llm);
  return x;
}

// An LLM is superfluous when more others prune it than the stage's other slots could take away. First those of no less
// quality are looked at, then, from the other end, those that are cheaper by more than the quality is worth.
void StageBuilder::find_candidates() {
  const int row = stage_.first_slot + slot_, needed = stage_.distinct ? stage_.slots : 1;
  const int reach = flat() && needed == 1 ? 1 : kWindow;
  candidate_count_ = 0;
  for (const int m : w_.by_quality) {
    const int cell = row * p_.llms + m;
    if (!p_.allowed[cell]) continue;
    const Point x = point(row, m);
    int pruners = 0;
    for (int k = candidate_count_ - 1; k >= std::max(0, candidate_count_ - reach) && pruners < needed; --k)
      pruners += prunes(w_.candidates[k], x, of_competence_, by_llm);
    if (pruners < needed) w_.candidates[candidate_count_++] = x;
  }
  keep_worthy(needed);
}

// Keeps the order: best quality first.
void StageBuilder::keep_worthy(int needed) {
  Point* candidates = w_.candidates.data();
  int kept = candidate_count_;
  for (int i = candidate_count_ - 1; i >= 0; --i) {
    int pruners = 0;
    for (int k = kept; k < candidate_count_ && pruners < needed; ++k) pruners += prunes(candidates[k], candidates[i], of_competence_, by_llm);
    if (pruners < needed) candidates[--kept] = candidates[i];
  }
  std::copy(candidates + kept, candidates + candidate_count_, candidates);
  candidate_count_ -= kept;
}

}  // namespace turnout::assign
