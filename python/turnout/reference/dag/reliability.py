"""Twin of reliability and best_path: every outcome, every path."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from turnout.reference.dag.shape import Edges, children, parents


class Reliability(NamedTuple):
    tasks: list[float]  # P(task succeeds)
    sinks: float  # P(every task that nothing runs after succeeds)
    all: float


def reliability(edges: Edges, p: Sequence[float], q: Sequence[float]) -> Reliability:
    """By all 2^V outcomes: for small DAGs."""
    n = len(p)
    before, after = parents(n, edges), children(n, edges)
    tasks, sinks, everything = [0.0] * n, 0.0, 0.0
    for outcome in itertools.product((False, True), repeat=n):
        chance = 1.0
        for v in range(n):
            success = p[v] if all(outcome[u] for u in before[v]) else q[v]
            chance *= success if outcome[v] else 1 - success
        tasks = [total + chance * ok for total, ok in zip(tasks, outcome, strict=True)]
        sinks += chance * all(outcome[v] or after[v] for v in range(n))
        everything += chance * all(outcome)
    return Reliability(tasks, sinks, everything)


def with_retries(p: float, retries: int) -> float:
    return float(1 - (1 - p) ** (retries + 1))


class Path(NamedTuple):
    nodes: tuple[int, ...]
    success: float
    cost: float
    seconds: float
    held: float


def _paths(edges: Edges, nodes: int) -> Iterator[tuple[int, ...]]:
    """All from a source to a sink."""
    before, after = parents(nodes, edges), children(nodes, edges)
    left: list[tuple[int, ...]] = [(v,) for v in range(nodes) if not before[v]]
    while left:
        path = left.pop()
        left += [(*path, child) for child in after[path[-1]]]
        if not after[path[-1]]:
            yield path


def best_path(
    edges: Edges,
    success: Sequence[float],
    cost: Sequence[float],
    seconds: Sequence[float],
    needs: Sequence[float],
    releases: Sequence[float],
    max_cost: float = math.inf,
    max_seconds: float = math.inf,
    capacity: float = math.inf,
) -> Path | None:
    best = None
    for path in _paths(edges, len(success)):
        held = most = 0.0
        for v in path:
            most = max(most, held + needs[v])
            held += needs[v] - releases[v]
        spent, taken = sum(cost[v] for v in path), sum(seconds[v] for v in path)
        found = Path(path, math.prod(success[v] for v in path), spent, taken, held)
        if spent <= max_cost and taken <= max_seconds and most <= capacity:
            if best is None or found.success > best.success:
                best = found
    return best
