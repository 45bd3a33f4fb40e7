#include "turnout/graph/yen.hpp"

#include <algorithm>

#include "graph/astar.hpp"

namespace turnout::graph {
namespace {

std::size_t at(std::int32_t i) { return static_cast<std::size_t>(i); }

struct Unbanned {
  const std::uint8_t* blocked;
  const std::uint8_t* banned;
  bool operator()(Arc a, Node v, double) const { return blocked[v] == 0 && banned[a] == 0; }
};

class Yen {
 public:
  Yen(const ToolGraph& graph, Node source, Node goal, std::size_t k, YenWorkspace& ws, std::vector<Path>& out)
      : graph_(graph), source_(source), goal_(goal), k_(k), ws_(ws), out_(out) {}

  int run() {
    begin();
    if (!shortest_path(graph_, {&source_, 1}, {&goal_, 1}, ws_.rest, ws_.search, out_[0])) return 0;
    ws_.deviations.push_back(0);
    while (found_ = ws_.deviations.size(), found_ < k_) {
      branch(out_[found_ - 1], ws_.deviations.back());
      if (ws_.open.empty()) break;
      accept();
    }
    return static_cast<int>(found_);
  }

 private:
  void begin() {
    if (out_.size() < k_) out_.resize(k_);
    ws_.rest.resize(at(graph_.nodes()));
    distances_to(graph_, {&goal_, 1}, ws_.search, ws_.rest);
    ws_.blocked.assign(at(graph_.nodes()), 0);
    ws_.banned.assign(at(graph_.edges()), 0);
    ws_.deviations.clear();
    ws_.open.clear();
    if (ws_.pool.size() < k_ + 1) ws_.pool.resize(k_ + 1);
    ws_.unused.clear();
    for (std::size_t i = 0; i < ws_.pool.size(); ++i) ws_.unused.push_back(i);
  }

  // For each place from the deviation on: the best path that leaves `path` just there.
  void branch(const Path& path, std::size_t deviation) {
    for (std::size_t i = 0; i < deviation; ++i) ws_.blocked[at(path.nodes[i])] = 1;
    for (std::size_t i = deviation; i < path.edges.size(); ++i) {
      ban(path, i);
      spur(path, i);
      for (const Arc a : ws_.banned_list) ws_.banned[at(a)] = 0;
      ws_.blocked[at(path.nodes[i])] = 1;
    }
    for (const Node v : path.nodes) ws_.blocked[at(v)] = 0;
  }

  // Every way on that a path with the same beginning has taken.
  void ban(const Path& path, std::size_t i) {
    ws_.banned_list.clear();
    for (std::size_t p = 0; p < found_; ++p) {
      const Path& other = out_[p];
      if (other.edges.size() <= i || !std::equal(path.edges.begin(), path.edges.begin() + long(i), other.edges.begin()))
        continue;
      ws_.banned_list.push_back(graph_.arc(other.edges[i]));
      ws_.banned[at(ws_.banned_list.back())] = 1;
    }
  }

  void spur(const Path& path, std::size_t i) {
    double cost = 0;
    for (std::size_t j = 0; j < i; ++j) cost += graph_.cost(path.edges[j]);
    Workspace& search = ws_.search;
    search.clear(graph_);
    mark_goals(graph_, {&goal_, 1}, search);
    seed(search, path.nodes[i], cost, static_cast<std::int32_t>(i));
    AStar<Unbanned> a_star(graph_, ws_.rest, search, limit(), {ws_.blocked.data(), ws_.banned.data()});
    a_star.begin();
    if (a_star.run() < 0) return;
    const std::size_t slot = ws_.unused.back();
    ws_.unused.pop_back();
    Path& made = ws_.pool[slot].path;
    read_path(graph_, search, goal_, made);
    made.nodes.insert(made.nodes.begin(), path.nodes.begin(), path.nodes.begin() + long(i));
    made.edges.insert(made.edges.begin(), path.edges.begin(), path.edges.begin() + long(i));
    ws_.pool[slot].deviation = i;
    keep(slot);
  }

  // Worse than as many candidates as are still wanted: of no use.
  double limit() const {
    if (ws_.open.size() < k_ - found_) return kInfinity;
    return ws_.pool[ws_.open.front()].path.cost * (1 + kRounding);
  }

  void keep(std::size_t slot) {
    const auto worse = [this](std::size_t a, std::size_t b) { return before(ws_.pool[b].path, ws_.pool[a].path); };
    ws_.open.insert(std::upper_bound(ws_.open.begin(), ws_.open.end(), slot, worse), slot);
    if (ws_.open.size() <= k_ - found_) return;
    ws_.unused.push_back(ws_.open.front());
    ws_.open.erase(ws_.open.begin());
  }

  bool before(const Path& a, const Path& b) const {
    if (a.cost != b.cost) return a.cost < b.cost;
    if (a.edges.size() != b.edges.size()) return a.edges.size() < b.edges.size();
    for (std::size_t i = a.edges.size(); i-- > 0;)
      if (a.edges[i] != b.edges[i]) return graph_.arc(a.edges[i]) < graph_.arc(b.edges[i]);
    return false;
  }

  void accept() {
    const std::size_t slot = ws_.open.back();
    ws_.open.pop_back();
    ws_.unused.push_back(slot);
    std::swap(out_[found_], ws_.pool[slot].path);
    ws_.deviations.push_back(ws_.pool[slot].deviation);
  }

  const ToolGraph& graph_;
  const Node source_, goal_;
  const std::size_t k_;
  YenWorkspace& ws_;
  std::vector<Path>& out_;
  std::size_t found_ = 0;
};

}  // namespace

int k_shortest_paths(const ToolGraph& graph, Node source, Node goal, int k, YenWorkspace& ws, std::vector<Path>& out) {
  graph.check_node(source, "source");
  graph.check_node(goal, "goal");
  if (k < 1 || k > kMaxPaths)
    throw Error(ErrorKind::input, "k", "expected 1 to " + std::to_string(kMaxPaths) + ", got " + std::to_string(k));
  return Yen(graph, source, goal, at(k), ws, out).run();
}

}  // namespace turnout::graph
