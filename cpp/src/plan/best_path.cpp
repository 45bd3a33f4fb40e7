#include <algorithm>
#include <cmath>
#include <tuple>

#include "plan/checks.hpp"
#include "turnout/plan/reliability.hpp"

namespace turnout::plan {
namespace {

// One way to a node: lower is better in everything.
struct Label {
  double unlikely = 0;  // -log P(success)
  double cost = 0, seconds = 0, held = 0;
  int node = 0, before = -1;  // the label that it goes on from
};

double of(std::span<const double> column, int node) {
  return column.empty() ? 0 : column[static_cast<std::size_t>(node)];
}

void check(const Dag& dag, const PathColumns& c, const PathLimits& limits, int from, int to) {
  const auto n = static_cast<std::size_t>(dag.nodes());
  check_count(c.success.size(), n, "success", "node");
  check_column(c.success, 0, 1, "success");
  const std::pair<const char*, std::span<const double>> others[] = {
      {"cost", c.cost}, {"seconds", c.seconds}, {"needs", c.needs}, {"releases", c.releases}};
  for (const auto& [name, column] : others) {
    if (!column.empty()) check_count(column.size(), n, name, "node");
    check_column(column, 0, kMaxTaskCost, name);
  }
  for (std::size_t i = 0; i < c.releases.size(); ++i)
    check_between(c.releases[i], 0, of(c.needs, static_cast<int>(i)), element("releases", i));
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  check_between(limits.cost, 0, kInfinity, "limits.cost");
  check_between(limits.seconds, 0, kInfinity, "limits.seconds");
  check_between(limits.capacity, 0, kInfinity, "limits.capacity");
  check_between(from, -1, dag.nodes() - 1, "from");
  check_between(to, -1, dag.nodes() - 1, "to");
}

class Search {
 public:
  Search(const Dag& dag, const PathColumns& columns, const PathLimits& limits, int from, int to)
      : dag_(dag),
        columns_(columns),
        limits_(limits),
        from_(from),
        to_(to),
        last_(static_cast<std::size_t>(dag.nodes())) {
    for (const int node : dag.order()) settle(node);
  }

  Path answer() const {
    int best = -1;
    for (int node = 0; node < dag_.nodes(); ++node)
      if (to_ < 0 ? dag_.children(node).empty() : node == to_)
        for (const int label : last_[static_cast<std::size_t>(node)])
          if (best < 0 || key(label) < key(best)) best = label;
    return best < 0 ? Path{} : path(best);
  }

 private:
  const Label& at(int label) const { return labels_[static_cast<std::size_t>(label)]; }

  // What is not limited does not count, and is 0 in every label's comparison.
  std::tuple<double, double, double, double> key(int label) const {
    const Label& l = at(label);
    const auto counted = [](double value, double limit) {
      return limit < std::numeric_limits<double>::infinity() ? value : 0;
    };
    return {l.unlikely, counted(l.cost, limits_.cost), counted(l.seconds, limits_.seconds),
            counted(l.held, limits_.capacity)};
  }

  bool dominates(int a, int b) const {
    const auto [u, c, s, h] = key(a);
    const auto [u2, c2, s2, h2] = key(b);
    return u <= u2 && c <= c2 && s <= s2 && h <= h2;
  }

  void extend(int node, const Label& start, int before) {
    Label l = start;
    l.node = node;
    l.before = before;
    l.unlikely -= std::log(of(columns_.success, node));
    l.cost += of(columns_.cost, node);
    l.seconds += of(columns_.seconds, node);
    l.held += of(columns_.needs, node);
    if (l.cost > limits_.cost || l.seconds > limits_.seconds || l.held > limits_.capacity) return;
    l.held -= of(columns_.releases, node);
    if (labels_.size() == static_cast<std::size_t>(kMaxPathLabels))
      throw Error(ErrorKind::input, "limits", "more than " + std::to_string(kMaxPathLabels) + " labels are needed");
    labels_.push_back(l);
    found_.push_back(static_cast<int>(labels_.size()) - 1);
  }

  void settle(int node) {
    found_.clear();
    if (from_ < 0 ? dag_.parents(node).empty() : node == from_) extend(node, {}, -1);
    for (const int parent : dag_.parents(node))
      for (const int before : last_[static_cast<std::size_t>(parent)]) extend(node, at(before), before);
    std::ranges::stable_sort(found_, {}, [&](int label) { return key(label); });
    auto& kept = last_[static_cast<std::size_t>(node)];
    for (const int label : found_)
      if (std::ranges::none_of(kept, [&](int k) { return dominates(k, label); })) kept.push_back(label);
  }

  Path path(int label) const {
    const Label& end = at(label);
    Path out{true, {}, std::exp(-end.unlikely), end.cost, end.seconds, end.held};
    for (; label >= 0; label = at(label).before) out.nodes.push_back(at(label).node);
    std::ranges::reverse(out.nodes);
    return out;
  }

  const Dag& dag_;
  const PathColumns& columns_;
  const PathLimits& limits_;
  int from_, to_;
  std::vector<std::vector<int>> last_;  // labels that may be the best, of each node
  std::vector<Label> labels_;
  std::vector<int> found_;
};

}  // namespace

Path best_path(const Dag& dag, const PathColumns& columns, const PathLimits& limits, int from, int to) {
  check(dag, columns, limits, from, to);
  return Search(dag, columns, limits, from, to).answer();
}

}  // namespace turnout::plan
