#include "bindings.hpp"

namespace turnout::python {

void bind_graph(py::module_&) {}

}  // namespace turnout::python
