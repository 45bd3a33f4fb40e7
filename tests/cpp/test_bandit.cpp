// The posterior of a linear model, against the definition; a bandit over such models.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "allocations.hpp"
#include "check.hpp"
#include "telemetry/bytes.hpp"
#include "turnout/bandit.hpp"
#include "turnout/core.hpp"

using namespace turnout;
using namespace turnout::bandit;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

using Vector = std::vector<double>;
using Matrix = std::vector<Vector>;

// Gauss-Jordan with pivoting, in long double: A^-1.
Matrix inverse(const Matrix& a) {
  const std::size_t d = a.size();
  std::vector<std::vector<long double>> m(d, std::vector<long double>(2 * d, 0));
  for (std::size_t i = 0; i < d; ++i) {
    for (std::size_t j = 0; j < d; ++j) m[i][j] = a[i][j];
    m[i][d + i] = 1;
  }
  for (std::size_t k = 0; k < d; ++k) {
    std::size_t best = k;
    for (std::size_t i = k; i < d; ++i)
      if (std::abs(m[i][k]) > std::abs(m[best][k])) best = i;
    std::swap(m[k], m[best]);
    for (std::size_t i = 0; i < d; ++i) {
      const long double share = i == k ? 0 : m[i][k] / m[k][k];
      for (std::size_t j = 0; j < 2 * d; ++j) m[i][j] -= share * m[k][j];
    }
  }
  Matrix out(d, Vector(d));
  for (std::size_t i = 0; i < d; ++i)
    for (std::size_t j = 0; j < d; ++j) out[i][j] = static_cast<double>(m[i][d + j] / m[i][i]);
  return out;
}

struct Sums {
  Vector precision, moment;
  Matrix full;  // ridge I + precision
  std::vector<float> x;
};

Sums random_sums(Philox& rng, std::size_t d, int rows, double ridge) {
  Sums out{Vector(d * (d + 1) / 2), Vector(d), Matrix(d, Vector(d)), std::vector<float>(d)};
  for (int n = 0; n < rows; ++n) {
    for (float& x : out.x) x = static_cast<float>(rng.normal());
    const double reward = rng.normal();
    std::size_t cell = 0;
    for (std::size_t i = 0; i < d; ++i) {
      out.moment[i] += reward * static_cast<double>(out.x[i]);
      for (std::size_t j = i; j < d; ++j, ++cell) {
        out.precision[cell] += static_cast<double>(out.x[i]) * static_cast<double>(out.x[j]);
        out.full[i][j] = out.full[j][i] = out.precision[cell] + (i == j ? ridge : 0);
      }
    }
  }
  for (float& x : out.x) x = static_cast<float>(rng.normal());
  return out;
}

LinearBandit bandit_of(int arms, const LinearConfig& config) {
  LinearBandit bandit(config);
  for (int i = 0; i < arms; ++i) bandit.add_arm("arm " + std::to_string(i));
  return bandit;
}

std::vector<float> random_features(Philox& rng, int d) {
  std::vector<float> x(static_cast<std::size_t>(d));
  for (float& v : x) v = static_cast<float>(rng.normal());
  return x;
}

}  // namespace

TEST(the_posterior_is_its_definition) {
  Philox rng(5);
  for (std::size_t d = 1; d <= 41; ++d) {
    const double ridge = d % 3 == 0 ? 0.05 : 1;
    const Sums s = random_sums(rng, d, static_cast<int>(3 * d), ridge);
    const Matrix inv = inverse(s.full);
    Posterior posterior;
    posterior.fit(s.precision, s.moment, ridge);
    Vector scratch(d);
    double prediction = 0, variance = 0;
    for (std::size_t i = 0; i < d; ++i) {
      double mean = 0;
      for (std::size_t j = 0; j < d; ++j) {
        mean += inv[i][j] * s.moment[j];
        variance += static_cast<double>(s.x[i]) * inv[i][j] * static_cast<double>(s.x[j]);
      }
      CHECK_NEAR(posterior.mean()[i], mean, 1e-11);
      prediction += mean * static_cast<double>(s.x[i]);
    }
    CHECK(posterior.dim() == static_cast<int>(d));
    CHECK_NEAR(posterior.predict(s.x), prediction, 1e-10);
    CHECK_NEAR(posterior.deviation(s.x, scratch), std::sqrt(variance), 1e-11);
  }
}

