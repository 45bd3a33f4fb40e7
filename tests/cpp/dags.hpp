// Random DAGs from a fixed generator, the same as turnout.reference.dag.generate makes.
#pragma once

#include <algorithm>
#include <vector>

#include "turnout/core/rng.hpp"
#include "turnout/plan/dag.hpp"

namespace dags {

using namespace turnout;

inline int below(Philox& rng, int n) { return static_cast<int>(rng.uniform() * n); }

struct Generated {
  int nodes = 0;
  std::vector<plan::Edge> edges;
  std::vector<double> seconds, coupling;
};

// `edges` draws of a pair, from the earlier in a random order to the later, at most `reach` places further; a pair that
// is there already is drawn in vain. Seconds are uniform over [0, 10), coupling over [0, 1).
inline Generated random(std::uint64_t seed, int nodes, int edges, int reach) {
  Philox rng(seed);
  Generated g{nodes, {}, {}, {}};
  std::vector<int> order(static_cast<std::size_t>(nodes));
  for (int i = 0; i < nodes; ++i) order[static_cast<std::size_t>(i)] = i;
  for (int i = nodes - 1; i > 0; --i)
    std::swap(order[static_cast<std::size_t>(i)], order[static_cast<std::size_t>(below(rng, i + 1))]);
  for (int i = 0; i < edges && nodes > 1; ++i) {
    const int a = below(rng, nodes - 1), b = a + 1 + below(rng, std::min(reach, nodes - 1 - a));
    g.edges.push_back({order[static_cast<std::size_t>(a)], order[static_cast<std::size_t>(b)]});
  }
  const auto key = [](const plan::Edge& e) { return std::pair(e.from, e.to); };
  std::ranges::sort(g.edges, {}, key);
  const auto twice = std::ranges::unique(g.edges);
  g.edges.erase(twice.begin(), twice.end());
  for (int i = 0; i < nodes; ++i) g.seconds.push_back(10 * rng.uniform());
  for (std::size_t i = 0; i < g.edges.size(); ++i) g.coupling.push_back(rng.uniform());
  return g;
}

}  // namespace dags
