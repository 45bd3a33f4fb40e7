"""Twin of the and-joins: Knuth's generalisation of Dijkstra's algorithm."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from turnout.reference.graph.rows import INFINITY, Graph

Group = tuple[int, int | None]
"""A node and the input that is needed; None: any edge will do."""
GROUP, NODE = range(2)


@dataclass(frozen=True)
class JoinPlan:
    """As the native one, by ids."""

    nodes: tuple[int, ...]
    edges: tuple[int, ...]
    cost: float
    set_cost: float


class Knuth:
    """Groups and nodes are settled in the order of their cost, the cheapest first."""

    def __init__(
        self,
        graph: Graph,
        inputs: Sequence[int],
        required: Mapping[int, Sequence[int]],
        node_cost: Sequence[float],
        side_by_side: bool,
    ) -> None:
        self.graph, self.inputs, self.node_cost, self.side_by_side = graph, inputs, node_cost, side_by_side
        self.groups: list[list[Group]] = []
        for v in range(graph.nodes):
            self.groups.append([(v, needed) for needed in required[v]] if v in required else [(v, None)])
        order = [group for groups in self.groups for group in groups]
        self.place = {group: i for i, group in enumerate(order)}
        self.order = order
        self.best: dict[Group, tuple[float, int]] = {}
        self.settled: set[Group] = set()
        self.cost: dict[int, float] = {}

    def run(self, sources: set[int]) -> None:
        heap: list[tuple[float, int, int]] = []
        for v in set(range(self.graph.nodes)) - self.graph.masked_nodes:
            if v in sources:
                heapq.heappush(heap, (0.0, NODE, v))
            elif not self.groups[v]:
                heapq.heappush(heap, (self.node_cost[v], NODE, v))
        while heap:
            cost, kind, i = heapq.heappop(heap)
            if kind == NODE and i not in self.cost and cost < INFINITY:
                self.cost[i] = cost
                self.spread(i, heap)
            if kind == GROUP and self.order[i] not in self.settled:
                self.settled.add(self.order[i])
                v = self.order[i][0]
                if self.settled.issuperset(self.groups[v]):
                    heapq.heappush(heap, (self.together(v), NODE, v))

    def spread(self, u: int, heap: list[tuple[float, int, int]]) -> None:
        for edge in self.graph.out[u]:
            group = self.group(edge)
            if group is None or group in self.settled:
                continue
            cost = self.cost[u] + self.graph.cost(edge)
            if cost < self.best.get(group, (INFINITY, 0))[0]:
                self.best[group] = cost, edge
                heapq.heappush(heap, (cost, GROUP, self.place[group]))

    def group(self, edge: int) -> Group | None:
        """The group that an edge belongs to."""
        for group in self.groups[self.graph.targets[edge]]:
            if group[1] in (None, self.inputs[edge]):
                return group
        return None

    def together(self, v: int) -> float:
        cost = 0.0
        for group in self.groups[v]:
            each = self.best[group][0]
            cost = max(cost, each) if self.side_by_side else cost + each
        return cost + self.node_cost[v]


def cheapest_plan(
    graph: Graph,
    inputs: Sequence[int],
    required: Mapping[int, Sequence[int]],
    sources: Iterable[int],
    goal: int,
    node_cost: Sequence[float] | None = None,
    side_by_side: bool = False,
) -> JoinPlan | None:
    """The cheapest way to run `goal`; inputs: one an edge; required: of each join, what it needs."""
    given = set(sources)
    knuth = Knuth(graph, inputs, required, node_cost or [0.0] * graph.nodes, side_by_side)
    knuth.run(given)
    if goal not in knuth.cost:
        return None
    nodes: list[int] = []
    _visit(knuth, given, goal, nodes)
    feeding = [knuth.best[group][1] for v in nodes if v not in given for group in knuth.groups[v]]
    set_cost = 0.0
    for v in nodes:
        if v not in given:
            for group in knuth.groups[v]:
                set_cost += graph.cost(knuth.best[group][1])
            set_cost += knuth.node_cost[v]
    return JoinPlan(tuple(nodes), tuple(feeding), knuth.cost[goal], set_cost)


def _visit(knuth: Knuth, sources: set[int], v: int, nodes: list[int]) -> None:
    """Depth first: a node comes after all that feed it."""
    if v in nodes:
        return
    for group in () if v in sources else knuth.groups[v]:
        _visit(knuth, sources, knuth.graph.sources[knuth.best[group][1]], nodes)
    nodes.append(v)
