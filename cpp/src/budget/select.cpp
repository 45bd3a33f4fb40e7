#include "turnout/budget/select.hpp"

#include <algorithm>
#include <cmath>
#include <string>

namespace turnout::budget {
namespace {

void check(std::span<const double> values, double r, std::span<double> probabilities) {
  if (values.empty() || values.size() > static_cast<std::size_t>(kMaxFrontier) || values.size() != probabilities.size())
    throw Error(ErrorKind::input, "values",
                "expected 1 to " + std::to_string(kMaxFrontier) + " values and a probability for each");
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!(values[i] >= 0 && std::isfinite(values[i])))
      throw Error(ErrorKind::input, "values[" + std::to_string(i) + "]", "expected a finite number >= 0");
  if (!(r >= 0 && r <= 1)) throw Error(ErrorKind::input, "r", "expected a number from 0 to 1");
}

// (V / max)^(1 / r); a difference of logarithms below 0 divided by a small r is at worst minus infinity: weight 0.
double weight(double value, double log_most, double most, double r) {
  if (value == most) return 1;
  return r == 0 || value == 0 ? 0 : std::exp(std::min(0.0, std::log(value) - log_most) / r);
}

}  // namespace

void selection_probabilities(std::span<const double> values, double r, std::span<double> probabilities) {
  check(values, r, probabilities);
  const double most = *std::max_element(values.begin(), values.end());
  const double log_most = std::log(most);
  double sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) sum += probabilities[i] = weight(values[i], log_most, most, r);
  for (double& p : probabilities) p /= sum;
}

int select(std::span<const double> values, double r, Philox& rng, std::span<double> probabilities) {
  selection_probabilities(values, r, probabilities);
  const double u = rng.uniform();
  double cumulative = 0;
  int last = 0;  // the last with a probability: where rounding leaves the sum below u
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    if (probabilities[i] == 0) continue;
    last = static_cast<int>(i);
    if ((cumulative += probabilities[i]) > u) break;
  }
  return last;
}

double terminal_bound(double p_min, double steps, double eps) {
  if (!(p_min > 0 && p_min <= 1)) throw Error(ErrorKind::input, "p_min", "expected a number above 0, at most 1");
  if (!(steps >= 0 && std::isfinite(steps))) throw Error(ErrorKind::input, "steps", "expected a finite number >= 0");
  if (!(eps > 0 && eps < 1)) throw Error(ErrorKind::input, "eps", "expected a number between 0 and 1");
  const double log_eps = std::log(1 / eps);
  return (steps + std::sqrt(2 * steps * log_eps) + 2 * log_eps) / p_min;
}

}  // namespace turnout::budget
