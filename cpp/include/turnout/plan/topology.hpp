// How to run a DAG: which of four topologies fits its shape (after AdaptOrch; the thresholds are configuration, the
// defaults those of a third-party port of it).
#pragma once

#include "turnout/plan/measure.hpp"

namespace turnout::plan {

enum class Topology : std::uint8_t { parallel, sequential, hierarchical, hybrid };
const char* topology_name(Topology topology);

// The rules in the order in which they are tried; the first that holds decides.
enum class TopologyRule : std::uint8_t {
  wide,     // width >= wide_share * V and coupling < loose: parallel
  deep,     // depth >= deep_share * V: sequential
  coupled,  // coupling > tight: hierarchical
  layered,  // depth > layers: hierarchical
  neither,  // hybrid
};
const char* rule_name(TopologyRule rule);

struct TopologyThresholds {
  double wide_share = 0.7;  // of the nodes, in [0, 1]
  double loose = 0.3;       // coupling, in [0, 1]
  double deep_share = 0.8;  // of the nodes, in [0, 1]
  double tight = 0.6;       // coupling, in [0, 1]
  int layers = 3;           // >= 0
  bool operator==(const TopologyThresholds&) const = default;
};

struct TopologyChoice {
  Topology topology = Topology::hybrid;
  TopologyRule rule = TopologyRule::neither;
};

// Throws Error(input) for thresholds out of range ("thresholds.loose"), Error(input) for a DAG without nodes.
TopologyChoice choose_topology(int nodes, int width, int depth, double coupling,
                               const TopologyThresholds& thresholds = {});

}  // namespace turnout::plan
