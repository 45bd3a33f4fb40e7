"""And-joins: tools that need several inputs, and the cheapest plan that brings all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from turnout import _native
from turnout.core import InputError
from turnout.graph.tool_graph import NodeLike, ToolGraph
from turnout.schema import fail


@dataclass(frozen=True, slots=True)
class JoinPlan:
    """Which tools to run, in which order, and what feeds what.

    Attributes
    ----------
    nodes : tuple of str
        In an order in which they can run, the goal last; sources that are used are among them.
    edges : tuple of int
        Those that feed them: one for each input that is needed.
    cost : float
        By the objective. What two steps share is counted for each of them (the cost of the tree).
    set_cost : float
        The sum over the plan's nodes and edges, each once: what running it costs.
    """

    nodes: tuple[str, ...]
    edges: tuple[int, ...]
    cost: float
    set_cost: float


class Joins:
    """What each node of a graph needs, compiled once for many plans.

    A node of ``graph.required`` needs an edge of each of its labels; one that needs nothing can start. Any other node
    needs one edge, whichever.

    Parameters
    ----------
    graph : ToolGraph
        With `labels` where some nodes need more than one input. Its weights and masks are read when a plan is made.
    given : iterable of str
        Labels that the caller supplies: no node needs an edge for them.
    """

    __slots__ = ("_core", "graph")

    def __init__(self, graph: ToolGraph, given: Iterable[str] = ()) -> None:
        labels = graph.labels or ("",) * graph.edge_count
        codes: dict[str, int] = {}
        inputs = np.array([codes.setdefault(label, len(codes)) for label in labels], np.int32)
        joins = np.zeros(len(graph), np.uint8)
        supplied, required = frozenset(given), []
        for name, needs in graph.required.items():
            node = graph.node(name)
            joins[node] = 1
            required += [(node, codes.setdefault(label, len(codes))) for label in needs if label not in supplied]
        self.graph = graph
        self._core = _native.GraphJoins(graph.core, inputs, joins, required)

    def cheapest_plan(
        self,
        goal: NodeLike,
        sources: NodeLike | Iterable[NodeLike] = (),
        *,
        node_cost: npt.NDArray[np.float64] | None = None,
        objective: Literal["sum", "max"] = "sum",
    ) -> JoinPlan | None:
        """The cheapest way to run `goal`; see `turnout.graph.cheapest_plan`."""
        if objective not in ("sum", "max"):
            raise fail(InputError, "objective", f"expected 'sum' or 'max', got {objective!r}")
        given, target = self.graph.nodes_of(sources, "sources"), self.graph.node(goal, "goal")
        found = self._core.cheapest_plan(given, target, node_cost, objective == "max")
        if found is None:
            return None
        return JoinPlan(tuple([self.graph.names[i] for i in found[0]]), *found[1:])


def cheapest_plan(
    graph: ToolGraph,
    goal: NodeLike,
    sources: NodeLike | Iterable[NodeLike] = (),
    *,
    given: Iterable[str] = (),
    node_cost: npt.NDArray[np.float64] | None = None,
    objective: Literal["sum", "max"] = "sum",
) -> JoinPlan | None:
    """The cheapest way to run `goal`, each tool with all the inputs that it needs.

    A node of ``graph.required`` needs an edge of each of its labels; one that needs nothing can start. Any other node
    needs one edge, whichever. A node costs its own cost and what its inputs cost: their sum, or the dearest of them. An
    input costs the least, over the edges that bring it, of the edge's weight and its source's cost. Knuth (1977), which
    is exact for this tree cost; the cheapest *set* of tools, where what is shared is paid once, is a harder problem
    (NP-hard), so `JoinPlan.set_cost` is what this plan costs, not a minimum.

    Parameters
    ----------
    graph : ToolGraph
        With `labels` where some nodes need more than one input.
    goal : node
    sources : node, or several
        Tools that have run already: they cost nothing and need nothing.
    given : iterable of str
        Labels that the caller supplies: no node needs an edge for them.
    node_cost : float64[V], optional
        Of running each node, in [0, 1e12]; default: 0.
    objective : {"sum", "max"}
        ``sum`` for what is paid, as USD; ``max`` for seconds where inputs are made side by side.

    Returns
    -------
    JoinPlan or None
        None where the goal cannot be run.

    Raises
    ------
    InputError
        With the path to the culprit.
    """
    return Joins(graph, given).cheapest_plan(goal, sources, node_cost=node_cost, objective=objective)
