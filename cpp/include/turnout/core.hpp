// core: strong units, errors, limits, counter-based RNG, fixed-order kernels. Knows nothing else.
#pragma once

#include "turnout/core/allocations.hpp"
#include "turnout/core/dot.hpp"
#include "turnout/core/error.hpp"
#include "turnout/core/isa.hpp"
#include "turnout/core/limits.hpp"
#include "turnout/core/rng.hpp"
#include "turnout/core/units.hpp"
