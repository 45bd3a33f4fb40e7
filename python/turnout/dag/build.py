"""Task DAGs from what callers have: dicts, columns, NetworkX graphs, the plan of a Decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from turnout import _native
from turnout.core import InputError
from turnout.dag.columns import column, edge_rows
from turnout.dag.columns import coupling as number
from turnout.dag.placement import Placement, place
from turnout.dag.task import ATTRIBUTES, attributes, pairs
from turnout.dag.task_dag import TaskDag
from turnout.schema import did_you_mean, fail

_NEW = ("pending", "", 0)
_FIELDS = ("id", "name", *ATTRIBUTES, "state", "agent", "attempts")


def from_dict(tasks: Mapping[str, Mapping[str, Any]]) -> TaskDag:
    """A DAG from names to attributes, in any order.

    Parameters
    ----------
    tasks : mapping
        As ``{"search": {"seconds": 2.0}, "write": {"inputs": ["search"]}}``; each value holds what `TaskDag.add` takes.

    Raises
    ------
    InputError
        With the path to the culprit, as in ``tasks.write.inputs``.
    """
    if not isinstance(tasks, Mapping):
        raise fail(InputError, "tasks", f"expected names and their attributes, got {type(tasks).__name__}")
    ids = {name: i for i, name in enumerate(tasks)}
    records = []
    for name, fields in tasks.items():
        path = f"tasks.{name}"
        if not isinstance(fields, Mapping):
            raise fail(InputError, path, f"expected attributes by name, got {type(fields).__name__}")
        rest = {key: value for key, value in fields.items() if key != "inputs"}
        try:
            own, inputs = attributes(rest), pairs(fields.get("inputs", ()))
        except InputError as error:
            raise fail(InputError, f"{path}.{error.path}", str(error).removeprefix(f"{error.path}: ")) from None
        for source, _ in inputs:
            if source not in ids:
                hint = did_you_mean(source, ids)
                raise fail(InputError, f"{path}.inputs", f"there is no task {source!r}{hint}")
        records.append((ids[name], name, *own, *_NEW, [(ids[source], value) for source, value in inputs]))
    return TaskDag._of(_native.TaskDag.restore(records, 0))


def from_state(state: Mapping[str, Any]) -> TaskDag:
    """The DAG whose `TaskDag.to_dict` this is.

    Raises
    ------
    InputError
        With the path to the culprit, as in ``tasks[3].state``.
    """
    for i, task in enumerate(state.get("tasks", ())):
        for key in (*_FIELDS, "inputs"):
            if key not in task:
                raise fail(InputError, f"tasks[{i}].{key}", "is missing")
    for key in ("tasks", "next_id"):
        if key not in state:
            raise fail(InputError, key, "is missing")
    ids = {task["name"]: task["id"] for task in state["tasks"]}
    records = []
    for i, task in enumerate(state["tasks"]):
        for source in task["inputs"]:
            if source not in ids:
                raise fail(InputError, f"tasks[{i}].inputs", f"there is no task {source!r}")
        inputs = [(ids[source], value) for source, value in task["inputs"].items()]
        records.append((*(task[key] for key in _FIELDS), inputs))
    return TaskDag._of(_native.TaskDag.restore(records, state["next_id"]))


def from_arrays(
    names: Sequence[str],
    edges: Any,
    *,
    coupling: Any = None,
    seconds: Any = None,
    cost: Any = None,
    priority: Any = None,
    skills: Any = None,
) -> TaskDag:
    """A DAG from columns, in O(V + E).

    Parameters
    ----------
    names : sequence of str
        V of them.
    edges : int32[E, 2] or iterable of (int, int)
        (from, to): places in `names`.
    coupling : float64[E], optional
        In [0, 1]; 0 without.
    seconds, cost : float64[V], optional
    priority : int32[V], optional
    skills : uint64[V], optional

    Raises
    ------
    InputError
        With the path to the culprit, as in ``edges[7]``.
    TypeError
        An array of another dtype.
    """
    columns = (
        column(coupling, np.float64, "coupling"),
        column(seconds, np.float64, "seconds"),
        column(cost, np.float64, "cost"),
        column(priority, np.int32, "priority"),
        column(skills, np.uint64, "skills"),
    )
    return TaskDag._of(_native.task_dag_from_columns(list(names), edge_rows(edges), *columns))


def from_networkx(graph: Any) -> TaskDag:
    """A DAG from a directed graph with ``nodes(data=True)`` and ``edges(data=True)``.

    Nodes go by ``str(node)``. Of their attributes those that `TaskDag.add` knows count, and the edges' ``coupling``;
    what else there is stays unread.

    Raises
    ------
    InputError
        The graph is not directed, has a cycle or parallel edges, or two of its nodes have the same ``str``.
    """
    if not graph.is_directed():
        raise fail(InputError, "graph", "expected a directed graph")
    tasks: dict[str, dict[str, Any]] = {}
    for node, data in graph.nodes(data=True):
        if str(node) in tasks:
            raise fail(InputError, f"graph.nodes[{node!r}]", f"there is another node {str(node)!r}")
        tasks[str(node)] = {key: data[key] for key in ATTRIBUTES if key in data} | {"inputs": {}}
    for source, to, data in graph.edges(data=True):
        inputs, path = tasks[str(to)]["inputs"], f"graph.edges[{source!r}, {to!r}]"
        if str(source) in inputs:
            raise fail(InputError, path, "the edge is there twice")
        inputs[str(source)] = number(data.get("coupling", 0.0), path)
    return from_dict(tasks)


def schedule(dag: TaskDag) -> Placement:
    """As early as possible, each task on its own device class; see `TaskDag.schedule`."""
    tasks = dag.tasks()
    lanes = [task.device_class or "any" for task in tasks]
    devices = list(dict.fromkeys(lanes)) or ["any"]
    seconds, cost = np.full((2, len(tasks), len(devices)), np.inf)
    cost[:] = [[task.cost] for task in tasks] or 0.0
    for i, (task, lane) in enumerate(zip(tasks, lanes, strict=True)):
        seconds[i, devices.index(lane)] = task.seconds
    names = [task.name for task in tasks]
    return place(dag.columns().edges, seconds, cost, max_nodes=0, tasks=names, devices=devices)


def from_plan(nodes: Sequence[Any]) -> TaskDag:
    """A DAG from a Decision's plan: ``TaskDag.from_plan(decision.plan)``.

    A task is called ``<place>:<operator>/<role>``; its operator is the node's, its device class the LLM's name, its
    seconds and cost the node's expected seconds and USD.
    """
    names = [f"{i}:{node.operator}/{node.role}" for i, node in enumerate(nodes)]
    records = [
        (i, name, n.operator, n.llm, n.seconds, n.usd, 0, 0, *_NEW, [(parent, 0.0) for parent in n.depends_on])
        for i, (name, n) in enumerate(zip(names, nodes, strict=True))
    ]
    return TaskDag._of(_native.TaskDag.restore(records, 0))
