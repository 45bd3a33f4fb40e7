#include "turnout/bandit.hpp"

#include <chrono>
#include <mutex>

#include "bindings.hpp"

namespace turnout::python {
namespace {

using namespace bandit;

// One call at a time on a bandit, also without a GIL.
struct PyBandit {
  LinearBandit bandit;
  mutable std::mutex lock;
  explicit PyBandit(LinearBandit&& b) : bandit(std::move(b)) {}
};

template <class T>
std::span<const T> view(const Array<T>& a) {
  return {a.data(), static_cast<std::size_t>(a.size())};
}

// None: an empty span. `keep` holds the array.
template <class T>
std::span<const T> column(const py::object& object, const char* name, Array<T>& keep) {
  if (object.is_none()) return {};
  keep = exact<T>(object, name, 1);
  if (keep.size() == 0) throw Error(ErrorKind::input, name, "expected a value an arm, got none");
  return view(keep);
}

std::unique_ptr<PyBandit> make(int dim, int policy, double alpha, double epsilon, double temperature, double ridge,
                               double cost_weight, std::uint64_t seed) {
  if (policy < 0 || policy >= kPolicies) throw Error(ErrorKind::config, "bandit.policy", "there is no such policy");
  return std::make_unique<PyBandit>(
      LinearBandit({dim, static_cast<Policy>(policy), alpha, epsilon, temperature, ridge, cost_weight, seed}));
}

py::tuple select(PyBandit& self, const py::object& x, const py::object& allowed, const py::object& cost,
                 const py::object& prior, const std::optional<std::uint64_t>& seed, int draws) {
  const auto features = exact<float>(x, "x", 1);
  Array<bool> allow;
  Array<double> costs, priors;
  Context context{view(features),
                  column(allowed, "allowed", allow),
                  column(cost, "cost", costs),
                  column(prior, "prior", priors),
                  seed,
                  draws};
  std::unique_lock guard(self.lock);
  const auto arms = static_cast<py::ssize_t>(self.bandit.size());
  Array<double> scores(arms), propensities(arms);
  const Selection chosen = self.bandit.select(context, {scores.mutable_data(), static_cast<std::size_t>(arms)},
                                              {propensities.mutable_data(), static_cast<std::size_t>(arms)});
  guard.unlock();  // what follows may run Python code
  return py::make_tuple(chosen.position, chosen.score, std::move(scores), std::move(propensities));
}

void update(PyBandit& self, int arm, const py::object& x, double reward, double weight, double prior) {
  const auto features = exact<float>(x, "x", 1);
  const std::lock_guard guard(self.lock);
  self.bandit.update(view(features), {arm, reward, weight, prior});
}

void update_batch(PyBandit& self, const std::vector<int>& arms, const py::object& x, const py::object& rewards,
                  const py::object& weights, const py::object& priors) {
  const auto rows = exact<float>(x, "x", 2);
  Array<double> reward, weight, prior;
  const auto r = column(rewards, "reward", reward), w = column(weights, "weight", weight),
             p = column(priors, "prior", prior);
  for (const auto& [values, path] : {std::pair{r, "reward"}, {w, "weight"}, {p, "prior"}})
    if (!values.empty() && values.size() != arms.size())
      throw Error(ErrorKind::input, path, "expected " + std::to_string(arms.size()) + " numbers, one a row");
  if (static_cast<std::size_t>(rows.shape(0)) != arms.size())
    throw Error(ErrorKind::input, "x", "expected " + std::to_string(arms.size()) + " rows, one an arm");
  if (rows.shape(1) != self.bandit.config().dim)
    throw Error(ErrorKind::input, "x", "expected " + std::to_string(self.bandit.config().dim) + " features a row");
  std::vector<Update> updates(arms.size());
  for (std::size_t i = 0; i < arms.size(); ++i)
    updates[i] = {arms[i], r[i], w.empty() ? 1 : w[i], p.empty() ? 0 : p[i]};
  const py::gil_scoped_release unlocked;
  const std::lock_guard guard(self.lock);
  self.bandit.update(view(rows), updates);
}

py::tuple predict(const PyBandit& self, int arm, const py::object& x) {
  const auto features = exact<float>(x, "x", 1);
  double mean = 0, deviation = 0;
  const std::lock_guard guard(self.lock);
  self.bandit.predict(arm, view(features), mean, deviation);
  return py::make_tuple(mean, deviation);
}

std::vector<std::string> names(const PyBandit& self) {
  const std::lock_guard guard(self.lock);
  std::vector<std::string> out;
  for (int i = 0; i < self.bandit.size(); ++i) out.push_back(self.bandit.name(i));
  return out;
}

py::bytes save(const PyBandit& self) {
  const std::lock_guard guard(self.lock);
  const auto bytes = self.bandit.save();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::unique_ptr<PyBandit> load(const py::bytes& data) {
  const std::string_view text = data;
  return std::make_unique<PyBandit>(LinearBandit::load({reinterpret_cast<const std::byte*>(text.data()), text.size()}));
}

void bind_linear(py::module_& m) {
  using Guard = std::lock_guard<std::mutex>;
  py::class_<PyBandit>(m, "LinearBandit")
      .def(py::init(&make), py::kw_only(), py::arg("dim"), py::arg("policy"), py::arg("alpha"), py::arg("epsilon"),
           py::arg("temperature"), py::arg("ridge"), py::arg("cost_weight"), py::arg("seed"))
      .def("select", &select, py::arg("x"), py::arg("allowed"), py::arg("cost"), py::arg("prior"), py::arg("seed"),
           py::arg("draws"))
      .def("update", &update, py::arg("arm"), py::arg("x"), py::arg("reward"), py::arg("weight"), py::arg("prior"))
      .def("update_batch", &update_batch, py::arg("arms"), py::arg("x"), py::arg("reward"), py::arg("weight"),
           py::arg("prior"))
      .def("predict", &predict, py::arg("arm"), py::arg("x"))
      .def(
          "add_arm",
          [](PyBandit& b, const std::string& name) {
            const Guard g(b.lock);
            b.bandit.add_arm(name);
          },
          py::arg("name"))
      .def(
          "remove_arm",
          [](PyBandit& b, int arm) {
            const Guard g(b.lock);
            b.bandit.remove_arm(arm);
          },
          py::arg("arm"))
      .def(
          "discount",
          [](PyBandit& b, double gamma) {
            const Guard g(b.lock);
            b.bandit.discount(gamma);
          },
          py::arg("gamma"))
      .def(
          "residual",
          [](const PyBandit& b, int arm) {
            const Guard g(b.lock);
            return b.bandit.residual(arm);
          },
          py::arg("arm"))
      .def_property_readonly("names", &names)
      .def_property_readonly("dim", [](const PyBandit& b) { return b.bandit.config().dim; })
      .def_property_readonly("policy", [](const PyBandit& b) { return static_cast<int>(b.bandit.config().policy); })
      .def_property_readonly("selections",
                             [](const PyBandit& b) {
                               const Guard g(b.lock);
                               return b.bandit.selections();
                             })
      .def("save", &save)
      .def_static("load", &load, py::arg("data"));
}

void bind_surprise(py::module_& m) {
  py::class_<SurpriseState>(m, "SurpriseState")
      .def_readonly("dead", &SurpriseState::dead)
      .def_readonly("admitted", &SurpriseState::admitted)
      .def_readonly("drifting_up", &SurpriseState::drifting_up)
      .def_readonly("drifting_down", &SurpriseState::drifting_down)
      .def_readonly("dead_evidence", &SurpriseState::dead_evidence)
      .def_readonly("up_evidence", &SurpriseState::up_evidence)
      .def_readonly("down_evidence", &SurpriseState::down_evidence)
      .def_readonly("outcomes", &SurpriseState::outcomes)
      .def_readonly("deaths", &SurpriseState::deaths)
      .def_readonly("probes", &SurpriseState::probes);
  py::class_<Surprise, std::shared_ptr<Surprise>>(m, "Surprise")
      .def(py::init([](int arms, double dead, double drift, double false_alarm, int probe_after, int probe_at_most) {
             return std::make_shared<Surprise>(arms,
                                               SurpriseConfig{dead, drift, false_alarm, probe_after, probe_at_most});
           }),
           py::arg("arms"), py::kw_only(), py::arg("dead"), py::arg("drift"), py::arg("false_alarm"),
           py::arg("probe_after"), py::arg("probe_at_most"))
      .def("grow", &Surprise::grow, py::arg("arms"))
      .def("forget", &Surprise::forget, py::arg("arm"))
      .def("admits", &Surprise::admits, py::arg("arm"))
      .def("observe", &Surprise::observe, py::arg("arm"), py::arg("p"), py::arg("score"))
      .def("decided", &Surprise::decided, py::arg("arm"))
      .def("state", &Surprise::state, py::arg("arm"))
      .def_property_readonly("version", &Surprise::version);
}

// Microseconds of `samples` selections and updates inside C++, and how often each arm was chosen.
py::tuple time_bandit(const py::object& x, const py::object& rewards, int samples, double alpha, double ridge) {
  const auto rows = exact<float>(x, "x", 2);
  const auto reward = exact<double>(rewards, "rewards", 2);  // [rows, arms]
  const auto d = static_cast<std::size_t>(rows.shape(1)), n = static_cast<std::size_t>(rows.shape(0));
  const auto arms = static_cast<std::size_t>(reward.shape(1));
  LinearBandit bandit({.dim = static_cast<int>(d), .alpha = alpha, .ridge = ridge});
  for (std::size_t i = 0; i < arms; ++i) bandit.add_arm(std::to_string(i));
  std::vector<double> scores(arms), propensities(arms);
  Array<double> micros(samples);
  std::vector<int> chosen;
  chosen.reserve(static_cast<std::size_t>(samples));
  const AllocationCounter counter = allocation_counter();
  long before = 0;
  for (int i = 0; i < samples; ++i) {
    if (i == 1 && counter != nullptr) before = counter();  // the first selection warms up
    const auto row = view(rows).subspan(static_cast<std::size_t>(i) % n * d, d);
    const auto start = std::chrono::steady_clock::now();
    const int arm = bandit.select({.x = row}, scores, propensities).position;
    bandit.update(row, {.position = arm, .reward = reward.at(static_cast<std::size_t>(i) % n, arm)});
    micros.mutable_at(i) = std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
    chosen.push_back(arm);
  }
  return py::make_tuple(micros, counter == nullptr ? -1 : counter() - before, chosen);
}

}  // namespace

void bind_bandit(py::module_& m) {
  bind_linear(m);
  bind_surprise(m);
  m.def("time_bandit", &time_bandit, py::arg("x"), py::arg("rewards"), py::arg("samples"), py::arg("alpha"),
        py::arg("ridge"));
}

}  // namespace turnout::python
