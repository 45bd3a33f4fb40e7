// How scarcity prices decisions. Pressure is the remaining share of the scarcest limit: 1 is untouched, 0 is used up.
#pragma once

namespace turnout::budget {

// lambda = base / max(pressure, floor): USD weigh more as the budget runs out. base >= 0, pressure in [0, 1], floor in
// (0, 1]; Error(input) with the path otherwise.
double lambda(double base, double pressure, double floor = 0.01);
// What a correct answer is worth under pressure: value_usd * max(pressure, floor), lambda being 1 / value. It rises
// with pressure and is value_usd, the same bits, at pressure 1. floor in [0, 1].
double effective_value(double value_usd, double pressure, double floor = 0);

}  // namespace turnout::budget
