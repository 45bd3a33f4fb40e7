#include "turnout/budget/clock.hpp"

#include <cmath>

#include "turnout/core.hpp"

namespace turnout::budget {

void check_now(double now) {
  if (!(std::abs(now) <= kMaxNow)) throw Error(ErrorKind::input, "now", "expected seconds from -1e12 to 1e12");
}

}  // namespace turnout::budget
