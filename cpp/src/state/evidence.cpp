#include "state/evidence.hpp"

#include <algorithm>
#include <utility>

#include "state/outer.hpp"

namespace turnout::state {
namespace {

bool fits(std::int64_t sum, std::int64_t term) { return std::abs(sum + term) <= kMaxSum; }

const Part* find(const ArmEvidence& arm, std::uint32_t epoch) {
  const auto at = std::lower_bound(arm.parts.begin(), arm.parts.end(), epoch,
                                   [](const Part& p, std::uint32_t e) { return p.epoch < e; });
  return at != arm.parts.end() && at->epoch == epoch ? &*at : nullptr;
}

Sums& writable(Part& part, const Copies& copies) {
  if (copies.reading > 0 && part.stamp < copies.stamp) part.sums = std::make_shared<Sums>(*part.sums);
  part.stamp = copies.stamp;
  return *part.sums;
}

Sums& part_of(ArmEvidence& arm, std::uint32_t epoch, int dim, const Copies& copies) {
  if (const Part* found = find(arm, epoch)) return writable(const_cast<Part&>(*found), copies);
  const auto at = std::find_if(arm.parts.begin(), arm.parts.end(), [&](const Part& p) { return p.epoch > epoch; });
  return *arm.parts.insert(at, {epoch, copies.stamp, std::make_shared<Sums>(sum_count(dim))})->sums;
}

void add_scored(Sums& sums, const Observation& o, Context x) {
  sums[kWeight] += o.weight;
  sums[kScore] += o.weight * o.score;
  sums[kPrior] += o.weight * o.prior;
  add_outer(sums.data() + kMoment, x.data(), x.size(), static_cast<std::int32_t>(o.weight * (o.score - o.prior)),
            static_cast<std::int32_t>(o.weight));
}

// base * factor + part, in range. False: it would not be.
bool fold_into(Sums& base, double factor, const Sums& part) {
  Sums next(base.size());
  bool ok = true;
  for (std::size_t i = 0; i < base.size(); ++i) {
    const std::int64_t kept = factor == 1 ? base[i] : rounded(static_cast<double>(base[i]) * factor);
    next[i] = kept + part[i];
    ok &= std::abs(next[i]) <= kMaxSum;
  }
  if (ok) base = std::move(next);
  return ok;
}

Sums halved(Sums sums) {
  for (std::int64_t& s : sums) s = rounded(static_cast<double>(s) * 0.5);
  return sums;
}

}  // namespace

// Squares and residuals are below 2^30 a weight of 1. Beyond that bound they are looked at: |sum of x_i x_j| is at most
// the larger of the sums of x_i^2 and x_j^2, so the diagonal is enough.
bool has_room(const ArmEvidence& arm, std::uint32_t epoch, const Observation& o, Context x) {
  const Part* part = find(arm, epoch);
  if (part == nullptr) return true;
  const Sums& sums = *part->sums;
  bool ok = !o.charged || (fits(sums[kUsd], o.usd) && fits(sums[kUsdExpected], o.usd_expected));
  if (!o.scored || sums[kWeight] + o.weight <= kMaxSum >> 30) return ok;
  const std::size_t d = x.size();
  const std::int64_t residual = o.weight * (o.score - o.prior);
  for (const std::size_t k : {kWeight, kScore, kPrior}) ok &= fits(sums[k], o.weight << 15);
  for (std::size_t i = 0, diagonal = kMoment + d; i < d; diagonal += d - i, ++i)
    ok &= fits(sums[kMoment + i], residual * x[i]) && fits(sums[diagonal], o.weight * x[i] * x[i]);
  return ok;
}

void add(ArmEvidence& arm, std::uint32_t epoch, const Observation& o, Context x, const Copies& copies) {
  Sums& sums = part_of(arm, epoch, static_cast<int>(x.size()), copies);
  if (o.scored) add_scored(sums, o, x);
  if (!o.charged) return;
  sums[kUsd] += o.usd;
  sums[kUsdExpected] += o.usd_expected;
  sums[kUsdCount] += 1;
}

bool fold(ArmEvidence& arm, std::uint32_t last, double discount) {
  auto at = arm.parts.begin();
  for (; at != arm.parts.end() && at->epoch <= last; ++at) {
    if (!arm.base.sums) {
      arm.base = std::move(*at);
      continue;
    }
    ++arm.changes;
    auto base = std::make_shared<Sums>(*arm.base.sums);
    const double factor = power(discount, at->epoch - arm.base.epoch);
    while (!fold_into(*base, factor, *at->sums)) *base = halved(std::move(*base));
    arm.base = {at->epoch, at->stamp, std::move(base)};
  }
  const bool any = at != arm.parts.begin();
  arm.parts.erase(arm.parts.begin(), at);
  return any;
}

void accumulate(const ArmEvidence& arm, std::uint32_t now, double discount, std::span<double> out) {
  const auto accumulate_part = [&](const Part& part) {
    const double factor = power(discount, now - part.epoch);
    const std::int64_t* const sums = part.sums->data();
    for (std::size_t i = 0; i < out.size(); ++i) out[i] += factor * static_cast<double>(sums[i]);
  };
  if (arm.base.sums) accumulate_part(arm.base);
  for (const Part& part : arm.parts) accumulate_part(part);
}

}  // namespace turnout::state
