// Pareto sets: of the ways to fill a stage's slots (gain: competence or g), and of labels (gain: p).
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

namespace turnout::assign {

struct Point {
  double gain = 0;
  double net = 0;          // USD + charge for seconds: what utility loses
  double usd = 0;          // for the tie rule
  double use[2] = {0, 0};  // of the budget and of max_seconds; 0 where unlimited
  double wait = 0;         // charge so far of slots that run side by side: a maximum, so a criterion of its own
  double bound = 0;        // labels: no completion has a higher utility
  std::uint32_t parent = 0;
  std::uint16_t choice = 0;
  bool relaxed = false;  // stands for points that were cut: at least as good as each, attainable by none
};

// What gain can be worth at most: `usd` a unit, up to a rounding error of `slack`.
struct Worth {
  double usd = std::numeric_limits<double>::infinity(), slack = 0;
};

// Uses no more of anything that is limited; what is attainable yields to nothing that is not.
inline bool uses_no_more(const Point& a, const Point& b) {
  return a.use[0] <= b.use[0] && a.use[1] <= b.use[1] && a.wait <= b.wait && (b.relaxed || !a.relaxed);
}

// The order of the tie rule: net, USD, LLM indices. `before(a, b)` is the last.
template <class Before>
bool precedes(const Point& a, const Point& b, const Before& before) {
  if (a.net != b.net) return a.net < b.net;
  if (a.usd != b.usd) return a.usd < b.usd;
  return before(a, b);
}

// a makes b superfluous: whatever follows, it is as good and wins the tie, or it saves more than b's gain is worth.
template <class Before>
bool prunes(const Point& a, const Point& b, const Worth& worth, const Before& before) {
  if (!uses_no_more(a, b)) return false;
  if (a.gain >= b.gain) return precedes(a, b, before);
  return a.net + worth.usd * (b.gain - a.gain) + worth.slack < b.net;
}

struct Key {
  double value;
  std::uint32_t index;
};

// Copies to `out`, in the tie rule's order, the points that are not superfluous: superfluous(kept, count, x) looks for
// x's pruners among those kept so far, of which the latest come last. Looking at fewer costs time, never exactness.
template <class Before, class Superfluous>
int sift(const Point* points, int n, Key* keys, Point* out, const Before& before, const Superfluous& superfluous) {
  for (int i = 0; i < n; ++i) keys[i] = {points[i].net, static_cast<std::uint32_t>(i)};
  std::sort(keys, keys + n, [&](const Key& a, const Key& b) {
    return a.value != b.value ? a.value < b.value : precedes(points[a.index], points[b.index], before);
  });
  int kept = 0;
  for (int i = 0; i < n; ++i) {
    const Point& x = points[keys[i].index];
    if (!superfluous(out, kept, x)) out[kept++] = x;
  }
  return kept;
}

// Whether one of the last `window` points prunes x. When gain and net are the only criteria the last one decides.
template <class Before>
bool any_prunes(const Point* kept, int count, const Point& x, int window, const Worth& worth, const Before& before) {
  for (int k = count - 1; k >= std::max(0, count - window); --k)
    if (prunes(kept[k], x, worth, before)) return true;
  return false;
}

}  // namespace turnout::assign
