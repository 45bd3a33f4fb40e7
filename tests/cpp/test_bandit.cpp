// The posterior of a linear model, against the definition.
#include <cmath>
#include <limits>
#include <vector>

#include "allocations.hpp"
#include "check.hpp"
#include "turnout/bandit/posterior.hpp"
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
