// Nanoseconds of a posterior's fit and deviation, and of a bandit's selection and update. Fails when an answer is
// wrong.
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "allocations.hpp"
#include "turnout/bandit.hpp"
#include "turnout/core.hpp"

using namespace turnout;
using namespace turnout::bandit;

namespace {

constexpr int kRuns = 7;
int failures = 0;

// Best of some runs, a call.
template <class Work>
double nanoseconds(int calls, Work&& work) {
  double best = 1e300;
  for (int r = 0; r < kRuns; ++r) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < calls; ++i) work(i);
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
    best = std::min(best, took.count() / calls);
  }
  return best;
}

void report_posterior(int d) {
  Philox rng(1);
  std::vector<double> precision(static_cast<std::size_t>(d * (d + 1) / 2)), moment(static_cast<std::size_t>(d));
  std::vector<std::vector<float>> rows(64, std::vector<float>(static_cast<std::size_t>(d)));
  for (auto& row : rows) {
    for (float& x : row) x = static_cast<float>(rng.normal());
    std::size_t cell = 0;
    for (std::size_t i = 0; i < row.size(); ++i) {
      moment[i] += static_cast<double>(row[i]);
      for (std::size_t j = i; j < row.size(); ++j) precision[cell++] += static_cast<double>(row[i] * row[j]);
    }
  }
  Posterior posterior;
  std::vector<double> scratch(moment.size());
  posterior.fit(precision, moment, 1);
  const long before = allocations::count();
  double all = 0;
  const double fit = nanoseconds(20'000, [&](int) { posterior.fit(precision, moment, 1); });
  const double deviation = nanoseconds(200'000, [&](int i) { all += posterior.deviation(rows[i & 63], scratch); });
  const double predict = nanoseconds(200'000, [&](int i) { all += posterior.predict(rows[i & 63]); });
  if (allocations::count() != before || !(all > 0)) ++failures;
  std::printf("  posterior, d = %3d: fit %7.0f ns, deviation %5.0f ns, predict %3.0f ns\n", d, fit, deviation, predict);
}

// Every selection is followed by an update of what it chose.
void report_linear(int arms, int d) {
  LinearBandit bandit({.dim = d, .alpha = 0.1, .ridge = 0.05});
  for (int i = 0; i < arms; ++i) bandit.add_arm("arm " + std::to_string(i));
  Philox rng(2);
  std::vector<std::vector<float>> rows(256, std::vector<float>(static_cast<std::size_t>(d)));
  for (auto& row : rows)
    for (float& x : row) x = static_cast<float>(rng.normal());
  std::vector<double> scores(static_cast<std::size_t>(arms)), propensities(scores.size());
  std::vector<int> chosen(static_cast<std::size_t>(arms));
  const auto select = [&](int i) { return bandit.select({.x = rows[i & 255]}, scores, propensities).position; };
  const auto round = [&](int i) {
    const int arm = select(i);
    ++chosen[static_cast<std::size_t>(arm)];
    bandit.update(rows[i & 255], {.position = arm, .reward = static_cast<double>(rows[i & 255][0])});
  };
  for (int i = 0; i < 1000; ++i) round(i);
  const long before = allocations::count();
  const double both = nanoseconds(20'000, round);
  const double alone = nanoseconds(20'000, select);
  if (allocations::count() != before) ++failures;
  for (const int n : chosen)
    if (n == 0) ++failures;
  std::printf("  %2d arms, d = %2d: select %6.0f ns, select + update %6.0f ns\n", arms, d, alone, both);
}

}  // namespace

int main() {
  std::printf("best of %d runs, SIMD level %s\n", kRuns, isa_name(active_isa()));
  for (const int d : {12, 16, 32, 33, 128}) report_posterior(d);
  report_linear(16, 12);
  report_linear(64, 32);
  std::printf("  wrong answers or allocations: %d\n", failures);
  return failures == 0 ? 0 : 1;
}
