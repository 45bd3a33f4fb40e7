#include "turnout/trace.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <tuple>

#include "decision.hpp"
#include "pickle.hpp"

namespace turnout::python {
namespace {

using trace::Decision;
using trace::Node;

PyNode node_at(const PyDecision& p, int i) {
  PyNode node{p.names, p.d.nodes[i], {}};
  for (int t = 0; t < p.d.tool_count; ++t)
    if ((node.node.tools >> t) & 1u) node.tools.push_back(p.d.tools[t].id);
  return node;
}

py::tuple nodes_of(const PyDecision& p) {
  py::tuple nodes(p.d.node_count);
  for (int i = 0; i < p.d.node_count; ++i) nodes[static_cast<std::size_t>(i)] = node_at(p, i);
  return nodes;
}

py::tuple alternatives_of(const PyDecision& p) {
  py::tuple all(p.d.alternative_count);
  for (int i = 0; i < p.d.alternative_count; ++i)
    all[static_cast<std::size_t>(i)] = PyAlternative{p.names, p.d.alternatives[i]};
  return all;
}

py::tuple tools_of(const PyDecision& p) {
  py::tuple all(p.d.tool_count);
  for (int i = 0; i < p.d.tool_count; ++i)
    all[static_cast<std::size_t>(i)] = py::make_tuple(tool_name(*p.names, p.d.tools[i].id), p.d.tools[i].score);
  return all;
}

py::tuple tool_similarities_of(const PyDecision& p) {
  py::tuple all(p.d.tool_count);
  for (int i = 0; i < p.d.tool_count; ++i)
    all[static_cast<std::size_t>(i)] = py::float_(static_cast<double>(p.d.tools[i].similarity));
  return all;
}

py::tuple reasons_of(const Decision& d) {
  py::list names;
  for (int i = 0; i < trace::kReasons; ++i)
    if (d.has(static_cast<trace::Reason>(i))) names.append(trace::reason_name(static_cast<trace::Reason>(i)));
  return py::tuple(names);
}

py::dict infeasible_of(const PyDecision& p) {
  py::dict rules;
  for (int m = 0; m < p.d.llm_count; ++m)
    if (p.d.rules[m] != trace::Rule::none) rules[py::str(llm_name(*p.names, m))] = trace::rule_name(p.d.rules[m]);
  return rules;
}

py::tuple layers_of(const PyDecision& p) {
  py::list layers;
  const auto& a = p.d.allocation;
  for (int i = 0; i < a.count; ++i) {
    if (i == 0 || a.choices[i].layer != a.choices[i - 1].layer) layers.append(py::list());
    layers[layers.size() - 1].cast<py::list>().append(
        py::make_tuple(p.names->operators[a.choices[i].oper], a.choices[i].probability));
  }
  for (std::size_t i = 0; i < layers.size(); ++i) layers[i] = py::tuple(layers[i]);
  return py::tuple(layers);
}

py::object limit(double value) { return std::isinf(value) ? py::object(py::none()) : py::object(py::float_(value)); }

py::object call_limit(const Decision& d) {
  return d.max_calls == trace::kNoCallLimit ? py::object(py::none()) : py::object(py::int_(d.max_calls));
}

std::optional<PyReservation> reservation_of(const PyDecision& p) {
  if (!p.ledger) return std::nullopt;
  const budget::Amount amount{Usd(p.d.usd_bound), p.d.tokens(), Seconds(p.d.seconds_bound),
                              static_cast<double>(p.d.calls())};
  return PyReservation{p.ledger, {p.d.reservation}, amount};
}

std::optional<double> pressure_of(const PyDecision& p) {
  return p.d.on_account ? std::optional(p.d.pressure) : std::nullopt;
}

py::object telemetry_of(const PyDecision& p) {
  if (p.d.condition_count == 0) return py::none();
  py::dict conditions;
  for (int m = 0; m < p.d.condition_count; ++m) {
    py::dict c;
    c["health"] = p.d.conditions[m].health;
    c["slowdown"] = p.d.conditions[m].slowdown;
    c["rule"] = trace::rule_name(p.d.conditions[m].rule);
    conditions[py::str(llm_name(*p.names, m))] = c;
  }
  return py::object(conditions);
}

// (LLM or None, probability) of every plan that could have been drawn.
py::tuple candidates_of(const PyDecision& p) {
  py::tuple all(p.d.candidate_count);
  for (int i = 0; i < p.d.candidate_count; ++i) {
    const trace::Candidate& c = p.d.candidates[i];
    const py::object llm = c.llm < 0 ? py::object(py::none()) : py::object(py::str(llm_name(*p.names, c.llm)));
    all[static_cast<std::size_t>(i)] = py::make_tuple(llm, c.probability);
  }
  return all;
}

py::dict microseconds_of(const Decision& d) {
  py::dict timings;
  for (int i = 0; i < trace::kStages; ++i)
    timings[trace::stage_name(static_cast<trace::Stage>(i))] = static_cast<double>(d.nanoseconds[i]) / 1000.0;
  return timings;
}

py::list dicts(const py::tuple& items) {
  py::list out;
  for (const auto& item : items) out.append(item.attr("to_dict")());
  return out;
}

py::list lists(const py::tuple& items) {
  py::list out;
  for (const auto& item : items) out.append(py::list(item.cast<py::tuple>()));
  return out;
}

py::object learning_of(const PyDecision& p) {
  if (!p.d.learning) return py::none();
  py::dict d;
  d["prior"] = p.d.prior;
  d["propensity"] = p.d.propensity();
  d["candidates"] = lists(candidates_of(p));
  d["chosen"] = p.d.chosen;
  d["draw"] = p.d.draw;
  return d;
}

py::list layer_lists(const PyDecision& p) {
  py::list out;
  for (const auto& layer : layers_of(p)) out.append(lists(layer.cast<py::tuple>()));
  return out;
}

py::dict to_dict(const PyDecision& p) {
  py::dict d;
  d["ticket"] = p.d.ticket;
  d["bundle"] = p.names->bundle;
  d["bundle_version"] = p.names->bundle_version;
  d["state_version"] = p.d.state_version;
  d["learning"] = learning_of(p);
  d["seed"] = p.d.has(trace::Reason::sampled) ? py::object(py::int_(p.d.seed)) : py::object(py::none());
  d["llm"] = first_llm(p);
  d["difficulty"] = p.d.difficulty;
  d["floor"] = p.d.floor;
  d["output_scale"] = p.d.output_scale;
  d["domain_similarity"] = p.d.domain_similarity;
  d["in_tokens"] = p.d.in_tokens;
  d["kept_tokens"] = p.d.kept_tokens;
  d["depth"] = p.d.allocation.depth;
  d["layers"] = layer_lists(p);
  d["plan"] = dicts(nodes_of(p));
  d["tools"] = lists(tools_of(p));
  d["alternatives"] = dicts(alternatives_of(p));
  d["status"] = assign::status_name(p.d.status);
  d["feasible"] = p.d.feasible();
  d["p_correct"] = p.d.quality;
  d["usd"] = p.d.usd;
  d["usd_bound"] = p.d.usd_bound;
  d["seconds"] = p.d.seconds;
  d["seconds_bound"] = p.d.seconds_bound;
  d["utility"] = p.d.utility;
  d["gap"] = p.d.gap;
  d["labels"] = p.d.labels;
  d["value_usd"] = p.d.value_usd;
  d["usd_per_second"] = p.d.usd_per_second;
  d["budget_usd"] = limit(p.d.budget.value);
  d["max_seconds"] = limit(p.d.max_seconds.value);
  d["statistic"] = trace::statistic_name(p.d.statistic);
  d["max_calls"] = call_limit(p.d);
  d["max_tokens"] = limit(p.d.max_tokens);
  d["telemetry"] = telemetry_of(p);
  d["pressure"] = pressure_of(p);
  d["width"] = p.d.metrics.width;
  d["critical_path_seconds"] = p.d.metrics.critical_path.value;
  d["infeasible"] = infeasible_of(p);
  d["reasons"] = py::list(reasons_of(p.d));
  d["microseconds"] = microseconds_of(p.d);
  return d;
}

bool equal(const PyDecision& a, const PyDecision& b) {
  if (!same_names(*a.names, *b.names) || !trace::equal(a.d, b.d)) return false;
  return std::all_of(a.d.tools, a.d.tools + a.d.tool_count, [&](const capability::Hit& hit) {
    return tool_name(*a.names, hit.id) == tool_name(*b.names, hit.id);
  });
}

std::size_t hash(const PyDecision& p) {
  std::size_t h = std::hash<double>()(p.d.difficulty) ^ (std::hash<double>()(p.d.utility) << 1);
  for (const Node& n : p.d.plan_nodes()) h = h * 31 + static_cast<std::size_t>(n.llm) * kMaxOperators + n.oper;
  return h;
}

void bind_decision_numbers(py::class_<PyDecision>& c) {
  c.def_property_readonly(
       "difficulty", [](const PyDecision& p) { return p.d.difficulty; },
       "P(the reference LLM fails) on this query, were there no guessing; in [0, 1].")
      .def_property_readonly(
          "floor", [](const PyDecision& p) { return p.d.floor; },
          "Share of right answers that guessing gives: every P(correct) of an LLM lies above it.")
      .def_property_readonly(
          "output_scale", [](const PyDecision& p) { return p.d.output_scale; },
          "Length of answers to this query, in multiples of each LLM's own.")
      .def_property_readonly(
          "domain_similarity", [](const PyDecision& p) { return p.d.domain_similarity; },
          "Best cosine to a centroid of the training queries, in [-1, 1].")
      .def_property_readonly(
          "in_tokens", [](const PyDecision& p) { return p.d.in_tokens; },
          "Length of the query in tokens, whose price is paid; -1 for a vector that came without it.")
      .def_property_readonly(
          "kept_tokens", [](const PyDecision& p) { return p.d.kept_tokens; },
          "Tokens that entered the vector; fewer than `in_tokens` where `truncated` is among the reasons.")
      .def_property_readonly(
          "depth", [](const PyDecision& p) { return p.d.allocation.depth; },
          "Layers of operators that the depth rule gave; an early stop may use fewer.")
      .def_property_readonly(
          "p_correct", [](const PyDecision& p) { return p.d.quality; }, "P(correct) of the whole plan, in [0, 1].")
      .def_property_readonly(
          "usd", [](const PyDecision& p) { return p.d.usd; }, "Expected USD of the plan.")
      .def_property_readonly(
          "usd_bound", [](const PyDecision& p) { return p.d.usd_bound; },
          "USD of the plan by `route`'s statistic: what `budget_usd` bounds.")
      .def_property_readonly(
          "seconds", [](const PyDecision& p) { return p.d.seconds; },
          "Expected seconds of the plan, its operators one after the other.")
      .def_property_readonly(
          "seconds_bound", [](const PyDecision& p) { return p.d.seconds_bound; },
          "Seconds of the plan by `route`'s statistic: what `max_seconds` bounds.")
      .def_property_readonly(
          "utility", [](const PyDecision& p) { return p.d.utility; },
          "value_usd * p_correct - usd - usd_per_second * seconds, in USD.")
      .def_property_readonly(
          "gap", [](const PyDecision& p) { return p.d.gap; },
          "No feasible assignment has a utility above `utility` + `gap`, in USD; 0 when proved optimal.")
      .def_property_readonly(
          "value_usd", [](const PyDecision& p) { return p.d.value_usd; },
          "What a correct answer was worth, USD; on an account, times its pressure.")
      .def_property_readonly(
          "usd_per_second", [](const PyDecision& p) { return p.d.usd_per_second; }, "What a second cost, USD.")
      .def_property_readonly(
          "budget_usd", [](const PyDecision& p) { return limit(p.d.budget.value); },
          "Hard limit of the plan's USD; None without one.")
      .def_property_readonly(
          "max_seconds", [](const PyDecision& p) { return limit(p.d.max_seconds.value); },
          "Hard limit of the plan's seconds; None without one.")
      .def_property_readonly(
          "max_calls", [](const PyDecision& p) { return call_limit(p.d); },
          "Hard limit of the plan's LLM calls; None without one.")
      .def_property_readonly(
          "labels", [](const PyDecision& p) { return p.d.labels; },
          "Labels that the search under limits created: a measure of its work.")
      .def_property_readonly(
          "width", [](const PyDecision& p) { return p.d.metrics.width; },
          "Most nodes at one depth of the plan: how many may run side by side.")
      .def_property_readonly(
          "critical_path_seconds", [](const PyDecision& p) { return p.d.metrics.critical_path.value; },
          "Seconds of the plan when every node starts as soon as it may.");
}

void bind_decision(py::module_& m) {
  py::class_<PyDecision> c(
      m, "Decision", "A costed, explained plan. Frozen, comparable (ticket and timings aside), hashable, picklable.");
  bind_decision_numbers(c);
  c.def_property_readonly(
       "ticket", [](const PyDecision& p) { return p.d.ticket; },
       "Number of this decision in its router; no part of equality.")
      .def_property_readonly(
          "seed",
          [](const PyDecision& p) {
            return p.d.has(trace::Reason::sampled) ? py::object(py::int_(p.d.seed)) : py::object(py::none());
          },
          "The seed that it was sampled with; None for a greedy decision.")
      .def_property_readonly(
          "bundle", [](const PyDecision& p) { return p.names->bundle + "@" + p.names->bundle_version; },
          "Bundle that it was made with, as `name@version`.")
      .def_property_readonly(
          "reservation", reservation_of,
          "What is reserved for the plan on the account that it was made on; None without one, or after pickling.")
      .def_property_readonly(
          "pressure", pressure_of,
          "Share of the account that was left, by which `value_usd` was multiplied; None without an account.")
      .def_property_readonly(
          "telemetry", telemetry_of,
          "Health, slowdown and rule of each LLM as telemetry gave them, by id; None where none was given.")
      .def_property_readonly(
          "state_version", [](const PyDecision& p) { return p.d.state_version; },
          "Version of the state that a learner read; 0: no outcome yet, or no learner.")
      .def_property_readonly("llm", first_llm, "LLM of the plan's first node; None without a plan.")
      .def_property_readonly("plan", nodes_of,
                             "The calls to make, in topological order; empty where no LLM or operator is allowed.")
      .def_property_readonly("layers", layers_of, "The operators that were drawn in each layer, as (id, probability).")
      .def_property_readonly("tools", tools_of, "Tools and agents that fit the query, best first, as (id, score).")
      .def_property_readonly("tool_similarities", tool_similarities_of,
                             "The inner product of each of `tools` with the query: its score before the cost bias.")
      .def_property_readonly("alternatives", alternatives_of, "LLMs as a single call, best first.")
      .def_property_readonly("infeasible", infeasible_of, "For each LLM that is excluded: the rule that excludes it.")
      .def_property_readonly(
          "prior", [](const PyDecision& p) { return p.d.prior; },
          "P(correct) of the plan by the bundle's outcome model alone; `p_correct` without a learner.")
      .def_property_readonly(
          "propensity", [](const PyDecision& p) { return p.d.propensity(); },
          "Probability with which this plan was chosen; 1 where nothing is explored.")
      .def_property_readonly("candidates", candidates_of,
                             "Plans that a learner could have drawn, the best one first, as (LLM of a single call or "
                             "None, probability).")
      .def_property_readonly(
          "status", [](const PyDecision& p) { return assign::status_name(p.d.status); },
          "What is proved of the assignment; see `turnout.assign.Solution`.")
      .def_property_readonly(
          "feasible", [](const PyDecision& p) { return p.d.feasible(); },
          "Whether there is a plan and it meets every limit.")
      .def_property_readonly(
          "reasons", [](const PyDecision& p) { return reasons_of(p.d); },
          "What a reader must know beside the plan: see `turnout.names`.")
      .def_property_readonly(
          "microseconds", [](const PyDecision& p) { return microseconds_of(p.d); },
          "Time that each stage of this decision took; no part of equality.")
      .def_property_readonly(
          "trace", [](const PyDecision& p) { return trace::render(p.d, *p.names, false); },
          "One line a stage with the numbers that decided, without timings.")
      .def(
          "explain", [](const PyDecision& p, bool timings) { return trace::render(p.d, *p.names, timings); },
          py::arg("timings") = true, "One line a stage with the numbers that decided, and how long it took.")
      .def("to_dict", to_dict, "Everything as plain data, for JSON; with the options and the timings.")
      .def("__eq__", equal, py::is_operator())
      .def("__hash__", hash)
      .def("__str__", [](const PyDecision& p) { return trace::sentence(p.d, *p.names); })
      .def("__repr__", [](const PyDecision& p) { return "<Decision " + trace::sentence(p.d, *p.names) + ">"; })
      .def(py::pickle([](const PyDecision& p) { return state_of(p); }, &decision_from));
}

template <class Code>
std::vector<std::string> names_of(const char* (*name)(Code), int count) {
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) names.emplace_back(name(static_cast<Code>(i)));
  return names;
}

void bind_names(py::module_& m) {
  using assign::Status;
  using trace::Statistic;
  m.def("reason_names", [] { return names_of(trace::reason_name, trace::kReasons); }, "In the order of the bits.");
  m.def("rule_names", [] { return names_of(trace::rule_name, trace::kRules); });
  m.def("stage_names", [] { return names_of(trace::stage_name, trace::kStages); }, "In the order in which they run.");
  m.def("statistic_names", [] { return names_of(trace::statistic_name, static_cast<int>(Statistic::cap) + 1); });
  m.def("status_names", [] { return names_of(assign::status_name, static_cast<int>(Status::no_candidate) + 1); });
}

}  // namespace

void bind_trace(py::module_& m) {
  bind_names(m);
  bind_node(m);
  bind_alternative(m);
  bind_decision(m);
}

}  // namespace turnout::python
