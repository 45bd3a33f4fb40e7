"""Merged queries and epochs: parity with the twin, and every refusal."""

from __future__ import annotations

import math
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turnout import _native
from turnout.core import InputError
from turnout.plan import QueryNode, measure, merge, plan_epochs
from turnout.reference.dag import merging as twin
from turnout.reference.dag.generate import random_dag

RAG = [
    QueryNode("embed", "What is a turnout?"),
    QueryNode("search", "k=8", (0,)),
    QueryNode("rerank", b"", (0, 1)),
    QueryNode("answer", "short", (2,)),
]


def test_identical_queries_are_done_once() -> None:
    merged = merge([RAG] * 100)
    assert len(merged.nodes) == len(RAG) and merged.uses == (100,) * 4 and merged.of == ((0, 1, 2, 3),) * 100
    assert merged.nodes[1] == QueryNode("search", b"k=8", (0,)) and merged.edges() == [(0, 1), (0, 2), (1, 2), (2, 3)]
    assert measure(len(merged.nodes), merged.edges(), [1.0] * 4).work == 4
    assert pickle.loads(pickle.dumps(merged)) == merged


def test_queries_share_what_they_share() -> None:
    other = [*RAG[:3], QueryNode("answer", "long", (2,))]
    merged = merge([RAG, other])
    assert len(merged.nodes) == 5 and merged.uses == (2, 2, 2, 1, 1) and merged.of[1] == (0, 1, 2, 4)
    sampled = [*RAG[:3], QueryNode("answer", "short", (2,), shared=False)]
    assert len(merge([sampled, sampled]).nodes) == 5


@st.composite
def queries(draw: st.DrawFn) -> list[list[twin.Node]]:
    made = []
    for _ in range(draw(st.integers(0, 4))):
        query: list[twin.Node] = []
        for i in range(draw(st.integers(0, 6))):
            after = tuple(draw(st.lists(st.integers(0, i - 1), max_size=2))) if i else ()
            query.append((draw(st.sampled_from("ab")), draw(st.sampled_from([b"", b"x"])), after, draw(st.booleans())))
        made.append(query)
    return made


@settings(max_examples=200, deadline=None)
@given(made=queries(), mask=st.sampled_from([2**64 - 1, 1, 0]))
def test_one_node_for_each_distinct_computation(made: list[list[twin.Node]], mask: int) -> None:
    """Also where hashes collide: with a mask of 0 they all do."""
    nodes, uses, of = _native.dag_merge(made, mask)
    want = [e for query in twin.merge(made) for e in query]
    got = [merged for query in of for merged in query]
    assert len(set(want)) == len(nodes) and len(set(zip(want, got, strict=True))) == len(nodes)
    assert sum(uses) == len(want) and all(a < i for i, node in enumerate(nodes) for a in node[2])
    if mask == 2**64 - 1:
        merged = merge([QueryNode._make(node) for node in query] for query in made)
        assert merged.of == of and merged.uses == uses


@pytest.mark.parametrize(
    ("made", "message"),
    [
        ([RAG, [QueryNode("a", "", (1,))]], "queries[1].nodes[0].after[0]: there is no node 1"),
        ([[QueryNode("a", "", (1,)), QueryNode("b", "", (0,))]], "queries[0]: nodes depend on each other: 0 -> 1 -> 0"),
        ([RAG, [RAG[0], 3]], "queries[1].nodes[1]: expected a QueryNode, got int"),
        ([[QueryNode(3)]], "queries[0].nodes[0].operator: expected a str, got int"),  # type: ignore[arg-type]
        ([[QueryNode("a", 3)]], "queries[0].nodes[0].inputs: expected a str or bytes, got int"),  # type: ignore[arg-type]
        ([[QueryNode("a", "", 0)]], "queries[0].nodes[0].after: expected a sequence of integers, got int"),  # type: ignore[arg-type]
        ([[QueryNode("a", "", ("x",))]], "queries[0].nodes[0].after[0]: expected an integer, got str"),  # type: ignore[arg-type]
        ([[QueryNode("a", b"x" * (1 << 20))]], "queries[0].nodes[0].inputs: expected at most 1048576 bytes"),
    ],
)
def test_wrong_queries_are_refused(made: Any, message: str) -> None:
    with pytest.raises(InputError) as error:
        merge(made)
    assert str(error.value) == message


# Epochs ---------------------------------------------------------------------------------------------------------------


def problem(seed: int, nodes: int, edges: int, devices: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    run = rng.uniform(1, 2, (nodes, devices))
    return {
        "edges": random_dag(seed, nodes, edges, nodes).edges,
        "run": run,
        "model": rng.integers(0, 3, nodes).astype(np.int32),
        "load": rng.uniform(0, 3, (3, devices)),
        "cached": run.min(axis=1) * rng.uniform(0, 1, nodes),
        "transfer": rng.uniform(0, 1, (devices, devices)) * (1 - np.eye(devices)),
    }


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), nodes=st.integers(1, 6), edges=st.integers(0, 9), devices=st.integers(1, 2))
def test_epochs_equal_every_order_and_device(seed: int, nodes: int, edges: int, devices: int) -> None:
    p = problem(seed, nodes, edges, devices)
    got = plan_epochs(**p, beam=1 << 20)
    want = twin.plan_epochs(**{k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in p.items()})
    assert got.exact and got.cost == pytest.approx(want, abs=1e-9)
    assert sum(step.cost for step in got.steps) == pytest.approx(got.cost, abs=1e-9)


def test_epochs_of_ten_tasks_cost_at_most_a_twentieth_more() -> None:
    for seed in range(4):
        p = problem(seed, 10, 30, 2)
        want = twin.plan_epochs(**{k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in p.items()})
        assert want - 1e-9 <= plan_epochs(**p).cost <= 1.05 * want


def test_what_is_loaded_is_used_again() -> None:
    """Two models, one device: all of one, then all of the other."""
    plan = plan_epochs([], np.ones((6, 1)), model=[0, 1, 0, 1, 0, 1], load=[[5.0], [5.0]])
    assert plan.cost == 16 and plan.exact and len({step.epoch for step in plan.steps}) == 1
    models = [step.task % 2 for step in plan.steps]
    assert models in ([0, 0, 0, 1, 1, 1], [1, 1, 1, 0, 0, 0])


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"run": [[1.0], [math.inf]]}, "run[1]"),
        ({"run": [[1.0], [-1.0]]}, "run[1][0]"),
        ({"model": [0]}, "model"),
        ({"model": [0, -1]}, "model[1]"),
        ({"load": [[-1.0]]}, "load[0][0]"),
        ({"cached": [0.0, 2.0]}, "cached[1]"),
        ({"transfer": [[1.0, 1.0]]}, "transfer"),
        ({"beam": -1}, "beam"),
        ({"edges": [(1, 1)]}, "edges[0]"),
    ],
)
def test_wrong_epoch_problems_are_refused(change: dict[str, Any], path: str) -> None:
    with pytest.raises(InputError) as error:
        plan_epochs(**{"edges": [(0, 1)], "run": [[1.0], [1.0]], **change})
    assert error.value.path == path
