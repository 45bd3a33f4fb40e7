#include "turnout/plan/measure.hpp"

#include <algorithm>
#include <numeric>

#include "plan/checks.hpp"

namespace turnout::plan {
namespace {

double at(std::span<const double> values, int node) { return values[static_cast<std::size_t>(node)]; }

void check(const Dag& dag, std::span<const double> seconds, std::span<const double> coupling) {
  check_count(seconds.size(), static_cast<std::size_t>(dag.nodes()), "seconds", "node");
  check_column(seconds, 0, kMaxTaskSeconds, "seconds");
  if (!coupling.empty()) check_count(coupling.size(), static_cast<std::size_t>(dag.edges()), "coupling", "edge");
  check_column(coupling, 0, 1, "coupling");
}

double mean(std::span<const double> values) {
  return values.empty() ? 0 : std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double density(const Dag& dag) {
  const double n = dag.nodes();
  return n < 2 ? 0 : dag.edges() / (n * (n - 1) / 2);
}

void count_levels(const Dag& dag, MeasureWorkspace& ws, DagMetrics& out) {
  out.depth = dag.nodes() == 0 ? 0 : dag.level(dag.order().back()) + 1;
  ws.at_level.assign(static_cast<std::size_t>(out.depth), 0);
  for (int node = 0; node < dag.nodes(); ++node) ++ws.at_level[static_cast<std::size_t>(dag.level(node))];
  out.width = ws.at_level.empty() ? 0 : *std::ranges::max_element(ws.at_level);
}

void earliest(const Dag& dag, std::span<const double> seconds, MeasureWorkspace& ws) {
  ws.finish.resize(static_cast<std::size_t>(dag.nodes()));
  for (const int node : dag.order()) {
    double start = 0;
    for (const int p : dag.parents(node)) start = std::max(start, at(ws.finish, p));
    ws.finish[static_cast<std::size_t>(node)] = start + at(seconds, node);
  }
}

// Of `nodes`, which are lowest first, the one that finishes last.
template <class Nodes>
int last_of(const Nodes& nodes, std::span<const double> finish) {
  int last = *nodes.begin();
  for (const int node : nodes)
    if (at(finish, node) > at(finish, last)) last = node;
  return last;
}

int last_node(std::span<const double> finish) {
  return static_cast<int>(std::ranges::max_element(finish) - finish.begin());
}

void trace_back(const Dag& dag, std::span<const double> finish, DagMetrics& out) {
  out.critical_nodes.clear();
  if (finish.empty()) return;
  int node = last_node(finish);
  out.critical_path = Seconds(at(finish, node));
  out.critical_nodes.push_back(node);
  while (!dag.parents(node).empty()) {
    node = last_of(dag.parents(node), finish);
    out.critical_nodes.push_back(node);
  }
  std::ranges::reverse(out.critical_nodes);
}

// The latest finish of each node, then how far that is from the earliest. Rounding must not make a critical node late.
void measure_slack(const Dag& dag, std::span<const double> seconds, std::span<const double> finish, DagMetrics& out) {
  out.slack.resize(finish.size());
  for (std::size_t i = finish.size(); i-- > 0;) {
    const int node = dag.order()[i];
    double latest = out.critical_path.value;
    for (const int c : dag.children(node)) latest = std::min(latest, at(out.slack, c) - at(seconds, c));
    out.slack[static_cast<std::size_t>(node)] = latest;
  }
  for (std::size_t i = 0; i < finish.size(); ++i) out.slack[i] = std::max(0.0, out.slack[i] - finish[i]);
  for (const int node : out.critical_nodes) out.slack[static_cast<std::size_t>(node)] = 0;
}

}  // namespace

void measure(const Dag& dag, std::span<const double> seconds, std::span<const double> coupling, MeasureWorkspace& ws,
             DagMetrics& out) {
  check(dag, seconds, coupling);
  out.nodes = dag.nodes();
  out.edges = dag.edges();
  out.coupling = mean(coupling);
  out.density = density(dag);
  out.work = Seconds(std::accumulate(seconds.begin(), seconds.end(), 0.0));
  out.critical_path = Seconds(0);
  count_levels(dag, ws, out);
  earliest(dag, seconds, ws);
  trace_back(dag, ws.finish, out);
  measure_slack(dag, seconds, ws.finish, out);
  out.parallelism = out.critical_path.value > 0 ? out.work.value / out.critical_path.value : 1;
}

}  // namespace turnout::plan
