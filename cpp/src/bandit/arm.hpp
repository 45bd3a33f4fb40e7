// One arm's model: what its outcomes sum up to, and what follows from it.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "turnout/bandit/linear.hpp"

namespace turnout::bandit {

struct LinearBandit::Arm {
  std::string name;
  std::vector<double> precision, moment;  // as Posterior::fit takes them
  std::vector<double> theta, inverse;     // padded; tiles of inverse.hpp
  int updates = 0;                        // since the inverse was computed from the sums

  Arm(std::string_view arm_name, int d, double ridge);
  // theta and inverse from the sums. False, and nothing changed: they cannot be factored.
  bool refit(double ridge);
  // One outcome; `x` is padded.
  void learn(const double* x, double reward, double weight, double ridge);

 private:
  void add(const double* x, double reward, double weight);  // to the sums
  void settle(double ridge);                                // theta and inverse from the sums, whatever these are
};

}  // namespace turnout::bandit