TEST(without_outcomes_the_mean_is_zero_and_the_deviation_that_of_the_ridge) {
  Posterior posterior;
  posterior.fit(Vector(6), Vector(3), 4);
  Vector scratch(3);
  CHECK(posterior.predict(std::vector<float>{1, 2, 3}) == 0);
  CHECK(posterior.deviation(std::vector<float>{3, 0, 4}, scratch) == 2.5);
}

TEST(a_posterior_refuses_what_is_not_one_and_stays_what_it_was) {
  Posterior posterior;
  posterior.fit(Vector{1, 0.5, 1}, Vector{1, 2}, 1);
  const Vector mean(posterior.mean().begin(), posterior.mean().end());
  CHECK_ERROR(posterior.fit(Vector{1, 3, 1}, Vector{1, 2}, 1), ErrorKind::input, "precision");
  CHECK_ERROR(posterior.fit(Vector{0, 0, 0}, Vector{1, 2}, 0), ErrorKind::input, "precision");
  CHECK_ERROR(posterior.fit(Vector{1, kNan, 1}, Vector{1, 2}, 1), ErrorKind::input, "precision");
  CHECK_ERROR(posterior.fit(Vector{kInf, 0, 1}, Vector{1, 2}, 1), ErrorKind::input, "precision");
  CHECK_ERROR(posterior.fit(Vector{1, 0}, Vector{1, 2}, 1), ErrorKind::input, "precision");
  CHECK_ERROR(posterior.fit(Vector{1, 0, 1}, Vector{1, kNan}, 1), ErrorKind::input, "moment");
  CHECK_ERROR(posterior.fit(Vector{}, Vector{}, 1), ErrorKind::input, "moment");
  CHECK_ERROR(posterior.fit(Vector(129 * 65), Vector(129), 1), ErrorKind::input, "moment");
  CHECK_ERROR(posterior.fit(Vector{1, 0, 1}, Vector{1, 2}, kNan), ErrorKind::input, "ridge");
  CHECK_ERROR(posterior.fit(Vector{1, 0, 1}, Vector{1, 2}, -1), ErrorKind::input, "ridge");
  CHECK(Vector(posterior.mean().begin(), posterior.mean().end()) == mean);
}

TEST(the_largest_posterior_fits_and_a_second_fit_allocates_nothing) {
  Philox rng(7);
  const Sums s = random_sums(rng, kMaxFeatures, 300, 1);
  Posterior posterior;
  posterior.fit(s.precision, s.moment, 1);
  Vector scratch(kMaxFeatures);
  const long before = allocations::count();
  posterior.fit(s.precision, s.moment, 2);
  CHECK(posterior.deviation(s.x, scratch) > 0 && std::isfinite(posterior.predict(s.x)));
  CHECK(allocations::count() == before);
}

TEST(rank_one_updates_are_the_posterior_of_the_sums) {
  constexpr int d = 13;
  Philox rng(11);
  LinearBandit bandit = bandit_of(1, {.dim = d, .ridge = 0.05});
  Vector precision(d * (d + 1) / 2), moment(d), scratch(d);
  for (int n = 1; n <= 1200; ++n) {
    const auto x = random_features(rng, d);
    const double reward = rng.normal(), weight = 2 * rng.uniform();
    bandit.update(x, {.position = 0, .reward = reward + 1, .weight = weight, .prior = 1});
    std::size_t cell = 0;
    for (std::size_t i = 0; i < d; ++i) {
      moment[i] += weight * reward * static_cast<double>(x[i]);
      for (std::size_t j = i; j < d; ++j)
        precision[cell++] += weight * static_cast<double>(x[i]) * static_cast<double>(x[j]);
    }
    if (n % 300 > 2) continue;
    Posterior posterior;
    posterior.fit(precision, moment, 0.05);
    double mean, deviation;
    bandit.predict(0, x, mean, deviation);
    CHECK_NEAR(mean, posterior.predict(x), 1e-11);
    CHECK_NEAR(deviation, posterior.deviation(x, scratch), 1e-12);
  }
}

