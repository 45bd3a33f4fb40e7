#include "turnout/plan/epochs.hpp"

#include <algorithm>
#include <limits>
#include <map>

#include "plan/checks.hpp"

namespace turnout::plan {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kMost = 1e9;

template <class I>
std::size_t at(I i) {
  return static_cast<std::size_t>(i);
}

void check_matrix(std::span<const double> values, std::size_t rows, std::size_t columns, const char* name) {
  if (!values.empty() && values.size() != rows * columns)
    throw Error(ErrorKind::input, name,
                "expected " + std::to_string(rows) + " x " + std::to_string(columns) + " numbers, got " +
                    std::to_string(values.size()));
  check_cells(values, columns, kMost, name);
}

void check_run(const EpochProblem& p, std::size_t n, std::size_t d) {
  check_count(p.run.size(), n * d, "run", "task and device");
  check_cells(p.run, d, kMost, "run", true);
  for (std::size_t v = 0; v < n; ++v) {
    const double least = *std::ranges::min_element(p.run.subspan(v * d, d));
    if (least == kInfinity) throw Error(ErrorKind::input, element("run", v), "no device may run this task");
    if (!p.cached.empty()) check_between(p.cached[v], 0, least, element("cached", v));
  }
}

void check(const EpochProblem& p, int beam) {
  check_between(p.dag.nodes(), 0, kMaxEpochTasks, "nodes");
  check_between(p.devices, 1, kMaxEpochDevices, "devices");
  check_between(beam, 0, kMaxBeam, "beam");
  const auto n = at(p.dag.nodes()), d = at(p.devices);
  if (!p.cached.empty()) check_count(p.cached.size(), n, "cached", "task");
  check_run(p, n, d);
  if (!p.model.empty()) check_count(p.model.size(), n, "model", "task");
  std::size_t models = 1;
  for (std::size_t v = 0; v < p.model.size(); ++v) {
    check_between(p.model[v], 0, kMaxModels - 1, element("model", v));
    models = std::max(models, at(p.model[v]) + 1);
  }
  check_matrix(p.load, std::max(models, p.load.size() / d), d, "load");  // of models that no task needs, too
  check_matrix(p.transfer, d, d, "transfer");
}

// So that all layers together look at no more than about 5e8 entries of states.
int default_beam(double nodes, double devices) {
  return static_cast<int>(std::clamp(5e8 / std::max(1.0, nodes * nodes * devices * (nodes + devices)), 1.0, 1024.0));
}

struct State {
  double cost = 0;
  std::vector<std::int32_t> device;  // of each task, -1 until it ran
  std::vector<std::int32_t> last;    // task of each device, -1 at first
  std::int32_t before = -1;          // place in the layer before
  std::int32_t task = -1;            // that led here
};

class Search {
 public:
  Search(const EpochProblem& problem, int beam) : p_(problem), beam_(at(beam)) {
    State start;
    start.device.assign(at(p_.dag.nodes()), -1);
    start.last.assign(at(p_.devices), -1);
    layers_.push_back({std::move(start)});
    for (int done = 0; done < p_.dag.nodes(); ++done) advance();
  }

  EpochPlan answer() {
    const auto& ends = layers_.back();
    const State* state = &*std::ranges::min_element(ends, {}, &State::cost);
    out_.cost = state->cost;
    for (std::size_t layer = layers_.size() - 1; layer > 0; --layer) {
      const State& before = layers_[layer - 1][at(state->before)];
      out_.steps.push_back({state->task, state->device[at(state->task)], 0, state->cost - before.cost});
      state = &before;
    }
    std::ranges::reverse(out_.steps);
    number_epochs();
    return std::move(out_);
  }

 private:
  std::int32_t model(int task) const { return p_.model.empty() ? 0 : p_.model[at(task)]; }
  double matrix(std::span<const double> values, int row, int column) const {
    return values.empty() ? 0 : values[at(row) * at(p_.devices) + at(column)];
  }

