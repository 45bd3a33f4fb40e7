// The parts of a plan as Python sees them: PlanNode and Alternative.
#include <algorithm>
#include <tuple>

#include "decision.hpp"
#include "pickle.hpp"

namespace turnout::python {
namespace {

using trace::Node;

py::tuple tool_names(const PyNode& n) {
  py::tuple names(n.tools.size());
  for (std::size_t i = 0; i < n.tools.size(); ++i) names[i] = tool_name(*n.names, n.tools[i]);
  return names;
}

py::tuple dependencies(const Node& node) {
  py::list ids;
  for (int i = 0; i < kMaxNodes; ++i)
    if ((node.depends_on >> i) & 1u) ids.append(i);
  return py::tuple(ids);
}

py::dict node_dict(const PyNode& n) {
  py::dict d;
  d["operator"] = n.names->operators[n.node.oper];
  d["layer"] = n.node.layer;
  d["role"] = n.names->roles[n.node.oper][n.node.slot];
  d["llm"] = llm_name(*n.names, n.node.llm);
  d["tools"] = py::list(tool_names(n));
  d["depends_on"] = py::list(dependencies(n.node));
  d["calls"] = n.node.calls;
  d["rounds"] = n.node.rounds;
  d["max_input_tokens"] = n.node.max_input_tokens;
  d["max_output_tokens"] = n.node.max_output_tokens;
  d["p_correct"] = n.node.quality;
  d["prior"] = n.node.prior;
  d["usd"] = n.node.usd;
  d["usd_bound"] = n.node.usd_bound;
  d["seconds"] = n.node.seconds;
  d["seconds_bound"] = n.node.seconds_bound;
  return d;
}

py::dict alternative_dict(const PyAlternative& a) {
  py::dict d;
  d["llm"] = llm_name(*a.names, a.alternative.llm);
  d["feasible"] = a.alternative.rule == trace::Rule::none;
  d["rule"] = trace::rule_name(a.alternative.rule);
  d["p_correct"] = a.alternative.quality;
  d["usd"] = a.alternative.usd;
  d["usd_bound"] = a.alternative.usd_bound;
  d["seconds"] = a.alternative.seconds;
  d["utility"] = a.alternative.utility;
  return d;
}

bool equal_nodes(const PyNode& a, const PyNode& b) {
  return same_names(*a.names, *b.names) && a.node == b.node && a.tools == b.tools &&
         std::all_of(a.tools.begin(), a.tools.end(),
                     [&](std::int32_t id) { return tool_name(*a.names, id) == tool_name(*b.names, id); });
}

}  // namespace

// But for the capabilities: a pickle carries only the names of those that it mentions.
bool same_names(const trace::Names& a, const trace::Names& b) {
  const auto fields = [](const trace::Names& n) {
    return std::tie(n.bundle, n.bundle_version, n.embedder, n.llms, n.operators, n.roles, n.cut_points);
  };
  return &a == &b || fields(a) == fields(b);
}

void bind_node(py::module_& m) {
  py::class_<PyNode>(m, "PlanNode",
                     "One call slot of a plan: which operator, which LLM, after which nodes, at what price.")
      .def_property_readonly(
          "operator", [](const PyNode& n) { return n.names->operators[n.node.oper]; },
          "Id of the operator that this call belongs to.")
      .def_property_readonly(
          "layer", [](const PyNode& n) { return n.node.layer; }, "Layer of the operator in the allocation, from 0.")
      .def_property_readonly(
          "role", [](const PyNode& n) { return n.names->roles[n.node.oper][n.node.slot]; },
          "What the call does in its operator, as in `critic`.")
      .def_property_readonly(
          "llm", [](const PyNode& n) { return llm_name(*n.names, n.node.llm); }, "Id of the LLM to call.")
      .def_property_readonly("tools", tool_names,
                             "Ids of the tools and agents that the call may use; empty for a role that uses none.")
      .def_property_readonly(
          "depends_on", [](const PyNode& n) { return dependencies(n.node); },
          "Indices in `plan` of the nodes that must have ended before it starts; all are earlier.")
      .def_property_readonly(
          "calls", [](const PyNode& n) { return n.node.calls; }, "How often the LLM is called.")
      .def_property_readonly(
          "rounds", [](const PyNode& n) { return n.node.rounds; },
          "How many of these calls come one after the other; the others run side by side.")
      .def_property_readonly(
          "max_input_tokens", [](const PyNode& n) { return n.node.max_input_tokens; },
          "Prompt tokens of one call that the plan reckons with.")
      .def_property_readonly(
          "max_output_tokens", [](const PyNode& n) { return n.node.max_output_tokens; },
          "Output tokens to allow one call; the `cap` statistic charges all of them.")
      .def_property_readonly(
          "p_correct", [](const PyNode& n) { return n.node.quality; },
          "P(correct) of this LLM alone on this query, in [0, 1].")
      .def_property_readonly(
          "prior", [](const PyNode& n) { return n.node.prior; },
          "The same by the bundle's outcome model alone, without what was learned and without telemetry.")
      .def_property_readonly(
          "usd", [](const PyNode& n) { return n.node.usd; }, "Expected USD of all its calls.")
      .def_property_readonly(
          "usd_bound", [](const PyNode& n) { return n.node.usd_bound; },
          "USD of all its calls by the statistic that the limits bound.")
      .def_property_readonly(
          "seconds", [](const PyNode& n) { return n.node.seconds; }, "Expected seconds from its start to its end.")
      .def_property_readonly(
          "catalog_seconds", [](const PyNode& n) { return n.node.seconds / n.node.slowdown; },
          "The same without the slowdown that telemetry saw: what to give telemetry as `expected_seconds`.")
      .def_property_readonly(
          "seconds_bound", [](const PyNode& n) { return n.node.seconds_bound; },
          "Seconds by the statistic that the limits bound.")
      .def("to_dict", node_dict, "The same as plain data, for JSON.")
      .def("__eq__", equal_nodes, py::is_operator())
      .def("__repr__",
           [](const PyNode& n) {
             return "PlanNode(" + n.names->operators[n.node.oper] + "/" + n.names->roles[n.node.oper][n.node.slot] +
                    " on " + llm_name(*n.names, n.node.llm) + ")";
           })
      .def(py::pickle([](const PyNode& n) { return state_of(n); }, &node_from));
}

void bind_alternative(py::module_& m) {
  py::class_<PyAlternative>(m, "Alternative",
                            "An LLM as a single call, with what it would give and the rule that excludes it, if any.")
      .def_property_readonly(
          "llm", [](const PyAlternative& a) { return llm_name(*a.names, a.alternative.llm); }, "Id of the LLM.")
      .def_property_readonly(
          "feasible", [](const PyAlternative& a) { return a.alternative.rule == trace::Rule::none; },
          "Whether no hard rule or limit excludes it.")
      .def_property_readonly(
          "rule", [](const PyAlternative& a) { return trace::rule_name(a.alternative.rule); },
          "What excludes it: `none`, `not_allowed`, `denied`, `policy`, `context`, `budget`, `time`, `tripped`, "
          "`rate_limited`, `calls` or `tokens`.")
      .def_property_readonly(
          "p_correct", [](const PyAlternative& a) { return a.alternative.quality; },
          "P(correct) of the call, in [0, 1].")
      .def_property_readonly(
          "usd", [](const PyAlternative& a) { return a.alternative.usd; }, "Expected USD.")
      .def_property_readonly(
          "usd_bound", [](const PyAlternative& a) { return a.alternative.usd_bound; },
          "USD by the statistic that the limits bound.")
      .def_property_readonly(
          "seconds", [](const PyAlternative& a) { return a.alternative.seconds; }, "Expected seconds.")
      .def_property_readonly(
          "utility", [](const PyAlternative& a) { return a.alternative.utility; },
          "value_usd * p_correct - usd - usd_per_second * seconds, in USD.")
      .def("to_dict", alternative_dict, "The same as plain data, for JSON.")
      .def(
          "__eq__",
          [](const PyAlternative& a, const PyAlternative& b) {
            return same_names(*a.names, *b.names) && a.alternative == b.alternative;
          },
          py::is_operator())
      .def("__repr__",
           [](const PyAlternative& a) {
             return "Alternative(" + llm_name(*a.names, a.alternative.llm) +
                    ", utility=" + std::to_string(a.alternative.utility) + ")";
           })
      .def(py::pickle([](const PyAlternative& a) { return state_of(a); }, &alternative_from));
}

}  // namespace turnout::python
