"""Twin of the Pareto sets: label setting on USD, seconds and quality under hard limits."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass

from turnout.reference.graph.rows import INFINITY, Graph

Step = tuple[float, float, float]
"""USD and seconds, which add up, and quality, which multiplies."""


@dataclass(frozen=True)
class ParetoPath:
    """Ids of a path's nodes and edges, and its totals."""

    nodes: tuple[int, ...]
    edges: tuple[int, ...]
    usd: float
    seconds: float
    quality: float


@dataclass(frozen=True)
class Label:
    total: Step
    node: int
    edge: int | None
    parent: Label | None


def pareto_paths(
    graph: Graph,
    edges: Sequence[Step],
    nodes: Sequence[Step],
    source: int,
    goal: int,
    limits: Step = (INFINITY, INFINITY, 0.0),
) -> list[ParetoPath]:
    """Every Pareto-optimal combination of a path from source to goal within the limits, one path each."""
    settled: list[list[Step]] = [[] for _ in range(graph.nodes)]
    found: list[ParetoPath] = []
    heap: list[tuple[tuple[float, ...], int, Label]] = []
    created = 0

    def offer(label: Label, hops: int) -> None:
        nonlocal created
        usd, seconds, quality = label.total
        within = usd <= limits[0] and seconds <= limits[1] and quality >= limits[2]
        if not within or any(_covers(settled[at], label.total) for at in (label.node, goal)):
            return
        rank = (-1, -1) if label.edge is None else graph.rank(label.edge)
        heapq.heappush(heap, ((usd, seconds, -quality, hops, *rank), created, label))
        created += 1

    if source not in graph.masked_nodes:
        offer(Label(nodes[source], source, None, None), 0)
    while heap:
        key, _, label = heapq.heappop(heap)
        if _covers(settled[label.node], label.total):
            continue
        settled[label.node].append(label.total)
        if label.node == goal:
            found.append(_path(label))
            continue
        for edge in graph.out[label.node]:
            target = graph.targets[edge]
            if graph.cost(edge) < INFINITY:
                offer(Label(_after(label.total, edges[edge], nodes[target]), target, edge, label), int(key[3]) + 1)
    return found


def _covers(settled: list[Step], total: Step) -> bool:
    return any(s[0] <= total[0] and s[1] <= total[1] and s[2] >= total[2] for s in settled)


def _after(total: Step, edge: Step, node: Step) -> Step:
    return total[0] + edge[0] + node[0], total[1] + edge[1] + node[1], total[2] * edge[2] * node[2]


def _path(label: Label) -> ParetoPath:
    nodes, edges, at = [label.node], [], label
    while at.parent is not None and at.edge is not None:
        edges.append(at.edge)
        at = at.parent
        nodes.append(at.node)
    return ParetoPath(tuple(reversed(nodes)), tuple(reversed(edges)), *label.total)


def costa_score(cost: float, quality: float, a: float) -> float:
    """CoSTA*'s score, lower is better."""
    return math.pow(cost, a) * math.pow(2.0 - quality, 2.0 - a)


def weighted_score(total: Step, usd_weight: float, seconds_weight: float, quality_weight: float) -> float:
    """The weighted sum of USD, seconds and -log(quality)."""
    loss = 0.0
    if quality_weight > 0:
        loss = quality_weight * (-math.log(total[2]) if total[2] > 0 else INFINITY)
    return usd_weight * total[0] + seconds_weight * total[1] + loss
