// Which votes count, and how much.
#include "check.hpp"

namespace turnout::consensus {
namespace {

bool same(const Source& a, const Source& b) { return a.llm == b.llm && a.sample == b.sample && a.sample != kOwnSample; }

void check_rho(double rho, const std::string& path) {
  if (!(rho >= 0 && rho <= 1)) throw Error(ErrorKind::input, path, "expected a number from 0 to 1");
}

}  // namespace

int distinct(std::span<const Source> sources, std::span<std::uint8_t> counted) {
  check_votes("sources", sources.size());
  check_length("counted", counted.size(), sources.size());
  int count = 0;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    counted[i] = 1;
    for (std::size_t j = 0; j < i && counted[i]; ++j) counted[i] = !same(sources[i], sources[j]);
    count += counted[i];
  }
  return count;
}

double effective_votes(double n, double rho) {
  if (!(n >= 0 && std::isfinite(n))) throw Error(ErrorKind::input, "n", "expected a finite number >= 0");
  check_rho(rho, "rho");
  return n <= 1 ? n : n / (1 + (n - 1) * rho);
}

void independence(std::span<const std::int32_t> llms, std::span<const double> rho, std::span<double> weights) {
  check_votes("llms", llms.size());
  check_length("rho", rho.size(), llms.size());
  check_length("weights", weights.size(), llms.size());
  for (std::size_t i = 0; i < llms.size(); ++i) check_rho(rho[i], "rho[" + std::to_string(i) + "]");
  for (std::size_t i = 0; i < llms.size(); ++i) {
    double n = 0;
    for (const std::int32_t llm : llms) n += llm == llms[i];
    weights[i] = 1 / (1 + (n - 1) * rho[i]);
  }
}

}  // namespace turnout::consensus
