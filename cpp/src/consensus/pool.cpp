// Numbers and distributions of several, as one.
#include <algorithm>
#include <limits>

#include "check.hpp"

namespace turnout::consensus {
namespace {

std::span<double> sorted(std::span<const double> values, std::span<double> scratch) {
  if (values.empty()) throw Error(ErrorKind::input, "values", "expected at least one");
  check_finite("values", values);
  check_length("scratch", scratch.size(), values.size());
  std::copy(values.begin(), values.end(), scratch.begin());
  std::sort(scratch.begin(), scratch.end());
  return scratch;
}

double mean(std::span<const double> values) {
  double sum = 0;
  for (const double v : values) sum += v;
  return sum / static_cast<double>(values.size());
}

std::size_t count_of(const Opinions& o) { return o.rows.size() / static_cast<std::size_t>(o.classes); }
double weight(const Opinions& o, std::size_t i) { return o.weights.empty() ? 1 : o.weights[i]; }

double total(const Opinions& o) {
  double sum = 0;
  for (std::size_t i = 0; i < count_of(o); ++i) sum += weight(o, i);
  return sum;
}

void check(const Opinions& o, std::size_t out) {
  if (o.classes < 1 || o.rows.empty() || o.rows.size() % static_cast<std::size_t>(o.classes) != 0)
    throw Error(ErrorKind::input, "opinions", "expected rows of one or more classes");
  if (!o.weights.empty()) check_length("weights", o.weights.size(), count_of(o));
  check_length("out", out, static_cast<std::size_t>(o.classes));
  check_finite("opinions", o.rows);
  check_not_negative("weights", o.weights);
  if (const double all = total(o); !(all > 0 && std::isfinite(all)))
    throw Error(ErrorKind::input, "weights", "expected a finite sum above 0");
}

void check_distributions(const Opinions& o, std::size_t out) {
  check(o, out);
  check_not_negative("opinions", o.rows);
  const auto classes = static_cast<std::size_t>(o.classes);
  for (std::size_t i = 0; i < count_of(o); ++i) {
    double sum = 0;
    for (const double p : o.rows.subspan(i * classes, classes)) sum += p;
    if (std::abs(sum - 1) > 1e-6) refuse("opinions", i, "probabilities that sum to 1");
  }
}

void add(const Opinions& o, std::size_t row, double weight, std::span<double> out) {
  for (std::size_t k = 0; k < out.size(); ++k) out[k] += weight * o.rows[row * out.size() + k];
}

}  // namespace

double trimmed_mean(std::span<const double> values, double trim, std::span<double> scratch) {
  if (!(trim >= 0 && trim < 0.5)) throw Error(ErrorKind::input, "trim", "expected a number >= 0 and below 0.5");
  const auto all = sorted(values, scratch);
  const auto cut = static_cast<std::size_t>(trim * static_cast<double>(all.size()));
  return mean(all.subspan(cut, all.size() - 2 * cut));
}

double median(std::span<const double> values, std::span<double> scratch) {
  const auto all = sorted(values, scratch);
  const std::size_t half = (all.size() - 1) / 2;
  return mean(all.subspan(half, all.size() - 2 * half));
}

void linear_pool(const Opinions& o, std::span<double> out) {
  check_distributions(o, out.size());
  const double all = total(o);
  std::fill(out.begin(), out.end(), 0.0);
  for (std::size_t i = 0; i < count_of(o); ++i) add(o, i, weight(o, i) / all, out);
}

void log_pool(const Opinions& o, std::span<double> out) {
  check_distributions(o, out.size());
  const double all = total(o);
  std::fill(out.begin(), out.end(), 0.0);
  for (std::size_t i = 0; i < count_of(o); ++i)
    for (std::size_t k = 0; k < out.size() && weight(o, i) > 0; ++k)
      out[k] += weight(o, i) / all * std::log(o.rows[i * out.size() + k]);
  const double most = *std::max_element(out.begin(), out.end());
  if (most == -std::numeric_limits<double>::infinity())
    throw Error(ErrorKind::input, "opinions", "every class is ruled out by one of them");
  double sum = 0;
  for (double& p : out) sum += p = std::exp(p - most);
  for (double& p : out) p /= sum;
}

void fuse(const Opinions& o, int top, std::span<double> used, std::span<double> out) {
  check(o, out.size());
  const std::size_t n = count_of(o);
  check_length("used", used.size(), n);
  if (top < 1) throw Error(ErrorKind::input, "top", "expected an integer >= 1");
  double kept = 0;
  for (std::size_t i = 0; i < n; ++i) {
    int before = 0;  // weights that come first
    for (std::size_t j = 0; j < n; ++j)
      before += weight(o, j) > weight(o, i) || (weight(o, j) == weight(o, i) && j < i);
    used[i] = before < top ? weight(o, i) : 0;
    kept += used[i];
  }
  std::fill(out.begin(), out.end(), 0.0);
  for (std::size_t i = 0; i < n; ++i) add(o, i, used[i] /= kept, out);
}

}  // namespace turnout::consensus
