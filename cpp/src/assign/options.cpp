// The ways to run each stage: LLMs for its slots, merged slot by slot, superfluous ones pruned as they appear.
#include <cstring>

#include "assign/internal.hpp"

namespace turnout::assign {
namespace {

using Impl = Workspace::Impl;

int compare_steps(const Impl& w, std::uint32_t a, std::uint32_t b) {
  if (a == b) return 0;
  const Step &x = w.steps[a], &y = w.steps[b];
  const int earlier = compare_steps(w, x.parent, y.parent);
  return earlier != 0 ? earlier : static_cast<int>(x.llm) - static_cast<int>(y.llm);
}

bool on_path(const Impl& w, std::uint32_t step, int slots, int llm) {
  for (; slots > 0; --slots, step = w.steps[step].parent)
    if (w.steps[step].llm == llm) return true;
  return false;
}

bool same_row(const double* matrix, int llms, int a, int b) {
  return std::memcmp(matrix + a * llms, matrix + b * llms, sizeof(double) * static_cast<std::size_t>(llms)) == 0;
}

// The largest slope of a curve.
double steepest(const double* curve) {
  double rise = 0;
  for (int k = 1; k < catalog::kCurveKnots; ++k) rise = std::max(rise, curve[k] - curve[k - 1]);
  return rise * (catalog::kCurveKnots - 1);
}

class StageBuilder {
 public:
  StageBuilder(Impl& w, int stage)
      : w_(w), p_(w.problem), stage_(p_.stages[static_cast<std::size_t>(stage)]), options_(w.options[stage]) {}

  // Appends the stage's options; none when some slot cannot be filled.
  void build(double worth_of_g) {
    worth_of_g_ = {worth_of_g, w_.terms.value_usd * 0x1p-30};
    worth_ = {worth_of_g * steepest(stage_.curve) * (1 + 1e-9), worth_of_g_.slack};
    w_.level[0] = Point();
    level_count_ = 1;
    for (slot_ = 0; slot_ < stage_.slots && level_count_ > 0; ++slot_) add_slot();
    finish();
  }

 private:
  bool flat() const { return !w_.limited && !(stage_.parallel && w_.terms.usd_per_second > 0) && !stage_.distinct; }
  int window() const { return flat() ? 1 : kWindow; }

