// A placement in the making: tasks are appended one by one, each as early as its inputs and its device allow, and taken
// back in reverse.
#pragma once

#include "turnout/plan/placement.hpp"

namespace turnout::plan {

class Timeline {
 public:
  explicit Timeline(const PlacementProblem& problem);

  bool allowed(int task, int device) const { return seconds(task, device) < std::numeric_limits<double>::infinity(); }
  double seconds(int task, int device) const { return problem_.seconds[cell(task, device)]; }
  double cost(int task, int device) const { return problem_.cost[cell(task, device)]; }
  // Of an edge between two devices.
  double transfer_seconds(int edge, int from, int to) const;
  double transfer_cost(int edge, int from, int to) const;

  // What append() would add. Every parent of the task must be there.
  double cost_of(int task, int device) const;
  double end_of(int task, int device) const { return start_of(task, device) + seconds(task, device); }
  double memory_over_with(int task, int device) const;
  void append(int task, int device);
  void take_back();
  void clear();

  const std::vector<PlacedTask>& tasks() const { return tasks_; }
  double last_start() const { return undo_.empty() ? 0 : tasks_[static_cast<std::size_t>(undo_.back().task)].start; }
  PlacementScore score() const { return score_with(cost_, end_, memory_over()); }
  PlacementScore score_with(double cost, double end, double memory_over) const;
  double cost() const { return cost_; }
  double end() const { return end_; }
  double memory_over() const;

 private:
  struct Undo {
    int task, slot;
    bool opened;
    double free, used, cost, end;
  };
  std::size_t cell(int task, int device) const {
    return static_cast<std::size_t>(task) * static_cast<std::size_t>(problem_.devices) +
           static_cast<std::size_t>(device);
  }
  double matrix(std::span<const double> values, int from, int to) const {
    return values.empty() ? 0 : values[cell(from, to)];
  }
  double data(int edge) const { return problem_.data.empty() ? 0 : problem_.data[static_cast<std::size_t>(edge)]; }
  double ready(int task, int device) const;
  double start_of(int task, int device) const;
  int slot_at(int device, double ready) const;
  double over(int device, double used) const;

  const PlacementProblem& problem_;
  std::vector<PlacedTask> tasks_;
  std::vector<std::vector<double>> free_;  // when each slot of each device is free
  std::vector<double> used_;               // memory of each device
  std::vector<Undo> undo_;
  double cost_ = 0, end_ = 0;
};

// The best of several list schedules, improved task by task.
void place_by_list(const PlacementProblem& problem, Placement& out);
// Depth-first branch and bound from what `out` holds.
void place_exactly(const PlacementProblem& problem, std::int64_t max_nodes, Placement& out);

}  // namespace turnout::plan
