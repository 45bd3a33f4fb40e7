#include "bindings.hpp"

namespace turnout::python {

void bind_bandit(py::module_& /*m*/) {}

}  // namespace turnout::python
