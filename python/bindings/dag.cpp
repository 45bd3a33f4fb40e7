#include "bindings.hpp"

namespace turnout::python {

void bind_dag(py::module_&) {}

}  // namespace turnout::python