TEST(a_million_rank_one_updates_drift_less_than_stated) {
  constexpr int d = 32;
  Philox rng(13);
  LinearBandit bandit = bandit_of(1, {.dim = d, .ridge = 0.05});
  std::vector<std::vector<float>> rows;
  for (int i = 0; i < 512; ++i) {
    rows.push_back(random_features(rng, d));
    if (i % 2 == 0) rows.back()[3] = rows.back()[4];  // nearly collinear: the hard case
  }
  double worst = 0;
  for (int n = 1; n <= 1'000'000; ++n) {
    const auto& x = rows[rng.next() % rows.size()];
    bandit.update(x, {.position = 0, .reward = static_cast<double>(x[0])});
    if (n < 600 || n % 100'000 == kRefresh * 195 % 100'000) worst = std::max(worst, bandit.residual(0));
  }
  worst = std::max(worst, bandit.residual(0));
  CHECK(worst < kMaxResidual);
  std::printf("  largest |A A^-1 - I| in a million updates: %.1e\n", worst);
}

TEST(the_largest_features_and_weights_leave_numbers) {
  for (const double ridge : {1e-6, 1e-3, 1.0})
    for (const double scale : {1e2, 1e4, 1e6})
      for (const double weight : {1.0, 1e6}) {
        Philox rng(17);
        LinearBandit bandit = bandit_of(1, {.dim = 4, .ridge = ridge});
        double mean = 0, deviation = 0;
        for (int n = 0; n < 600; ++n) {
          std::vector<float> x(4);
          for (float& v : x) v = static_cast<float>(std::clamp(scale * rng.normal(), -kMaxNumber, kMaxNumber));
          bandit.update(x, {.position = 0, .reward = 1, .weight = weight});
          bandit.predict(0, x, mean, deviation);
          CHECK(std::abs(mean) < 1.5);  // of rewards that are all 1
          CHECK(std::isfinite(deviation) && deviation < 1.5);
        }
      }
}

TEST(a_selection_and_an_update_allocate_nothing) {
  for (const Policy policy : {Policy::ucb, Policy::thompson, Policy::epsilon, Policy::temperature, Policy::power}) {
    LinearBandit bandit = bandit_of(9, {.dim = 12, .policy = policy, .temperature = 0.5});
    Philox rng(1);
    const auto x = random_features(rng, 12);
    Vector scores(9), propensities(9);
    bandit.select({.x = x}, scores, propensities);
    const long before = allocations::count();
    for (int i = 0; i < 2 * kRefresh; ++i) {
      const int arm = bandit.select({.x = x, .draws = 3}, scores, propensities).position;
      bandit.update(x, {.position = arm, .reward = 1});
    }
    CHECK(allocations::count() == before);
  }
}

