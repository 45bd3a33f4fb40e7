"""The workflow DAG: parity with the twin, and every refusal."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turnout import plan
from turnout.core import InputError
from turnout.reference import plan as twin

DIAMOND = [[], [0], [0], [1, 2]]


def test_a_diamond() -> None:
    plan.validate(DIAMOND)
    assert plan.metrics(DIAMOND, [1.0, 5.0, 2.0, 1.0]) == (4, 4, 3, 2, 7.0, (0, 1, 3))
    assert plan.topological_order(DIAMOND) == [0, 1, 2, 3]
    assert [plan.ready(DIAMOND, done) for done in ([], [0], [0, 2], [0, 1, 2], [0, 1, 2, 3])] == [
        (0,),
        (1, 2),
        (1,),
        (3,),
        (),
    ]


def test_the_empty_plan() -> None:
    plan.validate([])
    assert plan.metrics([], []) == (0, 0, 0, 0, 0.0, ())
    assert plan.ready([]) == () and plan.topological_order([]) == []


def test_the_largest_plans() -> None:
    chain = [[i - 1] if i else [] for i in range(32)]
    assert plan.metrics(chain, [1.0] * 32) == (32, 31, 32, 1, 32.0, tuple(range(32)))
    antichain: list[list[int]] = [[] for _ in range(32)]
    assert plan.metrics(antichain, [1.0] * 32) == (32, 0, 1, 32, 1.0, (0,))
    backwards = [[i + 1] if i < 31 else [] for i in range(32)]
    assert plan.topological_order(backwards) == list(range(31, -1, -1))
    with pytest.raises(InputError, match="at most 32 nodes, got 33"):
        plan.validate([[] for _ in range(33)])


@pytest.mark.parametrize(
    ("depends_on", "path", "message"),
    [
        ([[], [2]], "plan.nodes[1].depends_on", "there is no node 2"),
        ([[], [32]], "plan.nodes[1].depends_on", "there is no node 32"),
        ([[], [-1]], "plan.nodes[1].depends_on", "there is no node -1"),
        ([[0]], "plan.nodes[0].depends_on", "itself"),
        ([[1], [0]], "plan", "0 -> 1 -> 0"),
        ([[], [3], [1], [2], [3]], "plan", "1 -> 3 -> 2 -> 1"),
    ],
)
def test_what_is_no_dag_is_refused(depends_on: list[list[int]], path: str, message: str) -> None:
    calls = (plan.validate, plan.topological_order, plan.ready, lambda d: plan.metrics(d, [1.0] * len(d)))
    for call in calls:
        with pytest.raises(InputError, match=message) as error:
            call(depends_on)
        assert error.value.path == path


def test_a_cycle_is_named_without_the_nodes_behind_it() -> None:
    """Node 0 waits for the cycle 1, 2 and is not on it."""
    with pytest.raises(InputError, match=r"1 -> 2 -> 1$"):
        plan.validate([[1], [2], [1]])


def test_done_must_hold_what_its_nodes_depend_on() -> None:
    with pytest.raises(InputError, match="node 3 depends on node 1, which is not done") as error:
        plan.ready(DIAMOND, [0, 2, 3])
    assert error.value.path == "done"
    with pytest.raises(InputError, match="no node 4"):
        plan.ready(DIAMOND, [4])


@pytest.mark.parametrize(
    ("seconds", "path"),
    [
        ([1.0] * 3, "seconds"),
        ([1.0, 1.0, -1.0, 1.0], "seconds[2]"),
        ([math.nan, 1, 1, 1], "seconds[0]"),
        ([1, math.inf, 1, 1], "seconds[1]"),
    ],
)
def test_wrong_seconds_are_named(seconds: list[float], path: str) -> None:
    with pytest.raises(InputError) as error:
        plan.metrics(DIAMOND, seconds)
    assert error.value.path == path


@st.composite
def dags(draw: st.DrawFn) -> list[frozenset[int]]:
    """Edges along a random order, so that dependencies point both ways by index."""
    n = draw(st.integers(1, 32))
    order = draw(st.permutations(range(n)))
    depends_on: list[frozenset[int]] = [frozenset()] * n
    for position, node in enumerate(order):
        before = draw(st.sets(st.sampled_from(order[:position]), max_size=4)) if position else set()
        depends_on[node] = frozenset(before)
    return depends_on


@settings(max_examples=300, deadline=None)
@given(depends_on=dags(), data=st.data())
def test_the_core_equals_the_twin(depends_on: list[frozenset[int]], data: st.DataObject) -> None:
    n = len(depends_on)
    seconds = data.draw(st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.5]) | st.floats(0, 100), min_size=n, max_size=n))
    got, want = plan.metrics(depends_on, seconds), twin.metrics(depends_on, seconds)
    assert got[:5] == want[:5] and set(got.critical_nodes) == want.critical_nodes
    assert plan.topological_order(depends_on) == twin.topological_order(depends_on)


@settings(max_examples=200, deadline=None)
@given(depends_on=dags(), steps=st.integers(0, 32))
def test_running_what_is_ready_finishes_the_plan(depends_on: list[frozenset[int]], steps: int) -> None:
    done: set[int] = set()
    for _ in range(steps):
        waiting = plan.ready(depends_on, done)
        assert set(waiting) == twin.ready(depends_on, frozenset(done))
        assert waiting or len(done) == len(depends_on)
        done |= set(waiting[:1])
    assert len(done) == min(steps, len(depends_on))


@settings(max_examples=200, deadline=None)
@given(data=st.data(), n=st.integers(1, 12))
def test_any_graph_is_valid_or_names_a_real_cycle(data: st.DataObject, n: int) -> None:
    depends_on = [data.draw(st.sets(st.integers(0, n - 1), max_size=3)) - {i} for i in range(n)]
    acyclic = len(twin.topological_order([frozenset(d) for d in depends_on])) == n
    try:
        plan.validate(depends_on)
        assert acyclic
    except InputError as error:
        assert not acyclic
        nodes = [int(node) for node in str(error).rsplit(": ", 1)[1].split(" -> ")]
        assert nodes[0] == nodes[-1] and all(b in depends_on[a] for a, b in itertools.pairwise(nodes))
