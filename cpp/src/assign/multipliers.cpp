// The best multipliers of the limits: the lowest upper bound of utility, and feasible plans met on the way.
#include "assign/internal.hpp"

namespace turnout::assign {
namespace {

using Impl = Workspace::Impl;

constexpr int kSteps = 8;          // of one walk
constexpr int kRounds = 4;         // over both limits
constexpr double kEnough = 0.005;  // of what is open between bound and best plan: not worth another step

// Each plan is a line in one multiplier: value - multiplier * excess. The bound is the highest line, so its lowest
// point lies where the best line that breaks the limit meets the best that keeps it: go there, and look for a higher
// one.
class Walk {
 public:
  Walk(Impl& w, Relaxation relaxation, double* best, double& bound)
      : w_(w), relaxation_(relaxation), best_(best), bound_(bound) {}

  void along(int k, Mark breaks, Mark keeps) {
    for (int i = 0; i < kSteps; ++i) {
      const double rise = excess(breaks, k) - excess(keeps, k), m = (value(breaks, k) - value(keeps, k)) / rise;
      if (!(rise > 0) || !(m >= 0)) return;
      Mark path;
      const double low = value(keeps, k) - m * excess(keeps, k);  // no multiplier gives a lower bound
      if (bound_ - low <= kEnough * (bound_ - known(w_))) return;
      if (!try_at(k, m, path)) return;
      if (value(path, k) - m * excess(path, k) <= low + w_.slack) return;
      (excess(path, k) > 0 ? breaks : keeps) = path;
    }
  }

  // The greedy path at zero for limit k, the other multiplier as it is.
  Mark unbound(int k) {
    Mark path;
    try_at(k, 0, path);
    return path;
  }

  double excess(const Mark& x, int k) const { return x.use[k] - w_.limit[k]; }

 private:
  double value(const Mark& x, int k) const { return x.utility - best_[1 - k] * excess(x, 1 - k); }

  // False when bound and best plan have met.
  bool try_at(int k, double m, Mark& path) {
    double at[2] = {best_[0], best_[1]};
    at[k] = m;
    const double bound = relaxation_(w_, at[0], at[1], path);
    if (bound < bound_) bound_ = bound, next_[k] = m, found_ = true;
    return bound_ > known(w_) + w_.slack;
  }

 public:
  // Moves to the best multiplier seen for limit k.
  bool settle(int k) {
    if (found_) best_[k] = next_[k];
    const bool moved = found_;
    found_ = false;
    return moved;
  }

 private:
  Impl& w_;
  Relaxation relaxation_;
  double* best_;
  double& bound_;
  double next_[2] = {0, 0};
  bool found_ = false;
};

}  // namespace

Tightened tighten(Impl& w, Relaxation relaxation, const Mark& breaks, const Mark& keeps) {
  double best[2] = {0, 0}, bound = breaks.utility + w.slack;
  Walk walk(w, relaxation, best, bound);
  const int first = breaks.use[0] > w.limit[0] ? 0 : 1;
  walk.along(first, breaks, keeps);
  walk.settle(first);
  const bool both = w.terms.budgeted && w.terms.timed;
  for (int round = 1; both && round < kRounds; ++round) {
    const int k = (first + round) % 2;
    const Mark unbound = walk.unbound(k);
    if (walk.excess(unbound, k) > 0) walk.along(k, unbound, keeps);
    if (!walk.settle(k)) break;
  }
  return {bound, {best[0], best[1]}};
}

}  // namespace turnout::assign
