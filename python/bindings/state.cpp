#include "bindings.hpp"

namespace turnout::python {

void bind_state(py::module_& /*m*/) {}

}  // namespace turnout::python
