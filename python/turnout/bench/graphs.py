"""Tool graphs and task DAGs from a seed, in the sizes that the cases name."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from turnout.graph import ToolGraph


class Arrays(NamedTuple):
    """Edge i runs from sources[i] to targets[i]; node 0 is the source, the last node the sink."""

    nodes: int
    sources: npt.NDArray[np.int32]
    targets: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float64]

    def tool_graph(self) -> ToolGraph:
        return ToolGraph.from_arrays(self.sources, self.targets, self.weights, nodes=self.nodes)


def _distinct(rng: np.random.Generator, rows: int, width: int, degree: int) -> npt.NDArray[np.int64]:
    """`degree` different ones of `width`, for each row."""
    return np.argsort(rng.random((rows, width)), axis=1)[:, :degree]


def layered(layers: int, width: int, degree: int, seed: int, extra: int = 0) -> Arrays:
    """Each node of a layer leads to `degree` different ones of the next; `extra` more edges join random layers' nodes.

    Weights are multiples of 1/1024 in (0, 4], so that every sum of them is exact and costs are equal to the bit.
    """
    rng = np.random.default_rng(seed)
    sink = layers * width + 1
    inner = np.arange(1, sink).reshape(layers, width)
    sources, targets = [np.zeros(width, int), inner[-1]], [inner[0], np.full(width, sink)]
    for here, below in itertools.pairwise(inner):
        sources.append(np.repeat(here, degree))
        targets.append(below[_distinct(rng, width, width, degree)].ravel())
    layer = rng.integers(0, layers - 1, extra)
    sources.append(inner[layer, rng.integers(0, width, extra)])
    targets.append(inner[layer + 1, rng.integers(0, width, extra)])
    s, t = np.concatenate(sources).astype(np.int32), np.concatenate(targets).astype(np.int32)
    return Arrays(sink + 1, s, t, rng.integers(1, 4097, len(s)) / 1024.0)


def tools_1k(seed: int = 1) -> Arrays:
    """V = 1,002, E = 4,850: the size for which figures of a Python router were published."""
    return layered(20, 50, 5, seed)


def tools_100k() -> Arrays:
    """V = 100,002, E = 500,000."""
    return layered(100, 1000, 5, 1, extra=3000)


class Tasks(NamedTuple):
    """A task DAG: (from, to) rows, and seconds of each task."""

    nodes: int
    edges: npt.NDArray[np.int32]
    seconds: npt.NDArray[np.float64]


def tasks(nodes: int, edges: int, seed: int = 1) -> Tasks:
    """`edges` different pairs, each from the earlier in a random order to one at most 50 places later."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(nodes)
    first = rng.integers(0, nodes - 1, 2 * edges)
    second = np.minimum(first + rng.integers(1, 51, 2 * edges), nodes - 1)
    pairs = np.unique(np.stack([first, second], 1), axis=0)
    kept = np.sort(rng.permutation(len(pairs))[:edges])
    rows = np.ascontiguousarray(order[pairs[kept]].astype(np.int32))
    return Tasks(nodes, rows, rng.integers(1, 10240, nodes) / 1024.0)
