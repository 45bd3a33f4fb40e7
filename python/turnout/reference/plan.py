"""Twin of the plan room: a workflow DAG as a list of dependency sets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

Dependencies = Sequence[frozenset[int]]


class Metrics(NamedTuple):
    nodes: int
    edges: int
    depth: int  # nodes on the longest path
    width: int  # most nodes at one depth
    critical_path: float  # seconds
    critical_nodes: frozenset[int]


def ready(depends_on: Dependencies, done: frozenset[int]) -> frozenset[int]:
    """Nodes that are not done and whose dependencies all are."""
    return frozenset(i for i, before in enumerate(depends_on) if i not in done and before <= done)


def topological_order(depends_on: Dependencies) -> list[int]:
    """Lowest index first among the ready; shorter than the plan when there is a cycle."""
    order: list[int] = []
    while waiting := ready(depends_on, frozenset(order)):
        order.append(min(waiting))
    return order


def _last(nodes: frozenset[int], finish: dict[int, float]) -> int:
    return min(nodes, key=lambda i: (-finish[i], i))


def metrics(depends_on: Dependencies, seconds: Sequence[float]) -> Metrics:
    """Shape and time of a plan that has no cycle."""
    level: dict[int, int] = {}
    finish: dict[int, float] = {}
    for i in topological_order(depends_on):
        level[i] = 1 + max((level[j] for j in depends_on[i]), default=0)
        finish[i] = max((finish[j] for j in depends_on[i]), default=0.0) + seconds[i]
    if not level:
        return Metrics(0, 0, 0, 0, 0.0, frozenset())
    levels = list(level.values())
    path = [_last(frozenset(finish), finish)]
    while depends_on[path[-1]]:
        path.append(_last(depends_on[path[-1]], finish))
    return Metrics(
        len(depends_on),
        sum(len(before) for before in depends_on),
        max(levels),
        max(levels.count(x) for x in levels),
        finish[path[0]],
        frozenset(path),
    )
