#include "turnout/plan/reliability.hpp"

#include <algorithm>
#include <cmath>

#include "plan/checks.hpp"
#include "plan/frontier.hpp"

namespace turnout::plan {
namespace {

void check(const Dag& dag, std::span<const double> p, std::span<const double> q, std::span<const std::int32_t> retries,
           const ReliabilityOptions& options) {
  const auto n = static_cast<std::size_t>(dag.nodes());
  check_count(p.size(), n, "p", "node");
  check_count(q.size(), n, "q", "node");
  check_column(p, 0, 1, "p");
  check_column(q, 0, 1, "q");
  if (!retries.empty()) check_count(retries.size(), n, "retries", "node");
  for (std::size_t i = 0; i < retries.size(); ++i) check_between(retries[i], 0, kMaxRetries, element("retries", i));
  check_between(options.max_width, 1, kMaxFrontierWidth, "max_width");
}

std::vector<double> with_retries(std::span<const double> p, std::span<const std::int32_t> retries) {
  std::vector<double> out(p.begin(), p.end());
  for (std::size_t i = 0; i < retries.size(); ++i) out[i] = plan::with_retries(out[i], retries[i]);
  return out;
}

bool is_forest(const Dag& dag) {
  for (int node = 0; node < dag.nodes(); ++node)
    if (dag.parents(node).size() > 1) return false;
  return true;
}

struct Interval {
  double low = 1, high = 1;
};

// Each task's own chance down the tree; then, up the tree, that all sinks at or below it succeed, by its own state.
void by_tree(const Dag& dag, const std::vector<double>& p, const std::vector<double>& q, Reliability& out) {
  for (const int node : dag.order()) {
    const auto v = static_cast<std::size_t>(node);
    const double before = dag.parents(node).empty() ? 1 : out.lower[static_cast<std::size_t>(dag.parents(node)[0])];
    out.lower[v] = p[v] * before + q[v] * (1 - before);
  }
  std::vector<double> if_done(out.lower.size(), 1), if_failed(out.lower.size(), 1);
  double all = 1;
  for (std::size_t i = out.lower.size(); i-- > 0;) {
    const int node = dag.order()[i];
    const auto v = static_cast<std::size_t>(node);
    if (dag.children(node).empty()) if_failed[v] = 0;
    const double after_done = p[v] * if_done[v] + (1 - p[v]) * if_failed[v];
    const double after_failed = q[v] * if_done[v] + (1 - q[v]) * if_failed[v];
    if (dag.parents(node).empty()) {
      all *= after_done;
      continue;
    }
    if_done[static_cast<std::size_t>(dag.parents(node)[0])] *= after_done;
    if_failed[static_cast<std::size_t>(dag.parents(node)[0])] *= after_failed;
  }
  out.upper = out.lower;
  out.sinks_lower = out.sinks_upper = all;
}

// P(all succeed) from their own chances: Frechet's bounds, and the product where success never hurts (p >= q
// everywhere: successes are then associated; Esary, Proschan and Walkup 1967).
template <class Nodes>
Interval all_of(const Nodes& nodes, const Reliability& r, bool associated) {
  double sum = 0, product = 1, high = 1, count = 0;
  for (const int node : nodes) {
    const auto v = static_cast<std::size_t>(node);
    sum += 1 - r.lower[v];
    product *= r.lower[v];
    high = std::min(high, r.upper[v]);
    ++count;
  }
  return {std::max(0.0, associated || count == 1 ? product : 1 - sum), high};
}

void by_bounds(const Dag& dag, const std::vector<double>& p, const std::vector<double>& q, Reliability& out) {
  out.method = ReliabilityMethod::bounds;
  const bool associated = std::ranges::equal(p, q, std::greater_equal{});
  std::vector<int> sinks;
  for (const int node : dag.order()) {
    const auto v = static_cast<std::size_t>(node);
    const Interval before = all_of(dag.parents(node), out, associated);
    const auto after = [&](double chance) { return p[v] * chance + q[v] * (1 - chance); };
    std::tie(out.lower[v], out.upper[v]) = std::minmax(after(before.low), after(before.high));
    if (dag.children(node).empty()) sinks.push_back(node);
  }
  const Interval all = all_of(sinks, out, associated);
  out.sinks_lower = all.low;
  out.sinks_upper = all.high;
}

}  // namespace

const char* method_name(ReliabilityMethod method) {
  static constexpr const char* kNames[] = {"tree", "frontier", "bounds"};
  return kNames[static_cast<std::size_t>(method)];
}

// By logarithms, so that a small p keeps its digits; without retries it is p, the same bits.
double with_retries(double p, int retries) {
  check_between(p, 0, 1, "p");
  check_between(retries, 0, std::numeric_limits<int>::max(), "retries");
  return retries == 0 ? p : -std::expm1((retries + 1.0) * std::log1p(-p));
}

Reliability reliability(const Dag& dag, std::span<const double> p, std::span<const double> q,
                        std::span<const std::int32_t> retries, const ReliabilityOptions& options) {
  check(dag, p, q, retries, options);
  const auto tried_p = with_retries(p, retries), tried_q = with_retries(q, retries);
  Reliability out;
  out.lower.resize(p.size());
  out.upper.resize(p.size());
  for (const double x : tried_p) out.all *= x;
  if (is_forest(dag)) {
    by_tree(dag, tried_p, tried_q, out);
    return out;
  }
  const FrontierPlan frontier(dag, options.max_width);
  out.width = frontier.width();
  if (out.width <= options.max_width)
    frontier.run(tried_p, tried_q, out);
  else if (options.bounds)
    by_bounds(dag, tried_p, tried_q, out);
  else
    throw Error(ErrorKind::input, "max_width",
                "the frontier is wider than " + std::to_string(options.max_width) + ", or there are more than " +
                    std::to_string(kMaxFrontierSteps) + " tasks and joins; allow a width up to " +
                    std::to_string(kMaxFrontierWidth) + " or ask for bounds");
  return out;
}

}  // namespace turnout::plan
