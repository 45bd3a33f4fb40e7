"""Twin of place: a schedule from (task, device) in sequence, and the best of all sequences, for small DAGs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from turnout.reference.dag.shape import Edges

Matrix = Sequence[Sequence[float]]


@dataclass
class Problem:
    edges: Edges
    seconds: Matrix  # [V][D]; infinite where it may not run
    cost: Matrix
    deadline: float = math.inf
    memory: Sequence[float] | None = None
    capacity: Sequence[float] | None = None
    slots: Sequence[int] | None = None
    data: Sequence[float] | None = None
    latency: Matrix | None = None
    seconds_per_unit: Matrix | None = None
    cost_per_unit: Matrix | None = None
    devices: int = field(init=False)

    def __post_init__(self) -> None:
        self.devices = len(self.seconds[0])


class Score(NamedTuple):
    memory_over: float
    seconds_over: float
    cost: float
    seconds: float


Bars = dict[int, tuple[int, float, float]]  # task -> (device, start, end)


def _of(matrix: Matrix | None, a: int, b: int) -> float:
    return 0.0 if matrix is None else matrix[a][b]


def _beyond(value: float, limit: float) -> float:
    over = value - limit
    return over if over > 1e-9 * max(1.0, limit) else 0.0


def schedule(p: Problem, sequence: Sequence[tuple[int, int]]) -> tuple[Score, Bars]:
    """Each task as early as its inputs and a slot of its device allow; of free slots the one that got free last."""
    bars: Bars = {}
    free = [[0.0] * (p.slots[d] if p.slots else 0) for d in range(p.devices)]
    used, cost = [0.0] * p.devices, 0.0
    for task, device in sequence:
        ready, cost = 0.0, cost + p.cost[task][device]
        for i, (a, b) in enumerate(p.edges):
            if b == task:
                size = p.data[i] if p.data else 0.0
                transfer = _of(p.latency, bars[a][0], device) + size * _of(p.seconds_per_unit, bars[a][0], device)
                ready = max(ready, bars[a][2] + transfer)
                cost += size * _of(p.cost_per_unit, bars[a][0], device)
        if free[device]:
            fits = [f for f in free[device] if f <= ready]
            slot = max(fits) if fits else min(free[device])
            ready = max(ready, slot)
            free[device].remove(slot)
            free[device].append(ready + p.seconds[task][device])
        bars[task] = (device, ready, ready + p.seconds[task][device])
        used[device] += p.memory[task] if p.memory else 0.0
    end = max((bar[2] for bar in bars.values()), default=0.0)
    over = sum(_beyond(used[d], p.capacity[d]) for d in range(p.devices)) if p.capacity else 0.0
    return Score(round(over, 9), round(_beyond(end, p.deadline), 9), cost, end), bars


def sequences(p: Problem) -> Iterator[list[tuple[int, int]]]:
    """Every topological order with every allowed device; one order where no device has limited slots."""
    n, limited = len(p.seconds), any(p.slots or ())

    def go_on(done: list[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
        if len(done) == n:
            yield done
            return
        placed = {task for task, _ in done}
        for task in range(n):
            if task in placed or any(b == task and a not in placed for a, b in p.edges):
                continue
            for device in range(p.devices):
                if p.seconds[task][device] < math.inf:
                    yield from go_on([*done, (task, device)])
            if not limited:
                return

    return go_on([])


def brute_force(p: Problem) -> Score:
    return min(schedule(p, sequence)[0] for sequence in sequences(p))
