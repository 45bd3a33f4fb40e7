// Pareto sets: of the ways to fill a stage's slots (gain: competence or g), and of labels (gain: p).
#pragma once

#include <algorithm>
#include <cstdint>

namespace turnout::assign {

struct Point {
  double gain = 0;
  double net = 0;           // USD + charge for seconds: what utility loses
  double usd = 0;           // for the tie rule
  double use[2] = {0, 0};   // of the budget and of max_seconds; 0 where unlimited
  double wait = 0;          // charge so far of slots that run side by side: a maximum, so a criterion of its own
  double bound = 0;         // labels: no completion has a higher utility
  std::uint32_t parent = 0;
  std::uint16_t choice = 0;
  bool relaxed = false;     // stands for points that were cut: at least as good as each, attainable by none
};

// At least as good in every criterion; what is attainable yields to nothing that is not.
inline bool covers(const Point& a, const Point& b) {
  return a.gain >= b.gain && a.net <= b.net && a.use[0] <= b.use[0] && a.use[1] <= b.use[1] && a.wait <= b.wait &&
         (b.relaxed || !a.relaxed);
}

// The order of the tie rule: net, USD, LLM indices. `before(a, b)` is the last.
template <class Before>
bool precedes(const Point& a, const Point& b, const Before& before) {
  if (a.net != b.net) return a.net < b.net;
  if (a.usd != b.usd) return a.usd < b.usd;
  return before(a, b);
}

// a makes b superfluous: it covers b, and whatever follows, it is strictly better or wins the tie.
template <class Before>
bool prunes(const Point& a, const Point& b, const Before& before) {
  return covers(a, b) && precedes(a, b, before);
}

struct Key {
  double value;
  std::uint32_t index;
};

// Copies to `out`, in the tie rule's order, the points that no other prunes. Only the last `window` survivors are
// compared: 1 is enough when (gain, net) are the only criteria; a larger set only costs time, never exactness.
// `may_replace(a, b)` says whether every completion of b is one of a.
template <class Before, class MayReplace>
int pareto(const Point* points, int n, Key* keys, Point* out, int window, const Before& before, const MayReplace& may_replace) {
  for (int i = 0; i < n; ++i) keys[i] = {points[i].net, static_cast<std::uint32_t>(i)};
  std::sort(keys, keys + n, [&](const Key& a, const Key& b) {
    return a.value != b.value ? a.value < b.value : precedes(points[a.index], points[b.index], before);
  });
  int kept = 0;
  for (int i = 0; i < n; ++i) {
    const Point& candidate = points[keys[i].index];
    bool pruned = false;
    for (int k = kept - 1; k >= std::max(0, kept - window) && !pruned; --k)
      pruned = covers(out[k], candidate) && may_replace(out[k], candidate) && precedes(out[k], candidate, before);
    if (!pruned) out[kept++] = candidate;
  }
  return kept;
}

}  // namespace turnout::assign
