// A 4-ary heap of keys: shallower than a binary one, and four children lie in one cache line.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <vector>

#include "turnout/graph/search.hpp"

namespace turnout::graph {

// Costs are >= +0, so their bits compare as they do.
inline HeapKey heap_key(double cost, std::int32_t hops, Node node) {
  return HeapKey{std::bit_cast<std::uint64_t>(cost)} << 64 | std::uint64_t{static_cast<std::uint32_t>(hops)} << 32 |
         static_cast<std::uint32_t>(node);
}
inline double cost_of(HeapKey key) { return std::bit_cast<double>(static_cast<std::uint64_t>(key >> 64)); }
inline std::int32_t hops_of(HeapKey key) { return static_cast<std::int32_t>(static_cast<std::uint64_t>(key) >> 32); }
inline Node node_of(HeapKey key) { return static_cast<Node>(static_cast<std::uint32_t>(key)); }

inline void heap_push(std::vector<HeapKey>& heap, HeapKey key) {
  std::size_t i = heap.size();
  heap.push_back(key);
  for (; i > 0; i = (i - 1) / 4) {
    const std::size_t parent = (i - 1) / 4;
    if (heap[parent] <= key) break;
    heap[i] = heap[parent];
  }
  heap[i] = key;
}

inline HeapKey heap_pop(std::vector<HeapKey>& heap) {
  const HeapKey top = heap.front(), last = heap.back();
  heap.pop_back();
  const std::size_t n = heap.size();
  if (n == 0) return top;
  HeapKey* const h = heap.data();
  std::size_t i = 0;
  for (std::size_t child = 1; child < n; child = 4 * i + 1) {
    std::size_t least = child;
    for (std::size_t c = child + 1, end = std::min(child + 4, n); c < end; ++c) least = h[c] < h[least] ? c : least;
    if (last <= h[least]) break;
    h[i] = h[least];
    i = least;
  }
  h[i] = last;
  return top;
}

}  // namespace turnout::graph
