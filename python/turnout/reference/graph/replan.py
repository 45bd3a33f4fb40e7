"""Twin of replanning: Generalized Adaptive A*.

Each node has a lower bound on its cost to the goal. Costs that fall lower the bounds that they undercut; what A* learns
raises them.
"""

from __future__ import annotations

from turnout.reference.graph.rows import INFINITY, ROUNDING, Graph, Path
from turnout.reference.graph.search import a_star, distances_from, distances_to


class Replanner:
    """Paths from a moving start to one goal in a graph that changes."""

    def __init__(self, graph: Graph, start: int, goal: int) -> None:
        self.graph, self.start, self.goal = graph, start, goal
        self.bounds = distances_to(graph, [goal])
        self.bounds[goal] = 0.0

    def lower(self) -> None:
        """Until no edge undercuts the bound of its source."""
        graph, changed = self.graph, True
        while changed:
            changed = False
            for edge, (u, v) in enumerate(zip(graph.sources, graph.targets, strict=True)):
                least = graph.cost(edge) + self.bounds[v]
                if least < self.bounds[u]:
                    self.bounds[u], changed = least, True

    def replan(self) -> Path | None:
        self.lower()
        path = a_star(self.graph, [self.start], [self.goal], self.bounds)
        cost = INFINITY if path is None else path.cost * (1 - ROUNDING)
        for v, so_far in enumerate(distances_from(self.graph, [self.start])):
            if so_far < INFINITY:
                self.bounds[v] = max(self.bounds[v], cost - so_far)
        return path
