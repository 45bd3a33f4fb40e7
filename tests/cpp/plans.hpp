// Random assignment problems and the oracle: every plan, by evaluate(), in the order of the definition.
#pragma once

#include <algorithm>
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
  for (int k = 0; k < catalog::kCurveKnots; ++k) curve[static_cast<std::size_t>(k)] = static_cast<double>(k) / (catalog::kCurveKnots - 1);
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
    if (i + 1 == stage.slots) each_plan(p, llm, t + 1, 0, f);
    else each_plan(p, llm, t, i + 1, f);
    llm[static_cast<std::size_t>(row)] = -1;
  }
}

inline bool within(const Problem& p, const Solution& s) { return s.usd_bound <= p.budget && s.seconds_bound <= p.max_seconds; }

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
  const double seconds_a = over(a.seconds_bound.value, p.max_seconds.value), seconds_b = over(b.seconds_bound.value, p.max_seconds.value);
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

}  // namespace plans
