#include "assign/terms.hpp"

#include <cmath>

namespace turnout::assign {
namespace {

// Of what is allowed. Four lanes, since a maximum is the same in any order.
double row_max(const double* row, const std::uint8_t* allowed, int n) {
  double lanes[4] = {0, 0, 0, 0};
  const auto widen = [&](double& lane, int i) {
    const double x = row[i] * (allowed[i] != 0);
    lane = x > lane ? x : lane;
  };
  int i = 0;
  for (; i + 4 <= n; i += 4)
    for (int k = 0; k < 4; ++k) widen(lanes[k], i + k);
  for (; i < n; ++i) widen(lanes[0], i);
  return std::max(std::max(lanes[0], lanes[1]), std::max(lanes[2], lanes[3]));
}

// No plan's total exceeds the sum of its rows' maxima. What is forbidden does not count: one absurd price would make
// the grid too coarse for all the others.
double most(const double* matrix, const Problem& p) {
  double total = 0;
  for (int s = 0; s < p.slots; ++s) total += row_max(matrix + s * p.llms, p.allowed + s * p.llms, p.llms);
  return total;
}

}  // namespace

Grid grid_for(double total) {
  int exponent = 0;
  std::frexp(total, &exponent);
  return {std::ldexp(1.5, std::max(exponent, -900) + 1)};
}

Terms terms_of(const Problem& p) {
  Terms t;
  t.value_usd = p.value_usd;
  t.usd_per_second = p.usd_per_second;
  t.budgeted = p.budget.limited();
  t.timed = p.max_seconds.limited();
  const double waiting = p.usd_per_second > 0 ? p.usd_per_second * most(p.seconds, p) : 0;
  t.money = grid_for(std::max(p.value_usd, most(p.usd, p) + waiting));
  t.bound = grid_for(most(p.usd_bound, p));
  t.time = grid_for(most(p.seconds_bound, p));
  return t;
}

}  // namespace turnout::assign
