// Which device (an LLM, a tool, a machine) runs which task, and when: the least cost within a deadline for the whole
// DAG and each device's memory. List scheduling first, then an exact search where the DAG is small.
#pragma once

#include <compare>
#include <limits>
#include <span>
#include <vector>

#include "turnout/plan/dag.hpp"

namespace turnout::plan {

inline constexpr int kMaxPlacedTasks = 4096;
inline constexpr int kMaxDevices = 64;
inline constexpr int kMaxExactTasks = 32;         // beyond them no exact search
inline constexpr int kMaxSlots = 4096;            // of one device
inline constexpr double kMaxPlacementUnit = 1e9;  // of every number but the infinite ones

// Matrices are row-major. Empty: nothing is transferred, needed or limited.
struct PlacementProblem {
  const Dag& dag;
  int devices = 0;
  std::span<const double> seconds;                            // [V, D]; infinity: the device may not run the task
  std::span<const double> cost;                               // [V, D]
  std::span<const double> memory;                             // [V]: held on its device for good
  std::span<const double> capacity;                           // [D]: of memory
  std::span<const std::int32_t> slots;                        // [D]: tasks at once; 0: any number
  std::span<const double> data;                               // [E], as the edges were given: what goes along
  std::span<const double> latency;                            // [D, D]: seconds from device to device
  std::span<const double> seconds_per_unit;                   // [D, D]: of data
  std::span<const double> cost_per_unit;                      // [D, D]: of data
  double deadline = std::numeric_limits<double>::infinity();  // the SLA: seconds from start to end
};

struct PlacedTask {
  std::int32_t device = -1, slot = -1;
  double start = 0, end = 0;
  bool operator==(const PlacedTask&) const = default;
};

// What is minimised, in this order. Over: beyond what is allowed; less than a billionth of that counts as none.
struct PlacementScore {
  double memory_over = 0, seconds_over = 0, cost = 0, seconds = 0;
  auto operator<=>(const PlacementScore&) const = default;
  bool feasible() const { return memory_over <= 0 && seconds_over <= 0; }
};

struct Placement {
  std::vector<PlacedTask> tasks;
  PlacementScore score;
  bool optimal = false;    // the search ended: nothing is better
  double lower_bound = 0;  // of the cost of any placement
  std::int64_t nodes = 0;  // of the search
};

// `max_nodes`: of the exact search; 0: none. An infeasible problem gets the placement that violates the least. Throws
// Error(input) with the path to the culprit, as in "seconds[3]" for a task that no device may run.
Placement place(const PlacementProblem& problem, std::int64_t max_nodes = 200000);

}  // namespace turnout::plan
