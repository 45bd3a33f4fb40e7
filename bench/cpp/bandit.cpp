// Microseconds of a posterior's fit and deviation (d = 32). Fails when an answer is wrong.
#include <chrono>
#include <cstdio>
#include <vector>

#include "allocations.hpp"
#include "turnout/bandit/posterior.hpp"
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

}  // namespace

int main() {
  std::printf("best of %d runs, SIMD level %s\n", kRuns, isa_name(active_isa()));
  for (const int d : {12, 16, 32, 33, 128}) report_posterior(d);
  std::printf("  wrong answers or allocations: %d\n", failures);
  return failures == 0 ? 0 : 1;
}
