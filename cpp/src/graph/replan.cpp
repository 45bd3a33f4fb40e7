#include "turnout/graph/replan.hpp"

#include <algorithm>

#include "graph/dijkstra.hpp"

namespace turnout::graph {
namespace {

constexpr std::size_t kLeastHeap = 1024;

// Stays where the way so far and the known rest can still make an optimal path.
template <class Rest>
struct Corridor {
  const Rest& rest;
  double limit;
  bool operator()(Arc, Node v, double cost) const { return cost + rest(v) <= limit; }
};

}  // namespace

Replanner::Replanner(const ToolGraph& graph, Node start, Node goal) : graph_(graph), start_(start), goal_(goal) {
  graph.check_node(start, "start");
  graph.check_node(goal, "goal");
  heap_.reserve(4 * static_cast<std::size_t>(graph.nodes()) + kLeastHeap);
  state_.resize(static_cast<std::size_t>(graph.nodes()));
}

void Replanner::move_start(Node start) {
  graph_.check_node(start, "start");
  start_ = start;
}

Replanner::Label Replanner::after(const Label& label, double cost) {
  const double sum = label.cost + cost;
  return sum == kInfinity ? Label{} : Label{sum, label.hops + 1};
}

// Of the ways on from u.
Replanner::Label Replanner::best(Node u) const {
  Label least;
  for (Arc a = graph_.first(u), end = graph_.first(u + 1); a < end; ++a) {
    const ToolGraph::Row& r = graph_.row(a);
    const Label label = after(state_[static_cast<std::size_t>(r.target)].g, r.cost);
    if (label < least) least = label;
  }
  return least;
}

void Replanner::begin() {
  std::fill(state_.begin(), state_.end(), State{});
  heap_.clear();
  seen_ = graph_.version();
  begun_ = true;
}

// Entries are never moved in the heap: one is valid while its node is inconsistent and has that key.
void Replanner::push(Node u) {
  const State& s = at(u);
  if (s.g == s.rhs) return;
  if (heap_.size() == heap_.capacity()) compact();
  const Label key = std::min(s.g, s.rhs);
  heap_push(heap_, heap_key(key.cost, key.hops, u));
}

void Replanner::compact() {
  heap_.clear();
  for (Node v = 0; v < graph_.nodes(); ++v) {
    const State& s = at(v);
    const Label key = std::min(s.g, s.rhs);
    if (s.g != s.rhs) heap_push(heap_, heap_key(key.cost, key.hops, v));
  }
}

void Replanner::update(Node u) {
  if (u == goal_) return;
  at(u).rhs = best(u);
  push(u);
}

void Replanner::update_goal() {
  const Label label = graph_.node_masked(goal_) ? Label{} : Label{0, 0};
  if (at(goal_).rhs == label) return;
  at(goal_).rhs = label;
  push(goal_);
}

void Replanner::apply_changes() {
  std::span<const Arc> arcs;
  fresh_ = !begun_ || !graph_.changes_since(seen_, arcs);
  if (fresh_) begin();
  Node last = -1;  // changes of one node's edges come together
  for (const Arc a : arcs) {
    if (a < 0) continue;
    const Node u = graph_.row(a).source;
    if (u != last) update(u);
    last = u;
  }
  seen_ = graph_.version();
  update_goal();
}

// A shorter way than known: it can only shorten those before.
void Replanner::lower(Node u) {
  const Label label = at(u).g = at(u).rhs;
  for (const Arc a : graph_.in(u)) {
    const ToolGraph::Row& r = graph_.row(a);
    const Label next = after(label, r.cost);
    State& s = at(r.source);
    if (r.source == goal_ || !(next < s.rhs)) continue;
    s.rhs = next;
    push(r.source);
  }
}

// The known way is gone: whoever relied on it looks for another.
void Replanner::raise(Node u) {
  const Label label = at(u).g;
  at(u).g = {};
  push(u);
  for (const Arc a : graph_.in(u)) {
    const ToolGraph::Row& r = graph_.row(a);
    if (r.cost != kInfinity && at(r.source).rhs == after(label, r.cost)) update(r.source);
  }
}

// Up to the start's key and past it by what rounding can hide, since the path is then read in the other direction.
void Replanner::settle() {
  settled_ = 0;
  while (!heap_.empty()) {
    const State& start = at(start_);
    if (cost_of(heap_.front()) > std::min(start.g.cost, start.rhs.cost) * (1 + kRounding)) break;
    const HeapKey key = heap_pop(heap_);
    const State& s = at(node_of(key));
    const Label least = std::min(s.g, s.rhs);
    if (s.g == s.rhs || least.cost != cost_of(key) || least.hops != hops_of(key)) continue;
    ++settled_;
    if (s.rhs < s.g)
      lower(node_of(key));
    else
      raise(node_of(key));
  }
}

void Replanner::read_path(Path& out) {
  const auto rest = [this](Node v) { return distance(v); };
  ws_.clear(graph_);
  mark_goals(graph_, {&goal_, 1}, ws_);
  seed_sources(graph_, {&start_, 1}, ws_);
  const Corridor<decltype(rest)> corridor{rest, distance(start_) * (1 + kRounding)};
  graph::read_path(graph_, ws_, dijkstra(graph_, ws_, corridor), out);
}

bool Replanner::replan(Path& out) {
  apply_changes();
  settle();
  if (distance(start_) == kInfinity) return out.clear(), false;
  return read_path(out), true;
}

}  // namespace turnout::graph
