#include "turnout/operators.hpp"

#include "bindings.hpp"

namespace turnout::python {
namespace {

using catalog::Operator;
using operators::Allocation;
using operators::Choice;
using operators::Config;
using operators::DepthRule;
using operators::Mask;

Config make_config(int layers, int depth_rule, std::vector<double> cut_points, double threshold, double temperature,
                   double cost_weight, double reference_ability, int max_stages, int max_uses) {
  if (depth_rule < 0 || depth_rule > static_cast<int>(DepthRule::ceil))
    throw Error(ErrorKind::config, "operators.depth_rule",
                "expected 0 (cut points) or 1 (ceil), got " + std::to_string(depth_rule));
  return {layers,
          static_cast<DepthRule>(depth_rule),
          std::move(cut_points),
          threshold,
          temperature,
          cost_weight,
          reference_ability,
          max_stages,
          max_uses};
}

void bind_config(py::module_& m) {
  const Config d;
  py::class_<Config>(m, "OperatorsConfig",
                     "How operators are allocated: depth rule, activation, temperature, cost weight.")
      .def(py::init(&make_config), py::kw_only(), py::arg("layers") = d.layers, py::arg("depth_rule") = 0,
           py::arg("cut_points"), py::arg("activation_threshold") = d.activation_threshold,
           py::arg("temperature") = d.temperature, py::arg("cost_weight") = d.cost_weight,
           py::arg("reference_ability") = d.reference_ability, py::arg("max_stages") = d.max_stages,
           py::arg("max_uses") = d.max_uses)
      .def_readonly("layers", &Config::layers)
      .def_property_readonly("depth_rule", [](const Config& c) { return static_cast<int>(c.depth_rule); })
      .def_readonly("cut_points", &Config::cut_points)
      .def_readonly("activation_threshold", &Config::activation_threshold)
      .def_readonly("temperature", &Config::temperature)
      .def_readonly("cost_weight", &Config::cost_weight)
      .def_readonly("reference_ability", &Config::reference_ability)
      .def_readonly("max_stages", &Config::max_stages)
      .def_readonly("max_uses", &Config::max_uses);
}

std::vector<std::vector<float>> rows(const Allocation& a, const float (&values)[kMaxLayers][kMaxOperators]) {
  std::vector<std::vector<float>> out;
  for (int layer = 0; layer < a.layers; ++layer) out.emplace_back(values[layer], values[layer] + a.operators);
  return out;
}

void bind_allocation(py::module_& m) {
  py::class_<Choice>(m, "OperatorChoice", "An operator that was drawn, with its score and probability.")
      .def_readonly("operator", &Choice::oper)
      .def_readonly("layer", &Choice::layer)
      .def_readonly("score", &Choice::score)
      .def_readonly("probability", &Choice::probability);
  py::class_<Allocation>(m, "Allocation", "Layers of operators for one query.")
      .def_readonly("depth", &Allocation::depth)
      .def_readonly("layers", &Allocation::layers)
      .def_readonly("stopped_early", &Allocation::stopped_early)
      .def_property_readonly("choices",
                             [](const Allocation& a) { return std::vector<Choice>(a.choices, a.choices + a.count); })
      .def_property_readonly("scores", [](const Allocation& a) { return rows(a, a.scores); })
      .def_property_readonly("probabilities", [](const Allocation& a) { return rows(a, a.probabilities); });
}

std::vector<Mask> masks_of(const std::vector<int>& reasons, std::size_t operators) {
  if (reasons.size() != operators)
    throw Error(ErrorKind::input, "masks",
                "expected one an operator (" + std::to_string(operators) + "), got " + std::to_string(reasons.size()));
  std::vector<Mask> masks;
  for (const int reason : reasons) {
    if (reason < 0 || reason > static_cast<int>(Mask::disabled))
      throw Error(ErrorKind::input, "masks[" + std::to_string(masks.size()) + "]",
                  "there is no reason " + std::to_string(reason));
    masks.push_back(static_cast<Mask>(reason));
  }
  return masks;
}

Allocation allocate(const Config& config, const std::vector<Operator>& table, const std::vector<int>& masks,
                    double difficulty, Philox* rng) {
  catalog::validate(table);
  operators::validate(config, table);
  Allocation out;
  operators::allocate(config, table, operators::make_tables(table), masks_of(masks, table.size()), difficulty, rng,
                      out);
  return out;
}

std::vector<int> mask_operators(const std::vector<Operator>& table, const std::vector<catalog::Policy>& policies,
                                const std::vector<bool>& usable, std::uint32_t kinds) {
  if (usable.size() != policies.size())
    throw Error(ErrorKind::input, "usable",
                "expected one an LLM (" + std::to_string(policies.size()) + "), got " + std::to_string(usable.size()));
  const std::vector<std::uint8_t> flags(usable.begin(), usable.end());
  std::vector<Mask> masks(table.size());
  operators::mask_operators(table, policies, flags, kinds, masks);
  std::vector<int> out;
  for (const Mask mask : masks) out.push_back(static_cast<int>(mask));
  return out;
}

std::vector<std::string> mask_names() {
  std::vector<std::string> names;
  for (int i = 0; i <= static_cast<int>(Mask::disabled); ++i)
    names.emplace_back(operators::mask_name(static_cast<Mask>(i)));
  return names;
}

double competence(const Operator& oper, double reference_ability, double difficulty) {
  if (!(difficulty >= 0 && difficulty <= 1))
    throw Error(ErrorKind::input, "difficulty", "expected a number in [0, 1], got " + std::to_string(difficulty));
  return operators::competence(oper, reference_ability, difficulty);
}

double quality_after(const Operator& oper, double p, double c) {
  for (const auto& [name, value] : {std::pair("p", p), std::pair("c", c)})
    if (!(value >= 0 && value <= 1))
      throw Error(ErrorKind::input, name, "expected a number in [0, 1], got " + std::to_string(value));
  if (oper.curve.size() != static_cast<std::size_t>(catalog::kCurveKnots))
    throw Error(ErrorKind::input, "operator", "'" + oper.id + "' has no curve");
  return operators::quality_after(oper, p, c);
}

}  // namespace

void bind_operators(py::module_& m) {
  bind_config(m);
  bind_allocation(m);
  m.def("mask_names", mask_names, "Why an operator cannot be used, in the order of the codes; 0 is usable.");
  m.def("validate_operators_config", operators::validate, py::arg("config"), py::arg("operators"));
  m.def(
      "depth",
      [](const Config& config, double difficulty) {
        operators::validate(config, {});
        return operators::depth(config, difficulty);
      },
      py::arg("config"), py::arg("difficulty"));
  m.def("allocate", allocate, py::arg("config"), py::arg("operators"), py::arg("masks"), py::arg("difficulty"),
        py::arg("rng") = py::none());
  m.def("mask_operators", mask_operators, py::arg("operators"), py::arg("llm_policy"), py::arg("usable"),
        py::arg("capability_kinds"));
  m.def("competence", competence, py::arg("operator"), py::arg("reference_ability"), py::arg("difficulty"));
  m.def(
      "relative_costs", [](const std::vector<Operator>& table) { return operators::make_tables(table).relative_cost; },
      py::arg("operators"));
  m.def("quality_after", quality_after, py::arg("operator"), py::arg("p"), py::arg("c"));
}

}  // namespace turnout::python