  bool ready(const State& s, int task) const {
    return s.device[at(task)] < 0 &&
           std::ranges::all_of(p_.dag.parents(task), [&](int parent) { return s.device[at(parent)] >= 0; });
  }

  bool needed(const State& s, int task) const {
    return std::ranges::any_of(p_.dag.children(task), [&](int child) { return s.device[at(child)] < 0; });
  }

  double step_cost(const State& s, int task, int device) const {
    double cost = p_.run[at(task) * at(p_.devices) + at(device)];
    const int last = s.last[at(device)];
    if (last < 0 || model(last) != model(task)) cost += matrix(p_.load, model(task), device);
    for (const int parent : p_.dag.parents(task)) {
      cost += matrix(p_.transfer, s.device[at(parent)], device);
      if (parent == last && !p_.cached.empty()) cost -= p_.cached[at(task)];
    }
    return cost;
  }

  // All that what comes later can tell apart: of a task whose result nobody needs, that it is done; of a device, its
  // last task where a child of that is to come, else its model.
  std::vector<std::int32_t> key(const State& s) const {
    std::vector<std::int32_t> out;
    out.reserve(s.device.size() + s.last.size());
    for (int task = 0; task < p_.dag.nodes(); ++task) {
      const auto device = s.device[at(task)];
      out.push_back(device < 0 || needed(s, task) ? device : p_.devices);
    }
    for (const auto last : s.last) out.push_back(last < 0 || needed(s, last) ? last : -2 - model(last));
    return out;
  }

  void advance() {
    const auto& layer = layers_.back();
    std::map<std::vector<std::int32_t>, State> next;  // ordered, so that ties do not depend on hashes
    for (std::size_t i = 0; i < layer.size(); ++i)
      for (int task = 0; task < p_.dag.nodes(); ++task) {
        if (!ready(layer[i], task)) continue;
        for (int device = 0; device < p_.devices; ++device) extend(layer[i], i, task, device, next);
      }
    keep_cheapest(next);
  }

  void extend(const State& from, std::size_t place, int task, int device,
              std::map<std::vector<std::int32_t>, State>& next) const {
    if (p_.run[at(task) * at(p_.devices) + at(device)] == kInfinity) return;
    State s = from;
    s.cost += step_cost(from, task, device);
    s.device[at(task)] = device;
    s.last[at(device)] = task;
    s.before = static_cast<std::int32_t>(place);
    s.task = task;
    const auto [found, fresh] = next.try_emplace(key(s), s);
    if (!fresh && s.cost < found->second.cost) found->second = std::move(s);
  }

  void keep_cheapest(std::map<std::vector<std::int32_t>, State>& next) {
    std::vector<State> states;
    for (auto& [key, state] : next) states.push_back(std::move(state));
    out_.states += static_cast<std::int64_t>(states.size());
    if (states.size() > beam_) {
      out_.exact = false;
      std::ranges::stable_sort(states, {}, &State::cost);
      states.resize(beam_);
    }
    layers_.push_back(std::move(states));
  }

  // A new epoch begins with a task that needs one of the epoch before it.
  void number_epochs() {
    std::vector<std::int32_t> epoch(at(p_.dag.nodes()));
    std::int32_t now = 0;
    for (EpochStep& step : out_.steps) {
      for (const int parent : p_.dag.parents(step.task)) now = std::max(now, epoch[at(parent)] + 1);
      step.epoch = epoch[at(step.task)] = now;
    }
  }

  const EpochProblem& p_;
  std::size_t beam_;
  std::vector<std::vector<State>> layers_;
  EpochPlan out_;
};

}  // namespace

EpochPlan plan_epochs(const EpochProblem& problem, int beam) {
  check(problem, beam);
  if (beam == 0) beam = default_beam(problem.dag.nodes(), problem.devices);
  return Search(problem, beam).answer();
}

}  // namespace turnout::plan
