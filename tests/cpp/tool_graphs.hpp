// Seeded tool graphs for tests and benchmarks: the same graph from the same seed on every machine.
#pragma once

#include <algorithm>
#include <numeric>
#include <vector>

#include "turnout/graph.hpp"

namespace tool_graphs {

using namespace turnout;
using graph::Edge;
using graph::Node;
using graph::ToolGraph;

struct Arrays {
  int nodes = 0;
  std::vector<Node> sources, targets;
  std::vector<double> weights;
  void add(Node u, Node v, double w) {
    sources.push_back(u);
    targets.push_back(v);
    weights.push_back(w);
  }
  ToolGraph build() const { return {nodes, sources, targets, weights}; }
};

inline int below(Philox& rng, int n) { return static_cast<int>(rng.next() % static_cast<std::uint64_t>(n)); }

// Multiples of 1/1024: every sum of them is exact, so equal costs are equal to the bit in any order.
inline double exact_weight(Philox& rng) { return (1 + below(rng, 4096)) / 1024.0; }

// Node 0 is the source, the last node the sink; each node of a layer leads to `degree` different ones of the next.
// 20 x 50 with degree 5: V = 1,002, E = 4,850.
inline Arrays layered(int layers, int width, int degree, std::uint64_t seed) {
  Philox rng(seed);
  Arrays a;
  a.nodes = layers * width + 2;
  std::vector<Node> next(static_cast<std::size_t>(width));
  for (int i = 0; i < width; ++i) a.add(0, 1 + i, exact_weight(rng));
  for (int layer = 0; layer + 1 < layers; ++layer)
    for (int i = 0; i < width; ++i) {
      std::iota(next.begin(), next.end(), 1 + (layer + 1) * width);
      for (int k = 0; k < degree; ++k) {
        std::swap(next[static_cast<std::size_t>(k)], next[static_cast<std::size_t>(k + below(rng, width - k))]);
        a.add(1 + layer * width + i, next[static_cast<std::size_t>(k)], exact_weight(rng));
      }
    }
  for (int i = 0; i < width; ++i) a.add(1 + (layers - 1) * width + i, a.nodes - 1, exact_weight(rng));
  return a;
}

// Any two nodes, also loops and parallel edges. Few distinct weights make ties, 0 among them.
inline Arrays random(int nodes, int edges, int distinct, Philox& rng) {
  Arrays a;
  a.nodes = nodes;
  for (int e = 0; e < edges; ++e) {
    const double w = distinct > 0 ? below(rng, distinct) : rng.uniform();
    a.add(below(rng, nodes), below(rng, nodes), w);
  }
  return a;
}

inline Arrays random_exact(int nodes, int edges, Philox& rng) {
  Arrays a;
  a.nodes = nodes;
  for (int e = 0; e < edges; ++e) {
    const Node u = below(rng, nodes), v = below(rng, nodes);
    a.add(u, v, exact_weight(rng));
  }
  return a;
}

}  // namespace tool_graphs
