#include "graph/rest.hpp"

#include "graph/heap.hpp"

namespace turnout::graph {
namespace {

Step& at(ParetoWorkspace& ws, Node v) { return ws.rest[static_cast<std::size_t>(v)]; }

void least(const ToolGraph& graph, const Criteria& criteria, Node goal, double Step::* what, ParetoWorkspace& ws) {
  at(ws, goal).*what = 0;
  heap_push(ws.keys, heap_key(0, 0, goal));
  while (!ws.keys.empty()) {
    const HeapKey key = heap_pop(ws.keys);
    const Node v = node_of(key);
    if (cost_of(key) != at(ws, v).*what) continue;
    for (const Arc a : graph.in(v)) {
      const ToolGraph::Row& r = graph.row(a);
      const double next = cost_of(key) + criteria.arc(a).*what + criteria.node(v).*what;
      if (r.cost == kInfinity || !(next < at(ws, r.source).*what)) continue;
      at(ws, r.source).*what = next;
      heap_push(ws.keys, heap_key(next, 0, r.source));
    }
  }
}

// In the order of 1 - quality, where rounding may make ties of small qualities: whoever gets better goes again.
void best_quality(const ToolGraph& graph, const Criteria& criteria, Node goal, ParetoWorkspace& ws) {
  at(ws, goal).quality = 1;
  heap_push(ws.keys, heap_key(0, 0, goal));
  while (!ws.keys.empty()) {
    const HeapKey key = heap_pop(ws.keys);
    const Node v = node_of(key);
    const double quality = at(ws, v).quality;
    if (cost_of(key) != 1 - quality) continue;
    for (const Arc a : graph.in(v)) {
      const ToolGraph::Row& r = graph.row(a);
      const double next = quality * criteria.arc(a).quality * criteria.node(v).quality;
      if (r.cost == kInfinity || !(next > at(ws, r.source).quality)) continue;
      at(ws, r.source).quality = next;
      heap_push(ws.keys, heap_key(1 - next, 0, r.source));
    }
  }
}

}  // namespace

void find_rest(const ToolGraph& graph, const Criteria& criteria, Node goal, ParetoWorkspace& ws) {
  ws.rest.assign(static_cast<std::size_t>(graph.nodes()), {kInfinity, kInfinity, 0});
  ws.keys.clear();
  least(graph, criteria, goal, &Step::usd, ws);
  least(graph, criteria, goal, &Step::seconds, ws);
  best_quality(graph, criteria, goal, ws);
}

}  // namespace turnout::graph
