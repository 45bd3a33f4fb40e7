#include "turnout/bandit/linear.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "bandit/arm.hpp"
#include "bandit/checks.hpp"
#include "bandit/inverse.hpp"
#include "turnout/core.hpp"

namespace turnout::bandit {

LinearBandit::LinearBandit(const LinearConfig& config) : config_(config) { validate(config); }
LinearBandit::~LinearBandit() = default;
LinearBandit::LinearBandit(LinearBandit&&) noexcept = default;
LinearBandit& LinearBandit::operator=(LinearBandit&&) noexcept = default;

int LinearBandit::size() const { return static_cast<int>(arms_.size()); }

LinearBandit::Arm& LinearBandit::arm(int position) {
  if (position < 0 || position >= size()) throw Error(ErrorKind::input, "arm", "there is no such arm");
  return *arms_[static_cast<std::size_t>(position)];
}
const LinearBandit::Arm& LinearBandit::arm(int position) const {
  return const_cast<LinearBandit*>(this)->arm(position);
}

const std::string& LinearBandit::name(int position) const { return arm(position).name; }

int LinearBandit::find(std::string_view name) const {
  const auto at = std::find_if(arms_.begin(), arms_.end(), [&](const auto& a) { return a->name == name; });
  return at == arms_.end() ? -1 : static_cast<int>(at - arms_.begin());
}

void LinearBandit::add_arm(std::string_view name) {
  if (name.empty()) throw Error(ErrorKind::input, "arm", "expected a name");
  if (find(name) >= 0) throw Error(ErrorKind::input, "arm", "'" + std::string(name) + "' stands twice");
  if (size() == kMaxArms) throw Error(ErrorKind::input, "arm", "there are 4096 arms already");
  auto added = std::make_unique<Arm>(name, config_.dim, config_.ridge);
  deviations_.reserve(arms_.size() + 1);
  open_.reserve(arms_.size() + 1);
  shares_.reserve(arms_.size() + 1);
  arms_.push_back(std::move(added));
}

void LinearBandit::remove_arm(int position) {
  arm(position);
  arms_.erase(arms_.begin() + position);
}

void LinearBandit::predict(int position, std::span<const float> x, double& mean, double& deviation) const {
  const Arm& a = arm(position);
  check_features(x, config_.dim);
  const Padded wide(x);
  const int n = blocks(config_.dim);
  mean = inverse_kernels().dot(a.theta.data(), wide.values, n);
  deviation = std::sqrt(std::max(0.0, inverse_kernels().quadratic(a.inverse.data(), wide.values, n)));
}

void LinearBandit::check(const Update& update) const {
  arm(update.position);
  check_number(update.reward, "reward");
  check_number(update.prior, "prior");
  check_number(update.weight, "weight");
  if (update.weight < 0) throw Error(ErrorKind::input, "weight", "expected a number of at least 0");
}

void LinearBandit::learn(std::span<const float> x, const Update& update) {
  Arm& a = arm(update.position);
  a.learn(Padded(x).values, update.reward - update.prior, update.weight, config_.ridge);
  if (++a.updates >= kRefresh && !a.refit(config_.ridge)) a.updates = 0;  // too ill-conditioned: it goes on as it is
}

void LinearBandit::update(std::span<const float> x, const Update& update) {
  check_features(x, config_.dim);
  check(update);
  learn(x, update);
}

void LinearBandit::update(std::span<const float> x, std::span<const Update> updates) {
  const auto d = static_cast<std::size_t>(config_.dim);
  if (x.size() != d * updates.size()) throw Error(ErrorKind::input, "x", "expected a row of dim features an update");
  for (std::size_t i = 0; i < updates.size(); ++i) {
    check_features(x.subspan(i * d, d), config_.dim);
    check(updates[i]);
  }
  for (std::size_t i = 0; i < updates.size(); ++i) learn(x.subspan(i * d, d), updates[i]);
}

void LinearBandit::discount(double gamma) {
  if (!(gamma >= 0 && gamma <= 1)) throw Error(ErrorKind::input, "gamma", "expected a number from 0 to 1");
  std::vector<std::unique_ptr<Arm>> next;
  for (const auto& a : arms_) {
    next.push_back(std::make_unique<Arm>(*a));
    for (double& v : next.back()->precision) v *= gamma;
    for (double& v : next.back()->moment) v *= gamma;
    if (!next.back()->refit(config_.ridge))
      throw Error(ErrorKind::input, "ridge", "too small for what '" + a->name + "' has learned: A cannot be inverted");
  }
  arms_ = std::move(next);
}

double LinearBandit::residual(int position) const {
  const Arm& a = arm(position);
  const int d = config_.dim, n = blocks(d);
  double worst = 0;
  for (int i = 0; i < d; ++i) {
    alignas(64) double row[kMaxFeatures] = {}, product[kMaxFeatures];
    for (int j = 0; j < d; ++j) {
      const int low = std::min(i, j), high = std::max(i, j);
      row[j] = a.precision[static_cast<std::size_t>(low * d - low * (low - 1) / 2 + high - low)];
    }
    row[i] += config_.ridge;
    inverse_kernels().multiply(a.inverse.data(), row, n, product);
    for (int j = 0; j < d; ++j) worst = std::max(worst, std::abs(product[j] - (i == j ? 1 : 0)));
  }
  return worst;
}

}  // namespace turnout::bandit
