// The convex frontier of a stage: competence against cost at the current multiplier, then g in place of competence.
#include "assign/outline.hpp"
#include "assign/pick.hpp"

namespace turnout::assign {
namespace {

using Impl = Workspace::Impl;

// One slot's edges from its cheapest candidate to its best, rates ascending; adds the cheapest to the start.
int slot_edges(const Slot& slot, Edge* edges, double& gain, double& cost) {
  int hull[kMaxLlms], n = 0;
  hull[0] = 0;
  const auto rate = [&](int a, int b) { return (slot.cost[b] - slot.cost[a]) / (slot.gain[b] - slot.gain[a]); };
  for (int k = slot.count - 1; k >= 0; --k) {  // ascending gain
    if (n > 0 && slot.gain[k] <= slot.gain[hull[n - 1]]) {
      if (slot.cost[k] >= slot.cost[hull[n - 1]]) continue;
      --n;
    }
    while (n > 0 && slot.cost[k] <= slot.cost[hull[n - 1]]) --n;
    while (n > 1 && rate(hull[n - 1], k) <= rate(hull[n - 2], hull[n - 1])) --n;
    hull[n++] = k;
  }
  gain += slot.gain[hull[0]], cost += slot.cost[hull[0]];
  for (int i = 1; i < n; ++i)
    edges[i - 1] = {rate(hull[i - 1], hull[i]), slot.gain[hull[i]] - slot.gain[hull[i - 1]],
                    slot.cost[hull[i]] - slot.cost[hull[i - 1]]};
  return n - 1;
}

// How many slots from s on are equal.
int equal_run(const Slot* slots, const Stage& stage, int s) {
  int end = s + 1;
  while (end < stage.slots && slots[end].points == slots[s].points) ++end;
  return end - s;
}

// Points (competence, cost) of ascending competence, rates ascending between them. Equal slots climb an edge together.
int sum_of_slots(const Slot* slots, const Stage& stage, Edge* edges, double* c, double* cost) {
  int n = 0;
  c[0] = cost[0] = 0;
  for (int s = 0, equal = 1; s < stage.slots; s += equal) {
    equal = equal_run(slots, stage, s);
    double gain = 0, paid = 0;
    const int more = slot_edges(slots[s], edges + n, gain, paid);
    c[0] += equal * gain, cost[0] += equal * paid;
    for (int i = n; i < n + more; ++i) edges[i].gain *= equal, edges[i].cost *= equal;
    n += more;
  }
  std::sort(edges, edges + n, [](const Edge& a, const Edge& b) { return a.rate < b.rate; });
  for (int i = 0; i < n; ++i) c[i + 1] = c[i] + edges[i].gain, cost[i + 1] = cost[i] + edges[i].cost;
  return n + 1;
}

// Distinct LLMs: the lines over their best at every worth of competence are points of a frontier that covers theirs.
int sum_of_distinct(const Slot* slots, const Stage& stage, double most_worth, int depth, double* c, double* cost) {
  Envelope e;
  outline(e, 0, most_worth, depth, [&](double worth) {
    const Sum sum = best_sum(slots, stage, worth);
    return Line{-sum.cost, sum.gain, worth, worth * sum.gain - sum.cost};
  });
  for (int i = 0; i < e.count; ++i) {
    int k = i;
    for (; k > 0 && c[k - 1] > e.b[i]; --k) c[k] = c[k - 1], cost[k] = cost[k - 1];
    c[k] = e.b[i], cost[k] = -e.a[i];
  }
  return e.count;
}

// Points of ascending competence become points of the lowest tangent; where two tangents cross, g turns between two
// points: one more point there.
class Lift {
 public:
  explicit Lift(Shape& shape) : shape_(shape) { shape.point_count = 0; }

  void add(double c, double cost) {
    for (; now_ + 1 < shape_.tangent_count && g(now_ + 1, c) < g(now_, c); ++now_) cross(c, cost);
    push(g(now_, c), cost);
    c_ = c, cost_ = cost;
  }

  // The last rate is paid for nothing.
  void close() {
    const int n = shape_.point_count;
    for (int k = 0; k + 1 < n; ++k)
      shape_.rate[k] = (shape_.cost[k + 1] - shape_.cost[k]) / (shape_.g[k + 1] - shape_.g[k]);
    for (int k = n - 1; k < (n + kRateBlock - 1) / kRateBlock * kRateBlock; ++k) shape_.rate[k] = 1e300;
  }

 private:
  double g(int tangent, double c) const { return shape_.tangents[tangent].base + shape_.tangents[tangent].slope * c; }

  void cross(double c, double cost) {
    const Tangent &a = shape_.tangents[now_], &b = shape_.tangents[now_ + 1];
    const double x = (b.base - a.base) / (a.slope - b.slope);
    if (shape_.point_count > 0 && c_ < x && x < c) push(g(now_, x), cost_ + (x - c_) / (c - c_) * (cost - cost_));
  }

  void push(double g, double cost) {
    const int n = shape_.point_count;
    if (n > 0 && g <= shape_.g[n - 1]) return;
    shape_.g[n] = g, shape_.cost[n] = cost;
    shape_.tangent[n] = static_cast<std::uint8_t>(now_);
    ++shape_.point_count;
  }

  Shape& shape_;
  int now_ = 0;
  double c_ = 0, cost_ = 0;
};

void set_profile(Impl& w, int t) {
  const Stage& stage = w.problem.stages[t];
  const Slot* slots = w.slots + stage.first_slot;
  Shape& shape = w.shapes[t];
  double steepest = 0, *c = w.competence.data();
  for (int i = 0; i < shape.tangent_count; ++i) steepest = std::max(steepest, shape.tangents[i].slope);
  const double worth = 1.01 * steepest * w.terms.value_usd * std::max(stage.fix, stage.break_);
  double* cost = w.paid.data();
  const int n = stage.distinct && stage.slots > 1 ? sum_of_distinct(slots, stage, worth, w.depth, c, cost)
                                                  : sum_of_slots(slots, stage, w.edges.data(), c, cost);
  Lift lift(shape);
  for (int k = 0; k < n; ++k) lift.add(c[k], cost[k]);
  lift.close();
}

}  // namespace

void set_profiles(Impl& w) {
  double* column = w.frontier.data();
  for (int t = 0; t < w.stages; ++t) {
    Shape& shape = w.shapes[t];
    if (!shape.fills) continue;
    shape.g = column;
    shape.cost = column + w.frontier.size() / 3;
    shape.rate = column + 2 * (w.frontier.size() / 3);
    shape.tangent = w.lowest.data() + (column - w.frontier.data());
    set_profile(w, t);
    column += (shape.point_count + kRateBlock - 1) / kRateBlock * kRateBlock;
  }
}

}  // namespace turnout::assign
