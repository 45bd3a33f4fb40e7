#include "bindings.hpp"

namespace turnout::python {

void bind_healing(py::module_&) {}

}  // namespace turnout::python
