// List scheduling: tasks by HEFT's upward rank (Topcuoglu, Hariri and Wu, TPDS 2002), each on the device that is best
// by cost + lambda * end, for several lambdas; then single tasks are moved while that is better.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>
#include <utility>

#include "plan/timeline.hpp"

namespace turnout::plan {
namespace {

constexpr double kWork = 2e7;  // steps that improving may take, so that it is quick on the largest DAGs
constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::size_t at(int i) { return static_cast<std::size_t>(i); }

// Over the devices that may run the task.
double mean_seconds(const Timeline& t, int task, int devices) {
  double sum = 0, n = 0;
  for (int d = 0; d < devices; ++d)
    if (t.allowed(task, d)) sum += t.seconds(task, d), ++n;
  return sum / n;
}

double mean(std::span<const double> values) {
  return values.empty() ? 0 : std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// Tasks by the longest way to the end, longest first; a topological order, as every way grows towards the start.
std::vector<int> by_rank(const PlacementProblem& p, const Timeline& t) {
  const auto order = p.dag.order();
  const double latency = mean(p.latency), per_unit = mean(p.seconds_per_unit);
  const auto transfer = [&](int edge) { return latency + (p.data.empty() ? 0 : p.data[at(edge)]) * per_unit; };
  std::vector<double> rank(order.size());
  for (std::size_t i = order.size(); i-- > 0;) {
    const int task = order[i];
    rank[at(task)] += mean_seconds(t, task, p.devices);
    const auto parents = p.dag.parents(task), edges = p.dag.parent_edges(task);
    for (std::size_t k = 0; k < parents.size(); ++k)
      rank[at(parents[k])] = std::max(rank[at(parents[k])], rank[at(task)] + transfer(edges[k]));
  }
  std::vector<int> tasks(order.begin(), order.end());
  std::ranges::stable_sort(tasks, [&](int a, int b) { return rank[at(a)] > rank[at(b)]; });
  return tasks;
}

// `lambda`: cost per second; infinite: the earliest end, then the cost.
int best_device(const Timeline& t, int task, int devices, double lambda) {
  const auto rank = [&](int d) {
    const double cost = t.cost_of(task, d), end = t.end_of(task, d);
    return lambda == kInfinity ? std::tuple(t.memory_over_with(task, d), end, cost)
                               : std::tuple(t.memory_over_with(task, d), cost + lambda * end, end);
  };
  int best = -1;
  for (int d = 0; d < devices; ++d)
    if (t.allowed(task, d) && (best < 0 || rank(d) < rank(best))) best = d;
  return best;
}

void keep_better(const Timeline& t, Placement& out) {
  if (!out.tasks.empty() && t.score() >= out.score) return;
  out.tasks = t.tasks();
  out.score = t.score();
}

// Dollars a second at which cost and time weigh the same on average.
double exchange_rate(const PlacementProblem& p, const Timeline& t) {
  double cost = 0, seconds = 0;
  for (int task = 0; task < p.dag.nodes(); ++task)
    for (int d = 0; d < p.devices; ++d)
      if (t.allowed(task, d)) cost += t.cost(task, d), seconds += t.seconds(task, d);
  return cost > 0 && seconds > 0 ? cost / seconds : 1;
}

void rebuild(Timeline& t, const std::vector<int>& tasks, const std::vector<int>& device) {
  t.clear();
  for (const int task : tasks) t.append(task, device[at(task)]);
}

// One pass over all moves; true where one was better.
bool improve(const PlacementProblem& p, Timeline& t, const std::vector<int>& tasks, double& work, Placement& out) {
  std::vector<int> device;
  for (const PlacedTask& placed : out.tasks) device.push_back(placed.device);
  bool better = false;
  for (const int task : tasks)
    for (int d = 0; d < p.devices; ++d) {
      if (!t.allowed(task, d) || d == device[at(task)]) continue;
      if ((work -= p.dag.nodes() + p.dag.edges()) < 0) return false;
      const int before = std::exchange(device[at(task)], d);
      rebuild(t, tasks, device);
      if (t.score() < out.score) {
        keep_better(t, out);
        better = true;
      } else {
        device[at(task)] = before;
      }
    }
  return better;
}

}  // namespace

void place_by_list(const PlacementProblem& problem, Placement& out) {
  Timeline t(problem);
  const std::vector<int> tasks = by_rank(problem, t);
  const double rate = exchange_rate(problem, t);
  std::vector<double> lambdas = {0, kInfinity};
  for (int k = -4; k <= 4; ++k) lambdas.push_back(rate * std::ldexp(1, 2 * k));
  for (const double lambda : lambdas) {
    t.clear();
    for (const int task : tasks) t.append(task, best_device(t, task, problem.devices, lambda));
    keep_better(t, out);
  }
  for (double work = kWork; improve(problem, t, tasks, work, out);) {
  }
}

}  // namespace turnout::plan
