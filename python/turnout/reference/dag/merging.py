"""Twin of merge, plan_epochs and choose_configuration."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

from turnout.reference.dag.shape import Edges, parents

Node = tuple[str, bytes, tuple[int, ...], bool]  # operator, inputs, after, shared


def expression(query: Sequence[Node], node: int, unshared: Any = None) -> tuple[Any, ...]:
    """What a node computes, written out; equal exactly where results are. `unshared` tells queries apart."""
    operator, inputs, after, shared = query[node]
    tag = None if shared else (unshared, node)
    return operator, inputs, tuple(expression(query, a, unshared) for a in after), tag


def merge(queries: Sequence[Sequence[Node]]) -> list[list[tuple[Any, ...]]]:
    """The expression of every node of every query: as many merged nodes as distinct ones."""
    return [[expression(query, i, place) for i in range(len(query))] for place, query in enumerate(queries)]


def plan_epochs(
    edges: Edges,
    run: Sequence[Sequence[float]],
    model: Sequence[int],
    load: Sequence[Sequence[float]],
    cached: Sequence[float],
    transfer: Sequence[Sequence[float]],
) -> float:
    """The least cost over every order and device, remembering only what has been seen: for small DAGs."""
    n, devices = len(run), len(run[0])
    before = parents(n, edges)

    @functools.cache
    def least(place: tuple[int, ...], last: tuple[int, ...]) -> float:
        best = math.inf if -1 in place else 0.0
        for v in range(n):
            if place[v] >= 0 or any(place[u] < 0 for u in before[v]):
                continue
            for d in range(devices):
                cost = run[v][d] + sum(transfer[place[u]][d] for u in before[v])
                if last[d] < 0 or model[last[d]] != model[v]:
                    cost += load[model[v]][d]
                if last[d] in before[v]:
                    cost -= cached[v]
                if cost < math.inf:
                    best = min(best, cost + least(_with(place, v, d), _with(last, d, v)))
        return best

    return least((-1,) * n, (-1,) * devices)


def _with(values: tuple[int, ...], i: int, value: int) -> tuple[int, ...]:
    return (*values[:i], value, *values[i + 1 :])


def choose_configuration(
    quality: Sequence[float],
    seconds: Sequence[float],
    cost: Sequence[float],
    min_quality: float = 0.0,
    max_seconds: float = math.inf,
) -> tuple[int, bool]:
    rows = range(len(cost))
    kept = [i for i in rows if quality[i] >= min_quality and seconds[i] <= max_seconds]
    if kept:
        return min(kept, key=lambda i: (cost[i], -quality[i], seconds[i], i)), True

    def violation(i: int) -> float:
        missing = (min_quality - quality[i]) / min_quality if quality[i] < min_quality else 0.0
        return missing + ((seconds[i] - max_seconds) / max_seconds if seconds[i] > max_seconds else 0.0)

    return min(rows, key=lambda i: (violation(i), cost[i], i)), False
