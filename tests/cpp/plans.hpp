// Random assignment problems and the oracle: every plan, by evaluate(), in the order of the definition.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "turnout/assign.hpp"
#include "turnout/catalog.hpp"

namespace plans {

using namespace turnout;
using assign::Problem;
using assign::Solution;
using assign::Stage;

// A problem that owns its columns.
struct Instance {
  int llms = 0;
  std::vector<Stage> stages;
  std::vector<std::vector<double>> curves, weights;
  std::vector<double> quality, usd, usd_bound, seconds, seconds_bound;
  std::vector<std::uint8_t> allowed;
  double value_usd = 1, usd_per_second = 0;
  Usd budget = Usd::unlimited();
  Seconds max_seconds = Seconds::unlimited();

  int slots() const { return stages.empty() ? 0 : stages.back().first_slot + stages.back().slots; }

  Problem problem() {
    for (std::size_t t = 0; t < stages.size(); ++t) {
      stages[t].curve = curves[t].data();
      stages[t].weights = weights[t].data();
    }
    Problem p;
    p.llms = llms;
    p.slots = slots();
    p.stages = stages;
    p.quality = quality.data();
    p.usd = usd.data();
    p.usd_bound = usd_bound.data();
    p.seconds = seconds.data();
    p.seconds_bound = seconds_bound.data();
    p.allowed = allowed.data();
    p.value_usd = value_usd;
    p.usd_per_second = usd_per_second;
    p.budget = budget;
    p.max_seconds = max_seconds;
    return p;
  }
};

inline std::vector<double> identity() {
  std::vector<double> curve(catalog::kCurveKnots);
  for (int k = 0; k < catalog::kCurveKnots; ++k)
    curve[static_cast<std::size_t>(k)] = static_cast<double>(k) / (catalog::kCurveKnots - 1);
  return curve;
}

// P(a majority of three is right), each right with probability c.
inline std::vector<double> majority() {
  auto curve = identity();
  for (double& c : curve) c = c * c * (3 - 2 * c);
  return curve;
}

class Random {
 public:
  explicit Random(std::uint64_t seed) : rng_(seed) {}
  double uniform(double lo = 0, double hi = 1) { return lo + (hi - lo) * rng_.uniform(); }
  int below(int n) { return static_cast<int>(rng_.uniform() * n); }
  bool chance(double p) { return rng_.uniform() < p; }
  double normal() { return rng_.normal(); }

 private:
  Philox rng_;
};

// LLM per slot, -1 where skipped.
inline Solution solution_of(const std::vector<int>& llm) {
  Solution s;
  std::fill(s.llm, s.llm + kMaxNodes, std::int16_t{-1});
  for (std::size_t i = 0; i < llm.size(); ++i) s.llm[i] = static_cast<std::int16_t>(llm[i]);
  return s;
}

// Calls f with every plan that the hard rules allow.
template <class F>
void each_plan(const Problem& p, std::vector<int>& llm, std::size_t t, int i, const F& f) {
  if (t == p.stages.size()) return f(llm);
  const Stage& stage = p.stages[t];
  if (i == 0 && stage.optional) each_plan(p, llm, t + 1, 0, f);
  if (i == stage.slots) return each_plan(p, llm, t + 1, 0, f);
  const int row = stage.first_slot + i;
  for (int m = 0; m < p.llms; ++m) {
    if (!p.allowed[row * p.llms + m]) continue;
    const auto first = llm.begin() + stage.first_slot;
    if (stage.distinct && std::find(first, first + i, m) != first + i) continue;
    llm[static_cast<std::size_t>(row)] = m;
    if (i + 1 == stage.slots)
      each_plan(p, llm, t + 1, 0, f);
    else
      each_plan(p, llm, t, i + 1, f);
    llm[static_cast<std::size_t>(row)] = -1;
  }
}

inline bool within(const Problem& p, const Solution& s) {
  return s.usd_bound <= p.budget && s.seconds_bound <= p.max_seconds;
}

inline bool preferred(const Problem& p, const Solution& a, const Solution& b) {
  if (a.utility != b.utility) return a.utility > b.utility;
  if (a.usd != b.usd) return a.usd < b.usd;
  return std::lexicographical_compare(a.llm, a.llm + p.slots, b.llm, b.llm + p.slots);
}

inline double over(double use, double limit) { return std::max(0.0, use - limit); }

// Least violation first, then utility; only plans without optional stages take part in it.
inline bool less_violating(const Problem& p, const Solution& a, const Solution& b) {
  const double usd_a = over(a.usd_bound.value, p.budget.value), usd_b = over(b.usd_bound.value, p.budget.value);
  if (usd_a != usd_b) return usd_a < usd_b;
  const double seconds_a = over(a.seconds_bound.value, p.max_seconds.value),
               seconds_b = over(b.seconds_bound.value, p.max_seconds.value);
  if (seconds_a != seconds_b) return seconds_a < seconds_b;
  return preferred(p, a, b);
}

inline bool mandatory_only(const Problem& p, const Solution& s) {
  for (std::size_t t = 0; t < p.stages.size(); ++t)
    if (p.stages[t].optional && !s.skipped[t]) return false;
  return true;
}

inline Solution brute_force(const Problem& p) {
  Solution unlimited, limited, least;
  bool any = false, fits = false, has_least = false;
  std::vector<int> llm(static_cast<std::size_t>(p.slots), -1);
  each_plan(p, llm, 0, 0, [&](const std::vector<int>& plan) {
    Solution s = solution_of(plan);
    assign::evaluate(p, s);
    if (!any || preferred(p, s, unlimited)) unlimited = s, any = true;
    if (within(p, s) && (!fits || preferred(p, s, limited))) limited = s, fits = true;
    if (mandatory_only(p, s) && (!has_least || less_violating(p, s, least))) least = s, has_least = true;
  });
  Solution best = fits ? limited : least;
  best.status = fits ? assign::Status::exact : assign::Status::infeasible;
  if (any && within(p, unlimited)) best.status = assign::Status::unlimited_best;
  if (!any) best = solution_of({}), best.status = assign::Status::no_candidate;
  return best;
}

inline bool same_choice(const Problem& p, const Solution& a, const Solution& b) {
  return a.status == b.status && std::equal(a.llm, a.llm + p.slots, b.llm);
}

// Small problems of every shape, for the oracle. Coarse ones draw from a few values, so that ties are common.
class Maker {
 public:
  Maker(Random& r, bool coarse) : r_(r), coarse_(coarse) {}

