// Walks that learn from outcomes: AMRO-S's ant colony with pheromones per task. Sampling reads them without a lock;
// updates happen off the decision path and only where a judge let the outcome pass.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "turnout/graph/search.hpp"

namespace turnout::graph {

inline constexpr int kMaxTasks = 256;
inline constexpr double kMaxExponent = 8;
inline constexpr double kLeastDesirability = 1e-12, kMostDesirability = 1e12;

struct PheromoneConfig {
  double evaporation = 0.1;       // rho, in [0, 1]
  double deposit = 1;             // Q, in (0, 1e12]
  double cost_floor = 1e-6;       // epsilon, above 0: an outcome that cost nothing deposits Q / epsilon at most
  double pheromone_power = 1;     // a, in [0, kMaxExponent]
  double desirability_power = 1;  // b
  double initial = 1;             // of every edge and task
  double least = 1e-6,
         most = 1e6;  // bounds, as in the MAX-MIN ant system (Stutzle and Hoos 2000), within [1e-12, 1e12]
};

// What makes a tool attractive before anything is learnt: ability_weight * ability + load_weight / load +
// seconds_weight / seconds, per node. Each must come out in [kLeastDesirability, kMostDesirability].
struct NodeSignals {
  std::span<const double> ability, load, seconds;
};
void desirability(const NodeSignals& signals, double ability_weight, double load_weight, double seconds_weight,
                  std::span<double> out);

class Pheromones {
 public:
  struct Workspace {
    std::vector<std::uint8_t> visited;
    std::vector<double> cumulative;
    std::vector<Arc> options;
  };

  // For graphs of this many edges. Throws Error(config) with the path, as in "pheromones.evaporation".
  Pheromones(int edges, int tasks, const PheromoneConfig& config = {});

  int edges() const { return edges_; }
  int tasks() const { return tasks_; }
  const PheromoneConfig& config() const { return config_; }
  double at(int task, Edge e) const { return cell(task, e).load(std::memory_order_relaxed); }
  void set(int task, Edge e, double tau);  // Throws Error(input) unless it is within [least, most]

  // Samples a walk without a node twice from source to goal: at each node an edge with probability in proportion to
  // tau^a * eta^b, tau = sum over tasks of task_weights[t] * tau_t, eta of the edge's target. One uniform number a
  // step. False (and `out` cleared) where the walk ends where no node is left to go to. out.cost adds up the graph's
  // weights. Any number of threads, also while one updates: each number read is one that was written, the walk may see
  // some of an update and not yet the rest. Throws Error(input).
  bool walk(const ToolGraph& graph, Node source, Node goal, std::span<const double> task_weights,
            std::span<const double> eta, Philox& rng, Workspace& ws, Path& out) const;

  // Off the decision path. With the gate open, for every task of weight > 0: tau <- (1 - rho) tau on every edge, and on
  // each of `path` + weight * Q / (cost + epsilon); then into [least, most]. Closed, nothing changes, to the bit.
  // Writers wait for each other, readers for nobody. Throws Error(input) and changes nothing.
  void update(std::span<const Edge> path, std::span<const double> task_weights, double cost, bool gate);

 private:
  std::atomic<double>& cell(int task, Edge e) const {
    return tau_[static_cast<std::size_t>(task) * static_cast<std::size_t>(edges_) + static_cast<std::size_t>(e)];
  }
  double bounded(double tau) const;
  void check_weights(std::span<const double> task_weights) const;
  double attraction(Edge e, Node target, std::span<const double> task_weights, std::span<const double> eta) const;
  Arc draw(const ToolGraph& graph, Node u, std::span<const double> task_weights, std::span<const double> eta,
           Philox& rng, Workspace& ws) const;

  int edges_, tasks_;
  PheromoneConfig config_;
  std::unique_ptr<std::atomic<double>[]> tau_;  // [tasks, edges]
  std::mutex writing_;
};

}  // namespace turnout::graph
