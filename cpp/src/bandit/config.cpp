#include "bandit/checks.hpp"

namespace turnout::bandit {
namespace {

void expect(bool ok, const char* path, const char* what) {
  if (!ok) throw Error(ErrorKind::config, path, what);
}

}  // namespace

void validate(const LinearConfig& c) {
  expect(c.dim >= 1 && c.dim <= kMaxFeatures, "bandit.dim", "expected 1 to 128");
  expect(static_cast<int>(c.policy) < kPolicies, "bandit.policy", "there is no such policy");
  expect(c.alpha >= 0 && c.alpha <= kMaxNumber, "bandit.alpha", "expected a number from 0 to 1e6");
  expect(c.epsilon >= 0 && c.epsilon <= 1, "bandit.epsilon", "expected a number from 0 to 1");
  expect(c.temperature >= 0 && c.temperature <= (c.policy == Policy::power ? 1 : kMaxNumber), "bandit.temperature",
         "expected a number of at least 0, at most 1e6, of V^(1/r) at most 1");
  expect(c.ridge >= 1e-6 && c.ridge <= kMaxNumber, "bandit.ridge", "expected a number from 1e-6 to 1e6");
  expect(c.cost_weight >= 0 && c.cost_weight <= kMaxNumber, "bandit.cost_weight", "expected a number from 0 to 1e6");
}

}  // namespace turnout::bandit
