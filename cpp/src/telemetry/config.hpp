#pragma once

#include "turnout/telemetry.hpp"

namespace turnout::telemetry {

inline constexpr double kMaxUsd = 1e6;  // of a call

void validate(int arms, const Config&);  // throws Error(config)
void check(const Outcome&);              // throws Error(input)

}  // namespace turnout::telemetry
