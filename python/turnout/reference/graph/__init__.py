"""Twin of the graph room: each algorithm in plain Python, the readable spec and the parity oracle."""

from __future__ import annotations

from turnout.reference.graph.health import health_weight
from turnout.reference.graph.joins import JoinPlan, cheapest_plan
from turnout.reference.graph.pareto import ParetoPath, costa_score, pareto_paths, weighted_score
from turnout.reference.graph.pheromones import Config as PheromoneConfig
from turnout.reference.graph.pheromones import Pheromones, desirability
from turnout.reference.graph.replan import Replanner
from turnout.reference.graph.rows import Graph, Path
from turnout.reference.graph.search import a_star, distances_from, distances_to, inconsistent_edge, shortest_path
from turnout.reference.graph.yen import k_shortest_paths

__all__ = [
    "Graph",
    "JoinPlan",
    "ParetoPath",
    "Path",
    "PheromoneConfig",
    "Pheromones",
    "Replanner",
    "a_star",
    "cheapest_plan",
    "costa_score",
    "desirability",
    "distances_from",
    "distances_to",
    "health_weight",
    "inconsistent_edge",
    "k_shortest_paths",
    "pareto_paths",
    "shortest_path",
    "weighted_score",
]
