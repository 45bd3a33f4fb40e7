// What an agent should do with what is left, and what its work costs in one number (BATS, a2). Calls of a tool are
// limited by an account of its own under the run's.
#pragma once

#include <cstdint>
#include <span>

#include "turnout/core.hpp"

namespace turnout::budget {

// go_on: as planned. dig: deeper where it already looks. pivot: to the cheapest way to an answer. stop: answer now.
enum class Action : std::uint8_t { go_on, dig, pivot, stop };
const char* action_name(Action action);

// Least remaining shares of go_on, dig and pivot; below the last, stop. The defaults are a judgement.
struct Bands {
  double go_on = 0.5, dig = 0.25, pivot = 0.1;
};

// Throws Error(config) "bands" unless 1 >= go_on >= dig >= pivot >= 0, Error(input) "share" outside of [0, 1].
Action decide(double share, const Bands& bands = {});

// Token price + sum of calls * price: the unified cost of a trace. Prices in USD, of a million tokens and of a call of
// each tool. Throws Error(input) with the path to a number below 0 or not finite.
Usd unified_cost(double tokens_in, double tokens_out, double usd_per_mtok_in, double usd_per_mtok_out,
                 std::span<const double> calls, std::span<const double> usd_per_call);

}  // namespace turnout::budget
