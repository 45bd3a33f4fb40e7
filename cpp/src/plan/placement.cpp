#include "turnout/plan/placement.hpp"

#include <algorithm>

#include "plan/checks.hpp"
#include "plan/timeline.hpp"

namespace turnout::plan {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

void check_optional(std::span<const double> values, std::size_t expected, const char* name, double high) {
  if (values.empty()) return;
  if (values.size() != expected)
    throw Error(ErrorKind::input, name,
                "expected " + std::to_string(expected) + " numbers, got " + std::to_string(values.size()));
  check_column(values, 0, high, name);
}

void check_between_devices(std::span<const double> values, std::size_t devices, const char* name) {
  if (!values.empty() && values.size() != devices * devices)
    throw Error(ErrorKind::input, name,
                "expected " + std::to_string(devices) + " x " + std::to_string(devices) + " numbers, got " +
                    std::to_string(values.size()));
  check_cells(values, devices, kMaxPlacementUnit, name);
}

void check_allowed(const PlacementProblem& p) {
  const auto d = static_cast<std::size_t>(p.devices);
  check_cells(p.seconds, d, kMaxPlacementUnit, "seconds", true);
  for (std::size_t task = 0; task < p.seconds.size() / d; ++task)
    if (std::ranges::all_of(p.seconds.subspan(task * d, d), [](double s) { return s == kInfinity; }))
      throw Error(ErrorKind::input, element("seconds", task), "no device may run this task");
}

void check_slots(const PlacementProblem& p) {
  if (p.slots.empty()) return;
  check_count(p.slots.size(), static_cast<std::size_t>(p.devices), "slots", "device");
  for (std::size_t i = 0; i < p.slots.size(); ++i) check_between(p.slots[i], 0, kMaxSlots, element("slots", i));
}

void check(const PlacementProblem& p, std::int64_t max_nodes) {
  check_between(p.dag.nodes(), 0, kMaxPlacedTasks, "nodes");
  check_between(p.devices, 1, kMaxDevices, "devices");
  const auto n = static_cast<std::size_t>(p.dag.nodes()), d = static_cast<std::size_t>(p.devices);
  if (p.seconds.size() != n * d || p.cost.size() != n * d)
    throw Error(ErrorKind::input, p.seconds.size() != n * d ? "seconds" : "cost",
                "expected " + std::to_string(n) + " tasks x " + std::to_string(d) + " devices");
  check_allowed(p);
  check_cells(p.cost, d, kMaxPlacementUnit, "cost");
  check_optional(p.memory, n, "memory", kMaxPlacementUnit);
  check_optional(p.capacity, d, "capacity", kInfinity);
  check_slots(p);
  check_optional(p.data, static_cast<std::size_t>(p.dag.edges()), "data", kMaxPlacementUnit);
  check_between_devices(p.latency, d, "latency");
  check_between_devices(p.seconds_per_unit, d, "seconds_per_unit");
  check_between_devices(p.cost_per_unit, d, "cost_per_unit");
  check_between(p.deadline, 0, kInfinity, "deadline");
  check_between(static_cast<double>(max_nodes), 0, 1e12, "max_nodes");
}

// Every task at its cheapest, with nothing to transfer.
double least_cost(const PlacementProblem& p) {
  double sum = 0;
  for (std::size_t i = 0, d = static_cast<std::size_t>(p.devices); i < p.cost.size(); i += d) {
    double least = kInfinity;
    for (std::size_t k = i; k < i + d; ++k)
      if (p.seconds[k] < kInfinity) least = std::min(least, p.cost[k]);
    sum += least;
  }
  return sum;
}

}  // namespace

Placement place(const PlacementProblem& problem, std::int64_t max_nodes) {
  check(problem, max_nodes);
  Placement out;
  if (problem.dag.nodes() == 0) {
    out.optimal = true;
    return out;
  }
  out.lower_bound = least_cost(problem);
  place_by_list(problem, out);
  if (max_nodes > 0 && problem.dag.nodes() <= kMaxExactTasks) place_exactly(problem, max_nodes, out);
  return out;
}

}  // namespace turnout::plan
