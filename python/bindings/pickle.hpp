// What a pickle of a Decision, a PlanNode or an Alternative holds, and what every class answers to pickle.
#pragma once

#include "decision.hpp"

namespace turnout::python {

py::tuple state_of(const PyDecision& decision);
py::tuple state_of(const PyNode& node);
py::tuple state_of(const PyAlternative& alternative);

// Each throws Error(input) where the state is not one that state_of() gives.
PyDecision decision_from(const py::tuple& state);
PyNode node_from(const py::tuple& state);
PyAlternative alternative_from(const py::tuple& state);

// Gives every class of the module a __reduce_ex__; called when all are bound.
void bind_pickling(py::module_& m);

}  // namespace turnout::python
