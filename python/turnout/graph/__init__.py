"""Tool graphs: cheapest paths, masks, replanning after failures. Walked through in docs/graph.md.

A readable twin of every algorithm: `turnout.reference.graph`.
"""

from __future__ import annotations

from turnout.graph.path import Path, Step
from turnout.graph.replanner import Replanner
from turnout.graph.tool_graph import MAX_EDGES, MAX_NODES, MAX_WEIGHT, ToolGraph

__all__ = ["MAX_EDGES", "MAX_NODES", "MAX_WEIGHT", "Path", "Replanner", "Step", "ToolGraph"]
