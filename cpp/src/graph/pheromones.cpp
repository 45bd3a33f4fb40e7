#include "turnout/graph/pheromones.hpp"

#include <algorithm>
#include <cmath>

namespace turnout::graph {
namespace {

void require(bool ok, ErrorKind kind, const std::string& path, const char* expected, double got) {
  if (!ok) throw Error(kind, path, std::string("expected ") + expected + ", got " + std::to_string(got));
}

std::string at_index(const char* name, std::size_t i) { return std::string(name) + "[" + std::to_string(i) + "]"; }

void check(const PheromoneConfig& c) {
  const auto field = [](bool ok, const char* name, const char* expected, double got) {
    require(ok, ErrorKind::config, std::string("pheromones.") + name, expected, got);
  };
  field(c.evaporation >= 0 && c.evaporation <= 1, "evaporation", "a number from 0 to 1", c.evaporation);
  field(c.deposit > 0 && c.deposit <= 1e12, "deposit", "a number above 0, at most 1e12", c.deposit);
  field(c.cost_floor >= 1e-12 && c.cost_floor <= 1e12, "cost_floor", "a number from 1e-12 to 1e12", c.cost_floor);
  field(c.pheromone_power >= 0 && c.pheromone_power <= kMaxExponent, "pheromone_power", "a number from 0 to 8",
        c.pheromone_power);
  field(c.desirability_power >= 0 && c.desirability_power <= kMaxExponent, "desirability_power", "a number from 0 to 8",
        c.desirability_power);
  field(c.least >= 1e-12 && c.least <= 1e12, "least", "a number from 1e-12 to 1e12", c.least);
  field(c.most >= c.least && c.most <= 1e12, "most", "a number from `least` to 1e12", c.most);
  field(c.initial >= c.least && c.initial <= c.most, "initial", "a number from `least` to `most`", c.initial);
}

void check_length(std::size_t length, int expected, const char* path) {
  if (length != static_cast<std::size_t>(expected))
    throw Error(ErrorKind::input, path,
                "expected " + std::to_string(expected) + " numbers, got " + std::to_string(length));
}

}  // namespace

void desirability(const NodeSignals& s, double ability_weight, double load_weight, double seconds_weight,
                  std::span<double> out) {
  const auto n = static_cast<int>(out.size());
  check_length(s.ability.size(), n, "ability");
  check_length(s.load.size(), n, "load");
  check_length(s.seconds.size(), n, "seconds");
  const auto value = [&](std::size_t v) {
    return ability_weight * s.ability[v] + load_weight / s.load[v] + seconds_weight / s.seconds[v];
  };
  for (std::size_t v = 0; v < out.size(); ++v) {
    require(s.load[v] > 0, ErrorKind::input, at_index("load", v), "a number > 0", s.load[v]);
    require(s.seconds[v] > 0, ErrorKind::input, at_index("seconds", v), "a number > 0", s.seconds[v]);
    const double eta = value(v);
    require(eta >= kLeastDesirability && eta <= kMostDesirability, ErrorKind::input, at_index("desirability", v),
            "a number from 1e-12 to 1e12", eta);
  }
  for (std::size_t v = 0; v < out.size(); ++v) out[v] = value(v);
}

Pheromones::Pheromones(int edges, int tasks, const PheromoneConfig& config)
    : edges_(edges), tasks_(tasks), config_(config) {
  check(config);
  require(tasks >= 1 && tasks <= kMaxTasks, ErrorKind::config, "pheromones.tasks", "1 to 256", tasks);
  require(edges >= 0 && edges <= kMaxGraphEdges, ErrorKind::config, "pheromones.edges", "0 to 33554432", edges);
  tau_ = std::make_unique<std::atomic<double>[]>(static_cast<std::size_t>(edges) * static_cast<std::size_t>(tasks));
  for (int t = 0; t < tasks; ++t)
    for (Edge e = 0; e < edges; ++e) cell(t, e).store(config.initial, std::memory_order_relaxed);
}

double Pheromones::bounded(double tau) const { return std::clamp(tau, config_.least, config_.most); }

void Pheromones::set(int task, Edge e, double tau) {
  require(task >= 0 && task < tasks_, ErrorKind::input, "task", "a task that there is", task);
  require(e >= 0 && e < edges_, ErrorKind::input, "edge", "an edge that there is", e);
  require(tau >= config_.least && tau <= config_.most, ErrorKind::input, "tau", "a number from `least` to `most`", tau);
  const std::lock_guard lock(writing_);
  cell(task, e).store(tau, std::memory_order_relaxed);
}

void Pheromones::check_weights(std::span<const double> task_weights) const {
  check_length(task_weights.size(), tasks_, "task_weights");
  double sum = 0;
  for (std::size_t t = 0; t < task_weights.size(); ++t) {
    const double w = task_weights[t];
    if (!(w >= 0 && w <= 1)) require(false, ErrorKind::input, at_index("task_weights", t), "a number from 0 to 1", w);
    sum += w;
  }
  require(sum >= 1e-6, ErrorKind::input, "task_weights", "a sum of at least 1e-6", sum);
}

double Pheromones::attraction(Edge e, Node target, std::span<const double> task_weights,
                              std::span<const double> eta) const {
  double tau = 0;
  for (int t = 0; t < tasks_; ++t)
    if (const double w = task_weights[static_cast<std::size_t>(t)]; w > 0) tau += w * at(t, e);
  return std::pow(tau, config_.pheromone_power) *
         std::pow(eta[static_cast<std::size_t>(target)], config_.desirability_power);
}

Arc Pheromones::draw(const ToolGraph& graph, Node u, std::span<const double> task_weights, std::span<const double> eta,
                     Philox& rng, Workspace& ws) const {
  ws.options.clear();
  ws.cumulative.clear();
  double mass = 0;
  for (Arc a = graph.first(u), end = graph.first(u + 1); a < end; ++a) {
    const ToolGraph::Row& r = graph.row(a);
    if (r.cost == kInfinity || ws.visited[static_cast<std::size_t>(r.target)] != 0) continue;
    mass += attraction(graph.edge(a), r.target, task_weights, eta);
    ws.options.push_back(a);
    ws.cumulative.push_back(mass);
  }
  if (ws.options.empty()) return -1;
  const double drawn = rng.uniform() * mass;
  const auto i = std::upper_bound(ws.cumulative.begin(), ws.cumulative.end(), drawn) - ws.cumulative.begin();
  return ws.options[std::min(static_cast<std::size_t>(i), ws.options.size() - 1)];
}

bool Pheromones::walk(const ToolGraph& graph, Node source, Node goal, std::span<const double> task_weights,
                      std::span<const double> eta, Philox& rng, Workspace& ws, Path& out) const {
  graph.check_node(source, "source");
  graph.check_node(goal, "goal");
  check_weights(task_weights);
  check_length(eta.size(), graph.nodes(), "eta");
  if (graph.edges() != edges_) throw Error(ErrorKind::input, "graph", "it has another number of edges");
  for (std::size_t v = 0; v < eta.size(); ++v)
    if (!(eta[v] >= kLeastDesirability && eta[v] <= kMostDesirability))
      require(false, ErrorKind::input, at_index("eta", v), "a number from 1e-12 to 1e12", eta[v]);
  out.clear();
  if (graph.node_masked(source)) return false;
  ws.visited.assign(static_cast<std::size_t>(graph.nodes()), 0);
  out.nodes.push_back(source);
  out.cost = 0;
  for (Node u = source; u != goal; u = out.nodes.back()) {
    ws.visited[static_cast<std::size_t>(u)] = 1;
    const Arc a = draw(graph, u, task_weights, eta, rng, ws);
    if (a < 0) return out.clear(), false;
    out.nodes.push_back(graph.row(a).target);
    out.edges.push_back(graph.edge(a));
    out.cost += graph.row(a).cost;
  }
  return true;
}

void Pheromones::update(std::span<const Edge> path, std::span<const double> task_weights, double cost, bool gate) {
  check_weights(task_weights);
  for (std::size_t i = 0; i < path.size(); ++i)
    require(path[i] >= 0 && path[i] < edges_, ErrorKind::input, at_index("path", i), "an edge that there is", path[i]);
  require(cost >= 0 && cost <= 1e12, ErrorKind::input, "cost", "a number from 0 to 1e12", cost);
  if (!gate) return;
  const std::lock_guard lock(writing_);
  for (int t = 0; t < tasks_; ++t) {
    const double w = task_weights[static_cast<std::size_t>(t)];
    if (w == 0) continue;
    const double deposit = w * config_.deposit / (cost + config_.cost_floor);
    for (Edge e = 0; e < edges_; ++e) {
      const double kept = (1 - config_.evaporation) * at(t, e);
      const bool used = std::find(path.begin(), path.end(), e) != path.end();
      cell(t, e).store(bounded(used ? kept + deposit : kept), std::memory_order_relaxed);
    }
  }
}

}  // namespace turnout::graph
