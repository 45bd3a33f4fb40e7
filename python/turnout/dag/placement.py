"""Which device runs which task, and when: least cost within a deadline and memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from turnout import _native
from turnout.core import InputError
from turnout.dag.columns import column, edge_rows, floats
from turnout.schema import fail


class ScheduledTask(NamedTuple):
    """A bar of a Gantt chart.

    Attributes
    ----------
    name, device : str
    slot : int
        Which of the device's lanes.
    start, end : float
        Seconds.
    """

    name: str
    device: str
    slot: int
    start: float
    end: float

    @property
    def lane(self) -> str:
        """The device and the slot, as in ``gpu/0``."""
        return f"{self.device}/{self.slot}"


class Placement(NamedTuple):
    """Where and when each task runs.

    Attributes
    ----------
    tasks : tuple of ScheduledTask
        In the order of the tasks given.
    cost : float
        Of the tasks and of what is transferred.
    seconds : float
        From start to end: the critical path with transfers and waiting.
    feasible : bool
        Deadline and memory are kept; else this is the placement that violates them the least, memory first.
    seconds_over, memory_over : float
        By how much they are not kept.
    optimal : bool
        The exact search ended: nothing is better.
    lower_bound : float
        Of the cost of any placement.
    gap : float
        cost - lower_bound; 0 when optimal.
    nodes : int
        Of the exact search.
    """

    tasks: tuple[ScheduledTask, ...]
    cost: float
    seconds: float
    feasible: bool
    seconds_over: float
    memory_over: float
    optimal: bool
    lower_bound: float
    gap: float
    nodes: int

    def bars(self) -> list[tuple[str, str, float, float]]:
        """(name, lane, start, end) of each task by start, as a Gantt chart needs them."""
        return [(t.name, t.lane, t.start, t.end) for t in sorted(self.tasks, key=lambda t: (t.start, t.lane))]


def names_for(names: Sequence[str] | None, count: int, path: str) -> Sequence[str]:
    """The names given, or numbers."""
    if names is None:
        return [str(i) for i in range(count)]
    if len(names) != count:
        raise fail(InputError, path, f"expected {count} names, got {len(names)}")
    return names


def place(
    edges: Any,
    seconds: NDArray[np.float64] | Sequence[Sequence[float]],
    cost: NDArray[np.float64] | Sequence[Sequence[float]],
    *,
    deadline: float = math.inf,
    memory: Any = None,
    capacity: Any = None,
    slots: Any = None,
    data: Any = None,
    latency: Any = None,
    seconds_per_unit: Any = None,
    cost_per_unit: Any = None,
    tasks: Sequence[str] | None = None,
    devices: Sequence[str] | None = None,
    max_nodes: int = 200_000,
) -> Placement:
    """Assigns tasks to LLMs, tools or machines: the least cost within a deadline (the SLA) and each device's memory.

    Minimises (memory beyond capacity, seconds beyond the deadline, cost, seconds) in this order. List scheduling by
    HEFT's upward rank for eleven exchange rates of cost and time, then moves of single tasks; up to 32 tasks then depth
    first branch and bound, which is exact where it ends.

    Parameters
    ----------
    edges : int32[E, 2] or iterable of (int, int)
        (from, to); at most 4,096 tasks.
    seconds, cost : float64[V, D]
        Of each task on each device, at most 64 devices; infinite seconds where it may not run.
    deadline : float
        Seconds from start to end.
    memory : float64[V], capacity : float64[D], optional
        What tasks hold on their device for good, and how much it has.
    slots : int32[D], optional
        Tasks at once; 0 (and without): any number.
    data : float64[E], optional
        What goes along an edge.
    latency, seconds_per_unit, cost_per_unit : float64[D, D], optional
        Of a transfer between devices: latency + data x seconds_per_unit, data x cost_per_unit.
    tasks, devices : sequence of str, optional
        Names; numbers without.
    max_nodes : int
        Of the exact search; 0: none.

    Raises
    ------
    InputError
        With the path to the culprit, as in ``seconds[3]`` for a task that no device may run.
    """
    matrix = floats(seconds, "seconds")
    found = _native.dag_place(
        edge_rows(edges),
        matrix,
        floats(cost, "cost"),
        floats(memory, "memory"),
        floats(capacity, "capacity"),
        column(slots, np.int32, "slots"),
        floats(data, "data"),
        floats(latency, "latency"),
        floats(seconds_per_unit, "seconds_per_unit"),
        floats(cost_per_unit, "cost_per_unit"),
        deadline,
        max_nodes,
    )
    placed, total, end, late, over, optimal, bound, nodes = found
    assert matrix is not None  # a TypeError has said so
    own, places = names_for(tasks, len(placed), "tasks"), names_for(devices, matrix.shape[1], "devices")
    bars = tuple(ScheduledTask(own[i], places[t[0]], *t[1:]) for i, t in enumerate(placed))
    feasible = late <= 0 and over <= 0
    return Placement(bars, total, end, feasible, late, over, optimal, bound, total - bound, nodes)
