// The LLMs that are worth considering for each slot.
#include <cstring>
#include <numeric>

#include "assign/internal.hpp"

namespace turnout::assign {
namespace {

using Impl = Workspace::Impl;

constexpr std::size_t kInsertion = 64;

bool by_llm(const Point& a, const Point& b) { return a.choice < b.choice; }

bool same_row(const double* matrix, int llms, int a, int b) {
  return std::memcmp(matrix + a * llms, matrix + b * llms, sizeof(double) * static_cast<std::size_t>(llms)) == 0;
}

// The order is total, so starting from the last problem's, which is often the same, changes nothing but the time.
void sort_by_quality(Impl& w) {
  const double* q = w.problem.quality;
  std::vector<int>& order = w.by_quality;
  const auto before = [q](int a, int b) { return q[a] != q[b] ? q[a] > q[b] : a < b; };
  if (static_cast<int>(order.size()) != w.problem.llms) {
    order.resize(static_cast<std::size_t>(w.problem.llms));
    std::iota(order.begin(), order.end(), 0);
  }
  if (order.size() > kInsertion) return std::sort(order.begin(), order.end(), before);
  for (std::size_t i = 1; i < order.size(); ++i)
    for (std::size_t k = i; k > 0 && before(order[k], order[k - 1]); --k) std::swap(order[k], order[k - 1]);
}

// The largest slope of a curve, in four lanes.
double steepest(const double* curve) {
  double rise[4] = {0, 0, 0, 0};
  for (int k = 0; k + 4 < catalog::kCurveKnots; k += 4)
    for (int i = 0; i < 4; ++i) {
      const double d = curve[k + i + 1] - curve[k + i];
      rise[i] = d > rise[i] ? d : rise[i];
    }
  return std::max(std::max(rise[0], rise[1]), std::max(rise[2], rise[3])) * (catalog::kCurveKnots - 1);
}

class Finder {
 public:
  Finder(Impl& w, const Stage& stage)
      : w_(w), p_(w.problem), stage_(stage), worth_(w.sketched ? Worth{} : worth_of_competence(w, stage)) {}

  void find(int i) {
    Slot& slot = w_.slots[stage_.first_slot + i];
    place(slot, stage_.first_slot + i);
    if (i > 0 && equals_previous(w_.problem, stage_, i))
      slot = w_.slots[stage_.first_slot + i - 1];
    else
      collect(slot, i);
  }

 private:
  void place(Slot& slot, int s) {
    const std::size_t width = w_.slot_points.size() / kMaxNodes, offset = width * static_cast<std::size_t>(s);
    slot.points = w_.slot_points.data() + offset;
    double* column = w_.slot_columns.data() + 4 * offset;
    for (double** field : {&slot.gain, &slot.net, &slot.use, &slot.cost}) *field = column, column += width;
    slot.alive = w_.slot_alive.data() + offset;
  }

  Point point(int i, int llm) const {
    const int cell = (stage_.first_slot + i) * p_.llms + llm;
    Point x;
    x.gain = kProbability(stage_.weights[i] * p_.quality[llm]);
    x.usd = w_.terms.money(p_.usd[cell]);
    x.net = x.usd;
    if (w_.terms.usd_per_second > 0) (stage_.parallel ? x.wait : x.net) += w_.terms.charge(p_.seconds[cell]);
    if (w_.terms.budgeted) x.use[0] = w_.terms.bound(p_.usd_bound[cell]);
    if (w_.terms.timed) x.use[1] = w_.terms.time(p_.seconds_bound[cell]);
    x.choice = static_cast<std::uint16_t>(llm);
    return x;
  }

  // An LLM is superfluous when more others prune it than the stage's other slots could take away. First those of no
  // less quality are looked at, then, from the other end, those that are cheaper by more than the quality is worth.
  void collect(Slot& slot, int i) {
    const int needed = stage_.distinct ? stage_.slots : 1;
    int n = 0;
    for (const int m : w_.by_quality) {
      if (!p_.allowed[(stage_.first_slot + i) * p_.llms + m]) continue;
      const Point x = point(i, m);
      int pruners = 0;
      for (int k = n - 1; k >= std::max(0, n - kWindow) && pruners < needed; --k)
        pruners += prunes(slot.points[k], x, worth_, by_llm);
      if (pruners < needed) slot.points[n++] = x;
    }
    slot.count = w_.sketched ? n : keep_worthy(slot.points, n, needed);
    fill_columns(slot);
  }

  // Keeps the order: best quality first.
  int keep_worthy(Point* points, int n, int needed) const {
    int kept = n;
    for (int i = n - 1; i >= 0; --i) {
      int pruners = 0;
      for (int k = kept; k < n && pruners < needed; ++k) pruners += prunes(points[k], points[i], worth_, by_llm);
      if (pruners < needed) points[--kept] = points[i];
    }
    if (kept > 0) std::copy(points + kept, points + n, points);
    return n - kept;
  }

  static void fill_columns(Slot& slot) {
    for (int k = 0; k < slot.count; ++k) {
      slot.gain[k] = slot.points[k].gain;
      slot.net[k] = slot.cost[k] = slot.points[k].net;
      slot.use[k] = slot.points[k].use[0];
      slot.alive[k] = 1;
    }
    for (int k = slot.count; k % 4 != 0; ++k) slot.gain[k] = slot.use[k] = 0, slot.net[k] = 1e300;
  }

  Impl& w_;
  const Problem& p_;
  const Stage& stage_;
  Worth worth_;
};

}  // namespace

bool equals_previous(const Problem& p, const Stage& stage, int i) {
  if (stage.weights[i] != stage.weights[i - 1]) return false;
  const int b = stage.first_slot + i, a = b - 1, n = p.llms;
  return same_row(p.usd, n, a, b) && same_row(p.usd_bound, n, a, b) && same_row(p.seconds, n, a, b) &&
         same_row(p.seconds_bound, n, a, b) &&
         std::memcmp(p.allowed + a * n, p.allowed + b * n, static_cast<std::size_t>(n)) == 0;
}

Worth worth_of_competence(const Impl& w, const Stage& stage) {
  const double value = w.terms.value_usd;
  return {value * std::max(stage.fix, stage.break_) * steepest(stage.curve) * (1 + 1e-9), value * 0x1p-30};
}

void allow_all(Impl& w) {
  for (int t = 0; t < w.stages; ++t) w.shapes[t].may_skip = w.problem.stages[t].optional;
  for (int s = 0; s < w.problem.slots; ++s)
    std::fill(w.slots[s].alive, w.slots[s].alive + w.slots[s].count, std::uint8_t{1});
}

void find_candidates(Impl& w) {
  w.limited = w.terms.budgeted || w.terms.timed;
  w.stages = static_cast<int>(w.problem.stages.size());
  w.sketched = can_sketch(w);
  sort_by_quality(w);
  for (int s = 0; s < w.problem.slots; ++s) w.slots[s].count = 0;  // some may belong to no stage
  for (const Stage& stage : w.problem.stages) {
    Finder finder(w, stage);
    for (int i = 0; i < stage.slots; ++i) finder.find(i);
  }
}

}  // namespace turnout::assign