  Instance make() {
    x_.llms = 1 + r_.below(5);
    const int stages = 1 + r_.below(4);
    for (int t = 0; t < stages && x_.slots() < kSlots; ++t) add_stage(std::min(1 + r_.below(3), kSlots - x_.slots()));
    add_llms();
    for (int s = 0; s < x_.slots(); ++s) add_row(s);
    x_.value_usd = r_.chance(0.1) ? 0 : coarse_ ? r_.below(4) * 0.5 : std::pow(10, r_.uniform(-2.5, 0.5));
    if (r_.chance(0.3)) x_.usd_per_second = coarse_ ? 0.0625 : std::pow(10, r_.uniform(-4, -1));
    if (r_.chance(0.75)) x_.budget = Usd(most(x_.usd_bound) * limit(-2));
    if (r_.chance(0.4)) x_.max_seconds = Seconds(most(x_.seconds_bound) * limit(-1));
    return x_;
  }

 private:
  static constexpr int kSlots = 6;

  double share(double lo, double hi) {
    const double v = r_.uniform(lo, hi);
    return coarse_ ? std::round(v * 4) / 4 : v;
  }
  double limit(double decades) { return coarse_ ? r_.below(9) / 8.0 : std::pow(10, r_.uniform(decades, 0)); }

  double most(const std::vector<double>& matrix) const {
    double total = 0;
    for (auto row = matrix.begin(); row != matrix.end(); row += x_.llms) total += *std::max_element(row, row + x_.llms);
    return total;
  }

  std::vector<double> curve() {
    auto c = identity();
    const int kind = r_.below(4);
    if (kind == 1) return majority();
    if (kind == 2) {  // random steps, some of them flat
      double v = 0;
      for (double& y : c) y = v += r_.chance(0.5) ? 0 : r_.uniform();
      for (double& y : c) y /= std::max(v, 1e-9);
    }
    if (kind == 3) {  // one jump
      const double lo = share(0, 0.5), hi = lo + share(0, 0.5);
      for (double& y : c) y = y < 0.5 ? lo : hi;
    }
    return c;
  }

  void add_stage(int slots) {
    Stage s;
    s.first_slot = x_.slots();
    s.slots = slots;
    s.optional = r_.chance(x_.stages.empty() ? 0.1 : 0.6);
    s.parallel = r_.chance(0.4);
    s.distinct = r_.chance(0.3);
    s.fix = share(0, 1);
    s.break_ = share(0, 1);
    x_.stages.push_back(s);
    x_.curves.push_back(curve());
    const bool equal = r_.chance(0.6);
    std::vector<double> weights(static_cast<std::size_t>(slots), 1);
    double sum = 0;
    for (double& w : weights) sum += w = equal ? 1 : r_.uniform(0.1, 1);
    for (double& w : weights) w /= sum;
    x_.weights.push_back(weights);
  }

  void add_llms() {
    for (int m = 0; m < x_.llms; ++m) {
      x_.quality.push_back(share(0, 1));
      price_.push_back(coarse_ ? r_.below(4) * 0.0625 : std::pow(10, r_.uniform(-4, -1)));
      seconds_.push_back(coarse_ ? r_.below(4) : r_.uniform(0.2, 5));
      tail_.push_back(coarse_ ? 1 + r_.below(2) : r_.uniform(1.2, 3));
    }
    proportional_ = r_.chance(0.2);
  }

  void add_row(int slot) {
    if (slot == 0 || r_.chance(0.5)) calls_ = coarse_ ? 1 + r_.below(2) : r_.uniform(0.5, 2);
    const bool rules = r_.chance(0.2);
    for (int m = 0; m < x_.llms; ++m) {
      const auto i = static_cast<std::size_t>(m), other = static_cast<std::size_t>((m + 1) % x_.llms);
      x_.usd.push_back(calls_ * price_[i]);
      x_.usd_bound.push_back(proportional_ ? x_.usd.back() : calls_ * price_[i] * tail_[i]);
      x_.seconds.push_back(calls_ * seconds_[i]);
      x_.seconds_bound.push_back(calls_ * seconds_[i] * tail_[other]);
      x_.allowed.push_back(rules && r_.chance(0.4) ? 0 : 1);
    }
  }

  Random& r_;
  bool coarse_;
  Instance x_;
  std::vector<double> price_, seconds_, tail_;
  bool proportional_ = false;
  double calls_ = 1;
};

}  // namespace plans
