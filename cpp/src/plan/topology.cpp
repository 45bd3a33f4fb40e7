#include "turnout/plan/topology.hpp"

#include "plan/checks.hpp"

namespace turnout::plan {
namespace {

void check(const TopologyThresholds& t) {
  check_between(t.wide_share, 0, 1, "thresholds.wide_share");
  check_between(t.loose, 0, 1, "thresholds.loose");
  check_between(t.deep_share, 0, 1, "thresholds.deep_share");
  check_between(t.tight, 0, 1, "thresholds.tight");
  check_between(t.layers, 0, kMaxTasks, "thresholds.layers");
}

void check_shape(int nodes, int width, int depth, double coupling) {
  check_between(nodes, 1, kMaxTasks, "nodes");
  check_between(width, 1, nodes, "width");
  check_between(depth, 1, nodes, "depth");
  check_between(coupling, 0, 1, "coupling");
}

}  // namespace

const char* topology_name(Topology topology) {
  static constexpr const char* kNames[] = {"parallel", "sequential", "hierarchical", "hybrid"};
  return kNames[static_cast<std::size_t>(topology)];
}

const char* rule_name(TopologyRule rule) {
  static constexpr const char* kNames[] = {"wide", "deep", "coupled", "layered", "neither"};
  return kNames[static_cast<std::size_t>(rule)];
}

TopologyChoice choose_topology(int nodes, int width, int depth, double coupling, const TopologyThresholds& t) {
  check(t);
  check_shape(nodes, width, depth, coupling);
  using enum Topology;
  if (width >= t.wide_share * nodes && coupling < t.loose) return {parallel, TopologyRule::wide};
  if (depth >= t.deep_share * nodes) return {sequential, TopologyRule::deep};
  if (coupling > t.tight) return {hierarchical, TopologyRule::coupled};
  if (depth > t.layers) return {hierarchical, TopologyRule::layered};
  return {hybrid, TopologyRule::neither};
}

}  // namespace turnout::plan
