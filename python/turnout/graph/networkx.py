"""From and to NetworkX, without importing it before it is needed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from turnout.core import InputError
from turnout.graph.tool_graph import ToolGraph
from turnout.schema import fail


def from_networkx(graph: Any, weight: str = "weight", default: float | None = None) -> ToolGraph:
    """A tool graph from a NetworkX Graph, DiGraph, MultiGraph or MultiDiGraph, or what has its methods.

    Nodes come in the graph's order under ``str(node)``; edges in the order of ``graph.edges``. An undirected edge gives
    two, there and back, one after the other; a loop gives one. Edges of a multigraph stay parallel.

    Parameters
    ----------
    graph : networkx graph
    weight : str
        The attribute of an edge that holds its weight.
    default : float, optional
        The weight of edges without it; default: such an edge is an error.

    Raises
    ------
    InputError
        With the path to the culprit, as in ``graph.edges['a', 'b'].weight``.
    """
    nodes = list(graph.nodes)
    ids = {node: i for i, node in enumerate(nodes)}
    both = not graph.is_directed()
    sources: list[int] = []
    targets: list[int] = []
    weights: list[float] = []
    for u, v, data in graph.edges(data=True):
        value = _weight(data.get(weight, default), f"graph.edges[{u!r}, {v!r}].{weight}")
        for a, b in ((u, v), (v, u)) if both and u != v else ((u, v),):
            sources.append(ids[a])
            targets.append(ids[b])
            weights.append(value)
    return ToolGraph.from_arrays(
        np.array(sources, np.int32),
        np.array(targets, np.int32),
        np.array(weights, np.float64),
        names=[str(node) for node in nodes],
    )


def _weight(value: Any, path: str) -> float:
    if value is None:
        raise fail(InputError, path, "missing; give the attribute or a default")
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise fail(InputError, path, f"expected a number, got {type(value).__name__} {value!r}")
    try:
        return float(value)
    except OverflowError:
        raise fail(InputError, path, "an integer beyond every float") from None


def to_networkx(graph: ToolGraph) -> Any:
    """A ``networkx.MultiDiGraph`` of the same nodes and edges.

    Edges have their id as key and the attributes ``weight``, ``masked`` and, where there are labels, ``label``; nodes
    have ``masked``.
    """
    networkx = import_module("networkx")

    out = networkx.MultiDiGraph()
    masked_nodes, masked_edges = set(graph.masked_nodes), set(graph.masked_edges)
    out.add_nodes_from((name, {"masked": name in masked_nodes}) for name in graph.names)
    ends = zip(graph.sources, graph.targets, graph.weights, strict=True)
    for edge, (u, v, weight) in enumerate(ends):
        data: dict[str, Any] = {"weight": float(weight), "masked": edge in masked_edges}
        if graph.labels is not None:
            data["label"] = graph.labels[edge]
        out.add_edge(graph.names[u], graph.names[v], key=edge, **data)
    return out
