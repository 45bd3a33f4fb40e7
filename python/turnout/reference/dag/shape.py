"""Twin of Dag, measure, choose_topology and the antichain."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

Edges = Sequence[tuple[int, int]]


class Metrics(NamedTuple):
    nodes: int
    edges: int
    depth: int
    width: int
    coupling: float
    density: float
    work: float
    critical_path: float
    parallelism: float
    critical_nodes: tuple[int, ...]
    slack: tuple[float, ...]


def parents(nodes: int, edges: Edges) -> list[list[int]]:
    return children(nodes, [(b, a) for a, b in edges])


def children(nodes: int, edges: Edges) -> list[list[int]]:
    out: list[list[int]] = [[] for _ in range(nodes)]
    for a, b in sorted(edges):
        out[a].append(b)
    return out


def order(nodes: int, edges: Edges) -> list[int]:
    """Kahn's algorithm with a queue; shorter than the DAG when there is a cycle."""
    before, after = parents(nodes, edges), children(nodes, edges)
    left = [len(p) for p in before]
    queue = [node for node in range(nodes) if not left[node]]
    for node in queue:
        for child in after[node]:
            left[child] -= 1
            if not left[child]:
                queue.append(child)
    return queue


def levels(nodes: int, edges: Edges) -> list[int]:
    level, before = [0] * nodes, parents(nodes, edges)
    for node in order(nodes, edges):
        level[node] = max((level[p] + 1 for p in before[node]), default=0)
    return level


def measure(nodes: int, edges: Edges, seconds: Sequence[float], coupling: Sequence[float] = ()) -> Metrics:
    before, after, sequence = parents(nodes, edges), children(nodes, edges), order(nodes, edges)
    finish = [0.0] * nodes
    for node in sequence:
        finish[node] = max((finish[p] for p in before[node]), default=0.0) + seconds[node]
    path: list[int] = []
    step = list(range(nodes))
    while step:
        path.append(max(step, key=lambda node: (finish[node], -node)))
        step = before[path[-1]]
    end = finish[path[0]] if path else 0.0
    latest = [end] * nodes
    for node in reversed(sequence):
        latest[node] = min((latest[c] - seconds[c] for c in after[node]), default=end)
    slack = [max(0.0, latest[node] - finish[node]) for node in range(nodes)]
    for node in path:
        slack[node] = 0.0
    at_level = levels(nodes, edges)
    on_level = [0] * nodes
    for level in at_level:
        on_level[level] += 1
    work = sum(seconds)
    return Metrics(
        nodes,
        len(edges),
        max(at_level, default=-1) + 1,
        max(on_level, default=0),
        sum(coupling) / len(coupling) if coupling else 0.0,
        len(edges) / (nodes * (nodes - 1) / 2) if nodes > 1 else 0.0,
        work,
        end,
        work / end if end > 0 else 1.0,
        tuple(reversed(path)),
        tuple(slack),
    )


def choose_topology(
    m: Metrics,
    wide_share: float = 0.7,
    loose: float = 0.3,
    deep_share: float = 0.8,
    tight: float = 0.6,
    layers: int = 3,
) -> tuple[str, str]:
    """(topology, rule): the first rule that holds."""
    if m.width >= wide_share * m.nodes and m.coupling < loose:
        return "parallel", "wide"
    if m.depth >= deep_share * m.nodes:
        return "sequential", "deep"
    if m.coupling > tight:
        return "hierarchical", "coupled"
    if m.depth > layers:
        return "hierarchical", "layered"
    return "hybrid", "neither"


def reach(nodes: int, edges: Edges) -> list[set[int]]:
    """What runs after each node."""
    out: list[set[int]] = [set() for _ in range(nodes)]
    for node in reversed(order(nodes, edges)):
        for a, b in edges:
            if a == node:
                out[node] |= {b} | out[b]
    return out


def exact_width(nodes: int, edges: Edges) -> int:
    """By brute force over all sets: for small DAGs."""
    after = reach(nodes, edges)
    for size in range(nodes, 0, -1):
        for chosen in itertools.combinations(range(nodes), size):
            if not any(b in after[a] for a in chosen for b in chosen):
                return size
    return 0
