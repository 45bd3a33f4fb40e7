// Budget-conditioned selection (BAVT, a10): which node of a search frontier to expand next, the greedier the less
// budget remains, and the budget after which a search has ended with a given probability.
#pragma once

#include <span>

#include "turnout/core.hpp"

namespace turnout::budget {

inline constexpr int kMaxFrontier = 1 << 20;

// P(n) proportional to V(n)^(1/r), computed in logarithms, so that no r overflows. r is the remaining share of the
// budget: 1 is proportional to the values, 0 the largest value only. Values tied for the largest share it equally at 0;
// where all values are 0, all nodes share equally. `probabilities` is caller-owned, one a value.
// Throws Error(input): "values" (none, too many), "values[i]" (below 0, not finite), "r" (outside of [0, 1]).
void selection_probabilities(std::span<const double> values, double r, std::span<double> probabilities);
// One draw from them: the first node whose cumulative probability is above a uniform number of `rng`. `probabilities`
// is scratch space and holds them afterwards.
int select(std::span<const double> values, double r, Philox& rng, std::span<double> probabilities);

// The least M with M >= (1 / p_min) (K + sqrt(2 K log(1 / eps)) + 2 log(1 / eps)): after that many expansions a search
// whose every expansion makes progress with a probability of at least p_min has made K steps with probability 1 - eps.
// Throws Error(input): "p_min" in (0, 1], "steps" >= 0, "eps" in (0, 1).
double terminal_bound(double p_min, double steps, double eps);

}  // namespace turnout::budget
