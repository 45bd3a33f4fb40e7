"""Tool graphs: cheapest paths, masks, replanning after failures, Pareto sets, and-joins, pheromones.

Walked through in docs/graph.md. A readable twin of every algorithm: `turnout.reference.graph`.
"""

from __future__ import annotations

from turnout.graph.health import health_weights
from turnout.graph.joins import JoinPlan, Joins, cheapest_plan
from turnout.graph.pareto import Criteria, ParetoFront, ParetoPath
from turnout.graph.path import Path, Step
from turnout.graph.pheromones import Pheromones, desirability
from turnout.graph.replanner import Replanner
from turnout.graph.tool_graph import MAX_EDGES, MAX_NODES, MAX_WEIGHT, EdgeLike, NodeLike, ToolGraph

__all__ = [
    "MAX_EDGES",
    "MAX_NODES",
    "MAX_WEIGHT",
    "Criteria",
    "EdgeLike",
    "JoinPlan",
    "Joins",
    "NodeLike",
    "ParetoFront",
    "ParetoPath",
    "Path",
    "Pheromones",
    "Replanner",
    "Step",
    "ToolGraph",
    "cheapest_plan",
    "desirability",
    "health_weights",
]
