#include "bindings.hpp"

namespace turnout::python {

void bind_budget(py::module_&) {}

}  // namespace turnout::python
