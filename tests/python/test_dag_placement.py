"""Placements: parity with every sequence of tasks and devices, service levels, every refusal."""

from __future__ import annotations

import math
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turnout.core import InputError
from turnout.plan import choose_configuration, place
from turnout.reference.dag import merging as slo_twin
from turnout.reference.dag import placement as twin
from turnout.reference.dag.generate import random_dag


def random_problem(seed: int, nodes: int, devices: int, limited: bool) -> twin.Problem:
    """Later devices are faster and dearer; some pairs are not allowed."""
    rng = np.random.default_rng(seed)
    work = rng.uniform(1, 5, (nodes, devices))
    seconds = work / np.arange(1, devices + 1)
    seconds[:, 1:][rng.random((nodes, devices - 1)) < 0.15] = math.inf
    edges = random_dag(seed, nodes, 2 * nodes, nodes).edges
    between = 1 - np.eye(devices)
    return twin.Problem(
        edges,
        seconds.tolist(),
        (work * (0.5 + np.arange(devices)) * rng.uniform(0.5, 1.5, (nodes, devices))).tolist(),
        float(rng.uniform(3, 12)),
        rng.uniform(0, 2, nodes).tolist(),
        rng.uniform(2, 8, devices).tolist(),
        rng.integers(0, 3, devices).tolist() if limited else None,
        rng.uniform(0, 1, len(edges)).tolist(),
        (rng.uniform(0, 0.5, (devices, devices)) * between).tolist(),
        (rng.uniform(0, 0.5, (devices, devices)) * between).tolist(),
        (rng.uniform(0, 1, (devices, devices)) * between).tolist(),
    )


def keywords(p: twin.Problem) -> dict[str, Any]:
    return {key: value for key, value in vars(p).items() if key not in ("edges", "seconds", "cost", "devices")}


def check(p: twin.Problem) -> None:
    got, want = place(p.edges, p.seconds, p.cost, **keywords(p), max_nodes=10**8), twin.brute_force(p)
    assert got.optimal and got.gap == 0
    score = got.memory_over, got.seconds_over, got.cost, got.seconds
    assert score == pytest.approx(tuple(want), abs=1e-7)
    assert got.feasible == (want.memory_over == 0 and want.seconds_over == 0)
    # The schedule is the one that its own sequence gives.
    by_start = sorted(range(len(got.tasks)), key=lambda i: (got.tasks[i].start, i))
    if all(got.tasks[a].start < got.tasks[b].start or b > a for a, b in p.edges):
        again, bars = twin.schedule(p, [(i, int(got.tasks[i].device)) for i in by_start])
        assert (again.cost, again.seconds) == pytest.approx((got.cost, got.seconds), abs=1e-9)
        for i, task in enumerate(got.tasks):
            assert bars[i] == pytest.approx((int(task.device), task.start, task.end), abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), nodes=st.integers(1, 5), devices=st.integers(1, 3))
def test_placements_equal_brute_force(seed: int, nodes: int, devices: int) -> None:
    check(random_problem(seed, nodes, devices, limited=False))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), nodes=st.integers(1, 4), devices=st.integers(1, 2))
def test_placements_with_few_slots_equal_brute_force(seed: int, nodes: int, devices: int) -> None:
    check(random_problem(seed, nodes, devices, limited=True))


def test_six_operators_on_three_devices() -> None:
    for seed in range(4):
        check(random_problem(seed, 6, 3, limited=False))


