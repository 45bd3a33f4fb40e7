// More ways to fill a stage than there is room for: of each run of similar gain the cheapest stays, beside one relaxed
// point that covers the run, so that bounds stay valid. What uses least of a limit stays too.
#include "assign/stage_builder.hpp"

namespace turnout::assign {
namespace {

Point least_use(const Point* points, int n, int k) {
  return *std::min_element(points, points + n, [k](const Point& a, const Point& b) {
    return a.relaxed != b.relaxed ? b.relaxed : a.use[k] < b.use[k];
  });
}

void widen(Point& cover, const Point& x) {
  cover.gain = std::max(cover.gain, x.gain);
  cover.net = std::min(cover.net, x.net);
  cover.usd = std::min(cover.usd, x.usd);
  for (int k = 0; k < 2; ++k) cover.use[k] = std::min(cover.use[k], x.use[k]);
  cover.wait = std::min(cover.wait, x.wait);
  cover.relaxed = true;
}

// Writes at most as many points as the run has, from `kept` on, which is not after the run.
int thin_run(Point* points, int from, int to, int kept) {
  if (to - from <= 2) {
    for (int i = from; i < to; ++i) points[kept++] = points[i];
    return kept;
  }
  Point cover = points[from], real = points[from];
  for (int i = from; i < to; ++i) {
    const Point& x = points[i];
    if (!x.relaxed && (real.relaxed || x.net < real.net)) real = x;
    widen(cover, x);
  }
  points[kept++] = cover;
  if (!real.relaxed) points[kept++] = real;
  return kept;
}

}  // namespace

int thin(Point* points, int n) {
  constexpr int kRuns = (kMaxOptions - 4) / 2;
  std::sort(points, points + n, [](const Point& a, const Point& b) { return a.gain < b.gain; });
  const Point least[2] = {least_use(points, n, 0), least_use(points, n, 1)};
  int kept = 0;
  for (int r = 0; r < kRuns; ++r) kept = thin_run(points, n * r / kRuns, n * (r + 1) / kRuns, kept);
  for (const Point& x : least) points[kept++] = x;
  return kept;
}

}  // namespace turnout::assign
