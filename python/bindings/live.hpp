// What a call reads of the present: conditions of the router's LLMs, from telemetry or fixed.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "bindings.hpp"
#include "turnout/router.hpp"

namespace turnout::python {

struct Live {
  std::vector<trace::Condition> fixed;  // of each LLM; empty: read from telemetry

  std::shared_ptr<const telemetry::Telemetry> telemetry;
  std::vector<std::int32_t> arms;  // of each LLM; -1: none
  py::object clock;                // None: the steady clock

  // Into the request; what it points to holds until this thread reads again.
  void read(Request& request) const;
};

}  // namespace turnout::python
