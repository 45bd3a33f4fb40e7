// What follows from a budget: pressure, pacing, decisions on what remains, turn limits, selection.
#include <chrono>

#include "budget.hpp"
#include "read.hpp"

namespace turnout::python {
namespace {

using namespace budget;

struct PyPacer {
  Pacer pacer;
  py::object clock;
  double now() const { return read_clock(clock); }
};

std::shared_ptr<PyPacer> make_pacer(const std::vector<std::pair<double, double>>& plan, double burst,
                                    const py::object& start, py::object clock) {
  std::vector<PlanPoint> points;
  for (const auto& [seconds, total] : plan) points.push_back({seconds, total});
  const double from = start.is_none() ? read_clock(clock) : real_of(start, "start");
  return std::shared_ptr<PyPacer>(new PyPacer{{points, burst, from}, std::move(clock)});
}

void bind_pacer(py::module_& m) {
  py::class_<PyPacer, std::shared_ptr<PyPacer>>(m, "Pacer", "Spending over time against a plan.")
      .def(py::init(&make_pacer), py::arg("plan"), py::arg("burst"), py::arg("start"), py::arg("clock"))
      .def(
          "admit", [](PyPacer& p, double amount) { return p.pacer.admit(amount, p.now()); }, py::arg("amount"))
      .def(
          "record", [](PyPacer& p, double amount) { p.pacer.record(amount, p.now()); }, py::arg("amount"))
      .def_property_readonly("planned", [](const PyPacer& p) { return p.pacer.planned(p.now()); })
      .def_property_readonly("spent", [](const PyPacer& p) { return p.pacer.spent(); })
      .def_property_readonly("credit", [](const PyPacer& p) { return p.pacer.credit(p.now()); })
      .def_property_readonly("pace", [](const PyPacer& p) { return p.pacer.pace(p.now()); })
      .def_property_readonly("multiplier", [](const PyPacer& p) { return p.pacer.multiplier(p.now()); });
}

void bind_turns(py::module_& m) {
  m.attr("max_turns") = TurnHistogram::kMaxTurns;
  py::class_<TurnHistogram>(m, "TurnHistogram", "How many turns runs took: an exact streaming quantile.")
      .def(py::init<>())
      .def("add", &TurnHistogram::add, py::arg("turns"))
      .def("merge", &TurnHistogram::merge, py::arg("other"))
      .def("quantile", &TurnHistogram::quantile, py::arg("q"))
      .def("__len__", &TurnHistogram::count);
  py::class_<TurnControl>(m, "TurnControl", "A limit on turns that may be extended on demand.")
      .def(py::init<int, int, int>(), py::arg("limit"), py::kw_only(), py::arg("hard_cap"), py::arg("extension"))
      .def("next", [](TurnControl& t) { return turn_name(t.next()); })
      .def("extend", &TurnControl::extend, py::kw_only(), py::arg("requested"), py::arg("affordable"))
      .def_property_readonly("used", &TurnControl::used)
      .def_property_readonly("limit", &TurnControl::limit)
      .def_property_readonly("hard_cap", &TurnControl::hard_cap)
      .def_property_readonly("extensions", &TurnControl::extensions);
}

Array<double> probabilities(const py::object& values, double r) {
  const auto v = exact<double>(values, "values", 1);
  Array<double> out(v.size());
  selection_probabilities({v.data(), static_cast<std::size_t>(v.size())}, r,
                          {out.mutable_data(), static_cast<std::size_t>(out.size())});
  return out;
}

int draw(const py::object& values, double r, Philox& rng) {
  const auto v = exact<double>(values, "values", 1);
  std::vector<double> scratch(static_cast<std::size_t>(v.size()));
  return select({v.data(), scratch.size()}, r, rng, scratch);
}

}  // namespace

void bind_budget_rules(py::module_& m) {
  bind_pacer(m);
  bind_turns(m);
  m.def("budget_lambda", &lambda, py::arg("base"), py::arg("pressure"), py::arg("floor"));
  m.def("effective_value", &effective_value, py::arg("value_usd"), py::arg("pressure"), py::arg("floor"));
  m.def(
      "budget_action",
      [](double share, double go_on, double dig, double pivot) {
        return action_name(decide(share, {go_on, dig, pivot}));
      },
      py::arg("share"), py::arg("go_on"), py::arg("dig"), py::arg("pivot"));
  m.def(
      "unified_cost",
      [](double tokens_in, double tokens_out, double usd_per_mtok_in, double usd_per_mtok_out,
         const std::vector<double>& calls, const std::vector<double>& usd_per_call) {
        return unified_cost(tokens_in, tokens_out, usd_per_mtok_in, usd_per_mtok_out, calls, usd_per_call).value;
      },
      py::arg("tokens_in"), py::arg("tokens_out"), py::arg("usd_per_mtok_in"), py::arg("usd_per_mtok_out"),
      py::arg("calls"), py::arg("usd_per_call"));
  m.def("selection_probabilities", probabilities, py::arg("values"), py::arg("r"));
  m.def("budget_select", draw, py::arg("values"), py::arg("r"), py::arg("rng"));
  m.def("terminal_bound", &terminal_bound, py::arg("p_min"), py::arg("steps"), py::arg("eps"));
}

}  // namespace turnout::python
