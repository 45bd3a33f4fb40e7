#include "turnout/graph/joins.hpp"

#include <algorithm>

#include "graph/heap.hpp"

namespace turnout::graph {
namespace {

std::size_t at(std::int32_t i) { return static_cast<std::size_t>(i); }

void check_count(std::size_t count, int expected, const char* path) {
  if (count != at(expected))
    throw Error(ErrorKind::input, path, "expected " + std::to_string(expected) + ", got " + std::to_string(count));
}

// Cheapest ends first. Groups and nodes are settled in one order; a key's middle word tells which it is.
class Knuth {
 public:
  Knuth(const ToolGraph& graph, const Joins& joins, std::span<const double> node_cost, Objective objective,
        JoinWorkspace& ws)
      : graph_(graph), joins_(joins), node_cost_(node_cost), objective_(objective), ws_(ws) {}

  void begin(std::span<const Node> sources) {
    const auto n = at(graph_.nodes());
    ws_.groups.assign(at(joins_.groups()), {kInfinity, -1, false});
    ws_.cost.assign(n, kInfinity);
    ws_.missing.resize(n);
    ws_.settled.assign(n, 0);
    ws_.source.assign(n, 0);
    ws_.heap.clear();
    for (const Node v : sources) ws_.source[at(v)] = 1;
    for (Node v = 0; v < graph_.nodes(); ++v) {
      ws_.missing[at(v)] = joins_.first(v + 1) - joins_.first(v);
      if (graph_.node_masked(v)) continue;
      if (ws_.source[at(v)] != 0)
        offer(v, 0);
      else if (joins_.starts(v))
        offer(v, own(v));
    }
  }

  bool run(Node goal) {
    while (!ws_.heap.empty()) {
      const HeapKey key = heap_pop(ws_.heap);
      if (hops_of(key) == kGroup)
        settle_group(node_of(key), cost_of(key));
      else if (settle_node(node_of(key), cost_of(key)) && node_of(key) == goal)
        return true;
    }
    return false;
  }

 private:
  static constexpr std::int32_t kGroup = 0, kNode = 1;

  double own(Node v) const { return node_cost_.empty() ? 0 : node_cost_[at(v)]; }

  void offer(Node v, double cost) {
    if (!(cost < ws_.cost[at(v)])) return;
    ws_.cost[at(v)] = cost;
    heap_push(ws_.heap, heap_key(cost, kNode, v));
  }

  bool settle_node(Node u, double cost) {
    if (ws_.settled[at(u)] != 0 || cost != ws_.cost[at(u)]) return false;
    ws_.settled[at(u)] = 1;
    for (Arc a = graph_.first(u), end = graph_.first(u + 1); a < end; ++a) {
      const std::int32_t g = joins_.group(a);
      const double next = cost + graph_.row(a).cost;
      if (g < 0 || ws_.groups[at(g)].settled || !(next < ws_.groups[at(g)].cost)) continue;
      ws_.groups[at(g)] = {next, a, false};
      heap_push(ws_.heap, heap_key(next, kGroup, g));
    }
    return true;
  }

  void settle_group(std::int32_t g, double cost) {
    JoinWorkspace::Group& group = ws_.groups[at(g)];
    if (group.settled || cost != group.cost) return;
    group.settled = true;
    const Node v = graph_.row(group.arc).target;
    if (--ws_.missing[at(v)] == 0 && ws_.settled[at(v)] == 0) offer(v, together(v));
  }

  double together(Node v) const {
    double inputs = 0;
    for (std::int32_t g = joins_.first(v); g < joins_.first(v + 1); ++g) {
      const double cost = ws_.groups[at(g)].cost;
      inputs = objective_ == Objective::sum ? inputs + cost : std::max(inputs, cost);
    }
    return inputs + own(v);
  }

