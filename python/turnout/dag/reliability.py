"""How likely a workflow ends well, and which path most likely does, after Opus."""

from __future__ import annotations

import math
from typing import Any, Literal, NamedTuple

import numpy as np

from turnout import _native
from turnout.dag.columns import column, edge_rows, floats


class Reliability(NamedTuple):
    """Probabilities of success.

    Attributes
    ----------
    method : {"tree", "frontier", "bounds"}
        The first two are exact.
    width : int
        Of the frontier: the most tasks whose state mattered at once; 0 of a tree.
    lower, upper : tuple of float
        P(task succeeds), of each; the same where exact.
    sinks_lower, sinks_upper : float
        P(every task that nothing runs after succeeds): the workflow gives all of its results.
    all : float
        P(every task succeeds), exact.
    """

    method: Literal["tree", "frontier", "bounds"]
    width: int
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    sinks_lower: float
    sinks_upper: float
    all: float


class Path(NamedTuple):
    """A path and what it takes.

    Attributes
    ----------
    nodes : tuple of int
        First to last.
    success : float
        P(every task on it succeeds).
    cost, seconds : float
    held : float
        Of the resource, at the end.
    """

    nodes: tuple[int, ...]
    success: float
    cost: float
    seconds: float
    held: float


def reliability(
    edges: Any, p: Any, q: Any = None, *, retries: Any = None, max_width: int = 16, bounds: bool = False
) -> Reliability:
    """The probability that tasks succeed, each independently given its parents.

    Exact in O(V) where no task has two parents. Else exact in O((V + E) 2^width) where at most `max_width` tasks matter
    to later ones at once, in an order that is sought greedily, and where there are at most 8,192 tasks and joins of
    parents. Beyond that an error, or bounds: Frechet's, and the product as the lower one where p >= q everywhere.

    Parameters
    ----------
    edges : int32[E, 2] or iterable of (int, int)
        (from, to).
    p : float64[V]
        P(success) when all parents succeeded.
    q : float64[V], optional
        P(success) when some parent failed; 0 without.
    retries : int32[V], optional
        More attempts of each task, 0 to 1,000.
    max_width : int
        1 to 22; the tables take 16 x 2^width bytes.
    bounds : bool
        Give bounds where the frontier is wider.

    Raises
    ------
    InputError
        With the path to the culprit; ``max_width`` where the frontier is wider and no bounds are asked for.
    """
    success = floats(p, "p")
    degraded = np.zeros(0 if success is None else success.size) if q is None else floats(q, "q")
    tries = column(retries, np.int32, "retries")
    return Reliability._make(_native.dag_reliability(edge_rows(edges), success, degraded, tries, max_width, bounds))


def with_retries(p: float, retries: int) -> float:
    """P(success) of one attempt and `retries` more: 1 - (1 - p)^(retries + 1).

    Raises
    ------
    InputError
        `p` is not in [0, 1], or `retries` negative.
    """
    return _native.with_retries(p, retries)


def best_path(
    edges: Any,
    success: Any,
    *,
    cost: Any = None,
    seconds: Any = None,
    needs: Any = None,
    releases: Any = None,
    max_cost: float = math.inf,
    max_seconds: float = math.inf,
    capacity: float = math.inf,
    source: int | None = None,
    target: int | None = None,
) -> Path | None:
    """The path from a source to a sink that most likely succeeds at every task, within limits; None where none is.

    Exact, by Pareto labels on what is limited; among equally likely ones that with less of what is limited, then the
    one found first.

    Parameters
    ----------
    edges : int32[E, 2] or iterable of (int, int)
    success : float64[V]
        P(task succeeds).
    cost, seconds : float64[V], optional
    needs, releases : float64[V], optional
        Of a resource: what a task takes when it starts, and what it gives back at its end (at most as much).
    max_cost, max_seconds, capacity : float
        Of the path's cost and seconds, and of the resource at any time.
    source, target : int, optional
        Where the path begins and ends.

    Raises
    ------
    InputError
        With the path to the culprit; ``limits`` where more than 65,536 labels would be needed.
    """
    found = _native.dag_best_path(
        edge_rows(edges),
        floats(success, "success"),
        floats(cost, "cost"),
        floats(seconds, "seconds"),
        floats(needs, "needs"),
        floats(releases, "releases"),
        max_cost,
        max_seconds,
        capacity,
        -1 if source is None else source,
        -1 if target is None else target,
    )
    return None if found is None else Path._make(found)
