#include "state/checks.hpp"
#include "state/impl.hpp"

namespace turnout::state {
namespace {

// Adds one replica's evidence on an arm; its own sum first, so that the total does not depend on who adds.
void accumulate_slot(const Slot& slot, std::size_t arm, std::uint32_t now, double discount,
                     std::vector<double>& scratch, std::vector<double>& sums, Totals& out) {
  if (arm >= slot.arms.size() || slot.arms[arm].changes == 0) return;
  std::fill(scratch.begin(), scratch.end(), 0.0);
  accumulate(slot.arms[arm], now, discount, scratch);
  for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += scratch[i];
  for (int k = 0; k < kFailures; ++k) out.failures[k] += slot.arms[arm].failures[k];
}

void scale(const std::vector<double>& sums, std::size_t dim, Totals& out) {
  constexpr double kShare = kWeightScale * kShareScale;
  out.weight = sums[kWeight] / kWeightScale;
  out.score = sums[kScore] / kShare;
  out.prior = sums[kPrior] / kShare;
  out.usd = sums[kUsd] / kUsdScale;
  out.usd_expected = sums[kUsdExpected] / kUsdScale;
  out.usd_count = sums[kUsdCount];
  const auto moment = sums.begin() + kMoment, precision = moment + static_cast<std::ptrdiff_t>(dim);
  out.moment.assign(moment, precision);
  out.precision.assign(precision, sums.end());
  for (double& x : out.moment) x /= kShare * kContextScale;
  for (double& x : out.precision) x /= kWeightScale * kContextScale * kContextScale;
}

}  // namespace

void Memory::totals(int arm, Totals& out) const {
  check_integer(arm, 0, arms() - 1, "arm");
  Impl& m = *impl_;
  const auto i = static_cast<std::size_t>(arm);
  std::vector<double> sums(sum_count(m.config.dim)), scratch(sums.size());
  out = {};
  std::unique_lock lock(m.evidence);
  const Shared shared(m, lock, arm);
  lock.unlock();
  for (const Slot* slot : shared.slots) accumulate_slot(*slot, i, shared.now, m.config.discount, scratch, sums, out);
  scale(sums, static_cast<std::size_t>(m.config.dim), out);
}

}  // namespace turnout::state
