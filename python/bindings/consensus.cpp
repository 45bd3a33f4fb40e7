#include "bindings.hpp"

namespace turnout::python {

void bind_consensus(py::module_& /*m*/) {}

}  // namespace turnout::python
