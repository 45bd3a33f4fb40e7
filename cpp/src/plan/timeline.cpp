#include "plan/timeline.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

namespace turnout::plan {
namespace {

constexpr double kRounding = 1e-9;

double beyond(double value, double limit) {
  const double over = value - limit;
  return over > kRounding * std::max(1.0, limit) ? over : 0;
}

// In billionths, so that sums in another order compare the same.
double whole(double over) { return std::round(over / kRounding) * kRounding; }

std::size_t at(int i) { return static_cast<std::size_t>(i); }

}  // namespace

Timeline::Timeline(const PlacementProblem& problem) : problem_(problem) { clear(); }

void Timeline::clear() {
  tasks_.assign(at(problem_.dag.nodes()), {});
  free_.assign(at(problem_.devices), {});
  for (int d = 0; d < problem_.devices && !problem_.slots.empty(); ++d)
    free_[at(d)].assign(at(problem_.slots[at(d)]), 0);
  used_.assign(at(problem_.devices), 0);
  undo_.clear();
  cost_ = end_ = 0;
}

double Timeline::transfer_seconds(int edge, int from, int to) const {
  return matrix(problem_.latency, from, to) + data(edge) * matrix(problem_.seconds_per_unit, from, to);
}

double Timeline::transfer_cost(int edge, int from, int to) const {
  return data(edge) * matrix(problem_.cost_per_unit, from, to);
}

double Timeline::cost_of(int task, int device) const {
  double sum = cost(task, device);
  const auto parents = problem_.dag.parents(task), edges = problem_.dag.parent_edges(task);
  for (std::size_t k = 0; k < parents.size(); ++k)
    sum += transfer_cost(edges[k], tasks_[at(parents[k])].device, device);
  return sum;
}

// When all inputs have arrived.
double Timeline::ready(int task, int device) const {
  double when = 0;
  const auto parents = problem_.dag.parents(task), edges = problem_.dag.parent_edges(task);
  for (std::size_t k = 0; k < parents.size(); ++k) {
    const PlacedTask& parent = tasks_[at(parents[k])];
    assert(parent.device >= 0);
    when = std::max(when, parent.end + transfer_seconds(edges[k], parent.device, device));
  }
  return when;
}

// Of the slots that are free by then the one that got free last, which leaves the most room; else the first to get
// free.
int Timeline::slot_at(int device, double ready) const {
  const auto& free = free_[at(device)];
  int best = -1;
  for (int s = 0; s < static_cast<int>(free.size()); ++s) {
    const bool fits = free[at(s)] <= ready;
    if (best < 0 || (free[at(best)] <= ready ? fits && free[at(s)] > free[at(best)] : free[at(s)] < free[at(best)]))
      best = s;
  }
  return best;
}

double Timeline::start_of(int task, int device) const {
  const double inputs = ready(task, device);
  if (problem_.slots.empty() || problem_.slots[at(device)] == 0) return inputs;
  return std::max(inputs, free_[at(device)][at(slot_at(device, inputs))]);
}

double Timeline::over(int device, double used) const {
  return problem_.capacity.empty() ? 0 : beyond(used, problem_.capacity[at(device)]);
}

double Timeline::memory_over() const {
  double sum = 0;
  for (int d = 0; d < problem_.devices; ++d) sum += over(d, used_[at(d)]);
  return whole(sum);
}

double Timeline::memory_over_with(int task, int device) const {
  if (problem_.memory.empty()) return 0;
  double sum = 0;
  for (int d = 0; d < problem_.devices; ++d)
    sum += over(d, used_[at(d)] + (d == device ? problem_.memory[at(task)] : 0));
  return whole(sum);
}

PlacementScore Timeline::score_with(double cost, double end, double memory_over) const {
  return {memory_over, whole(beyond(end, problem_.deadline)), cost, end};
}

void Timeline::append(int task, int device) {
  const double start = start_of(task, device), end = start + seconds(task, device);
  auto& free = free_[at(device)];
  int slot = slot_at(device, start);
  const bool open = slot < 0 || free[at(slot)] > start;  // only where any number of tasks may run at once
  if (open) {
    slot = static_cast<int>(free.size());
    free.push_back(0);
  }
  undo_.push_back({task, slot, open, free[at(slot)], used_[at(device)], cost_, end_});
  cost_ += cost_of(task, device);
  free[at(slot)] = end;
  if (!problem_.memory.empty()) used_[at(device)] += problem_.memory[at(task)];
  end_ = std::max(end_, end);
  tasks_[at(task)] = {device, slot, start, end};
}

void Timeline::take_back() {
  const Undo u = undo_.back();
  undo_.pop_back();
  const int device = std::exchange(tasks_[at(u.task)].device, -1);
  auto& free = free_[at(device)];
  if (u.opened)
    free.pop_back();
  else
    free[at(u.slot)] = u.free;
  used_[at(device)] = u.used;
  cost_ = u.cost;
  end_ = u.end;
}

}  // namespace turnout::plan
