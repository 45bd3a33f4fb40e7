// Where and in which order to run a merged DAG when devices keep what they loaded: a dynamic programme over what is
// done and where it lies (after Halo). Costs are of one kind, seconds or USD; they add up over the devices.
#pragma once

#include <span>
#include <vector>

#include "turnout/plan/dag.hpp"

namespace turnout::plan {

inline constexpr int kMaxEpochTasks = 1024;
inline constexpr int kMaxEpochDevices = 16;
inline constexpr int kMaxModels = 1024;
inline constexpr int kMaxBeam = 1 << 20;

struct EpochProblem {
  const Dag& dag;
  int devices = 0;
  std::span<const double> run;          // [V, D]: prefill and decode; infinity: not on this device
  std::span<const std::int32_t> model;  // [V]: what its device must have loaded, 0 to kMaxModels - 1; empty: all 0
  std::span<const double> load;         // [models, D]: to load a model in place of another; empty: 0
  std::span<const double> cached;       // [V]: saved when the device ran a parent of the task last; <= run; empty: 0
  std::span<const double> transfer;     // [D, D]: of a parent's result, for each edge; empty: 0
};

struct EpochStep {
  std::int32_t task = 0, device = 0;
  std::int32_t epoch = 0;  // tasks of one epoch do not need each other
  double cost = 0;
  bool operator==(const EpochStep&) const = default;
};

struct EpochPlan {
  std::vector<EpochStep> steps;  // in the order in which they run
  double cost = 0;
  bool exact = true;  // no state was dropped: nothing is cheaper
  std::int64_t states = 0;
};

// States with the same tasks done, the same places of results that are still needed and the same left on the devices
// are one; of each number of done tasks the `beam` cheapest are kept. O(V beam ready D (V + D)); with a beam of 0 that
// is at most 1,024 and so small that it takes about a second. Throws Error(input).
EpochPlan plan_epochs(const EpochProblem& problem, int beam = 0);

}  // namespace turnout::plan
