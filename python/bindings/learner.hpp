// What was learned, as Python holds it.
#pragma once

#include <memory>

#include "bindings.hpp"
#include "turnout/router/learner.hpp"

namespace turnout::python {

using SharedLearner = std::shared_ptr<Learner>;

}  // namespace turnout::python
