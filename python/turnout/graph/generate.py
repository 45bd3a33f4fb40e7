"""Seeded tool graphs for tests and benchmarks: the same graph from the same seed on every machine, as in C++."""

from __future__ import annotations

import numpy as np

from turnout._native import Philox
from turnout.graph.tool_graph import ToolGraph


def _weight(rng: Philox) -> float:
    """A multiple of 1/1024: sums of such weights are exact."""
    return (1 + rng.next() % 4096) / 1024


def _built(nodes: int, edges: list[tuple[int, int, float]]) -> ToolGraph:
    return ToolGraph.from_arrays(
        np.array([u for u, _, _ in edges], np.int32),
        np.array([v for _, v, _ in edges], np.int32),
        np.array([w for _, _, w in edges], np.float64),
        nodes=nodes,
    )


def layered(layers: int = 20, width: int = 50, degree: int = 5, *, seed: int) -> ToolGraph:
    """A source (node 0), layers of tools, a sink (the last node).

    Each tool leads to `degree` different ones of the next layer. The defaults give 1,002 nodes and 4,850 edges.
    """
    rng, sink = Philox(seed), layers * width + 1
    edges = [(0, 1 + i, _weight(rng)) for i in range(width)]
    for layer in range(layers - 1):
        for i in range(width):
            following = list(range(1 + (layer + 1) * width, 1 + (layer + 2) * width))
            for k in range(degree):
                other = k + rng.next() % (width - k)
                following[k], following[other] = following[other], following[k]
                edges.append((1 + layer * width + i, following[k], _weight(rng)))
    edges += [(1 + (layers - 1) * width + i, sink, _weight(rng)) for i in range(width)]
    return _built(sink + 1, edges)


def random(nodes: int, edges: int, *, seed: int) -> ToolGraph:
    """Edges between nodes drawn at random; loops and parallel edges are among them."""
    rng = Philox(seed)
    drawn = [(rng.next() % nodes, rng.next() % nodes, _weight(rng)) for _ in range(edges)]
    return _built(nodes, drawn)