TEST(a_bandit_refuses_what_is_wrong_and_stays_what_it_was) {
  LinearBandit bandit = bandit_of(2, {.dim = 2});
  const std::vector<float> x = {1, 2}, bad = {1, static_cast<float>(kNan)};
  bandit.update(x, {.position = 1, .reward = 1});
  const auto before = bandit.save();
  Vector out(2), propensities(2);
  const bool none[] = {false, false};
  const double cost[] = {0, kInf};
  CHECK_ERROR(bandit.select({.x = bad}, out, propensities), ErrorKind::input, "x[1]");
  CHECK_ERROR(bandit.select({.x = std::span(x).first(1)}, out, propensities), ErrorKind::input, "x");
  CHECK_ERROR(bandit.select({.x = x, .allowed = none}, out, propensities), ErrorKind::input, "allowed");
  CHECK_ERROR(bandit.select({.x = x, .cost = cost}, out, propensities), ErrorKind::input, "cost[1]");
  CHECK_ERROR(bandit.select({.x = x, .prior = std::span(cost).first(1)}, out, propensities), ErrorKind::input, "prior");
  CHECK_ERROR(bandit.select({.x = x, .draws = -1}, out, propensities), ErrorKind::input, "draws");
  CHECK_ERROR(bandit.update(x, {.position = 2}), ErrorKind::input, "arm");
  CHECK_ERROR(bandit.update(x, {.reward = kNan}), ErrorKind::input, "reward");
  CHECK_ERROR(bandit.update(x, {.weight = -1}), ErrorKind::input, "weight");
  CHECK_ERROR(bandit.update(x, {.prior = kInf}), ErrorKind::input, "prior");
  CHECK_ERROR(bandit.update(std::vector<float>{1, 2, 3, kNan}, std::vector<Update>(2)), ErrorKind::input, "x[1]");
  CHECK_ERROR(bandit.discount(1.5), ErrorKind::input, "gamma");
  CHECK_ERROR(bandit.add_arm("arm 1"), ErrorKind::input, "arm");
  CHECK_ERROR(bandit.add_arm(""), ErrorKind::input, "arm");
  CHECK_ERROR(bandit.remove_arm(2), ErrorKind::input, "arm");
  CHECK(bandit.save() == before);
  CHECK_ERROR(LinearBandit({.dim = 0}), ErrorKind::config, "bandit.dim");
  CHECK_ERROR(LinearBandit({.dim = 129}), ErrorKind::config, "bandit.dim");
  CHECK_ERROR(LinearBandit({.dim = 2, .alpha = kNan}), ErrorKind::config, "bandit.alpha");
  CHECK_ERROR(LinearBandit({.dim = 2, .epsilon = 2}), ErrorKind::config, "bandit.epsilon");
  CHECK_ERROR(LinearBandit({.dim = 2, .policy = Policy::power, .temperature = 2}), ErrorKind::config,
              "bandit.temperature");
  CHECK_ERROR(LinearBandit({.dim = 2, .ridge = 0}), ErrorKind::config, "bandit.ridge");
  CHECK_ERROR(LinearBandit({.dim = 2, .cost_weight = -1}), ErrorKind::config, "bandit.cost_weight");
}

TEST(a_snapshot_of_numbers_that_no_outcomes_give_is_not_chosen_by) {
  for (const Policy policy : {Policy::ucb, Policy::thompson, Policy::epsilon, Policy::temperature, Policy::power}) {
    LinearBandit bandit = bandit_of(1, {.dim = 8, .policy = policy});
    auto bytes = bandit.save();
    const double huge = 1e308;  // of theta and of the inverse, that end the bytes
    for (std::size_t back = 0; back < 72; ++back) std::memcpy(&bytes[bytes.size() - 8 - 8 * back], &huge, sizeof huge);
    const std::uint64_t sum = telemetry::checksum(std::span(bytes).subspan(16));
    std::memcpy(&bytes[8], &sum, sizeof sum);
    LinearBandit copy = LinearBandit::load(bytes);
    Vector scores(1), propensities(1);
    const std::vector<float> x(8, 1e6f);
    CHECK_ERROR(copy.select({.x = x}, scores, propensities), ErrorKind::input, "x");
    CHECK(copy.selections() == 0);
  }
}

TEST(a_snapshot_goes_on_with_the_same_bits_and_damage_is_found) {
  LinearBandit bandit = bandit_of(3, {.dim = 5, .policy = Policy::thompson, .seed = 9});
  Philox rng(3);
  Vector scores(3), propensities(3);
  for (int i = 0; i < 40; ++i) {
    const auto x = random_features(rng, 5);
    const int arm = bandit.select({.x = x}, scores, propensities).position;
    bandit.update(x, {.position = arm, .reward = rng.normal()});
  }
  auto bytes = bandit.save();
  LinearBandit copy = LinearBandit::load(bytes);
  const auto x = random_features(rng, 5);
  for (LinearBandit* b : {&bandit, &copy}) {
    const int arm = b->select({.x = x}, scores, propensities).position;
    b->update(x, {.position = arm, .reward = 1});
  }
  CHECK(bandit.save() == copy.save());
  for (std::size_t i = 0; i < bytes.size(); i += 7) {
    CHECK_ERROR(LinearBandit::load(std::span(bytes).first(i)), ErrorKind::input, "snapshot");
    bytes[i] ^= std::byte{4};
    CHECK_ERROR(LinearBandit::load(bytes), ErrorKind::input, "snapshot");
    bytes[i] ^= std::byte{4};
  }
}
