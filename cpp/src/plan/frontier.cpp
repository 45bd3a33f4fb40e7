#include "plan/frontier.hpp"

#include <algorithm>
#include <bit>
#include <tuple>

namespace turnout::plan {
namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

// The joint distribution of the tasks on the frontier, and the part of it where every sink so far succeeded.
class Joint {
 public:
  // A task that succeeds with p where all of `parents` (bits) did, else q. Gives P(it succeeds).
  double add(std::size_t parents, double p, double q) {
    const std::size_t states = any_.size();
    any_.resize(2 * states);
    ok_.resize(2 * states);
    double sum = 0;
    for (std::size_t s = 0; s < states; ++s) {
      const double chance = (s & parents) == parents ? p : q;
      sum += any_[s + states] = any_[s] * chance;
      ok_[s + states] = ok_[s] * chance;
      any_[s] *= 1 - chance;
      ok_[s] *= 1 - chance;
    }
    return sum;
  }

  // The same of a sink: nothing depends on it, so that it needs no bit.
  double add_sink(std::size_t parents, double p, double q) {
    double sum = 0;
    for (std::size_t s = 0; s < any_.size(); ++s) {
      const double chance = (s & parents) == parents ? p : q;
      sum += any_[s] * chance;
      ok_[s] *= chance;
    }
    return sum;
  }

  // Sums a bit out; those above it move down.
  void drop(int bit) {
    const std::size_t below = (std::size_t{1} << bit) - 1, states = any_.size() / 2;
    for (std::size_t s = 0; s < states; ++s) {
      const std::size_t from = ((s & ~below) << 1) | (s & below);
      any_[s] = any_[from] + any_[from | (below + 1)];
      ok_[s] = ok_[from] + ok_[from | (below + 1)];
    }
    any_.resize(states);
    ok_.resize(states);
  }

  double all_sinks() const { return ok_[0]; }

 private:
  std::vector<double> any_ = {1}, ok_ = {1};
};

}  // namespace

FrontierPlan::FrontierPlan(const Dag& dag, int max_width) {
  split(dag);
  if (steps_.size() > static_cast<std::size_t>(kMaxFrontierSteps))
    width_ = max_width + 1;
  else
    order(max_width);
}

int FrontierPlan::add_step(int task, int first, int second) {
  const int index = static_cast<int>(steps_.size());
  steps_.push_back({task, {first, second}, {}, 0});
  for (const int parent : {first, second})
    if (parent >= 0) steps_[at(parent)].children.push_back(index);
  return index;
}

void FrontierPlan::split(const Dag& dag) {
  std::vector<int> step(at(dag.nodes()));
  for (const int node : dag.order()) {
    std::vector<int> parents;
    for (const int p : dag.parents(node)) parents.push_back(step[at(p)]);
    std::ranges::sort(parents);
    int joined = parents.empty() ? -1 : parents[0];
    for (std::size_t k = 1; k + 1 < parents.size(); ++k) joined = add_step(-1, joined, parents[k]);
    step[at(node)] = add_step(node, joined, parents.size() > 1 ? parents.back() : -1);
  }
}

// Of the ready steps: the one that leaves the fewest bits; then whose child waits for the fewest others; then that got
// ready last, so that branches are finished before others begin; then the first.
int FrontierPlan::best(const std::vector<int>& ready, const std::vector<int>& left, const std::vector<int>& waiting,
                       const std::vector<int>& since) const {
  const auto rank = [&](int i) {
    const Step& s = steps_[at(i)];
    int bits = s.children.empty() ? 0 : 1, fewest = 3;
    for (const int p : s.parents) bits -= p >= 0 && left[at(p)] == 1;
    for (const int c : s.children) fewest = std::min(fewest, waiting[at(c)]);
    return std::tuple(bits, fewest, -since[at(i)], i);
  };
  return *std::ranges::min_element(ready, {}, rank);
}

void FrontierPlan::order(int max_width) {
  const auto n = steps_.size();
  std::vector<int> left(n), waiting(n), since(n), ready;
  for (std::size_t i = 0; i < n; ++i) {
    left[i] = static_cast<int>(steps_[i].children.size());
    waiting[i] = (steps_[i].parents[0] >= 0) + (steps_[i].parents[1] >= 0);
    if (waiting[i] == 0) ready.push_back(static_cast<int>(i));
  }
  int bits = 0;
  while (!ready.empty() && width_ <= max_width) {
    const int next = best(ready, left, waiting, since);
    std::erase(ready, next);
    order_.push_back(next);
    const Step& step = steps_[at(next)];
    bits += !step.children.empty();
    width_ = std::max(width_, bits);
    for (const int p : step.parents) bits -= p >= 0 && --left[at(p)] == 0;
    for (const int c : step.children)
      if (--waiting[at(c)] == 0) {
        ready.push_back(c);
        since[at(c)] = static_cast<int>(order_.size());
      }
  }
}

void FrontierPlan::run(const std::vector<double>& p, const std::vector<double>& q, Reliability& out) const {
  out.method = ReliabilityMethod::frontier;
  Joint joint;
  std::vector<int> bits, left;  // whose bit each is, lowest first; children that are still to come
  for (const Step& step : steps_) left.push_back(static_cast<int>(step.children.size()));
  const auto bit_of = [&](int step) { return static_cast<int>(std::ranges::find(bits, step) - bits.begin()); };
  for (const int next : order_) {
    const Step& step = steps_[at(next)];
    std::size_t parents = 0;
    for (const int parent : step.parents)
      if (parent >= 0) parents |= std::size_t{1} << bit_of(parent);
    const double if_all = step.task < 0 ? 1 : p[at(step.task)], if_not = step.task < 0 ? 0 : q[at(step.task)];
    const bool sink = step.children.empty();
    const double chance = sink ? joint.add_sink(parents, if_all, if_not) : joint.add(parents, if_all, if_not);
    if (!sink) bits.push_back(next);
    if (step.task >= 0) out.lower[at(step.task)] = out.upper[at(step.task)] = chance;
    for (const int parent : step.parents) {
      if (parent < 0 || --left[at(parent)] > 0) continue;
      joint.drop(bit_of(parent));
      std::erase(bits, parent);
    }
  }
  out.sinks_lower = out.sinks_upper = joint.all_sinks();
}

}  // namespace turnout::plan
