// The learner beside a router: feedback, what it has learned, and its attachment to a pool.
#include "learner.hpp"

#include <array>
#include <cmath>

#include "fast_call.hpp"
#include "router.hpp"

namespace turnout::python {
namespace {

// As turnout.learning gives them, which has looked the names up.
LearnerConfig config_of(bool logit, bool domains, bool latent, double ridge, double gate, double gate_up,
                        double usd_prior, int strategy, double width, double epsilon, double temperature,
                        double quality_floor, double budget_share, bool suspend, int notes, std::uint64_t seed) {
  LearnerConfig c;
  c.features = {logit, domains, latent};
  c.ridge = ridge;
  c.gate = gate;
  c.gate_up = gate_up;
  c.usd_prior = usd_prior;
  c.strategy = static_cast<Strategy>(strategy);
  c.width = width;
  c.epsilon = epsilon;
  c.temperature = temperature;
  c.quality_floor = quality_floor;
  c.budget_share = budget_share;
  c.suspend = suspend;
  c.notes = static_cast<Notes>(notes);
  c.seed = seed;
  return c;
}

// What is None is not known.
double number(const py::handle& value, const char* name) {
  if (value.is_none()) return state::kUnknown;
  const double given = PyFloat_AsDouble(value.ptr());
  if (given == -1.0 && PyErr_Occurred() != nullptr) {
    PyErr_Clear();
    throw py::type_error(std::string(name) + ": expected a number or None, got " +
                         std::string(py::str(py::type::of(value).attr("__name__"))));
  }
  if (std::isnan(given)) throw Error(ErrorKind::input, name, "expected a number or None, got nan");
  return given;
}

int report(const SharedLearner& self, std::uint64_t ticket, int node, const py::object& score, const py::object& usd,
           const py::object& in_tokens, const py::object& out_tokens, const py::object& seconds, int failure) {
  state::Outcome outcome;
  outcome.score = number(score, "outcome.score");
  outcome.usd = number(usd, "outcome.usd");
  outcome.in_tokens = number(in_tokens, "outcome.in_tokens");
  outcome.out_tokens = number(out_tokens, "outcome.out_tokens");
  outcome.seconds = number(seconds, "outcome.seconds");
  outcome.failure = static_cast<state::Failure>(failure);
  return static_cast<int>(self->report(ticket, node, outcome));
}

// Of each arm that the state knows: name, outcomes, correction, USD ratio, dead, drifting, theta.
py::list report_arms(const SharedLearner& self) {
  const auto model = self->model();
  py::list out;
  for (std::size_t i = 0; i < model->arms.size(); ++i) {
    const int arm = static_cast<int>(i);
    const auto& known = model->arms[i];
    const auto mean = known ? known->posterior.mean() : std::span<const double>();
    Array<double> theta(static_cast<py::ssize_t>(mean.size()));
    std::copy(mean.begin(), mean.end(), theta.mutable_data());
    const auto seen = arm < self->surprise().arms() ? self->surprise().state(arm) : bandit::SurpriseState();
    out.append(py::make_tuple(self->memory().arm_name(arm), known ? known->weight : 0.0,
                              known ? self->correction(*known) : 0.0, known ? known->usd_ratio : 1.0, seen.dead,
                              static_cast<int>(seen.drifting_up) - static_cast<int>(seen.drifting_down),
                              !known || known->sound, theta));
  }
  return out;
}

}  // namespace

void bind_learner(py::module_& m) {
  py::class_<Attachment>(m, "Attachment", "A learner beside one router: which of its arms each LLM is.");
  py::class_<Learner, SharedLearner>(m, "Learner", "What was learned, joined to decisions; see turnout.learning.")
      .def(py::init([](std::shared_ptr<state::Memory> memory, bool logit, bool domains, bool latent, double ridge,
                       double gate, double gate_up, double usd_prior, int strategy, double width, double epsilon,
                       double temperature, double quality_floor, double budget_share, bool suspend, int notes,
                       std::uint64_t seed) {
             return std::make_shared<Learner>(
                 std::move(memory), config_of(logit, domains, latent, ridge, gate, gate_up, usd_prior, strategy, width,
                                              epsilon, temperature, quality_floor, budget_share, suspend, notes, seed));
           }),
           py::kw_only(), py::arg("memory"), py::arg("logit"), py::arg("domains"), py::arg("latent"), py::arg("ridge"),
           py::arg("gate"), py::arg("gate_up"), py::arg("usd_prior"), py::arg("strategy"), py::arg("width"),
           py::arg("epsilon"), py::arg("temperature"), py::arg("quality_floor"), py::arg("budget_share"),
           py::arg("suspend"), py::arg("notes"), py::arg("seed"))
      .def("report", report)
      .def("report_arms", report_arms)
      .def_property("frozen", &Learner::frozen, &Learner::freeze);
}

}  // namespace turnout::python
