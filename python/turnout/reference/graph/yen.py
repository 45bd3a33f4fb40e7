"""Twin of the k shortest loopless paths: Yen with Lawler's rule, each spur by plain Dijkstra."""

from __future__ import annotations

import copy

from turnout.reference.graph.rows import Graph, Path
from turnout.reference.graph.search import Reached, dijkstra


def k_shortest_paths(graph: Graph, source: int, goal: int, k: int) -> list[Path]:
    """The k cheapest paths without a node twice, the best first."""
    first = _spur(graph, (source,), (), goal, set())
    candidates = [] if first is None else [(first, 0)]
    found: list[Path] = []
    while candidates and len(found) < k:
        candidates.sort(key=lambda candidate: _order(graph, candidate[0]))
        path, deviation = candidates.pop(0)
        found.append(path)
        for i in range(deviation, len(path.edges)):
            taken = {p.edges[i] for p in found if len(p.edges) > i and p.edges[:i] == path.edges[:i]}
            spur = _spur(graph, path.nodes[: i + 1], path.edges[:i], goal, taken)
            if spur is not None:
                candidates.append((spur, i))
    return found


def _order(graph: Graph, path: Path) -> tuple[float, int, list[tuple[int, int]]]:
    return path.cost, len(path.edges), [graph.rank(edge) for edge in reversed(path.edges)]


def _spur(graph: Graph, nodes: tuple[int, ...], edges: tuple[int, ...], goal: int, taken: set[int]) -> Path | None:
    """The best path that begins with these nodes and goes on by none of the edges that are taken."""
    left = copy.copy(graph)
    left.masked_nodes = graph.masked_nodes | set(nodes[:-1])
    left.masked_edges = graph.masked_edges | taken
    reached = Reached(left, nodes[-1:])
    if nodes[-1] not in left.masked_nodes:
        cost = 0.0
        for edge in edges:
            cost += graph.cost(edge)
        reached.labels[nodes[-1]] = (cost, len(edges))
    if dijkstra(reached, {goal}) is None:
        return None
    rest = reached.path(goal)
    return Path(nodes[:-1] + rest.nodes, edges + rest.edges, rest.cost)
