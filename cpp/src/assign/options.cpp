// What a stage can be: its options as columns, their uses' minima and the range of p they lead to.
#include "assign/stage_builder.hpp"

namespace turnout::assign {
using Impl = Workspace::Impl;

StageBuilder::StageBuilder(Impl& w, int stage)
    : w_(w), p_(w.problem), stage_(p_.stages[stage]), options_(w.options[stage]) {
  const double value = w.terms.value_usd;
  of_g_ = {value * std::max(stage_.fix, stage_.break_), value * 0x1p-30};
  worth_ = worth_of_competence(w, stage_);
}

void StageBuilder::build() {
  begin();
  for (slot_ = 1; slot_ < stage_.slots && level_count_ > 0; ++slot_) add_slot();
  finish();
}

// Competence becomes g, the wait of parallel slots is charged; what that makes superfluous goes.
void StageBuilder::finish() {
  bool again = waits();
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

void StageBuilder::refilter() {
  const auto before = [this](const Point& a, const Point& b) { return compare_steps(w_, a.parent, b.parent) < 0; };
  std::copy(w_.level.begin(), w_.level.begin() + level_count_, w_.pending.begin());
  level_count_ = sift(w_.pending.data(), level_count_, w_.keys.data(), w_.level.data(), before,
                      [&](const Point* kept, int count, const Point& x) {
                        return any_prunes(kept, count, x, w_.limited ? kWindow : 1, of_g_, before);
                      });
}

void StageBuilder::append(const Point& x) {
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

namespace {

// The columns of all stages lie one after the other: what is not used is not touched.
void place(Impl& w, Options& o, std::size_t offset) {
  double* column = w.columns.data() + offset;
  const std::size_t stride = w.columns.size() / 7;
  for (double** field : {&o.base, &o.slope, &o.net, &o.usd, &o.use[0], &o.use[1], &o.cost})
    *field = column, column += stride;
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

int compare_steps(const Impl& w, std::uint32_t a, std::uint32_t b) {
  if (a == b) return 0;
  const Step &x = w.steps[a], &y = w.steps[b];
  const int earlier = compare_steps(w, x.parent, y.parent);
  return earlier != 0 ? earlier : static_cast<int>(x.llm) - static_cast<int>(y.llm);
}

int compare_options(const Impl& w, int stage, int a, int b) {
  const std::uint32_t x = w.options[stage].step[a], y = w.options[stage].step[b];
  if (x == kSkip || y == kSkip) return x == y ? 0 : x == kSkip ? -1 : 1;
  return compare_steps(w, x, y);
}

bool build_options(Impl& w) {
  w.step_count = 1;  // step 0 is the path of no slots
  std::size_t offset = 0;
  w.reach_lo[0] = w.reach_hi[0] = 0;
  for (int t = 0; t < w.stages; ++t) {
    Options& o = w.options[t];
    place(w, o, offset);
    if (w.shapes[t].may_skip) add_skip(o);
    StageBuilder(w, t).build();
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
