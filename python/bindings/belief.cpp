#include "bindings.hpp"

namespace turnout::python {

void bind_belief(py::module_& /*m*/) {}

}  // namespace turnout::python
