"""Shape and time of a DAG, and the topology that fits it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from turnout import _native
from turnout.dag.columns import column, edge_rows

Topology = Literal["parallel", "sequential", "hierarchical", "hybrid"]
TopologyRule = Literal["wide", "deep", "coupled", "layered", "neither"]


class DagMetrics(NamedTuple):
    """Shape and time of a DAG.

    Attributes
    ----------
    nodes, edges : int
    depth : int
        Nodes on the longest path.
    width : int
        Most nodes on one level; `exact_width` is never less.
    coupling : float
        Mean over the edges; 0 without edges.
    density : float
        Edges / (V (V - 1) / 2); 0 below two nodes.
    work : float
        Seconds of all nodes.
    critical_path : float
        Seconds from start to end when every node starts as soon as it may.
    parallelism : float
        work / critical path; 1 when that takes no time.
    critical_nodes : tuple of int, or of str
        The chain that takes so long, first to last; of equally late nodes the lowest.
    slack : tuple of float
        Seconds that each node may be late without moving the end.
    """

    nodes: int
    edges: int
    depth: int
    width: int
    coupling: float
    density: float
    work: float
    critical_path: float
    parallelism: float
    critical_nodes: tuple[int, ...] | tuple[str, ...]
    slack: tuple[float, ...]


class TopologyThresholds(NamedTuple):
    """When a DAG counts as wide, deep, coupled or layered; see `choose_topology`.

    The defaults are those of a third-party port of AdaptOrch, whose own are not published.
    """

    wide_share: float = 0.7
    loose: float = 0.3
    deep_share: float = 0.8
    tight: float = 0.6
    layers: int = 3


class TopologyChoice(NamedTuple):
    """A topology, the rule that fired, and the sentence that says so."""

    topology: Topology
    rule: TopologyRule
    reason: str


def measure(
    nodes: int,
    edges: Iterable[tuple[int, int]] | NDArray[np.int32],
    seconds: Sequence[float] | NDArray[np.float64],
    coupling: Sequence[float] | NDArray[np.float64] | None = None,
) -> DagMetrics:
    """Checks that this is a DAG and measures it, in O(V + E).

    Parameters
    ----------
    nodes : int
        At most 131,072.
    edges : int32[E, 2] or iterable of (int, int)
        (from, to); at most 1,048,576.
    seconds : float64[V]
        In [0, 1e9].
    coupling : float64[E], optional
        In [0, 1]; 0 without.

    Raises
    ------
    InputError
        With the path to the culprit, as in ``edges[7]`` or ``seconds[2]``; a cycle is named node by node.
    TypeError
        An array of another dtype.
    """
    columns = column(seconds, np.float64, "seconds"), column(coupling, np.float64, "coupling")
    return DagMetrics._make(_native.dag_measure(nodes, edge_rows(edges), *columns))


def order(nodes: int, edges: Iterable[tuple[int, int]] | NDArray[np.int32]) -> list[int]:
    """Every node after what it depends on, level by level."""
    return _native.dag_order(nodes, edge_rows(edges))


def largest_antichain(nodes: int, edges: Iterable[tuple[int, int]] | NDArray[np.int32]) -> list[int]:
    """The most nodes of which none runs before another, lowest first: the exact width (Dilworth, by matching).

    O(V E / 64) for the transitive closure and O(V^3 / 64) at worst for the matching; at most 4,096 nodes.
    """
    return _native.dag_antichain(nodes, edge_rows(edges))


def exact_width(nodes: int, edges: Iterable[tuple[int, int]] | NDArray[np.int32]) -> int:
    """How many nodes may run side by side at most; see `largest_antichain`."""
    return len(largest_antichain(nodes, edges))


_REASONS = {
    "wide": "width {m.width} >= {t.wide_share:g} x {m.nodes} nodes and coupling {m.coupling:.2f} < {t.loose:g}",
    "deep": "depth {m.depth} >= {t.deep_share:g} x {m.nodes} nodes",
    "coupled": "coupling {m.coupling:.2f} > {t.tight:g}",
    "layered": "depth {m.depth} > {t.layers}",
    "neither": "width {m.width} and depth {m.depth} of {m.nodes} nodes, coupling {m.coupling:.2f}: no rule fires",
}


def choose_topology(metrics: DagMetrics, thresholds: TopologyThresholds | None = None) -> TopologyChoice:
    """How to run a DAG, by the first rule that holds (after AdaptOrch).

    1. width >= wide_share * V and coupling < loose: parallel
    2. depth >= deep_share * V: sequential
    3. coupling > tight: hierarchical
    4. depth > layers: hierarchical
    5. else hybrid

    Raises
    ------
    InputError
        A DAG without nodes, or a threshold out of range, as in ``thresholds.loose``.
    """
    t = TopologyThresholds() if thresholds is None else thresholds
    found: Any = _native.dag_topology(metrics.nodes, metrics.width, metrics.depth, metrics.coupling, *t)
    topology, rule = found
    return TopologyChoice(topology, rule, f"{topology}: {_REASONS[rule].format(m=metrics, t=t)}")
