#include "turnout/budget/pace.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <string>
#include <vector>

#include "lock.hpp"
#include "turnout/budget/clock.hpp"
#include "turnout/core.hpp"

namespace turnout::budget {
namespace {

constexpr double kMaxTotal = 1e15;

void check_point(const PlanPoint& point, const PlanPoint& before, std::size_t i) {
  const std::string path = "plan[" + std::to_string(i) + "]";
  if (!(std::isfinite(point.seconds) && point.seconds > before.seconds))
    throw Error(ErrorKind::input, path + ".seconds", "expected finite seconds that rise from above 0");
  if (!(point.total >= before.total && point.total <= kMaxTotal))
    throw Error(ErrorKind::input, path + ".total", "expected totals from 0 to 1e15 that do not fall");
}

double amount_at_least_zero(double amount) {
  if (!(amount >= 0 && amount <= kMaxTotal))
    throw Error(ErrorKind::input, "amount", "expected a number from 0 to 1e15");
  return amount;
}

}  // namespace

struct Pacer::Impl {
  std::vector<PlanPoint> plan{{}};
  double burst, start, last;
  double credit, spent = 0;
  SpinLock lock;

  double planned(double now) const {
    const double t = now - start;
    const auto after = std::upper_bound(plan.begin(), plan.end(), t,
                                        [](double seconds, const PlanPoint& p) { return seconds < p.seconds; });
    if (after == plan.begin()) return 0;
    if (after == plan.end()) return plan.back().total;
    const PlanPoint &a = after[-1], &b = *after;
    return a.total + (b.total - a.total) * ((t - a.seconds) / (b.seconds - a.seconds));
  }

  // A step back of more than the slack is a jump: filling goes on from there.
  void fill(double now) {
    if (now > last) credit = std::min(burst, credit + (planned(now) - planned(last)));
    if (now > last || now < last - ForwardClock::kSlack) last = now;
  }
};

Pacer::Pacer(std::span<const PlanPoint> plan, double burst, double start) : impl_(std::make_unique<Impl>()) {
  if (plan.empty() || plan.size() > static_cast<std::size_t>(kMaxPlanPoints))
    throw Error(ErrorKind::input, "plan", "expected 1 to " + std::to_string(kMaxPlanPoints) + " points");
  if (!(burst > 0 && burst <= kMaxTotal))
    throw Error(ErrorKind::input, "burst", "expected a number above 0, at most 1e15");
  if (!(std::abs(start) <= kMaxNow)) throw Error(ErrorKind::input, "start", "expected seconds from -1e12 to 1e12");
  for (std::size_t i = 0; i < plan.size(); ++i) {
    check_point(plan[i], impl_->plan.back(), i);
    impl_->plan.push_back(plan[i]);
  }
  impl_->burst = impl_->credit = burst;
  impl_->start = impl_->last = start;
}

Pacer::~Pacer() = default;

bool Pacer::admit(double amount, double now) {
  check_now(now);
  amount_at_least_zero(amount);
  const std::lock_guard guard(impl_->lock);
  impl_->fill(now);
  if (amount > impl_->credit) return false;
  impl_->credit -= amount;
  impl_->spent += amount;
  return true;
}

void Pacer::record(double amount, double now) {
  check_now(now);
  amount_at_least_zero(amount);
  const std::lock_guard guard(impl_->lock);
  impl_->fill(now);
  impl_->credit -= amount;
  impl_->spent += amount;
}

double Pacer::planned(double now) const {
  check_now(now);
  return impl_->planned(now);
}

double Pacer::spent() const {
  const std::lock_guard guard(impl_->lock);
  return impl_->spent;
}

double Pacer::credit(double now) const {
  check_now(now);
  const std::lock_guard guard(impl_->lock);
  impl_->fill(now);
  return impl_->credit;
}

double Pacer::pace(double now) const {
  const double plan = planned(now), done = spent();
  if (plan > 0) return done / plan;
  return done > 0 ? std::numeric_limits<double>::infinity() : 1;
}

double Pacer::multiplier(double now) const { return std::clamp(credit(now) / impl_->burst, 0.0, 1.0); }

}  // namespace turnout::budget