  const ToolGraph& graph_;
  const Joins& joins_;
  std::span<const double> node_cost_;
  const Objective objective_;
  JoinWorkspace& ws_;
};

// Depth first from the goal: a node is written when all that feed it have been.
void read_plan(const ToolGraph& graph, const Joins& joins, Node goal, std::span<const double> node_cost,
               JoinWorkspace& ws, JoinPlan& out) {
  out.clear();
  out.cost = ws.cost[at(goal)];
  ws.written.assign(at(graph.nodes()), 0);
  ws.stack.assign(1, goal);
  while (!ws.stack.empty()) {
    const Node v = ws.stack.back();
    const bool fed = ws.source[at(v)] == 0;
    const std::int32_t first = joins.first(v), last = fed ? joins.first(v + 1) : first;
    if (ws.written[at(v)] == 0) {
      ws.written[at(v)] = 1;
      for (std::int32_t g = last; g-- > first;) {
        const Node u = graph.row(ws.groups[at(g)].arc).source;
        if (ws.written[at(u)] == 0) ws.stack.push_back(u);
      }
      continue;
    }
    ws.stack.pop_back();
    if (ws.written[at(v)] == 2) continue;
    ws.written[at(v)] = 2;
    out.nodes.push_back(v);
    for (std::int32_t g = first; g < last; ++g) {
      out.edges.push_back(graph.edge(ws.groups[at(g)].arc));
      out.set_cost += graph.row(ws.groups[at(g)].arc).cost;
    }
    if (fed && !node_cost.empty()) out.set_cost += node_cost[at(v)];
  }
}

}  // namespace

void JoinPlan::clear() {
  nodes.clear();
  edges.clear();
  cost = kInfinity;
  set_cost = 0;
}

Joins::Joins(const ToolGraph& graph, std::span<const std::int32_t> inputs, std::span<const std::uint8_t> joins,
             std::span<const Requirement> required) {
  check_count(inputs.size(), graph.edges(), "joins.inputs");
  check_count(joins.size(), graph.nodes(), "joins.nodes");
  first_.assign(at(graph.nodes()) + 1, 0);
  for (std::size_t i = 0; i < required.size(); ++i) {
    const std::string path = "joins.required[" + std::to_string(i) + "]";
    graph.check_node(required[i].node, path + ".node");
    if (joins[at(required[i].node)] == 0) throw Error(ErrorKind::input, path + ".node", "the node is no join");
    ++first_[at(required[i].node) + 1];
  }
  for (Node v = 0; v < graph.nodes(); ++v) {
    if (joins[at(v)] == 0) first_[at(v) + 1] = 1;
    first_[at(v) + 1] += first_[at(v)];
  }
  std::vector<std::int32_t> input_of(at(groups())), next(first_.begin(), first_.end() - 1);
  for (const Requirement& r : required) input_of[at(next[at(r.node)]++)] = r.input;
  group_.assign(at(graph.edges()), -1);
  for (Edge e = 0; e < graph.edges(); ++e) {
    const Node v = graph.target(e);
    for (std::int32_t g = first(v); g < first(v + 1); ++g)
      if (joins[at(v)] == 0 || input_of[at(g)] == inputs[at(e)]) {
        group_[at(graph.arc(e))] = g;
        break;
      }
  }
}

bool cheapest_plan(const ToolGraph& graph, const Joins& joins, std::span<const Node> sources, Node goal,
                   std::span<const double> node_cost, Objective objective, JoinWorkspace& ws, JoinPlan& out) {
  if (joins.nodes() != graph.nodes() || joins.arcs() != graph.edges())
    throw Error(ErrorKind::input, "joins", "they are of another graph");
  for (std::size_t i = 0; i < sources.size(); ++i) graph.check_node(sources[i], "sources[" + std::to_string(i) + "]");
  graph.check_node(goal, "goal");
  if (!node_cost.empty()) check_count(node_cost.size(), graph.nodes(), "node_cost");
  for (std::size_t v = 0; v < node_cost.size(); ++v)
    if (!(node_cost[v] >= 0 && node_cost[v] <= kMaxWeight))
      check_weight(node_cost[v], "node_cost[" + std::to_string(v) + "]");
  Knuth search(graph, joins, node_cost, objective, ws);
  search.begin(sources);
  if (!search.run(goal)) return out.clear(), false;
  return read_plan(graph, joins, goal, node_cost, ws, out), true;
}

}  // namespace turnout::graph
