#include "turnout/budget/clock.hpp"

#include <cmath>

#include "turnout/core.hpp"

namespace turnout::budget {

void check_now(double now) {
  if (!std::isfinite(now)) throw Error(ErrorKind::input, "now", "expected a finite number of seconds");
}

}  // namespace turnout::budget
