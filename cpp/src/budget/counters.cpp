// What accounts hold and spend: every change goes from the account up to its root.
#include <algorithm>

#include "accounts.hpp"

namespace turnout::budget {
namespace {

void add(Units& sum, const Units& units) {
  for (std::size_t d = 0; d < kDimensions; ++d) sum[d] += units[d];
}

void subtract(Units& sum, const Units& units) {
  for (std::size_t d = 0; d < kDimensions; ++d) sum[d] -= units[d];
}

}  // namespace

Refusal Accounts::refusal(std::uint32_t index, const Units& units) const {
  for (; index != kNone; index = all_[index].parent) {
    const Account& a = all_[index];
    for (std::size_t d = 0; d < kDimensions; ++d)
      if (const auto missing = a.spent[d] + a.held[d] + units[d] - a.limits[d]; missing > 0)
        return {Refusal::Reason::limit, id(index), static_cast<Dimension>(d), static_cast<double>(missing) / kUnits[d]};
  }
  return {};
}

void Accounts::hold(std::uint32_t index, const Units& units) {
  for (; index != kNone; index = all_[index].parent) add(all_[index].held, units);
}

void Accounts::give_back(std::uint32_t index, const Units& units) {
  for (; index != kNone; index = all_[index].parent) subtract(all_[index].held, units);
}

void Accounts::spend(std::uint32_t index, const Units& units) {
  for (; index != kNone; index = all_[index].parent) add(all_[index].spent, units);
}

void Accounts::count_overrun(std::uint32_t index, const Units& beyond) {
  for (; index != kNone; index = all_[index].parent) add(all_[index].overrun, beyond);
}

Units Accounts::remaining(std::uint32_t index) const {
  Units least;
  least.fill(kUnlimited);
  for (; index != kNone; index = all_[index].parent) {
    const Account& a = all_[index];
    for (std::size_t d = 0; d < kDimensions; ++d)
      if (a.limits[d] != kUnlimited)
        least[d] = std::min(least[d], std::max<std::int64_t>(0, a.limits[d] - a.spent[d] - a.held[d]));
  }
  return least;
}

double Accounts::pressure(std::uint32_t index) const {
  double least = 1;
  for (; index != kNone; index = all_[index].parent) {
    const Account& a = all_[index];
    for (std::size_t d = 0; d < kDimensions; ++d) {
      if (a.limits[d] == kUnlimited) continue;
      const auto rest = a.limits[d] - a.spent[d] - a.held[d];
      least = rest <= 0 ? 0 : std::min(least, static_cast<double>(rest) / static_cast<double>(a.limits[d]));
    }
  }
  return least;
}

AccountState Accounts::state(std::uint32_t index) const {
  const Account& a = all_[index];
  return {id(index), a.parent == kNone ? kNoAccount : id(a.parent), a.path, a.limits, a.spent, a.held, a.overrun};
}

std::vector<AccountState> Accounts::snapshot() const {
  std::vector<AccountState> states;
  for (std::uint32_t i = 0; i < all_.size(); ++i)
    if (all_[i].open) states.push_back(state(i));
  std::sort(states.begin(), states.end(), [](const AccountState& a, const AccountState& b) { return a.path < b.path; });
  return states;
}

}  // namespace turnout::budget
