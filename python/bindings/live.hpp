// What a call reads of the present: conditions of the router's LLMs.
#pragma once

#include <vector>

#include "bindings.hpp"
#include "turnout/trace.hpp"

namespace turnout::python {

// A fixed snapshot: of each LLM of one router.
struct Live {
  std::vector<trace::Condition> conditions;
  std::uint64_t version = 0;
};

}  // namespace turnout::python
