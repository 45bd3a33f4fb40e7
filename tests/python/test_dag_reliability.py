"""Reliability of workflows and best paths: parity with every outcome and every path, Monte Carlo, every refusal."""

from __future__ import annotations

import math
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turnout.core import InputError
from turnout.plan import TaskDag, best_path, reliability, with_retries
from turnout.reference.dag import reliability as twin
from turnout.reference.dag.generate import Generated, random_dag
from turnout.reference.dag.shape import order, parents

SMALL = st.builds(random_dag, st.integers(0, 10**6), st.integers(1, 9), st.integers(0, 20), st.integers(1, 9))
CHANCES = st.sampled_from([0.0, 0.25, 0.5, 0.9, 1.0]) | st.floats(0, 1)


def columns(data: st.DataObject, n: int, *strategies: Any) -> list[list[float]]:
    return [data.draw(st.lists(s, min_size=n, max_size=n)) for s in strategies]


@settings(max_examples=150, deadline=None)
@given(g=SMALL, data=st.data())
def test_reliability_equals_every_outcome(g: Generated, data: st.DataObject) -> None:
    p, q = columns(data, g.nodes, CHANCES, CHANCES)
    got, want = reliability(g.edges, p, q), twin.reliability(g.edges, p, q)
    assert got.method in ("tree", "frontier") and got.lower == got.upper and got.sinks_lower == got.sinks_upper
    assert got.lower == pytest.approx(want.tasks, abs=1e-12)
    assert got.sinks_lower == pytest.approx(want.sinks, abs=1e-12) and got.all == pytest.approx(want.all, abs=1e-12)
    assert pickle.loads(pickle.dumps(got)) == got


@settings(max_examples=100, deadline=None)
@given(g=SMALL, data=st.data())
def test_bounds_hold(g: Generated, data: st.DataObject) -> None:
    p, q = columns(data, g.nodes, CHANCES, CHANCES)
    try:
        got = reliability(g.edges, p, q, max_width=1, bounds=True)
        if got.method == "bounds":
            with pytest.raises(InputError, match="max_width: the frontier is wider than 1"):
                reliability(g.edges, p, q, max_width=1)
    except InputError as error:
        pytest.fail(str(error))
    want = twin.reliability(g.edges, p, q)
    assert all(low - 1e-12 <= x <= high + 1e-12 for low, x, high in zip(got.lower, want.tasks, got.upper, strict=True))
    assert got.sinks_lower - 1e-12 <= want.sinks <= got.sinks_upper + 1e-12


def test_a_tree_equals_a_million_samples_within_three_sigma() -> None:
    rng = np.random.default_rng(6)
    edges = [(int(rng.integers(0, v)), v) for v in range(1, 15)]
    p, q = rng.uniform(0.5, 1, 15), rng.uniform(0, 1, 15)
    samples = 1_000_000
    state = np.ones((15, samples), bool)
    before = parents(15, edges)
    for v in order(15, edges):
        fine = state[before[v]].all(axis=0)
        state[v] = rng.random(samples) < np.where(fine, p[v], q[v])
    got = reliability(edges, p, q)
    assert got.method == "tree"
    for chance, seen in zip(got.lower, state.mean(axis=1), strict=True):
        assert abs(chance - seen) <= 3 * math.sqrt(chance * (1 - chance) / samples)


def test_retries_and_defaults() -> None:
    edges = [(0, 1), (0, 2), (1, 3), (2, 3)]
    got = reliability(edges, [0.5] * 4, retries=[1, 0, 0, 2])
    want = twin.reliability(edges, [0.75, 0.5, 0.5, 0.875], [0.0] * 4)
    assert got.lower == pytest.approx(want.tasks) and got.sinks_lower == pytest.approx(want.sinks)
    assert with_retries(0.5, 2) == twin.with_retries(0.5, 2) == 0.875
    small = reliability([], [1e-20, 0.1], retries=[1, 0]).lower
    assert small == (pytest.approx(2e-20, rel=1e-15), 0.1) and with_retries(1e-20, 1) == small[0]
    assert with_retries(1.0, 7) == 1 and with_retries(0.0, 7) == 0 and with_retries(0.1, 0) == 0.1
    for arguments, path in (((1.5, 0), "p"), ((math.nan, 0), "p"), ((0.5, -1), "retries")):
        with pytest.raises(InputError) as error:
            with_retries(*arguments)
        assert error.value.path == path


def test_a_task_dag_gives_its_columns() -> None:
    dag = TaskDag.from_dict({"a": {}, "x": {}, "b": {"inputs": ["a"]}})
    dag.remove("x")
    names, edges, seconds, coupling = dag.columns()
    assert names == ["a", "b"] and edges.tolist() == [[0, 1]] and len(seconds) == 2 and len(coupling) == 1
    assert reliability(edges, [0.5, 0.5]).lower == (0.5, 0.25)


NUMBERS = st.floats(0, 2)


@settings(max_examples=150, deadline=None)
@given(g=SMALL, data=st.data())
def test_best_paths_equal_every_path(g: Generated, data: st.DataObject) -> None:
    success, cost, seconds, needs, share = columns(data, g.nodes, CHANCES, NUMBERS, NUMBERS, NUMBERS, CHANCES)
    releases = [n * s for n, s in zip(needs, share, strict=True)]
    limits = [data.draw(st.sampled_from([math.inf, 4.0, 2.0])) for _ in range(3)]
    want = twin.best_path(g.edges, success, cost, seconds, needs, releases, *limits)
    names = ("max_cost", "max_seconds", "capacity")
    keywords = {"cost": cost, "seconds": seconds, "needs": needs, "releases": releases}
    got = best_path(g.edges, success, **keywords, **dict(zip(names, limits, strict=True)))
    assert (got is None) == (want is None)
    if got is not None and want is not None:
        assert got.success == pytest.approx(want.success, abs=1e-9)
        assert got.cost <= limits[0] and got.seconds <= limits[1]
        assert got.success == pytest.approx(math.prod(success[v] for v in got.nodes), abs=1e-12)


@pytest.mark.parametrize(
    ("call", "path"),
    [
        (lambda: reliability([(0, 1)], [1.0, 1.1]), "p[1]"),
        (lambda: reliability([(0, 1)], [1.0, 1.0], [math.nan, 1]), "q[0]"),
        (lambda: reliability([(0, 1)], [1.0, 1.0], [1.0]), "q"),
        (lambda: reliability([(0, 2)], [1.0, 1.0]), "edges[0]"),
        (lambda: reliability([], [1.0], retries=[1001]), "retries[0]"),
        (lambda: reliability([(0, 2), (1, 2)], [1.0] * 3, max_width=23), "max_width"),
        (lambda: best_path([], [2.0]), "success[0]"),
        (lambda: best_path([], [1.0], cost=[-1.0]), "cost[0]"),
        (lambda: best_path([], [1.0], needs=[1.0], releases=[2.0]), "releases[0]"),
        (lambda: best_path([], [1.0], max_cost=-1.0), "limits.cost"),
        (lambda: best_path([], [1.0], source=1), "from"),
    ],
)
def test_wrong_models_are_refused(call: Any, path: str) -> None:
    with pytest.raises(InputError) as error:
        call()
    assert error.value.path == path
