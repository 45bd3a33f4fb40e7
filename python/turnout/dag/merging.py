"""The DAGs of many queries as one, and where to run it when devices keep what they loaded (after Halo)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from turnout import _native
from turnout.core import InputError
from turnout.dag.columns import column, edge_rows, floats
from turnout.schema import fail


class QueryNode(NamedTuple):
    """One call of a query.

    Attributes
    ----------
    operator : str
    inputs : str or bytes
        Its own: prompt, arguments. A str counts as its UTF-8 bytes.
    after : tuple of int
        Nodes of the same query whose results it takes, in this order.
    shared : bool
        Its result is a function of all that: it may be merged. False for an LLM that samples.
    """

    operator: str
    inputs: str | bytes = b""
    after: tuple[int, ...] = ()
    shared: bool = True


class MergedDag(NamedTuple):
    """Many queries as one DAG.

    Attributes
    ----------
    nodes : tuple of QueryNode
        One for each distinct (operator, inputs, results taken); `after` are merged nodes, which stand before it.
    uses : tuple of int
        For how many nodes of queries each stands.
    of : tuple of tuple of int
        ``of[query][node]`` is the merged node.
    """

    nodes: tuple[QueryNode, ...]
    uses: tuple[int, ...]
    of: tuple[tuple[int, ...], ...]

    def edges(self) -> list[tuple[int, int]]:
        """(from, to), each once, for the functions of `turnout.dag` that take ``edges``."""
        return [(a, b) for b, node in enumerate(self.nodes) for a in sorted(set(node.after))]


class EpochStep(NamedTuple):
    """A task, its device, its epoch (tasks of one do not need each other), and what it costs there and then."""

    task: int
    device: int
    epoch: int
    cost: float


class EpochPlan(NamedTuple):
    """Steps in the order in which they run; `exact`: no state was dropped, so that nothing is cheaper."""

    steps: tuple[EpochStep, ...]
    cost: float
    exact: bool
    states: int


def merge(queries: Iterable[Iterable[QueryNode]]) -> MergedDag:
    """Does what several queries ask for once; O(total size).

    Nodes become one where operator, inputs and the merged nodes in `after` agree; hashes only find candidates, which
    are compared in full. Limits: 65,536 queries, 1,048,576 nodes in all, 1 MiB of inputs a node.

    Raises
    ------
    InputError
        With the path to the culprit, as in ``queries[3].nodes[2].after[0]``; cycles are named node by node.
    """
    rows = [[_row(node, q, i) for i, node in enumerate(query)] for q, query in enumerate(queries)]
    nodes, uses, of = _native.dag_merge(rows)
    return MergedDag(tuple(QueryNode._make(node) for node in nodes), uses, of)


def _row(node: QueryNode, query: int, place: int) -> tuple[Any, ...]:
    if not isinstance(node, tuple) or len(node) != 4:
        path = f"queries[{query}].nodes[{place}]"
        raise fail(InputError, path, f"expected a QueryNode, got {type(node).__name__}")
    return tuple(node)


def plan_epochs(
    edges: Any,
    run: Any,
    *,
    model: Any = None,
    load: Any = None,
    cached: Any = None,
    transfer: Any = None,
    beam: int = 0,
) -> EpochPlan:
    """Where and in which order to run tasks so that the sum of costs is least: a dynamic programme with a beam.

    A state is what is done, where results lie that are still needed, and what each device ran or loaded last; of each
    number of done tasks the `beam` cheapest are kept.

    Parameters
    ----------
    edges : int32[E, 2] or iterable of (int, int)
        (from, to); at most 1,024 tasks.
    run : float64[V, D]
        Prefill and decode of each task on each device, at most 16; infinite where it may not run.
    model : int32[V], optional
        What the device must have loaded, 0 to 1,023; one model without.
    load : float64[M, D], optional
        To load each model in place of another.
    cached : float64[V], optional
        Saved when the device ran one of the task's parents last; at most its least `run`.
    transfer : float64[D, D], optional
        Of a result between devices, for each edge.
    beam : int
        1 to 1,048,576; 0: at most 1,024, and so small that it takes about a second.
    """
    steps, cost, exact, states = _native.dag_plan_epochs(
        edge_rows(edges),
        floats(run, "run"),
        column(model, np.int32, "model"),
        floats(load, "load"),
        floats(cached, "cached"),
        floats(transfer, "transfer"),
        beam,
    )
    return EpochPlan(tuple(EpochStep._make(step) for step in steps), cost, exact, states)
