"""The workflow DAG of a plan: validity, ready set, shape, critical path. A readable twin: `turnout.reference.plan`.

A plan is a sequence of dependency lists: node i runs after the nodes in ``depends_on[i]``, as a Decision's nodes say.
Larger DAGs, and those that change while they run, are in `turnout.dag`; its names are here, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from turnout import _native
from turnout.core import InputError
from turnout.dag import *  # noqa: F403
from turnout.schema import fail

MAX_NODES: int = _native.max_nodes


class Metrics(NamedTuple):
    """Shape and time of a plan.

    Attributes
    ----------
    nodes, edges : int
    depth : int
        Nodes on the longest path.
    width : int
        Most nodes at one depth: how many calls may run side by side.
    critical_path : float
        Seconds from start to end when every node starts as soon as it may.
    critical_nodes : tuple of int
        The chain that takes so long.
    """

    nodes: int
    edges: int
    depth: int
    width: int
    critical_path: float
    critical_nodes: tuple[int, ...]


def _set(nodes: Iterable[int], path: str) -> int:
    bits = 0
    for node in nodes:
        if not 0 <= node < MAX_NODES:
            raise fail(InputError, path, f"there is no node {node}")
        bits |= 1 << node
    return bits


def _sets(depends_on: Sequence[Iterable[int]]) -> list[int]:
    return [_set(nodes, f"plan.nodes[{i}].depends_on") for i, nodes in enumerate(depends_on)]


def _nodes(bits: int) -> tuple[int, ...]:
    return tuple(i for i in range(MAX_NODES) if bits >> i & 1)


def validate(depends_on: Sequence[Iterable[int]]) -> None:
    """Checks that a plan is a DAG of at most 32 nodes.

    Raises
    ------
    InputError
        Too many nodes, an unknown node, a node that depends on itself, or a cycle (the message names its nodes).
    """
    _native.plan_validate(_sets(depends_on))


def ready(depends_on: Sequence[Iterable[int]], done: Iterable[int] = ()) -> tuple[int, ...]:
    """Nodes that may start: not done, and everything that they depend on is.

    Raises
    ------
    InputError
        The plan is no DAG, or `done` holds a node without one that it depends on.
    """
    return _nodes(_native.plan_ready(_sets(depends_on), _set(done, "done")))


def topological_order(depends_on: Sequence[Iterable[int]]) -> list[int]:
    """An order in which every node comes after what it depends on; lowest index first among the ready."""
    return list(_native.plan_order(_sets(depends_on)))


def metrics(depends_on: Sequence[Iterable[int]], seconds: Sequence[float]) -> Metrics:
    """Shape and critical path of a plan.

    Parameters
    ----------
    depends_on : sequence of iterable of int
    seconds : sequence of float
        Of each node, >= 0.

    Raises
    ------
    InputError
        With the path to the culprit, as in ``seconds[2]``.
    """
    m = _native.plan_metrics(_sets(depends_on), list(seconds))
    return Metrics(m.nodes, m.edges, m.depth, m.width, m.critical_path, _nodes(m.critical_nodes))
