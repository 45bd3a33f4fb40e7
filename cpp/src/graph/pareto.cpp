#include "turnout/graph/pareto.hpp"

#include <algorithm>
#include <tuple>

#include "graph/rest.hpp"

namespace turnout::graph {
namespace {

std::size_t at(std::int32_t i) { return static_cast<std::size_t>(i); }

class Search {
 public:
  using Label = ParetoWorkspace::Label;

  Search(const ToolGraph& graph, const Criteria& criteria, Node goal, const Limits& limits, int max_labels,
         ParetoWorkspace& ws)
      : graph_(graph), criteria_(criteria), goal_(goal), limits_(limits), max_labels_(max_labels), ws_(ws) {
    ws_.labels.clear();
    ws_.heap.clear();
    ws_.found.clear();
    ws_.settled.assign(at(graph.nodes()), -1);
    find_rest(graph, criteria, goal, ws);
  }

  void begin(Node source) {
    if (!graph_.node_masked(source)) offer({criteria_.node(source), source, 0, -1, -1, -1});
  }

  // False where the cap ended it.
  bool run() {
    while (!ws_.heap.empty()) {
      const std::int32_t i = pop();
      const Node u = ws_.labels[at(i)].node;
      if (dominated(ws_.labels[at(i)].total, u)) continue;
      settle(i, u);
      if (u == goal_)
        ws_.found.push_back(i);
      else if (!expand(i))
        return false;
    }
    return true;
  }

 private:
  // Labels are settled in this order, so whatever dominates one was settled before it.
  bool later(std::int32_t i, std::int32_t j) const {
    const Label &a = ws_.labels[at(i)], &b = ws_.labels[at(j)];
    return std::tuple(a.total.usd, a.total.seconds, -a.total.quality, a.hops, a.arc, i) >
           std::tuple(b.total.usd, b.total.seconds, -b.total.quality, b.hops, b.arc, j);
  }
  auto order() const {
    return [this](std::int32_t i, std::int32_t j) { return later(i, j); };
  }

  std::int32_t pop() {
    std::pop_heap(ws_.heap.begin(), ws_.heap.end(), order());
    const std::int32_t i = ws_.heap.back();
    ws_.heap.pop_back();
    return i;
  }

  bool covers(const Step& a, const Step& b) const { return a.seconds <= b.seconds && a.quality >= b.quality; }

  // By a label that was settled at v: its USD are no more, so seconds and quality decide.
  bool dominated(const Step& total, Node v) const {
    for (std::int32_t i = ws_.settled[at(v)]; i >= 0; i = ws_.labels[at(i)].next)
      if (covers(ws_.labels[at(i)].total, total)) return true;
    return false;
  }

  // What the new label covers, it will dominate whatever those would.
  void settle(std::int32_t i, Node u) {
    std::int32_t* link = &ws_.settled[at(u)];
    while (*link >= 0) {
      Label& old = ws_.labels[at(*link)];
      if (covers(ws_.labels[at(i)].total, old.total))
        *link = old.next;
      else
        link = &old.next;
    }
    *link = i;
  }

  bool within(const Step& total) const {
    return total.usd <= limits_.usd && total.seconds <= limits_.seconds && total.quality >= limits_.quality;
  }

  // What the label can become at best, and a little better: the rest was added up in another order.
  Step at_best(const Label& label) const {
    const Step &t = label.total, &rest = ws_.rest[at(label.node)];
    return {t.usd + rest.usd * (1 - kRounding), t.seconds + rest.seconds * (1 - kRounding),
            t.quality * rest.quality * (1 + kRounding)};
  }

  bool hopeless(const Label& label) const {
    const Step best = at_best(label);
    return best.usd == kInfinity || !within(best) || dominated(best, goal_);
  }

  bool offer(const Label& label) {
    if (!within(label.total) || dominated(label.total, label.node) || hopeless(label)) return true;
    if (static_cast<int>(ws_.labels.size()) >= max_labels_) return false;
    ws_.labels.push_back(label);
    ws_.heap.push_back(static_cast<std::int32_t>(ws_.labels.size()) - 1);
    std::push_heap(ws_.heap.begin(), ws_.heap.end(), order());
    return true;
  }

  bool expand(std::int32_t i) {
    const Label from = ws_.labels[at(i)];
    for (Arc a = graph_.first(from.node), end = graph_.first(from.node + 1); a < end; ++a) {
      const ToolGraph::Row& r = graph_.row(a);
      if (r.cost == kInfinity) continue;
      const Step &edge = criteria_.arc(a), &node = criteria_.node(r.target);
      const Step total{from.total.usd + edge.usd + node.usd, from.total.seconds + edge.seconds + node.seconds,
                       from.total.quality * edge.quality * node.quality};
      if (!offer({total, r.target, from.hops + 1, a, i, -1})) return false;
    }
    return true;
  }

  const ToolGraph& graph_;
  const Criteria& criteria_;
  const Node goal_;
  const Limits& limits_;
  const int max_labels_;
  ParetoWorkspace& ws_;
};

void read(const ToolGraph& graph, const ParetoWorkspace& ws, std::int32_t i, ParetoPath& out) {
  out.nodes.clear();
  out.edges.clear();
  out.total = ws.labels[at(i)].total;
  for (; i >= 0; i = ws.labels[at(i)].parent) {
    out.nodes.push_back(ws.labels[at(i)].node);
    if (ws.labels[at(i)].arc >= 0) out.edges.push_back(graph.edge(ws.labels[at(i)].arc));
  }
  std::reverse(out.nodes.begin(), out.nodes.end());
  std::reverse(out.edges.begin(), out.edges.end());
}

void check_limit(bool ok, const char* path, const char* expected, double got) {
  if (!ok) throw Error(ErrorKind::input, path, std::string("expected ") + expected + ", got " + std::to_string(got));
}

void check(const ToolGraph& graph, const Criteria& criteria, const Limits& limits, int max_labels) {
  if (criteria.arcs() != graph.edges() || criteria.nodes() != graph.nodes())
    throw Error(ErrorKind::input, "criteria", "they are of another graph");
  check_limit(limits.usd >= 0, "max_usd", "a number >= 0", limits.usd);
  check_limit(limits.seconds >= 0, "max_seconds", "a number >= 0", limits.seconds);
  check_limit(limits.quality >= 0 && limits.quality <= 1, "min_quality", "a number from 0 to 1", limits.quality);
  if (max_labels < 1 || max_labels > kMaxParetoLabels)
    throw Error(ErrorKind::input, "max_labels",
                "expected 1 to " + std::to_string(kMaxParetoLabels) + ", got " + std::to_string(max_labels));
}

}  // namespace

void pareto_paths(const ToolGraph& graph, const Criteria& criteria, Node source, Node goal, const Limits& limits,
                  int max_labels, ParetoWorkspace& ws, ParetoFront& out) {
  graph.check_node(source, "source");
  graph.check_node(goal, "goal");
  check(graph, criteria, limits, max_labels);
  Search search(graph, criteria, goal, limits, max_labels, ws);
  search.begin(source);
  out.complete = search.run();
  out.labels = static_cast<int>(ws.labels.size());
  out.count = static_cast<int>(ws.found.size());
  if (out.paths.size() < ws.found.size()) out.paths.resize(ws.found.size());
  for (std::size_t i = 0; i < ws.found.size(); ++i) read(graph, ws, ws.found[i], out.paths[i]);
}

}  // namespace turnout::graph
