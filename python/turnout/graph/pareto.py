"""Paths on which USD, seconds and quality cannot all be bettered, and what picks one of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from turnout import _native
from turnout.core import InputError
from turnout.graph.tool_graph import EdgeLike, NodeLike, ToolGraph
from turnout.schema import fail

Column = npt.NDArray[np.float64] | float

MAX_LABELS: int = _native.max_pareto_labels
"""10 million."""


@dataclass(frozen=True, slots=True)
class ParetoPath:
    """A path that no other betters in all of USD, seconds and quality.

    Attributes
    ----------
    nodes : tuple of str
    edges : tuple of int
    usd, seconds : float
        Sums along the path.
    quality : float
        The product along the path, in [0, 1].
    """

    nodes: tuple[str, ...]
    edges: tuple[int, ...]
    usd: float
    seconds: float
    quality: float

    @property
    def quality_loss(self) -> float:
        """-log(quality), which adds up along a path; infinity where the quality is 0."""
        return -math.log(self.quality) if self.quality > 0 else math.inf


@dataclass(frozen=True, slots=True)
class ParetoFront:
    """The Pareto-optimal paths, sorted by (USD, seconds, falling quality).

    Attributes
    ----------
    paths : tuple of ParetoPath
        One for each combination of the three; empty where no path keeps the limits.
    complete : bool
        False where the label cap ended the search: those found are Pareto-optimal, others are missing.
    labels : int
        Labels that were created: a measure of the work.
    """

    paths: tuple[ParetoPath, ...]
    complete: bool
    labels: int

    def least(self, score: Callable[[ParetoPath], float]) -> ParetoPath | None:
        """The path of the lowest score; of several, the first. Exact for every score that rises with USD and seconds
        and falls with quality, where the front is complete."""
        return min(self.paths, key=score, default=None)

    def weighted(self, usd: float = 0.0, seconds: float = 0.0, quality: float = 0.0) -> ParetoPath | None:
        """The least of ``usd * USD + seconds * seconds - quality * log(quality)``; the weights are numbers >= 0."""
        for name, weight in (("usd", usd), ("seconds", seconds), ("quality", quality)):
            if not 0.0 <= weight < math.inf:
                raise fail(InputError, name, f"expected a number >= 0, got {weight}")
        return self.least(lambda p: _native.graph_weighted_score(p.usd, p.seconds, p.quality, usd, seconds, quality))

    def costa(self, a: float, cost: Literal["usd", "seconds"] = "usd") -> ParetoPath | None:
        """The least of CoSTA*'s ``cost^a * (2 - quality)^(2 - a)`` (arXiv 2503.10613), `a` in [0, 2].

        At 0 only quality counts, at 2 only cost. It is no sum over a path, so that a search which keeps one best way to
        each node can miss the least; over the Pareto front it is exact.
        """
        if not 0.0 <= a <= 2.0:
            raise fail(InputError, "a", f"expected a number from 0 to 2, got {a}")
        if cost not in ("usd", "seconds"):
            raise fail(InputError, "cost", f"expected 'usd' or 'seconds', got {cost!r}")
        return self.least(lambda p: _native.graph_costa_score(p.usd if cost == "usd" else p.seconds, p.quality, a))


class Criteria:
    """USD, seconds and quality of a graph's edges, and of its nodes on top.

    A node's are paid on entering it, and at the source. Each is one number, or an array with one an edge or node.

    Parameters
    ----------
    graph : ToolGraph
    usd, seconds : float or float64[E]
        In [0, 1e12].
    quality : float or float64[E]
        A probability, in [0, 1].
    node_usd, node_seconds, node_quality : float or float64[V]

    Raises
    ------
    InputError
        With the path to the culprit, as in ``criteria.edges[3].quality``.
    """

    __slots__ = ("_core", "graph")

    def __init__(
        self,
        graph: ToolGraph,
        usd: Column = 0.0,
        seconds: Column = 0.0,
        quality: Column = 1.0,
        *,
        node_usd: Column = 0.0,
        node_seconds: Column = 0.0,
        node_quality: Column = 1.0,
    ) -> None:
        self.graph = graph
        self._core = _native.GraphCriteria(
            graph.core,
            _rows(graph.edge_count, "criteria.edges", usd, seconds, quality),
            _rows(len(graph), "criteria.nodes", node_usd, node_seconds, node_quality),
        )

    def set_edge(self, edge: EdgeLike, *, usd: float, seconds: float, quality: float) -> None:
        """Changes one edge, as after a failure."""
        self._core.set_edge(self.graph.edge(edge), usd, seconds, quality)

    def set_node(self, node: NodeLike, *, usd: float, seconds: float, quality: float) -> None:
        """Changes one node."""
        self._core.set_node(self.graph.node(node), usd, seconds, quality)

    def pareto_paths(
        self,
        source: NodeLike,
        goal: NodeLike,
        *,
        max_usd: float = math.inf,
        max_seconds: float = math.inf,
        min_quality: float = 0.0,
        max_labels: int = 1_000_000,
    ) -> ParetoFront:
        """Every Pareto-optimal combination of USD, seconds and quality within the limits, one path each.

        Label setting (Martins 1984). Of paths that are equal in all three: the one with fewer edges, then with the
        lower last edge (by source, then id). Masked nodes and edges of the graph are not used.

        Raises
        ------
        InputError
            An unknown node, a limit that is no number, `max_labels` outside 1 .. 10,000,000.
        """
        graph = self.graph
        found, complete, labels = self._core.pareto_paths(
            graph.node(source, "source"), graph.node(goal, "goal"), max_usd, max_seconds, min_quality, max_labels
        )
        names = graph.names
        paths = (ParetoPath(tuple([names[i] for i in each[0]]), *each[1:]) for each in found)
        return ParetoFront(tuple(paths), complete, labels)


def _rows(n: int, path: str, *columns: Column) -> npt.NDArray[np.float64]:
    rows = np.empty((n, 3))
    for i, (name, column) in enumerate(zip(("usd", "seconds", "quality"), columns, strict=True)):
        values = np.asarray(column)
        if values.dtype.kind not in "iuf":
            raise TypeError(f"{path}.{name}: expected numbers, got {values.dtype}")
        if values.ndim and values.shape != (n,):
            raise fail(InputError, f"{path}.{name}", f"expected one number or {n}, got {list(values.shape)}")
        rows[:, i] = values
    return rows
