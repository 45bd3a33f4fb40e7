// The convex frontier of a stage: competence against cost at the current multiplier, then g in place of competence.
#include "assign/outline.hpp"
#include "assign/pick.hpp"

namespace turnout::assign {
namespace {

using Impl = Workspace::Impl;

// One slot's edges from its cheapest candidate to its best, rates ascending; adds the cheapest to the start. Along the
// staircase the cost falls with the gain, so that only convexity is left to see to.
int slot_edges(const Slot& slot, Edge* edges, double& gain, double& cost) {
  const double *const g = slot.stair_gain, *const c = slot.stair_cost;
  int from = slot.stairs - 1, n = 0;
  gain += g[from], cost += c[from];
  for (int k = from - 1; k >= 0; --k) {  // ascending gain
    if (g[k] <= g[k + 1]) continue;      // as good and dearer
    Edge edge{(c[k] - c[from]) / (g[k] - g[from]), g[k] - g[from], c[k] - c[from]};
    while (n > 0 && edge.rate <= edges[n - 1].rate) {
      --n;
      edge.gain += edges[n].gain, edge.cost += edges[n].cost;
      edge.rate = edge.cost / edge.gain;
    }
    edges[n++] = edge;
    from = k;
  }
  return n;
}

// Points (competence, cost) of ascending competence, rates ascending between them.
int sum_of_slots(const Slot* slots, const Stage& stage, Edge* edges, double* c, double* cost) {
  int n = 0;
  c[0] = cost[0] = 0;
  for (int s = 0; s < stage.slots; ++s)
    n += slot_edges(slots[s], edges + n, c[0], cost[0]);
  std::sort(edges, edges + n, [](const Edge& a, const Edge& b) { return a.rate < b.rate; });
  for (int i = 0; i < n; ++i)
    c[i + 1] = c[i] + edges[i].gain, cost[i + 1] = cost[i] + edges[i].cost;
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
    for (; k > 0 && c[k - 1] > e.b[i]; --k)
      c[k] = c[k - 1], cost[k] = cost[k - 1];
    c[k] = e.b[i], cost[k] = -e.a[i];
  }
  return e.count;
}

void set_lowest(const Shape& shape, int k, double c) {
  shape.g[k] = shape.tangents[0].base + shape.tangents[0].slope * c;
  shape.tangent[k] = 0;
  for (int i = 1; i < shape.tangent_count; ++i) {
    const double g = shape.tangents[i].base + shape.tangents[i].slope * c;
    if (g < shape.g[k]) shape.g[k] = g, shape.tangent[k] = static_cast<std::uint8_t>(i);
  }
}

// Where two tangents cross, g turns between two points: one more point there.
void add_crossings(Shape& shape, const double* c, int n) {
  for (int i = 1; i < shape.tangent_count; ++i) {
    const Tangent &a = shape.tangents[i - 1], &b = shape.tangents[i];
    const double x = (b.base - a.base) / (a.slope - b.slope);
    for (int k = 1; k < n; ++k) {
      if (!(c[k - 1] < x && x < c[k])) continue;
      shape.g[shape.point_count] = a.base + a.slope * x;
      shape.tangent[shape.point_count] = static_cast<std::uint8_t>(i);
      shape.cost[shape.point_count++] =
          shape.cost[k - 1] + (x - c[k - 1]) / (c[k] - c[k - 1]) * (shape.cost[k] - shape.cost[k - 1]);
    }
  }
}

void pad(Shape& shape) {
  for (int k = shape.point_count; k % 4 != 0; ++k)
    shape.g[k] = 0, shape.cost[k] = 1e300;
}

void set_profile(Impl& w, int t) {
  const Stage& stage = w.problem.stages[t];
  const Slot* slots = w.slots + stage.first_slot;
  Shape& shape = w.shapes[t];
  double steepest = 0, *c = w.competence.data();
  for (int i = 0; i < shape.tangent_count; ++i)
    steepest = std::max(steepest, shape.tangents[i].slope);
  const double worth = 1.01 * steepest * w.terms.value_usd * std::max(stage.fix, stage.break_);
  const int n = stage.distinct && stage.slots > 1 ? sum_of_distinct(slots, stage, worth, w.depth, c, shape.cost)
                                                  : sum_of_slots(slots, stage, w.edges.data(), c, shape.cost);
  for (int k = 0; k < n; ++k)
    set_lowest(shape, k, c[k]);
  shape.point_count = n;
  add_crossings(shape, c, n);
  pad(shape);
}

}  // namespace

void set_profiles(Impl& w) {
  double* column = w.frontier.data();
  for (int t = 0; t < w.stages; ++t) {
    Shape& shape = w.shapes[t];
    if (!shape.fills) continue;
    shape.g = column;
    shape.cost = column + w.frontier.size() / 2;
    shape.tangent = w.lowest.data() + (column - w.frontier.data());
    set_profile(w, t);
    column += (shape.point_count + 3) / 4 * 4;
  }
}

}  // namespace turnout::assign
