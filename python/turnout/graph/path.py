"""What a search returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Step(NamedTuple):
    """One edge of a path."""

    source: str
    target: str
    edge: int
    cost: float


@dataclass(frozen=True, slots=True)
class Path:
    """A way through a tool graph. Frozen, comparable, hashable, picklable.

    Attributes
    ----------
    nodes : tuple of str
        From a source to a goal; one node where they are the same.
    edges : tuple of int
        Ids of the edges between them, one fewer.
    costs : tuple of float
        What each edge cost when the path was found.
    cost : float
        Their sum, added from the source on.
    """

    nodes: tuple[str, ...]
    edges: tuple[int, ...]
    costs: tuple[float, ...]
    cost: float

    @property
    def steps(self) -> tuple[Step, ...]:
        """The edges one by one, with the names of both ends."""
        return tuple(map(Step, self.nodes, self.nodes[1:], self.edges, self.costs))

    def __str__(self) -> str:
        return f"{' -> '.join(self.nodes)} (cost {self.cost:g})"
