// A Decision as Python holds it: one block (the record) and one object, with the router's names shared.
#pragma once

#include <memory>
#include <vector>

#include "bindings.hpp"
#include "budget.hpp"
#include "turnout/trace.hpp"

namespace turnout::python {

using SharedNames = std::shared_ptr<const trace::Names>;

struct PyDecision {
  SharedNames names;
  trace::Decision d;
  std::shared_ptr<PyLedger> ledger = nullptr;  // where its reservation is; not pickled
};

struct PyNode {
  SharedNames names;
  trace::Node node;
  std::vector<std::int32_t> tools;  // capability ids
};

struct PyAlternative {
  SharedNames names;
  trace::Alternative alternative;
};

inline const std::string& llm_name(const trace::Names& names, int llm) {
  return names.llms[static_cast<std::size_t>(llm)];
}
inline const std::string& tool_name(const trace::Names& names, int id) {
  return names.capabilities[static_cast<std::size_t>(id)];
}

// Equal for a pickled copy, too: it carries only the capabilities that it mentions.
bool same_names(const trace::Names& a, const trace::Names& b);

void bind_node(py::module_& m);
void bind_alternative(py::module_& m);

// The LLM of the first call: for hosts that only ask "which model".
inline py::object first_llm(const PyDecision& p) {
  if (p.d.node_count == 0) return py::none();
  return py::str(llm_name(*p.names, p.d.nodes[0].llm));
}

}  // namespace turnout::python
