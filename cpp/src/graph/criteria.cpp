#include <cmath>

#include "turnout/graph/pareto.hpp"

namespace turnout::graph {
namespace {

void check_quality(double quality, const std::string& path) {
  if (!(quality >= 0 && quality <= 1))
    throw Error(ErrorKind::input, path, "expected a number from 0 to 1, got " + std::to_string(quality));
}

bool fine(const Step& s) {
  return s.usd >= 0 && s.usd <= kMaxWeight && s.seconds >= 0 && s.seconds <= kMaxWeight && s.quality >= 0 &&
         s.quality <= 1;
}

void check(const Step& step, const std::string& path) {
  if (fine(step)) return;
  check_weight(step.usd, path + ".usd");
  check_weight(step.seconds, path + ".seconds");
  check_quality(step.quality, path + ".quality");
}

void check_all(std::span<const Step> steps, const char* path) {
  for (std::size_t i = 0; i < steps.size(); ++i)
    if (!fine(steps[i])) check(steps[i], std::string(path) + "[" + std::to_string(i) + "]");
}

void check_count(std::size_t count, int expected, const char* path) {
  if (count != static_cast<std::size_t>(expected))
    throw Error(ErrorKind::input, path, "expected " + std::to_string(expected) + ", got " + std::to_string(count));
}

}  // namespace

Criteria::Criteria(const ToolGraph& graph, std::span<const Step> edges, std::span<const Step> nodes) {
  check_count(edges.size(), graph.edges(), "criteria.edges");
  if (!nodes.empty()) check_count(nodes.size(), graph.nodes(), "criteria.nodes");
  check_all(edges, "criteria.edges");
  check_all(nodes, "criteria.nodes");
  arcs_.resize(edges.size());
  for (std::size_t e = 0; e < edges.size(); ++e)
    arcs_[static_cast<std::size_t>(graph.arc(static_cast<Edge>(e)))] = edges[e];
  nodes_.assign(nodes.begin(), nodes.end());
  nodes_.resize(static_cast<std::size_t>(graph.nodes()));
}

void Criteria::set_edge(const ToolGraph& graph, Edge e, const Step& step) {
  check_count(arcs_.size(), graph.edges(), "criteria.edges");
  graph.check_edge(e, "edge");
  check(step, "step");
  arcs_[static_cast<std::size_t>(graph.arc(e))] = step;
}

void Criteria::set_node(Node v, const Step& step) {
  if (v < 0 || v >= nodes())
    throw Error(ErrorKind::input, "node",
                "expected 0 to " + std::to_string(nodes() - 1) + ", got " + std::to_string(v));
  check(step, "step");
  nodes_[static_cast<std::size_t>(v)] = step;
}

double costa_score(double cost, double quality, double a) {
  if (!(a >= 0 && a <= 2))
    throw Error(ErrorKind::input, "a", "expected a number from 0 to 2, got " + std::to_string(a));
  return std::pow(cost, a) * std::pow(2 - quality, 2 - a);
}

double weighted_score(const Step& total, double usd_weight, double seconds_weight, double quality_weight) {
  const double loss = quality_weight > 0 ? quality_weight * -std::log(total.quality) : 0;
  return usd_weight * total.usd + seconds_weight * total.seconds + loss;
}

}  // namespace turnout::graph
