// Exact placement: every sequence of (task, device) whose starts do not fall, less what a bound rules out. A schedule
// sorted by its starts is such a sequence, and appending in that order starts no task later; so none is missed. Where
// no device has limited slots the sequence does not matter, and one will do.
#include <algorithm>

#include "plan/timeline.hpp"

namespace turnout::plan {
namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

class Search {
 public:
  Search(const PlacementProblem& problem, std::int64_t max_nodes, Placement& out)
      : problem_(problem), timeline_(problem), max_nodes_(max_nodes), out_(out) {
    prepare();
  }

  void run() {
    visit();
    out_.optimal = out_.nodes <= max_nodes_;
    if (out_.optimal) out_.lower_bound = out_.score.cost;
  }

 private:
  struct Choice {
    int task, device;
    PlacementScore bound;
  };

  void prepare() {
    const int n = problem_.dag.nodes();
    for (int task = 0; task < n; ++task) {
      double cost = kInfinity, seconds = kInfinity;
      for (int d = 0; d < problem_.devices; ++d)
        if (timeline_.allowed(task, d)) {
          cost = std::min(cost, timeline_.cost(task, d));
          seconds = std::min(seconds, timeline_.seconds(task, d));
        }
      least_cost_.push_back(cost);
      least_seconds_.push_back(seconds);
      waiting_.push_back(static_cast<int>(problem_.dag.parents(task).size()));
      left_cost_ += cost;
    }
    tail_.assign(at(n), 0);
    for (std::size_t i = at(n); i-- > 0;) {
      const int task = problem_.dag.order()[i];
      for (const int c : problem_.dag.children(task))
        tail_[at(task)] = std::max(tail_[at(task)], tail_[at(c)] + least_seconds_[at(c)]);
    }
    sequence_matters_ = std::ranges::any_of(problem_.slots, [](std::int32_t s) { return s > 0; });
  }

  // No placement that goes on from here is better than this.
  PlacementScore bound(int task, int device) const {
    const double cost = timeline_.cost() + timeline_.cost_of(task, device) + left_cost_ - least_cost_[at(task)];
    const double end = std::max({timeline_.end(), at_least_, timeline_.end_of(task, device) + tail_[at(task)]});
    return timeline_.score_with(cost * (1 - kRounding), end * (1 - kRounding),
                                timeline_.memory_over_with(task, device));
  }

  void add_choices(int task, std::vector<Choice>& choices) const {
    for (int d = 0; d < problem_.devices; ++d)
      if (timeline_.allowed(task, d)) choices.push_back({task, d, bound(task, d)});
  }

  std::vector<Choice> choices() const {
    std::vector<Choice> out;
    if (!sequence_matters_) {
      add_choices(problem_.dag.order()[at(placed_)], out);
    } else {
      for (const int task : problem_.dag.order())
        if (timeline_.tasks()[at(task)].device < 0 && waiting_[at(task)] == 0) add_choices(task, out);
    }
    std::ranges::stable_sort(out, {}, &Choice::bound);
    return out;
  }

  void visit() {
    if (++out_.nodes > max_nodes_) return;
    if (placed_ == problem_.dag.nodes()) {
      if (timeline_.score() >= out_.score) return;
      out_.tasks = timeline_.tasks();
      out_.score = timeline_.score();
      return;
    }
    const double before = timeline_.last_start();
    for (const Choice& c : choices()) {
      if (out_.nodes > max_nodes_) return;
      if (c.bound >= out_.score) return;  // and so are those after it
      timeline_.append(c.task, c.device);
      if (!sequence_matters_ || timeline_.last_start() >= before) go_on(c.task);
      timeline_.take_back();
    }
  }

  void go_on(int task) {
    const double left = left_cost_, least = at_least_;
    left_cost_ -= least_cost_[at(task)];
    at_least_ = std::max(at_least_, timeline_.tasks()[at(task)].end + tail_[at(task)]);
    ++placed_;
    for (const int c : problem_.dag.children(task)) --waiting_[at(c)];
    visit();
    for (const int c : problem_.dag.children(task)) ++waiting_[at(c)];
    --placed_;
    left_cost_ = left;
    at_least_ = least;
  }

  static constexpr double kInfinity = std::numeric_limits<double>::infinity();
  static constexpr double kRounding = 1e-12;  // sums in another order may come out this much higher

  const PlacementProblem& problem_;
  Timeline timeline_;
  std::int64_t max_nodes_;
  Placement& out_;
  std::vector<double> least_cost_, least_seconds_, tail_;  // tail: seconds that must follow a task
  std::vector<int> waiting_;
  double left_cost_ = 0, at_least_ = 0;
  int placed_ = 0;
  bool sequence_matters_ = false;
};

}  // namespace

void place_exactly(const PlacementProblem& problem, std::int64_t max_nodes, Placement& out) {
  Search(problem, max_nodes, out).run();
}

}  // namespace turnout::plan
