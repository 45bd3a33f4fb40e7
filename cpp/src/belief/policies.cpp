#include "turnout/belief/policies.hpp"

#include <cmath>
#include <limits>

namespace turnout::belief {
namespace {

void check_probability(const char* path, double p) {
  if (!(p >= 0 && p <= 1)) throw Error(ErrorKind::input, path, "expected a number from 0 to 1");
}

}  // namespace

int models_to_ask(std::span<const std::int32_t> probes, std::span<double> counts) {
  return consensus::agreement(probes, counts).distinct;
}

bool accept(double confidence, double threshold, bool last) {
  check_probability("confidence", confidence);
  check_probability("threshold", threshold);
  return last || confidence >= threshold;
}

bool act_alone(std::span<const std::int32_t> samples, Student rule, std::span<double> counts) {
  const consensus::Agreement found = consensus::agreement(samples, counts);
  const double all = static_cast<double>(samples.size());
  if (found.answers == 0) return false;
  const double most = found.share * found.answers;
  return rule == Student::all ? most > all - 0.5 : most > all / 2;
}

double break_even(double upfront_usd, double saving_usd) {
  if (!(upfront_usd >= 0 && std::isfinite(upfront_usd)))
    throw Error(ErrorKind::input, "upfront_usd", "expected a finite number >= 0");
  if (!std::isfinite(saving_usd)) throw Error(ErrorKind::input, "saving_usd", "expected a finite number");
  return saving_usd > 0 ? upfront_usd / saving_usd : std::numeric_limits<double>::infinity();
}

}  // namespace turnout::belief
