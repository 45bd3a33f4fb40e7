#include "bindings.hpp"

namespace turnout::python {

void bind_telemetry(py::module_&) {}

}  // namespace turnout::python
