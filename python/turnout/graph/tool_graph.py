"""The tool graph: names over the native rows, weights and masks that change in place, searches by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from turnout import _native
from turnout.core import InputError
from turnout.graph.path import Path
from turnout.schema import check_name, did_you_mean, fail

if TYPE_CHECKING:
    from turnout.graph.replanner import Replanner

MAX_NODES: int = _native.max_graph_nodes
"""2^22 nodes."""
MAX_EDGES: int = _native.max_graph_edges
"""2^25 edges."""
MAX_WEIGHT: float = _native.max_graph_weight
"""1e12: a weight is a number in [0, MAX_WEIGHT]."""

NodeLike = str | int
"""A node by its name or its id (its place in `names`)."""
EdgeLike = int | tuple[NodeLike, NodeLike]
"""An edge by its id (its place in the arrays), or by its ends where just one edge joins them."""


def _names(names: Sequence[str] | None, nodes: int) -> tuple[str, ...]:
    if names is None:
        return tuple(map(str, range(nodes)))
    for i, name in enumerate(names):
        if not isinstance(name, str):
            raise TypeError(f"graph.nodes[{i}]: expected a str, got {type(name).__name__}")
        check_name(name, f"graph.nodes[{i}]", InputError)
    return tuple(names)


def _texts(values: Sequence[str], path: str) -> tuple[str, ...]:
    if isinstance(values, str):
        raise TypeError(f"{path}: expected a list of str, got the str {values!r}")
    texts = tuple(values)
    for i, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(f"{path}[{i}]: expected a str, got {type(text).__name__}")
    return texts


def _unique(labels: tuple[str, ...], path: str) -> tuple[str, ...]:
    """An edge brings one input, so that one which is needed twice would never be there."""
    for i, label in enumerate(labels):
        if label in labels[:i]:
            raise fail(InputError, f"{path}[{i}]", f"{label!r} stands twice")
    return labels


def unique_ids(names: tuple[str, ...]) -> dict[str, int]:
    ids = {name: i for i, name in enumerate(names)}
    if len(ids) < len(names):
        i, name = next((i, name) for i, name in enumerate(names) if ids[name] != i)
        raise fail(InputError, f"graph.nodes[{ids[name]}]", f"{name!r} is also the name of node {i}")
    return ids


class ToolGraph:
    """Tools as nodes, "may run after" as weighted edges, in compressed sparse rows.

    Make one with `from_arrays`, `from_networkx`, `from_taskbench` or `from_mcp`. Nodes are named by their name or their
    id, edges by their id or by ``(source, target)`` where just one edge joins the two; parallel edges and loops are
    kept. Weights and masks change in place. Any number of threads may search; a change waits for running searches.

    Attributes
    ----------
    names : tuple of str
        One a node, in the order of their ids.
    labels : tuple of str, or None
        What passes along each edge, as an input's name or type.
    required : mapping of str to tuple of str
        Of nodes that need several inputs: the labels of which each must arrive (see `turnout.graph.cheapest_plan`).
    """

    __slots__ = ("_core", "_ids", "labels", "names", "required")

    def __init__(
        self,
        core: _native.ToolGraph,
        names: Sequence[str] | None = None,
        labels: Sequence[str] | None = None,
        required: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self._core = core
        self.names = _names(names, core.nodes)
        self._ids = unique_ids(self.names)
        if len(self.names) != core.nodes:
            raise fail(InputError, "graph.names", f"expected one a node ({core.nodes}), got {len(self.names)}")
        if labels is not None and len(labels) != core.edges:
            raise fail(InputError, "graph.labels", f"expected one an edge ({core.edges}), got {len(labels)}")
        self.labels = None if labels is None else _texts(labels, "graph.labels")
        self.required: dict[str, tuple[str, ...]] = {}
        for name, needs in (required or {}).items():
            path = f"graph.required[{name!r}]"
            self.required[self.names[self.node(name)]] = _unique(_texts(needs, path), path)

    @classmethod
    def from_arrays(
        cls,
        sources: npt.NDArray[np.int32],
        targets: npt.NDArray[np.int32],
        weights: npt.NDArray[np.float64],
        *,
        names: Sequence[str] | None = None,
        nodes: int | None = None,
        labels: Sequence[str] | None = None,
        required: Mapping[str, Sequence[str]] | None = None,
    ) -> ToolGraph:
        """A graph whose edge i runs from ``sources[i]`` to ``targets[i]``.

        Parameters
        ----------
        sources, targets : int32[E]
            Ids of nodes.
        weights : float64[E]
            In [0, 1e12], in the unit that paths are to be cheapest in.
        names : sequence of str, optional
            One a node; default: their ids as text.
        nodes : int, optional
            How many there are; default: as many as names, or one more than the largest id.
        labels, required : optional
            As the attributes.

        Raises
        ------
        InputError
            With the path to the culprit, as in ``graph.weights[2]``.
        TypeError
            Another dtype, or an array that is not C-contiguous.
        """
        if nodes is None:
            nodes = len(names) if names is not None else 1 + max(_largest(sources), _largest(targets))
        return cls(_native.ToolGraph(nodes, sources, targets, weights), names, labels, required)

    @classmethod
    def from_networkx(cls, graph: Any, weight: str = "weight", default: float | None = None) -> ToolGraph:
        """See `turnout.graph.networkx.from_networkx`."""
        from turnout.graph.networkx import from_networkx

        return from_networkx(graph, weight, default)

    @classmethod
    def from_taskbench(cls, data: bytes | str | Mapping[str, Any], weight: float = 1.0) -> ToolGraph:
        """See `turnout.graph.taskbench.from_taskbench`."""
        from turnout.graph.taskbench import from_taskbench

        return from_taskbench(data, weight)

    @classmethod
    def from_mcp(
        cls,
        tools: bytes | str | Mapping[str, Any] | Sequence[Mapping[str, Any]],
        *,
        weight: float = 1.0,
        given: Iterable[str] | None = None,
    ) -> ToolGraph:
        """See `turnout.graph.mcp.from_mcp`."""
        from turnout.graph.mcp import from_mcp

        return from_mcp(tools, weight=weight, given=given)

    def to_networkx(self) -> Any:
        """See `turnout.graph.networkx.to_networkx`."""
        from turnout.graph.networkx import to_networkx

        return to_networkx(self)

    @property
    def core(self) -> _native.ToolGraph:
        """The native rows, which know ids only."""
        return self._core

    @property
    def edge_count(self) -> int:
        return self._core.edges

    @property
    def version(self) -> int:
        """Moves on with every change of what a search sees."""
        return self._core.version

    @property
    def sources(self) -> npt.NDArray[np.int32]:
        """Where each edge begins, int32[E]."""
        return self._core.sources()

    @property
    def targets(self) -> npt.NDArray[np.int32]:
        """Where each edge ends, int32[E]."""
        return self._core.targets()

    @property
    def weights(self) -> npt.NDArray[np.float64]:
        """The weights as they are now, whatever the masks, float64[E]."""
        return self._core.weights()

    @property
    def costs(self) -> npt.NDArray[np.float64]:
        """What searches see: the weights, infinity where the edge, its source or its target is masked, float64[E]."""
        return self._core.costs()

    @property
    def masked_nodes(self) -> tuple[str, ...]:
        """Names of the nodes that are masked."""
        return tuple(self.names[i] for i in np.flatnonzero(self._core.node_masked()))

    @property
    def masked_edges(self) -> tuple[int, ...]:
        """Ids of the edges that are masked themselves."""
        return tuple(int(e) for e in np.flatnonzero(self._core.edge_masked()))

    def __len__(self) -> int:
        """How many nodes there are."""
        return len(self.names)

    def __repr__(self) -> str:
        return f"<ToolGraph of {len(self)} nodes, {self.edge_count} edges>"

    def node(self, node: NodeLike, path: str = "node") -> int:
        """The id of a node.

        Raises
        ------
        InputError
            There is none of that name or id.
        """
        if isinstance(node, str):
            found = self._ids.get(node)
            if found is None:
                raise fail(InputError, path, f"there is no node {node!r}" + did_you_mean(node, self.names))
            return found
        if isinstance(node, bool) or not isinstance(node, int | np.integer):
            raise TypeError(f"{path}: expected a name or an id, got {type(node).__name__} {node!r}")
        if not 0 <= node < len(self.names):
            raise fail(InputError, path, f"expected 0 to {len(self.names) - 1}, got {node}")
        return int(node)

    def edges_between(self, source: NodeLike, target: NodeLike) -> tuple[int, ...]:
        """Ids of all edges from `source` to `target`, ascending; empty where there is none."""
        return tuple(self._core.edges_between(self.node(source, "source"), self.node(target, "target")))

    def edge(self, edge: EdgeLike) -> int:
        """The id of an edge.

        Raises
        ------
        InputError
            There is none of that id, none between these nodes, or several: name one of them by its id.
        """
        if isinstance(edge, tuple):
            between = self.edges_between(*edge)
            if len(between) != 1:
                raise fail(InputError, "edge", f"expected one edge from {edge[0]!r} to {edge[1]!r}, got {between}")
            return between[0]
        if isinstance(edge, bool) or not isinstance(edge, int | np.integer):
            raise TypeError(f"edge: expected an id or (source, target), got {type(edge).__name__} {edge!r}")
        if not 0 <= edge < self.edge_count:
            raise fail(InputError, "edge", f"expected 0 to {self.edge_count - 1}, got {edge}")
        return int(edge)

    def set_weight(self, edge: EdgeLike, weight: float) -> None:
        """Changes the weight of one edge. InputError unless it is a number in [0, 1e12]."""
        self._core.set_weight(self.edge(edge), weight)

    def set_weights(self, edges: npt.NDArray[np.int32], weights: npt.NDArray[np.float64]) -> None:
        """Changes the weights of many edges: all, or none where one is refused."""
        self._core.set_weights(edges, weights)

    def mask_node(self, node: NodeLike) -> None:
        """Rules a tool out: no path enters, leaves, begins or ends there until `unmask_node`."""
        self._core.mask_node(self.node(node), True)

    def unmask_node(self, node: NodeLike) -> None:
        self._core.mask_node(self.node(node), False)

    def mask_edge(self, edge: EdgeLike) -> None:
        self._core.mask_edge(self.edge(edge), True)

    def unmask_edge(self, edge: EdgeLike) -> None:
        self._core.mask_edge(self.edge(edge), False)

    def reset(self) -> None:
        """Weights as built, nothing masked."""
        self._core.reset()

    def nodes_of(self, nodes: NodeLike | Iterable[NodeLike], path: str) -> list[int]:
        """Ids of one node or of several."""
        if isinstance(nodes, str | int | np.integer):
            return [self.node(nodes, path)]
        if not isinstance(nodes, Iterable):
            raise TypeError(f"{path}: expected a node or several, got {type(nodes).__name__} {nodes!r}")
        return [self.node(node, f"{path}[{i}]") for i, node in enumerate(nodes)]

    def path_of(self, found: tuple[tuple[int, ...], tuple[int, ...], tuple[float, ...], float] | None) -> Path | None:
        """A native path with names."""
        if found is None:
            return None
        names = self.names
        return Path(tuple([names[i] for i in found[0]]), *found[1:])

    def shortest_path(
        self,
        source: NodeLike | Iterable[NodeLike],
        goal: NodeLike | Iterable[NodeLike],
        *,
        heuristic: npt.NDArray[np.float64] | None = None,
        check: bool = True,
    ) -> Path | None:
        """The cheapest path from any of the sources to any of the goals.

        Dijkstra (1959), or A* (Hart, Nilsson and Raphael 1968) with a `heuristic`. Ties: fewer edges, then, from the
        goal back, the predecessor with the lower id, and of parallel edges the lower one; of several goals the lower
        id. Masked sources and goals are none.

        Parameters
        ----------
        source, goal : node, or several
        heuristic : float64[V], optional
            A lower bound on each node's cost to the nearest goal.
        check : bool
            Whether to check first, in O(E), that the heuristic is consistent. With one that is not, the path may be
            dearer than the cheapest.

        Returns
        -------
        Path or None
            None where there is no path.

        Raises
        ------
        InputError
            An unknown node, an empty list, or a heuristic that is not consistent: the message names the edge.
        """
        sources, goals = self.nodes_of(source, "source"), self.nodes_of(goal, "goal")
        if heuristic is None:
            return self.path_of(self._core.shortest_path(sources, goals))
        return self.path_of(self._core.a_star(sources, goals, heuristic, check))

    def shortest_path_ids(
        self, source: int, goal: int
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], float] | None:
        """The same by ids, without names: node ids int32[N], edge ids int32[N - 1], cost; None without a path."""
        return self._core.path_arrays(source, goal)

    def k_shortest_paths(self, source: NodeLike, goal: NodeLike, k: int) -> tuple[Path, ...]:
        """The `k` cheapest paths without a node twice, the best first; fewer where there are no more.

        Yen (1971) with Lawler's rule (1972). Ties: as `shortest_path`, wherever sums of weights are exact.

        Raises
        ------
        InputError
            An unknown node, or `k` outside 1 .. 10,000.
        """
        found = _native.graph_k_shortest_paths(self._core, self.node(source, "source"), self.node(goal, "goal"), k)
        return tuple(path for each in found if (path := self.path_of(each)) is not None)

    def distances_from(self, source: NodeLike | Iterable[NodeLike]) -> npt.NDArray[np.float64]:
        """Cost from the nearest source to each node, float64[V]; infinity where there is no path."""
        return self._core.distances_from(self.nodes_of(source, "source"))

    def distances_to(self, goal: NodeLike | Iterable[NodeLike]) -> npt.NDArray[np.float64]:
        """Cost from each node to the nearest goal, float64[V], added from the goal back: a consistent heuristic."""
        return self._core.distances_to(self.nodes_of(goal, "goal"))

    def replanner(self, start: NodeLike, goal: NodeLike) -> Replanner:
        """Paths to one goal that follow the changes of this graph."""
        from turnout.graph.replanner import Replanner

        return Replanner(self, start, goal)

    def __getstate__(self) -> dict[str, Any]:
        return {"core": self._core, "names": self.names, "labels": self.labels, "required": self.required}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]


def _largest(ids: npt.NDArray[np.int32]) -> int:
    """-1 of what is no array of ids: the core says so."""
    return int(ids.max()) if isinstance(ids, np.ndarray) and ids.dtype == np.int32 and ids.size else -1
