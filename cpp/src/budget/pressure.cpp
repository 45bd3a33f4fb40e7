#include "turnout/budget/pressure.hpp"

#include <algorithm>
#include <cmath>

#include "turnout/core.hpp"

namespace turnout::budget {
namespace {

void check_share(double value, const char* path) {
  if (!(value >= 0 && value <= 1)) throw Error(ErrorKind::input, path, "expected a number from 0 to 1");
}

void check_value(double value, const char* path) {
  if (!(value >= 0 && std::isfinite(value))) throw Error(ErrorKind::input, path, "expected a finite number >= 0");
}

}  // namespace

double lambda(double base, double pressure, double floor) {
  check_value(base, "base");
  check_share(pressure, "pressure");
  check_share(floor, "floor");
  if (floor == 0) throw Error(ErrorKind::input, "floor", "expected a number > 0");
  return base / std::max(pressure, floor);
}

double effective_value(double value_usd, double pressure, double floor) {
  check_value(value_usd, "value_usd");
  check_share(pressure, "pressure");
  check_share(floor, "floor");
  return value_usd * std::max(pressure, floor);
}

}  // namespace turnout::budget
