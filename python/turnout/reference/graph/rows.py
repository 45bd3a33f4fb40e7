"""Twin of the tool graph: edges in lists, weights and masks that change in place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

INFINITY = float("inf")
ROUNDING = 1e-9  # two orders of summing one path's weights differ by less than this share


@dataclass(frozen=True)
class Path:
    """Ids of a path's nodes and edges, and its cost."""

    nodes: tuple[int, ...]
    edges: tuple[int, ...]
    cost: float


class Graph:
    """Edge i runs from sources[i] to targets[i]."""

    def __init__(self, nodes: int, sources: Sequence[int], targets: Sequence[int], weights: Iterable[float]) -> None:
        self.nodes, self.sources, self.targets = nodes, list(sources), list(targets)
        self.built = [float(w) for w in weights]
        self.out: list[list[int]] = [[] for _ in range(nodes)]
        self.into: list[list[int]] = [[] for _ in range(nodes)]
        for edge, source in enumerate(self.sources):
            self.out[source].append(edge)
        for edges in self.out:  # by source, then edge
            for edge in edges:
                self.into[self.targets[edge]].append(edge)
        self.reset()

    def reset(self) -> None:
        self.weights = list(self.built)
        self.masked_nodes: set[int] = set()
        self.masked_edges: set[int] = set()

    def cost(self, edge: int) -> float:
        """The weight, or infinity where the edge, its source or its target is masked."""
        masked = self.masked_nodes & {self.sources[edge], self.targets[edge]} or edge in self.masked_edges
        return INFINITY if masked else self.weights[edge]

    def rank(self, edge: int) -> tuple[int, int]:
        """The order in which ties prefer edges: by source, then id."""
        return self.sources[edge], edge
