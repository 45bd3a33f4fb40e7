"""Twin of the shortest paths: Dijkstra and A*.

A label is (cost, edges), and every edge makes it larger, also one of weight 0. Among equal labels the predecessor with
the lower id wins, and of parallel edges the lower one.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence

from turnout.reference.graph.rows import INFINITY, ROUNDING, Graph, Path

Label = tuple[float, int]
UNREACHED: Label = (INFINITY, 0)


class Reached:
    """Labels and last edges of the nodes that a search has reached."""

    def __init__(self, graph: Graph, sources: Iterable[int]) -> None:
        self.graph = graph
        self.labels = [UNREACHED] * graph.nodes
        self.last: list[int | None] = [None] * graph.nodes
        for source in sources:
            if source not in graph.masked_nodes:
                self.labels[source] = (0.0, 0)

    def improve(self, edge: int) -> bool:
        """Follows an edge; True where its target gets a better label."""
        cost, hops = self.labels[self.graph.sources[edge]]
        label, target = (cost + self.graph.cost(edge), hops + 1), self.graph.targets[edge]
        if label[0] == INFINITY or label > self.labels[target]:
            return False
        last = self.last[target]
        if label == self.labels[target]:
            if last is not None and self.graph.rank(edge) < self.graph.rank(last):
                self.last[target] = edge
            return False
        self.labels[target], self.last[target] = label, edge
        return True

    def path(self, goal: int) -> Path:
        nodes, edges = [goal], []
        while (edge := self.last[nodes[-1]]) is not None:
            edges.append(edge)
            nodes.append(self.graph.sources[edge])
        return Path(tuple(reversed(nodes)), tuple(reversed(edges)), self.labels[goal][0])


def shortest_path(graph: Graph, sources: Iterable[int], goals: Iterable[int]) -> Path | None:
    """The cheapest path from any source to any goal, or None."""
    reached, wanted = Reached(graph, sources), set(goals)
    goal = dijkstra(reached, wanted)
    return None if goal is None else reached.path(goal)


def dijkstra(reached: Reached, goals: set[int]) -> int | None:
    """Settles nodes in the order of (cost, edges, id), up to a goal."""
    graph, labels = reached.graph, reached.labels
    heap = [(*label, v) for v, label in enumerate(labels) if label != UNREACHED]
    heapq.heapify(heap)
    while heap:
        cost, hops, u = heapq.heappop(heap)
        if labels[u] != (cost, hops):
            continue
        if u in goals:
            return u
        for edge in graph.out[u]:
            if reached.improve(edge):
                target = graph.targets[edge]
                heapq.heappush(heap, (*labels[target], target))
    return None


def distances_from(graph: Graph, sources: Iterable[int]) -> list[float]:
    """Cost from the nearest source to each node."""
    reached = Reached(graph, sources)
    dijkstra(reached, set())
    return [cost for cost, _ in reached.labels]


def distances_to(graph: Graph, goals: Iterable[int]) -> list[float]:
    """Cost from each node to the nearest goal, added from the goal back."""
    costs = [INFINITY] * graph.nodes
    for goal in goals:
        costs[goal] = INFINITY if goal in graph.masked_nodes else 0.0
    heap = [(cost, v) for v, cost in enumerate(costs) if cost == 0.0]
    while heap:
        cost, v = heapq.heappop(heap)
        for edge in graph.into[v] if costs[v] == cost else ():
            u, further = graph.sources[edge], cost + graph.cost(edge)
            if further < costs[u]:
                costs[u] = further
                heapq.heappush(heap, (further, u))
    return costs


def a_star(graph: Graph, sources: Iterable[int], goals: Iterable[int], h: Sequence[float]) -> Path | None:
    """Nodes in the order of cost + h; goes on past the goal by what rounding can hide."""
    reached, wanted = Reached(graph, sources), set(goals)
    labels, best, limit = reached.labels, None, INFINITY
    heap = [(h[v], 0, v) for v, label in enumerate(labels) if label != UNREACHED and h[v] < INFINITY]
    heapq.heapify(heap)
    while heap and heap[0][0] <= limit:
        f, hops, u = heapq.heappop(heap)
        if (f, hops) != (labels[u][0] + h[u], labels[u][1]):
            continue
        if u in wanted:
            best = min((*labels[u], u), best or (*labels[u], u))
            limit = best[0] * (1 + ROUNDING)
            continue
        for edge in graph.out[u]:
            target = graph.targets[edge]
            if reached.improve(edge) and (estimate := labels[target][0] + h[target]) < INFINITY:
                heapq.heappush(heap, (estimate, labels[target][1], target))
    return None if best is None else reached.path(best[2])


def inconsistent_edge(graph: Graph, h: Sequence[float]) -> int | None:
    """The first edge u -> v with h[u] > cost + h[v], or None."""
    for edge, (u, v) in enumerate(zip(graph.sources, graph.targets, strict=True)):
        if not h[u] <= (graph.cost(edge) + h[v]) * (1 + ROUNDING):
            return edge
    return None
