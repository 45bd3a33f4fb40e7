// Spending over time against a plan. What may be spent at an instant is a credit that the plan fills and spending
// empties and that never exceeds `burst`: over any time, spending that was admitted is at most what was planned for it
// + burst.
#pragma once

#include <memory>
#include <span>

namespace turnout::budget {

inline constexpr int kMaxPlanPoints = 4096;

// `total` is planned to have been spent `seconds` after the start. Between points it is linear; after the last, nothing
// more is planned.
struct PlanPoint {
  double seconds = 0, total = 0;
};

class Pacer {
 public:
  // Points with rising seconds and totals that do not fall; (0, 0) is understood before the first. `start` is the
  // clock's time at which the plan begins. Throws Error(input): "plan", "plan[i].seconds", "plan[i].total", "burst",
  // "start".
  Pacer(std::span<const PlanPoint> plan, double burst, double start);
  ~Pacer();
  Pacer(const Pacer&) = delete;

  // Takes `amount` from the credit, or takes nothing and returns false. Any thread; amount >= 0.
  bool admit(double amount, double now);
  // Counts what was spent without asking; the credit may go below zero and must be filled again.
  void record(double amount, double now);
  double planned(double now) const;  // cumulative; depends on `now` only
  double spent() const;
  double credit(double now) const;
  // Spent against planned: 1 is on plan, above is ahead of it. 1 where neither is, infinity where nothing was planned.
  double pace(double now) const;
  // credit / burst in [0, 1]: 1 at or behind the plan, 0 where it is ahead by `burst`.
  double multiplier(double now) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace turnout::budget
