// Plans as a router makes them: stages of one to three slots over one pool, prices over three decades, stronger LLMs
// dearer and slower with noise, p90 costs that go with expected costs but not in proportion.
#pragma once

#include <cmath>

#include "plans.hpp"

namespace plans {

struct Pool {
  std::vector<double> quality, in_price, out_price, out_tokens, p90, speed;
};

inline Pool pool(Random& r, int llms) {
  Pool pool;
  for (int m = 0; m < llms; ++m) {
    const double strength = r.normal(),
                 price = std::pow(10.0, -0.5 + 0.45 * strength + 0.45 * r.normal());  // USD per million tokens
    pool.quality.push_back(0.2 + 0.7 / (1 + std::exp(-strength - 0.5 * r.normal())));
    pool.in_price.push_back(price);
    pool.out_price.push_back(price * r.uniform(2, 5));
    pool.out_tokens.push_back(r.uniform(150, 800));
    pool.p90.push_back(r.uniform(1.4, 2.6));
    pool.speed.push_back(r.uniform(0.005, 0.03));
  }
  return pool;
}

inline std::vector<double> generator_curve(Random& r, int slots) {
  return slots > 1 && r.chance(0.7) ? majority() : identity();
}

inline void add_stage(Instance& x, const Pool& pool, Random& r, int slots) {
  Stage stage;
  stage.first_slot = x.slots();
  stage.slots = slots;
  const bool first = x.stages.empty();
  stage.optional = !first;
  stage.parallel = slots > 1 && r.chance(0.5);
  stage.distinct = slots > 1 && r.chance(0.3);
  stage.fix = first ? 1 : r.uniform(0.2, 0.6);
  stage.break_ = first ? 1 : r.uniform(0.02, 0.15);
  x.stages.push_back(stage);
  x.curves.push_back(generator_curve(r, slots));
  x.weights.push_back(std::vector<double>(static_cast<std::size_t>(slots), 1.0 / slots));
  const bool equal = r.chance(0.6);
  double in = 0, out = 0;
  for (int s = 0; s < slots; ++s) {
    if (s == 0 || !equal) in = r.uniform(300, 3000), out = r.uniform(0.3, 1.5);
    for (int m = 0; m < x.llms; ++m) {
      const auto i = static_cast<std::size_t>(m);
      const double prompt = 1e-6 * in * pool.in_price[i], answer = 1e-6 * out * pool.out_tokens[i] * pool.out_price[i];
      const double seconds = 0.4 + out * pool.out_tokens[i] * pool.speed[i];
      x.usd.push_back(prompt + answer);
      x.usd_bound.push_back(prompt + pool.p90[i] * answer);
      x.seconds.push_back(seconds);
      x.seconds_bound.push_back(seconds * pool.p90[i]);
      x.allowed.push_back(1);
    }
  }
}

inline Instance pool_plan(Random& r, int llms, int slots) {
  Instance x;
  x.llms = llms;
  const Pool p = pool(r, llms);
  x.quality = p.quality;
  std::vector<int> stages(static_cast<std::size_t>((slots + 2) / 3 + r.below(3)), 1);  // of one to three slots each
  for (int left = slots - static_cast<int>(stages.size()); left > 0;) {
    int& n = stages[static_cast<std::size_t>(r.below(static_cast<int>(stages.size())))];
    if (n < 3) ++n, --left;
  }
  for (const int n : stages) add_stage(x, p, r, n);
  x.value_usd = std::pow(10.0, r.uniform(-2, 0));
  return x;
}

// Twelve call slots on 16 LLMs whose prices rise with their quality: an ensemble of three distinct LLMs, a debate of
// three, and three operators of two slots each.
inline Instance router_plan(Random& r) {
  constexpr int kLlms = 16, kWidths[] = {3, 3, 2, 2, 2};
  constexpr double kFix[] = {1, 0.5, 0.4, 0.35, 0.3}, kBreak[] = {1, 0.1, 0.08, 0.08, 0.08};
  Instance x;
  x.llms = kLlms;
  std::vector<double> price, tail;
  for (int m = 0; m < kLlms; ++m)
    x.quality.push_back(r.uniform(0.2, 0.92)), price.push_back(std::pow(10.0, r.uniform(-5, -2.3)));
  std::sort(x.quality.begin(), x.quality.end());
  std::sort(price.begin(), price.end());
  for (double& usd : price) usd *= r.uniform(0.6, 1.6), tail.push_back(r.uniform(1.3, 2.2));
  for (int t = 0; t < 5; ++t) {
    const bool wide = kWidths[t] == 3;
    x.stages.push_back({x.slots(), kWidths[t], t > 0, wide, t == 0, kFix[t], kBreak[t]});
    x.curves.push_back(identity());
    x.weights.push_back(std::vector<double>(static_cast<std::size_t>(kWidths[t]), 1.0 / kWidths[t]));
  }
  for (int s = 0; s < x.slots(); ++s) {
    const double size = r.uniform(0.5, 3);
    for (int m = 0; m < kLlms; ++m) {
      const auto i = static_cast<std::size_t>(m);
      x.usd.push_back(price[i] * size);
      x.usd_bound.push_back(x.usd.back() * tail[i]);
      x.seconds.push_back(r.uniform(0.5, 6));
      x.seconds_bound.push_back(1.6 * x.seconds.back());
      x.allowed.push_back(1);
    }
  }
  x.value_usd = std::pow(10.0, r.uniform(-2.5, 0));
  return x;
}

// A budget between the cheapest plan's and the best plan's; false when they are the same.
inline bool bind_budget(Instance& x, Random& r, assign::Workspace& ws) {
  Solution best, cheapest;
  x.budget = Usd::unlimited();
  assign::solve(x.problem(), ws, best);
  x.budget = Usd(0);
  assign::solve(x.problem(), ws, cheapest);
  const double lo = cheapest.usd_bound.value, hi = best.usd_bound.value;
  x.budget = Usd(lo + (hi - lo) * r.uniform(0.1, 0.9));
  return hi > lo;
}

// Likewise for the seconds.
inline bool bind_seconds(Instance& x, Random& r, assign::Workspace& ws) {
  Solution best, fastest;
  x.max_seconds = Seconds::unlimited();
  assign::solve(x.problem(), ws, best);
  x.max_seconds = Seconds(0);
  assign::solve(x.problem(), ws, fastest);
  const double lo = fastest.seconds_bound.value, hi = best.seconds_bound.value;
  x.max_seconds = Seconds(lo + (hi - lo) * r.uniform(0.2, 0.9));
  return hi > lo;
}

}  // namespace plans
