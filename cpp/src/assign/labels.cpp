// Label setting over the stages: a label is a prefix of a plan. What cannot reach the best plan is never made, what
// another label prunes is dropped; what the cap cuts leaves its bound.
#include <limits>

#include "assign/internal.hpp"

namespace turnout::assign {
namespace {

using Impl = Workspace::Impl;

class Search {
 public:
  explicit Search(Impl& w) : w_(w) {}

  void run() {
    w_.labels[0] = Point();
    w_.label_count = 1;
    w_.dropped = -std::numeric_limits<double>::infinity();
    int from = 0, to = 1;
    for (stage_ = 0; stage_ < w_.stages && from < to; ++stage_) {
      pending_ = 0;
      for (int l = from; l < to; ++l) extend(static_cast<std::uint32_t>(l));
      from = to;
      to = keep(from);
    }
  }

 private:
  const Options& options() const { return w_.options[stage_]; }
  bool last() const { return stage_ + 1 == w_.stages; }

  bool fits(const Point& x, int o) const {
    for (int k = 0; k < 2; ++k)
      if (x.use[k] + options().use[k][o] + w_.rest[stage_ + 1][k] > w_.limit[k]) return false;
    return true;
  }

  void extend(std::uint32_t l) {
    const Point x = w_.labels[l];
    const double *m = w_.multiplier, fixed = m[0] * (w_.limit[0] - x.use[0]) + m[1] * (w_.limit[1] - x.use[1]) - x.net;
    const double least = known(w_) - w_.slack - fixed;
    option_values(w_, stage_, x.gain);
    for (int o = 0; o < options().count; ++o)
      if (w_.values[o] >= least && fits(x, o)) add(x, l, o, w_.values[o] + fixed);
  }

  void add(const Point& x, std::uint32_t parent, int o, double bound) {
    if (options().relaxed[o]) {
      w_.dropped = std::max(w_.dropped, bound);
      return;
    }
    Point y;
    y.gain = options().effect(o)(x.gain);
    y.net = x.net + options().net[o];
    y.usd = x.usd + options().usd[o];
    for (int k = 0; k < 2; ++k) y.use[k] = x.use[k] + options().use[k][o];
    y.bound = bound;
    y.parent = parent;
    y.choice = static_cast<std::uint16_t>(o);
    if (last()) return finish(y);
    if (pending_ == kPending) compress();
    w_.pending[pending_++] = y;
  }

  void finish(const Point& y) {
    const double utility = w_.terms.value(y.gain) - y.net;
    if (utility < known(w_)) return;
    Plan plan;
    plan.choice[stage_] = y.choice;
    for (std::uint32_t l = y.parent, t = static_cast<std::uint32_t>(stage_); t-- > 0; l = w_.labels[l].parent)
      plan.choice[t] = w_.labels[l].choice;
    total(w_, plan);
    offer(w_, plan);
  }

  int compare(std::uint32_t a, std::uint32_t b, int stage) const {
    if (a == b) return 0;
    const Point &x = w_.labels[a], &y = w_.labels[b];
    const int earlier = compare(x.parent, y.parent, stage - 1);
    return earlier != 0 ? earlier : compare_options(w_, stage, x.choice, y.choice);
  }

  int filter() {
    const auto before = [this](const Point& a, const Point& b) {
      const int earlier = compare(a.parent, b.parent, stage_ - 1);
      return (earlier != 0 ? earlier : compare_options(w_, stage_, a.choice, b.choice)) < 0;
    };
    const Worth worth{w_.terms.value_usd, w_.terms.value_usd * 0x1p-30};
    return sift(w_.pending.data(), pending_, w_.keys.data(), w_.spare.data(), before,
                [&](const Point* kept, int count, const Point& x) {
                  return any_prunes(kept, count, x, kWindow, worth, before);
                });
  }

  // Keeps the highest bounds of `spare` when there are more than `room`.
  int cut(int n, int room) {
    if (n <= room) return n;
    Point* spare = w_.spare.data();
    std::nth_element(spare, spare + room, spare + n, [](const Point& a, const Point& b) { return a.bound > b.bound; });
    w_.dropped = std::max(w_.dropped, spare[room].bound);
    return room;
  }

  void compress() {
    pending_ = cut(filter(), kPending / 2);
    std::copy(w_.spare.begin(), w_.spare.begin() + pending_, w_.pending.begin());
  }

  int keep(int from) {
    const int later = std::max(0, w_.stages - 2 - stage_);
    const int n = cut(filter(), kMaxLabels - from - kBeam * later);
    std::copy(w_.spare.begin(), w_.spare.begin() + n, w_.labels.begin() + from);
    w_.label_count = from + n;
    return from + n;
  }

  Impl& w_;
  int stage_ = 0, pending_ = 0;
};

}  // namespace

void search(Impl& w) { Search(w).run(); }

}  // namespace turnout::assign
