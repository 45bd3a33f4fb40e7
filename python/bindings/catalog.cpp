#include "turnout/catalog.hpp"

#include "bindings.hpp"

namespace turnout::python {
namespace {

using catalog::Capability;
using catalog::Llm;
using catalog::Operator;
using catalog::Policy;
using catalog::Slot;

Llm make_llm(std::string id, double usd_in, double usd_out, double usd_per_call, std::int64_t context,
             std::int64_t max_output, Policy policy, double ability, double ability_se, std::vector<double> skill,
             double discrimination, double out_mean, double out_p90, double length_gain,
             std::vector<double> length_skill, double first_token, double per_token) {
  Llm l;
  l.id = std::move(id);
  l.usd_per_mtok_in = usd_in;
  l.usd_per_mtok_out = usd_out;
  l.usd_per_call = usd_per_call;
  l.context_tokens = context;
  l.max_output_tokens = max_output;
  l.policy = policy;
  l.ability = ability;
  l.ability_se = ability_se;
  l.skill = std::move(skill);
  l.discrimination = discrimination;
  l.output_tokens_mean = out_mean;
  l.output_tokens_p90 = out_p90;
  l.length_gain = length_gain;
  l.length_skill = std::move(length_skill);
  l.seconds_to_first_token = first_token;
  l.seconds_per_output_token = per_token;
  return l;
}

void bind_llm(py::module_& m) {
  const Llm d;
  py::class_<Llm>(m, "Llm", "One LLM: prices, limits, policy bits, ability.")
      .def(py::init(&make_llm), py::kw_only(), py::arg("id"), py::arg("usd_per_mtok_in") = d.usd_per_mtok_in,
           py::arg("usd_per_mtok_out") = d.usd_per_mtok_out, py::arg("usd_per_call") = d.usd_per_call,
           py::arg("context_tokens"), py::arg("max_output_tokens"), py::arg("policy") = d.policy,
           py::arg("ability") = d.ability, py::arg("ability_se") = d.ability_se, py::arg("skill") = d.skill,
           py::arg("discrimination") = d.discrimination, py::arg("output_tokens_mean") = d.output_tokens_mean,
           py::arg("output_tokens_p90") = d.output_tokens_p90, py::arg("length_gain") = d.length_gain,
           py::arg("length_skill") = d.length_skill, py::arg("seconds_to_first_token") = d.seconds_to_first_token,
           py::arg("seconds_per_output_token") = d.seconds_per_output_token)
      .def_readonly("id", &Llm::id)
      .def_readonly("usd_per_mtok_in", &Llm::usd_per_mtok_in)
      .def_readonly("usd_per_mtok_out", &Llm::usd_per_mtok_out)
      .def_readonly("usd_per_call", &Llm::usd_per_call)
      .def_readonly("context_tokens", &Llm::context_tokens)
      .def_readonly("max_output_tokens", &Llm::max_output_tokens)
      .def_readonly("policy", &Llm::policy)
      .def_readonly("ability", &Llm::ability)
      .def_readonly("ability_se", &Llm::ability_se)
      .def_readonly("skill", &Llm::skill)
      .def_readonly("discrimination", &Llm::discrimination)
      .def_readonly("output_tokens_mean", &Llm::output_tokens_mean)
      .def_readonly("output_tokens_p90", &Llm::output_tokens_p90)
      .def_readonly("length_gain", &Llm::length_gain)
      .def_readonly("length_skill", &Llm::length_skill)
      .def_readonly("seconds_to_first_token", &Llm::seconds_to_first_token)
      .def_readonly("seconds_per_output_token", &Llm::seconds_per_output_token)
      .def(
          "__eq__", [](const Llm& a, const Llm& b) { return a == b; }, py::is_operator())
      .def("__repr__", [](const Llm& l) { return "<Llm " + l.id + ">"; });
}

void bind_slot(py::module_& m) {
  py::class_<Slot>(m, "Slot", "One call slot of an operator: an LLM is assigned to each.")
      .def(py::init([](std::string role, int calls, int rounds, double in_mult, double in_extra, double out_mult,
                       double weight, bool uses_tools) {
             return Slot{std::move(role), calls, rounds, in_mult, in_extra, out_mult, weight, uses_tools};
           }),
           py::kw_only(), py::arg("role"), py::arg("calls") = 1, py::arg("rounds") = 1, py::arg("in_mult") = 1.0,
           py::arg("in_extra") = 0.0, py::arg("out_mult") = 1.0, py::arg("weight") = 1.0, py::arg("uses_tools") = false)
      .def_readonly("role", &Slot::role)
      .def_readonly("calls", &Slot::calls)
      .def_readonly("rounds", &Slot::rounds)
      .def_readonly("in_mult", &Slot::in_mult)
      .def_readonly("in_extra", &Slot::in_extra)
      .def_readonly("out_mult", &Slot::out_mult)
      .def_readonly("weight", &Slot::weight)
      .def_readonly("uses_tools", &Slot::uses_tools)
      .def(
          "__eq__", [](const Slot& a, const Slot& b) { return a == b; }, py::is_operator())
      .def("__repr__", [](const Slot& s) { return "<Slot " + s.role + ">"; });
}

Operator make_operator(std::string id, bool generates, bool stops, bool parallel, bool distinct, double fix,
                       double break_, std::vector<double> curve, std::vector<Slot> slots, int min_llms,
                       Policy needs_llm, std::uint32_t needs_capability, bool measured, std::string source) {
  Operator o;
  o.id = std::move(id);
  o.generates = generates;
  o.stops = stops;
  o.parallel = parallel;
  o.distinct = distinct;
  o.fix = fix;
  o.break_ = break_;
  o.curve = std::move(curve);
  o.slots = std::move(slots);
  o.min_llms = min_llms;
  o.needs_llm = needs_llm;
  o.needs_capability = needs_capability;
  o.measured = measured;
  o.source = std::move(source);
  return o;
}

void bind_operator(py::module_& m) {
  py::class_<Operator>(m, "Operator", "A way to use LLMs: its call slots, what it needs, and its priors.")
      .def(py::init(&make_operator), py::kw_only(), py::arg("id"), py::arg("generates") = false,
           py::arg("stops") = false, py::arg("parallel") = false, py::arg("distinct") = false, py::arg("fix") = 0.0,
           py::arg("break_") = 0.0, py::arg("curve") = std::vector<double>(), py::arg("slots") = std::vector<Slot>(),
           py::arg("min_llms") = 1, py::arg("needs_llm") = 0, py::arg("needs_capability") = 0,
           py::arg("measured") = false, py::arg("source") = "")
      .def_readonly("id", &Operator::id)
      .def_readonly("generates", &Operator::generates)
      .def_readonly("stops", &Operator::stops)
      .def_readonly("parallel", &Operator::parallel)
      .def_readonly("distinct", &Operator::distinct)
      .def_readonly("fix", &Operator::fix)
      .def_readonly("break_", &Operator::break_)
      .def_readonly("curve", &Operator::curve)
      .def_readonly("slots", &Operator::slots)
      .def_readonly("min_llms", &Operator::min_llms)
      .def_readonly("needs_llm", &Operator::needs_llm)
      .def_readonly("needs_capability", &Operator::needs_capability)
      .def_readonly("measured", &Operator::measured)
      .def_readonly("source", &Operator::source)
      .def(
          "__eq__", [](const Operator& a, const Operator& b) { return a == b; }, py::is_operator())
      .def("__repr__", [](const Operator& o) { return "<Operator " + o.id + ">"; });
}

void bind_capability_entry(py::module_& m) {
  py::class_<Capability>(m, "Capability", "A tool or agent: what it does, what it costs, what must be granted.")
      .def(py::init([](std::string id, std::uint8_t kind, std::string description, Policy requires_, double usd,
                       double seconds) {
             return Capability{std::move(id), static_cast<catalog::Kind>(kind), std::move(description), requires_, usd,
                               seconds};
           }),
           py::kw_only(), py::arg("id"), py::arg("kind"), py::arg("description"), py::arg("requires") = 0,
           py::arg("usd_per_call") = 0.0, py::arg("seconds") = 0.0)
      .def_readonly("id", &Capability::id)
      .def_property_readonly("kind", [](const Capability& c) { return static_cast<int>(c.kind); })
      .def_readonly("description", &Capability::description)
      .def_readonly("requires", &Capability::requires_)
      .def_readonly("usd_per_call", &Capability::usd_per_call)
      .def_readonly("seconds", &Capability::seconds)
      .def(
          "__eq__", [](const Capability& a, const Capability& b) { return a == b; }, py::is_operator())
      .def("__repr__", [](const Capability& c) { return "<Capability " + c.id + ">"; });
}

std::vector<std::string> kind_names() {
  std::vector<std::string> names;
  for (int k = 0; k < catalog::kKinds; ++k) names.emplace_back(catalog::kind_name(static_cast<catalog::Kind>(k)));
  return names;
}

void check_curve(const std::vector<double>& curve) {
  if (curve.size() != static_cast<std::size_t>(catalog::kCurveKnots))
    throw Error(ErrorKind::input, "curve",
                "expected " + std::to_string(catalog::kCurveKnots) + " values, got " + std::to_string(curve.size()));
}

}  // namespace

void bind_catalog(py::module_& m) {
  bind_llm(m);
  bind_slot(m);
  bind_operator(m);
  bind_capability_entry(m);
  m.attr("curve_knots") = catalog::kCurveKnots;
  m.def("kind_names", kind_names, "Kinds of capability, in the order of their bits.");
  m.def("validate_llms", [](const std::vector<Llm>& llms) { catalog::validate(llms); }, py::arg("llms"));
  m.def(
      "validate_operators", [](const std::vector<Operator>& operators) { catalog::validate(operators); },
      py::arg("operators"));
  m.def(
      "validate_capabilities", [](const std::vector<Capability>& capabilities) { catalog::validate(capabilities); },
      py::arg("capabilities"));
  m.def(
      "curve_at",
      [](const std::vector<double>& curve, double c) {
        check_curve(curve);
        if (!(c >= 0 && c <= 1))
          throw Error(ErrorKind::input, "c", "expected a number in [0, 1], got " + std::to_string(c));
        return catalog::curve_at(curve, c);
      },
      py::arg("curve"), py::arg("c"), "A curve's value at a competence, by linear interpolation.");
}

}  // namespace turnout::python