  Point point(int row, int llm) const {
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

  // An LLM is superfluous in a slot when as many others prune it there as could be missing from the stage's other slots.
  void find_candidates() {
    const int row = stage_.first_slot + slot_, needed = stage_.distinct ? stage_.slots : 1;
    const auto before = [](const Point& a, const Point& b) { return a.choice < b.choice; };
    candidate_count_ = 0;
    for (const int m : w_.by_quality) {
      if (!p_.allowed[row * p_.llms + m]) continue;
      const Point x = point(row, m);
      int pruners = 0;
      for (int k = candidate_count_ - 1; k >= std::max(0, candidate_count_ - window()) && pruners < needed; --k)
        pruners += prunes(w_.candidates[k], x, worth_, before);
      if (pruners < needed) w_.candidates[candidate_count_++] = x;
    }
  }

  bool equals_previous() const {
    if (slot_ == 0 || stage_.weights[slot_] != stage_.weights[slot_ - 1]) return false;
    const int b = stage_.first_slot + slot_, a = b - 1, n = p_.llms;
    return same_row(p_.usd, n, a, b) && same_row(p_.usd_bound, n, a, b) && same_row(p_.seconds, n, a, b) &&
           same_row(p_.seconds_bound, n, a, b) && std::memcmp(p_.allowed + a * n, p_.allowed + b * n, static_cast<std::size_t>(n)) == 0;
  }

  // Equal slots take LLMs in non-decreasing order: the other orders are the same plan, and lose the tie.
  bool may_extend(const Point& x, int llm, bool equal) const {
    if (x.relaxed || slot_ == 0) return true;
    if (equal && llm < x.choice) return false;
    return !stage_.distinct || !on_path(w_, x.parent, slot_, llm);
  }

  Point extended(const Point& x, const Point& c) const {
    Point y = x;
    y.gain += c.gain;
    y.net += c.net;
    y.usd += c.usd;
    y.use[0] += c.use[0];
    y.use[1] = stage_.parallel ? std::max(x.use[1], c.use[1]) : x.use[1] + c.use[1];
    y.wait = std::max(x.wait, c.wait);
    y.choice = c.choice;
    return y;
  }

  void add_slot() {
    const bool equal = equals_previous();
    if (!equal) find_candidates();
    int n = 0;
    for (int i = 0; i < level_count_; ++i) {
      for (int k = 0; k < candidate_count_; ++k)
        if (may_extend(w_.level[i], w_.candidates[k].choice, equal)) w_.pending[n++] = extended(w_.level[i], w_.candidates[k]);
      if (n > kPending - candidate_count_) n = compress(n);
    }
    keep(n);
  }

  // Points of one level; before they get their own step, `parent` is the step of the level below.
  int filter(const Point* points, int n, Point* out) {
    const auto before = [this](const Point& a, const Point& b) {
      const int earlier = compare_steps(w_, a.parent, b.parent);
      return earlier != 0 ? earlier < 0 : a.choice < b.choice;
    };
    const auto superfluous = [&](const Point* kept, int count, const Point& x) {
      return stage_.distinct ? outdone(kept, count, x, before) : any_prunes(kept, count, x, window(), worth_, before);
    };
    return sift(points, n, w_.keys.data(), out, before, superfluous);
  }

  // Distinct LLMs: a pruner may hold an LLM that is still to come, so one more is needed than slots are left, no two of
  // which share an LLM that x lacks.
  template <class Before>
  bool outdone(const Point* kept, int count, const Point& x, const Before& before) const {
    const int needed = stage_.slots - slot_;
    const Point* found[kMaxNodes];
    int pruners = 0;
    for (int k = count - 1; k >= std::max(0, count - kWindow) && pruners < needed; --k)
      if (prunes(kept[k], x, worth_, before) && (kept[k].relaxed || disjoint(kept[k], found, pruners, x))) {
        if (kept[k].relaxed) return true;
        found[pruners++] = &kept[k];
      }
    return pruners >= needed;
  }

  bool disjoint(const Point& a, const Point* const* others, int n, const Point& x) const {
    if (x.relaxed) return false;
    for (int i = 0; i < n; ++i)
      if (share(a, *others[i], x)) return false;
    return true;
  }

  bool holds(const Point& a, int llm) const { return a.choice == llm || on_path(w_, a.parent, slot_, llm); }

  bool share(const Point& a, const Point& b, const Point& x) const {
    if (holds(b, a.choice) && !holds(x, a.choice)) return true;
    std::uint32_t step = a.parent;
    for (int i = slot_; i > 0; --i, step = w_.steps[step].parent)
      if (holds(b, w_.steps[step].llm) && !holds(x, w_.steps[step].llm)) return true;
    return false;
  }

  int compress(int n) {
    n = filter(w_.pending.data(), n, w_.spare.data());
    if (n > kPending / 2) n = thin(n);
    std::copy(w_.spare.begin(), w_.spare.begin() + n, w_.pending.begin());
    return n;
  }

  void keep(int n) {
    n = filter(w_.pending.data(), n, w_.spare.data());
    if (n > kMaxOptions - 1) n = thin(n);
    level_count_ = n;
    for (int i = 0; i < n; ++i) {
      w_.level[i] = w_.spare[i];
      w_.steps[w_.step_count] = {w_.level[i].parent, w_.level[i].choice};
      w_.level[i].parent = w_.step_count++;
    }
  }

  // Too many: of each run of similar gain the cheapest stays, beside one relaxed point that covers the run, so that
  // bounds stay valid. What uses least of a limit stays too. Works on `spare`.
  int thin(int n) {
    Point* points = w_.spare.data();
    constexpr int kRuns = (kMaxOptions - 4) / 2;
    std::sort(points, points + n, [](const Point& a, const Point& b) { return a.gain < b.gain; });
    const Point least[2] = {least_use(points, n, 0), least_use(points, n, 1)};
    int kept = 0;
    for (int r = 0; r < kRuns; ++r) kept = thin_run(points, n * r / kRuns, n * (r + 1) / kRuns, kept);
    points[kept++] = least[0];
    points[kept++] = least[1];
    return kept;
  }

  static Point least_use(const Point* points, int n, int k) {
    return *std::min_element(points, points + n, [k](const Point& a, const Point& b) {
      return a.relaxed != b.relaxed ? b.relaxed : a.use[k] < b.use[k];
    });
  }

  static int thin_run(Point* points, int from, int to, int kept) {
    if (to - from <= 2) {
      for (int i = from; i < to; ++i) points[kept++] = points[i];
      return kept;
    }
    Point cover = points[from], real = points[from];
    for (int i = from; i < to; ++i) {
      const Point& x = points[i];
      if (!x.relaxed && (real.relaxed || x.net < real.net)) real = x;
      cover.gain = std::max(cover.gain, x.gain);
      cover.net = std::min(cover.net, x.net);
      cover.usd = std::min(cover.usd, x.usd);
      for (int k = 0; k < 2; ++k) cover.use[k] = std::min(cover.use[k], x.use[k]);
      cover.wait = std::min(cover.wait, x.wait);
    }
    cover.relaxed = true;
    points[kept++] = cover;
    if (!real.relaxed) points[kept++] = real;
    return kept;
  }

  // Competence becomes g, the wait of parallel slots is charged; what that makes superfluous goes.
  void finish() {
    bool again = stage_.parallel && w_.terms.usd_per_second > 0;
    for (int i = 0; i < level_count_; ++i) {
      Point& x = w_.level[i];
      x.gain = curve_value(stage_.curve, x.gain);
      x.net += x.wait;
      x.wait = 0;
      again = again || (i > 0 && x.gain == w_.level[i - 1].gain);
    }
    if (again) refilter();
    for (int i = 0; i < level_count_; ++i) append(w_.level[i]);
  }

  void refilter() {
    const auto before = [this](const Point& a, const Point& b) { return compare_steps(w_, a.parent, b.parent) < 0; };
    level_count_ = sift(w_.level.data(), level_count_, w_.keys.data(), w_.spare.data(), before, [&](const Point* kept, int count, const Point& x) {
      return any_prunes(kept, count, x, w_.limited ? kWindow : 1, worth_of_g_, before);
    });
    std::copy(w_.spare.begin(), w_.spare.begin() + level_count_, w_.level.begin());
  }

  void append(const Point& x) {
    const int o = options_.count++;
    const Effect effect = effect_of(stage_, x.gain);
    options_.base[o] = effect.base;
    options_.slope[o] = effect.slope;
    options_.net[o] = x.net;
    options_.usd[o] = x.usd;
    for (int k = 0; k < 2; ++k) options_.use[k][o] = x.use[k];
    options_.step[o] = x.parent;
    options_.relaxed[o] = x.relaxed;
  }

  Impl& w_;
  const Problem& p_;
  const Stage& stage_;
  Options& options_;
  Worth worth_, worth_of_g_;  // of competence, of g
  int slot_ = 0, level_count_ = 0, candidate_count_ = 0;
};

// The columns of all stages lie one after the other: what is not used is not touched.
void place(Impl& w, Options& o, std::size_t offset) {
  double* column = w.columns.data() + offset;
  const std::size_t stride = w.columns.size() / 7;
  for (double** field : {&o.base, &o.slope, &o.net, &o.usd, &o.use[0], &o.use[1], &o.cost}) *field = column, column += stride;
  o.step = w.option_steps.data() + offset;
  o.relaxed = w.option_relaxed.data() + offset;
  o.count = 0;
}

void add_skip(Options& o) {
  o.base[0] = o.net[0] = o.usd[0] = o.use[0][0] = o.use[1][0] = 0;
  o.slope[0] = 1;
  o.step[0] = kSkip;
  o.relaxed[0] = 0;
  o.count = 1;
}

void sort_by_quality(Impl& w) {
  const double* q = w.problem.quality;
  w.by_quality.resize(static_cast<std::size_t>(w.problem.llms));
  for (int m = 0; m < w.problem.llms; ++m) w.by_quality[m] = m;
  std::sort(w.by_quality.begin(), w.by_quality.end(), [q](int a, int b) { return q[a] != q[b] ? q[a] > q[b] : a < b; });
}

void set_least(Options& o) {
  for (int k = 0; k < 2; ++k) {
    o.least[k] = 0;
    bool first = true;
    for (int i = 0; i < o.count; ++i)
      if (!o.relaxed[i] && (first || o.use[k][i] < o.least[k])) o.least[k] = o.use[k][i], first = false;
  }
}

void set_reach(Impl& w, int t) {
  const Options& o = w.options[t];
  double lo = 1, hi = 0;
  for (int i = 0; i < o.count; ++i) {
    lo = std::min(lo, o.reach(i, w.reach_lo[t]));
    hi = std::max(hi, o.reach(i, w.reach_hi[t]));
  }
  w.reach_lo[t + 1] = lo, w.reach_hi[t + 1] = hi;
}

}  // namespace

int compare_options(const Impl& w, int stage, int a, int b) {
  const std::uint32_t x = w.options[stage].step[a], y = w.options[stage].step[b];
  if (x == kSkip || y == kSkip) return x == y ? 0 : x == kSkip ? -1 : 1;
  return compare_steps(w, x, y);
}

bool build_options(Impl& w, bool limited) {
  w.limited = limited;
  w.stages = static_cast<int>(w.problem.stages.size());
  w.limit[0] = limited && w.terms.budgeted ? w.problem.budget.value : 0;
  w.limit[1] = limited && w.terms.timed ? w.problem.max_seconds.value : 0;
  w.step_count = 1;  // step 0 is the path of no slots
  if (!limited) sort_by_quality(w);
  std::size_t offset = 0;
  w.reach_lo[0] = w.reach_hi[0] = 0;
  for (int t = 0; t < w.stages; ++t) {
    Options& o = w.options[t];
    place(w, o, offset);
    if (w.problem.stages[t].optional) add_skip(o);
    const Stage& stage = w.problem.stages[t];
    StageBuilder(w, t).build(w.terms.value_usd * std::max(stage.fix, stage.break_));
    if (o.count == 0) return false;
    offset += static_cast<std::size_t>(o.count);
    set_least(o);
    set_reach(w, t);
  }
  w.rest[w.stages][0] = w.rest[w.stages][1] = 0;
  for (int t = w.stages; t-- > 0;)
    for (int k = 0; k < 2; ++k) w.rest[t][k] = w.rest[t + 1][k] + w.options[t].least[k];
  return true;
}

}  // namespace turnout::assign
