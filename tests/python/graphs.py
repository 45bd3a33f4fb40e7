"""Random tool graphs for Hypothesis: small, with ties, loops, parallel edges, masks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from turnout.graph import ToolGraph
from turnout.reference import graph as reference

# Sums of the first are exact; the others round, and among them are ties, zeros and numbers that swallow others.
EXACT = st.integers(0, 12).map(lambda n: n / 4)
WEIGHTS = st.one_of(EXACT, st.floats(0, 1e12), st.floats(0, 1), st.sampled_from([0.0, 0.1, 0.2, 0.3]))


@dataclass
class Pair:
    """The same graph, native and as the twin."""

    native: ToolGraph
    twin: reference.Graph

    def mask_node(self, node: int) -> None:
        self.native.mask_node(node)
        self.twin.masked_nodes.add(node)

    def mask_edge(self, edge: int) -> None:
        self.native.mask_edge(edge)
        self.twin.masked_edges.add(edge)

    def unmask_node(self, node: int) -> None:
        self.native.unmask_node(node)
        self.twin.masked_nodes.discard(node)

    def unmask_edge(self, edge: int) -> None:
        self.native.unmask_edge(edge)
        self.twin.masked_edges.discard(edge)

    def set_weight(self, edge: int, weight: float) -> None:
        self.native.set_weight(edge, weight)
        self.twin.weights[edge] = weight


def pair(nodes: int, edges: list[tuple[int, int, float]]) -> Pair:
    sources, targets, weights = ([edge[i] for edge in edges] for i in range(3))
    native = ToolGraph.from_arrays(
        np.array(sources, np.int32), np.array(targets, np.int32), np.array(weights, np.float64), nodes=nodes
    )
    return Pair(native, reference.Graph(nodes, sources, targets, weights))


@st.composite
def pairs(draw: st.DrawFn, weights: st.SearchStrategy[float] = WEIGHTS, nodes: int = 8, edges: int = 24) -> Pair:
    n = draw(st.integers(1, nodes))
    ids = st.integers(0, n - 1)
    made = pair(n, draw(st.lists(st.tuples(ids, ids, weights), max_size=edges)))
    for node in draw(st.sets(ids, max_size=2)) if n > 2 else ():
        made.mask_node(node)
    if made.native.edge_count:
        for edge in draw(st.sets(st.integers(0, made.native.edge_count - 1), max_size=3)):
            made.mask_edge(edge)
    return made
