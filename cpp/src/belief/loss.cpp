#include "turnout/belief/loss.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "turnout/consensus.hpp"

namespace turnout::belief {
namespace {

constexpr double kSlack = 1e-6;  // of a sum of probabilities

std::string at(const char* column, std::size_t i) { return std::string(column) + "[" + std::to_string(i) + "]"; }

void check_states(const char* path, std::size_t n, std::size_t least = 2) {
  if (n < least || n > static_cast<std::size_t>(kMaxStates))
    throw Error(
        ErrorKind::input, path,
        "expected " + std::to_string(least) + " to " + std::to_string(kMaxStates) + ", got " + std::to_string(n));
}

void check_distribution(const char* path, std::span<const double> p, bool positive) {
  check_states(path, p.size());
  double sum = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (!(positive ? p[i] > 0 : p[i] >= 0) || !(p[i] <= 1 + kSlack))
      throw Error(ErrorKind::input, at(path, i), "expected a probability");
    sum += p[i];
  }
  if (std::abs(sum - 1) > kSlack) throw Error(ErrorKind::input, path, "expected probabilities that sum to 1");
}

// Rows of `states`; how many.
std::size_t check_table(const char* path, std::span<const double> table, std::size_t states) {
  if (table.size() % states != 0) throw Error(ErrorKind::input, path, "expected a column a state");
  const std::size_t rows = table.size() / states;
  check_states(path, rows, 1);
  for (std::size_t i = 0; i < table.size(); ++i)
    if (!(std::abs(table[i]) <= 1e12)) throw Error(ErrorKind::input, at(path, i / states), "expected numbers");
  return rows;
}

void check_likelihood(std::span<const double> likelihood, std::size_t states) {
  const std::size_t rows = check_table("likelihood", likelihood, states);
  for (std::size_t s = 0; s < states; ++s) {
    double sum = 0;
    for (std::size_t o = 0; o < rows; ++o) {
      if (likelihood[o * states + s] < 0) throw Error(ErrorKind::input, at("likelihood", o), "expected probabilities");
      sum += likelihood[o * states + s];
    }
    if (std::abs(sum - 1) > kSlack)
      throw Error(ErrorKind::input, "likelihood", "expected the outcomes' probabilities to sum to 1 in each state");
  }
}

// Of weights that need not sum to 1: the loss is in their unit.
Act best(std::span<const double> p, std::span<const double> loss) {
  Act found;
  for (std::size_t a = 0; a < loss.size() / p.size(); ++a) {
    double expected = 0;
    for (std::size_t s = 0; s < p.size(); ++s) expected += p[s] * loss[a * p.size() + s];
    if (a == 0 || expected < found.loss) found = {static_cast<int>(a), expected};
  }
  return found;
}

}  // namespace

void log_likelihoods(std::span<const double> ratings, Aggregate rule, double trim, std::span<double> scratch,
                     std::span<double> out) {
  check_states("states", out.size());
  const std::size_t raters = ratings.size() / out.size();
  if (raters < 1 || raters > static_cast<std::size_t>(kMaxRaters) || ratings.size() % out.size() != 0 ||
      scratch.size() != 2 * raters)
    throw Error(ErrorKind::input, "ratings", "expected a row of one rating a state for each of 1 to 1024 models");
  for (std::size_t i = 0; i < ratings.size(); ++i)
    if (!(ratings[i] >= 0 && std::isfinite(ratings[i])))
      throw Error(ErrorKind::input, at("ratings", i / out.size()), "expected finite numbers >= 0");
  const auto column = scratch.first(raters), sorted = scratch.last(raters);
  for (std::size_t s = 0; s < out.size(); ++s) {
    for (std::size_t k = 0; k < raters; ++k) column[k] = ratings[k * out.size() + s];
    out[s] = std::log((rule == Aggregate::median ? consensus::median(column, sorted)
                                                 : consensus::trimmed_mean(column, trim, sorted)) +
                      0.5);
  }
}

Belief::Belief(std::span<const double> prior) {
  check_distribution("prior", prior, true);
  for (const double p : prior) log_.push_back(std::log(p));
}

void Belief::update(std::span<const double> log_likelihood, double alpha) {
  if (log_likelihood.size() != log_.size())
    throw Error(ErrorKind::input, "log_likelihood", "expected " + std::to_string(log_.size()) + " values");
  for (std::size_t s = 0; s < log_.size(); ++s)
    if (!(std::abs(log_likelihood[s]) <= kMaxLog))
      throw Error(ErrorKind::input, at("log_likelihood", s), "expected a number from -1e6 to 1e6");
  if (!(alpha >= 0 && alpha <= kMaxLog)) throw Error(ErrorKind::input, "alpha", "expected a number from 0 to 1e6");
  for (std::size_t s = 0; s < log_.size(); ++s) log_[s] += alpha * log_likelihood[s];
}

void Belief::probabilities(std::span<double> out) const {
  if (out.size() != log_.size()) throw Error(ErrorKind::input, "out", "expected one a state");
  const double most = *std::max_element(log_.begin(), log_.end());
  double sum = 0;
  for (std::size_t s = 0; s < out.size(); ++s) sum += out[s] = std::exp(log_[s] - most);
  for (double& p : out) p /= sum;
}

Act act(std::span<const double> p, std::span<const double> loss) {
  check_distribution("p", p, false);
  check_table("loss", loss, p.size());
  return best(p, loss);
}

double value_of_information(std::span<const double> p, std::span<const double> loss,
                            std::span<const double> likelihood) {
  const Act now = act(p, loss);
  check_likelihood(likelihood, p.size());
  std::array<double, kMaxStates> joint;
  double after = 0;
  bool changes = false;
  for (std::size_t o = 0; o < likelihood.size() / p.size(); ++o) {
    for (std::size_t s = 0; s < p.size(); ++s) joint[s] = p[s] * likelihood[o * p.size() + s];
    const Act then = best({joint.data(), p.size()}, loss);
    after += then.loss;
    changes |= then.action != now.action;
  }
  return changes ? std::max(0.0, now.loss - after) : 0;
}

}  // namespace turnout::belief
