// Exact reliability of any DAG by its frontier: tasks are taken in a topological order, and the joint distribution of
// those that still matter to a later one is kept as a table, one bit a task.
#pragma once

#include "turnout/plan/reliability.hpp"

namespace turnout::plan {

class FrontierPlan {
 public:
  // Orders the tasks so that few matter at once, greedily; gives up where more than `max_width` do, or where
  // there are too many of them.
  FrontierPlan(const Dag& dag, int max_width);
  int width() const { return width_; }  // max_width + 1 where it gave up
  void run(const std::vector<double>& p, const std::vector<double>& q, Reliability& out) const;

 private:
  // A task with more than two parents gets them through a chain of joins: a join succeeds when both of its parents did.
  struct Step {
    int task = -1;  // -1: a join
    int parents[2] = {-1, -1};
    std::vector<int> children;
    std::int32_t level = 0;
  };
  int add_step(int task, int first, int second);
  void split(const Dag& dag);
  void order(int max_width);
  int best(const std::vector<int>& ready, const std::vector<int>& left, const std::vector<int>& waiting,
           const std::vector<int>& since) const;

  std::vector<Step> steps_;
  std::vector<int> order_;
  int width_ = 0;
};

}  // namespace turnout::plan
