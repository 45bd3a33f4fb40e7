"""Replanning after changes: Generalized Adaptive A* (Sun, Koenig and Yeoh, AAMAS 2008)."""

from __future__ import annotations

from turnout import _native
from turnout.graph.path import Path
from turnout.graph.tool_graph import NodeLike, ToolGraph


class Replanner:
    """Paths to one goal that follow the changes of a graph.

    It keeps for each node a lower bound on its cost to the goal, so the start may move along while steps are executed,
    and after a failure only nodes that may lie on a better way are looked at. The path is, to the bit, what
    `ToolGraph.shortest_path` finds.

    Parameters
    ----------
    graph : ToolGraph
    start, goal : node
    """

    __slots__ = ("_core", "graph")

    def __init__(self, graph: ToolGraph, start: NodeLike, goal: NodeLike) -> None:
        self.graph = graph
        self._core = _native.GraphReplanner(graph.core, graph.node(start, "start"), graph.node(goal, "goal"))

    @property
    def start(self) -> str:
        return self.graph.names[self._core.start]

    @property
    def goal(self) -> str:
        return self.graph.names[self._core.goal]

    @property
    def settled(self) -> int:
        """How many nodes the last `replan` looked at: settled on the way, or with a bound that fell."""
        return self._core.settled

    @property
    def fresh(self) -> bool:
        """Whether the last `replan` began afresh: the first does, and one after more changes than the log holds."""
        return self._core.fresh

    def move_start(self, start: NodeLike) -> None:
        """The next path starts here, as after a step that was executed."""
        self._core.move_start(self.graph.node(start, "start"))

    def replan(self) -> Path | None:
        """The cheapest path from the start in the graph as it is now; None where there is none."""
        return self.graph.path_of(self._core.replan())