def test_a_gantt_chart() -> None:
    edges = [(0, 1), (0, 2), (1, 3), (2, 3)]
    cheap, dear = [2.0, 4.0, 4.0, 1.0], [1.0, 1.0, 1.0, 0.5]
    seconds = np.array([cheap, dear]).T.copy()
    cost = np.array([[1.0, 3.0]] * 4)
    names = {"tasks": ["plan", "left", "right", "join"], "devices": ["small", "large"], "slots": [1, 1]}
    slow = place(edges, seconds, cost, **names)
    assert slow.feasible and slow.cost == 4 and slow.seconds == 11 and slow.optimal
    assert slow.bars() == [
        ("plan", "small/0", 0, 2),
        ("left", "small/0", 2, 6),
        ("right", "small/0", 6, 10),
        ("join", "small/0", 10, 11),
    ]
    fast = place(edges, seconds, cost, deadline=7.0, **names)
    assert fast.feasible and fast.cost == 6 and fast.seconds <= 7
    late = place(edges, seconds, cost, deadline=1.0, **names)
    assert not late.feasible and late.seconds_over == late.seconds - 1.0 and late.optimal
    assert pickle.loads(pickle.dumps(late)) == late and hash(late) == hash(late)


def test_large_problems_say_how_far_the_bound_is() -> None:
    p = random_problem(1, 60, 4, limited=True)
    got = place(p.edges, p.seconds, p.cost, **keywords(p))
    assert not got.optimal and got.nodes == 0 and got.gap == got.cost - got.lower_bound > 0


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"seconds": [[1.0], [math.inf]]}, "seconds[1]"),
        ({"seconds": [[1.0], [math.nan]]}, "seconds[1][0]"),
        ({"cost": [[1.0], [-1.0]]}, "cost[1][0]"),
        ({"cost": [[1.0]]}, "cost"),
        ({"edges": [(0, 5)]}, "edges[0]"),
        ({"memory": [1.0]}, "memory"),
        ({"capacity": [-1.0]}, "capacity[0]"),
        ({"slots": [-1]}, "slots[0]"),
        ({"data": [1.0, 1.0]}, "data"),
        ({"latency": [[1.0, 1.0]]}, "latency"),
        ({"deadline": math.nan}, "deadline"),
        ({"max_nodes": -1}, "max_nodes"),
        ({"tasks": ["a"]}, "tasks"),
        ({"devices": []}, "devices"),
    ],
)
def test_wrong_problems_are_refused(change: dict[str, Any], path: str) -> None:
    arguments: dict[str, Any] = {"edges": [(0, 1)], "seconds": [[1.0], [1.0]], "cost": [[1.0], [1.0]], **change}
    with pytest.raises(InputError) as error:
        place(**arguments)
    assert error.value.path == path


# Service levels -------------------------------------------------------------------------------------------------------

TABLE = st.lists(st.tuples(*[st.integers(0, 5).map(float)] * 3), min_size=1, max_size=12)


@settings(max_examples=150, deadline=None)
@given(
    table=TABLE, min_quality=st.sampled_from([0.0, 2.0, 4.5, 6.0]), max_seconds=st.sampled_from([0.5, 2.0, math.inf])
)
def test_configurations_equal_the_twin(table: list[tuple[float, ...]], min_quality: float, max_seconds: float) -> None:
    quality, seconds, cost = ([row[i] for row in table] for i in range(3))
    got = choose_configuration(quality, seconds, cost, min_quality=min_quality, max_seconds=max_seconds)
    assert (got.row, got.feasible) == slo_twin.choose_configuration(quality, seconds, cost, min_quality, max_seconds)
    assert got.quality_short == max(0.0, min_quality - quality[got.row])
    assert got.seconds_over == max(0.0, seconds[got.row] - max_seconds)


def test_wrong_tables_are_refused() -> None:
    for arguments, path in [
        (([], [], []), "quality"),
        (([1.0], [1.0, 2.0], [1.0]), "seconds"),
        (([1.0], [1.0], [math.nan]), "cost[0]"),
    ]:
        with pytest.raises(InputError) as error:
            choose_configuration(*arguments)
        assert error.value.path == path
    with pytest.raises(InputError, match="max_seconds: expected a number > 0, got 0"):
        choose_configuration([1.0], [1.0], [1.0], max_seconds=0.0)
