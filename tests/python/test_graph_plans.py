"""k shortest paths, Pareto sets, plans with and-joins, weights from health: parity with the twins, bad input."""

from __future__ import annotations

import itertools
import math
import pickle
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphs import EXACT, Pair, pairs
from turnout.core import InputError
from turnout.graph import Criteria, JoinPlan, Joins, ParetoPath, ToolGraph, cheapest_plan, health_weights
from turnout.graph.generate import layered, random
from turnout.reference import graph as reference


def node(data: st.DataObject, graphs: Pair) -> int:
    return data.draw(st.integers(0, len(graphs.native) - 1))


@given(pairs(EXACT), st.data(), st.integers(1, 30))
@settings(max_examples=150)
def test_k_shortest_paths_equal_the_twins(graphs: Pair, data: st.DataObject, k: int) -> None:
    source, goal = node(data, graphs), node(data, graphs)
    found = graphs.native.k_shortest_paths(source, goal, k)
    expected = reference.k_shortest_paths(graphs.twin, source, goal, k)
    assert [(path.edges, path.cost) for path in found] == [(path.edges, path.cost) for path in expected]
    assert all(len(set(path.nodes)) == len(path.nodes) for path in found)


@given(pairs(), st.data())
@settings(max_examples=100)
def test_k_shortest_costs_equal_the_twins_whatever_rounding_does(graphs: Pair, data: st.DataObject) -> None:
    source, goal = node(data, graphs), node(data, graphs)
    found = graphs.native.k_shortest_paths(source, goal, 12)
    expected = reference.k_shortest_paths(graphs.twin, source, goal, 12)
    assert [path.cost for path in found] == [path.cost for path in expected]


@pytest.mark.parametrize("seed", range(5))
def test_k_shortest_costs_equal_networkx(seed: int) -> None:
    graph = layered(6, 5, 3, seed=seed)
    other = nx.DiGraph()  # layered graphs have no parallel edges
    for u, v, w in zip(graph.sources, graph.targets, graph.weights, strict=True):
        other.add_edge(int(u), int(v), weight=float(w))
    paths = itertools.islice(nx.shortest_simple_paths(other, 0, 31, weight="weight"), 200)
    expected = [nx.path_weight(other, path, "weight") for path in paths]
    assert [path.cost for path in graph.k_shortest_paths(0, 31, 200)] == expected


COARSE = st.sampled_from([0.0, 0.25, 0.5, 1.0])


@st.composite
def steps(draw: st.DrawFn, n: int) -> list[tuple[float, float, float]]:
    values = draw(st.sampled_from([COARSE, st.floats(0, 1)]))
    return draw(st.lists(st.tuples(values, values, values), min_size=n, max_size=n))


@given(pairs(nodes=6, edges=14), st.data(), st.booleans())
@settings(max_examples=200)
def test_pareto_sets_equal_the_twins(graphs: Pair, data: st.DataObject, limited: bool) -> None:
    native = graphs.native
    edges, nodes = data.draw(steps(native.edge_count)), data.draw(steps(len(native)))
    limits = data.draw(st.tuples(COARSE, COARSE, COARSE)) if limited else (math.inf, math.inf, 0.0)
    source, goal = node(data, graphs), node(data, graphs)
    on_edges = [np.array([step[i] for step in edges], np.float64) for i in range(3)]
    on_nodes = {f"node_{name}": np.array([s[i] for s in nodes]) for i, name in enumerate(("usd", "seconds", "quality"))}
    criteria = Criteria(native, *on_edges, **on_nodes)
    front = criteria.pareto_paths(source, goal, max_usd=limits[0], max_seconds=limits[1], min_quality=limits[2])
    expected = reference.pareto_paths(graphs.twin, edges, nodes, source, goal, limits)
    assert front.complete
    assert [(tuple(map(int, p.nodes)), p.edges, p.usd, p.seconds, p.quality) for p in front.paths] == [
        (p.nodes, p.edges, p.usd, p.seconds, p.quality) for p in expected
    ]
    for a in (0.0, 0.3, 1.0, 2.0):
        scores = [reference.costa_score(p.usd, p.quality, a) for p in expected]
        assert front.costa(a) == (front.paths[scores.index(min(scores))] if scores else None)
    scores = [reference.weighted_score((p.usd, p.seconds, p.quality), 2.0, 0.5, 3.0) for p in expected]
    assert front.weighted(2.0, 0.5, 3.0) == (front.paths[scores.index(min(scores))] if scores else None)


def fork() -> ToolGraph:
    """in -> cheap -> out and in -> good -> out."""
    ends = np.array([0, 0, 1, 2], np.int32), np.array([1, 2, 3, 3], np.int32)
    return ToolGraph.from_arrays(*ends, np.ones(4), names=["in", "cheap", "good", "out"])


def test_a_front_and_what_picks_from_it() -> None:
    criteria = Criteria(
        fork(), node_usd=np.array([0, 0.1, 1.0, 0]), seconds=1.0, node_quality=np.array([1, 0.6, 0.9, 1])
    )
    front = criteria.pareto_paths("in", "out")
    cheap, good = front.paths
    assert cheap == ParetoPath(("in", "cheap", "out"), (0, 2), 0.1, 2.0, 0.6) and good.nodes[1] == "good"
    assert front.costa(0.0) == good and front.costa(2.0) == cheap and front.costa(1.0, "seconds") == good
    assert front.weighted(usd=1.0) == cheap and front.weighted(usd=0.1, quality=1.0) == good
    assert cheap.quality_loss == -math.log(0.6) and ParetoPath((), (), 0, 0, 0.0).quality_loss == math.inf
    assert pickle.loads(pickle.dumps(front)) == front
    assert criteria.pareto_paths("in", "out", max_usd=0.5).paths == (cheap,)
    assert criteria.pareto_paths("in", "out", min_quality=0.95).costa(1.0) is None
    criteria.set_node("cheap", usd=0.1, seconds=0.0, quality=0.0)  # it failed
    assert criteria.pareto_paths("in", "out", min_quality=0.5).costa(0.5) == good
    capped = criteria.pareto_paths("in", "out", max_labels=2)
    assert not capped.complete and capped.labels == 2


@pytest.mark.parametrize(
    ("call", "path"),
    [
        (lambda g: Criteria(g, np.ones(3)), "criteria.edges.usd"),
        (lambda g: Criteria(g, np.array([1, 1, 1, -1.0])), "criteria.edges[3].usd"),
        (lambda g: Criteria(g, seconds=math.nan), "criteria.edges[0].seconds"),
        (lambda g: Criteria(g, quality=1.5), "criteria.edges[0].quality"),
        (lambda g: Criteria(g, node_quality=np.array([1, 1, 2.0, 1])), "criteria.nodes[2].quality"),
        (lambda g: Criteria(g).set_edge(0, usd=1, seconds=-1, quality=1), "step.seconds"),
        (lambda g: Criteria(g).set_node("x", usd=1, seconds=1, quality=1), "node"),
        (lambda g: Criteria(g).pareto_paths("in", "nowhere"), "goal"),
        (lambda g: Criteria(g).pareto_paths(0, 3, max_usd=math.nan), "max_usd"),
        (lambda g: Criteria(g).pareto_paths(0, 3, max_labels=0), "max_labels"),
        (lambda g: Criteria(g).pareto_paths(0, 3).costa(2.1), "a"),
        (lambda g: Criteria(g).pareto_paths(0, 3).costa(1.0, "quality"), "cost"),
        (lambda g: Criteria(g).pareto_paths(0, 3).weighted(-1.0), "usd"),
        (lambda g: g.k_shortest_paths(0, 3, 0), "k"),
        (lambda g: g.k_shortest_paths(0, 3, 10_001), "k"),
        (lambda g: g.k_shortest_paths(0, "ouf", 1), "goal"),
        (lambda g: cheapest_plan(g, "ouf"), "goal"),
        (lambda g: cheapest_plan(g, "out", ["in", 9]), "sources[1]"),
        (lambda g: cheapest_plan(g, "out", node_cost=np.ones(3)), "node_cost"),
        (lambda g: cheapest_plan(g, "out", node_cost=np.array([1, 1, math.inf, 1])), "node_cost[2]"),
        (lambda g: cheapest_plan(g, "out", objective="min"), "objective"),
    ],
)
def test_wrong_calls_are_refused_with_the_path(call: Any, path: str) -> None:
    with pytest.raises(InputError) as refused:
        call(fork())
    assert refused.value.path == path


def test_columns_that_are_no_numbers() -> None:
    with pytest.raises(TypeError, match=r"criteria.edges.usd: expected numbers, got <U4"):
        Criteria(fork(), np.array(["dear"] * 4))  # type: ignore[arg-type]


LABELS = ("a", "b", "c")


@given(pairs(), st.data(), st.booleans())
@settings(max_examples=200)
def test_plans_equal_the_twins(graphs: Pair, data: st.DataObject, side_by_side: bool) -> None:
    native = graphs.native
    ids = st.integers(0, len(native) - 1)
    labels = data.draw(st.lists(st.sampled_from(LABELS), min_size=native.edge_count, max_size=native.edge_count))
    needs = data.draw(st.dictionaries(ids, st.lists(st.sampled_from(LABELS), unique=True), max_size=4))
    sources, goal = data.draw(st.lists(ids, max_size=2)), data.draw(ids)
    own = data.draw(st.lists(EXACT, min_size=len(native), max_size=len(native)))
    arrays = native.sources, native.targets, native.weights
    required = {str(v): labels for v, labels in needs.items()}
    labelled = ToolGraph.from_arrays(*arrays, nodes=len(native), labels=labels, required=required)
    for v in graphs.twin.masked_nodes:
        labelled.mask_node(v)
    for e in graphs.twin.masked_edges:
        labelled.mask_edge(e)
    objective: Any = "max" if side_by_side else "sum"
    found = cheapest_plan(labelled, goal, sources, node_cost=np.array(own), objective=objective)
    codes = [LABELS.index(label) for label in labels]
    required_codes = {v: [LABELS.index(label) for label in each] for v, each in needs.items()}
    expected = reference.cheapest_plan(graphs.twin, codes, required_codes, sources, goal, own, side_by_side)
    if found is None or expected is None:
        assert found is expected
    else:
        assert (tuple(map(int, found.nodes)), found.edges) == (expected.nodes, expected.edges)
        assert (found.cost, found.set_cost) == (expected.cost, expected.set_cost)


def schema(required: list[str], **types: str) -> dict[str, Any]:
    return {"type": "object", "properties": {k: {"type": t} for k, t in types.items()}, "required": required}


def test_a_plan_over_mcp_tools() -> None:
    """weather needs a place and a date, from whichever tools give them; who asks gives the city."""
    graph = ToolGraph.from_mcp(
        [
            {"name": "clock", "inputSchema": schema([]), "outputSchema": schema([], date="string")},
            {
                "name": "geocode",
                "inputSchema": schema(["city"], city="string"),
                "outputSchema": schema([], lat="number"),
            },
            {"name": "weather", "inputSchema": schema(["lat", "date"], lat="number", date="string")},
        ]
    )
    plan = cheapest_plan(graph, "weather")
    assert plan == JoinPlan(("geocode", "clock", "weather"), (0, 1), 2.0, 2.0)
    assert cheapest_plan(graph, "weather", given=["date"]) == JoinPlan(("geocode", "weather"), (0,), 1.0, 1.0)
    joins = Joins(graph)
    graph.mask_node("clock")
    assert cheapest_plan(graph, "weather") is joins.cheapest_plan("weather") is None
    assert Joins(graph, given=["date"]).cheapest_plan("weather") == cheapest_plan(graph, "weather", given=["date"])
    assert pickle.loads(pickle.dumps(plan)) == plan


NON_NEGATIVE = st.floats(0, 1e6)
SHARE = st.floats(0, 1)


@given(st.lists(st.tuples(NON_NEGATIVE, NON_NEGATIVE, SHARE, SHARE), max_size=5))
def test_health_weights_equal_the_twins(rows: list[tuple[float, float, float, float]]) -> None:
    columns = [np.array([row[i] for row in rows], np.float64) for i in range(4)]
    assert health_weights(*columns).tolist() == [reference.health_weight(*row) for row in rows]


def test_health_columns_are_checked() -> None:
    fine = np.ones(2)
    with pytest.raises(InputError) as refused:
        health_weights(fine, fine, np.array([1.0, 1.1]), fine)
    assert refused.value.path == "reliability[1]"
    with pytest.raises(InputError, match="latency_ms: expected 2 numbers, got 3"):
        health_weights(fine, np.ones(3), fine, fine)
    with pytest.raises(TypeError, match="base: expected a C-contiguous numpy array of float64"):
        health_weights(np.ones(2, np.float32), fine, fine, fine)  # type: ignore[arg-type]


def test_generated_graphs_have_the_stated_sizes_and_repeat() -> None:
    graph = layered(seed=1)
    assert (len(graph), graph.edge_count) == (1002, 4850)
    assert (len(random(50, 200, seed=1)), random(50, 200, seed=1).edge_count) == (50, 200)
    assert layered(seed=1).costs.tolist() == graph.costs.tolist() != layered(seed=2).costs.tolist()
    path = graph.shortest_path(0, 1001)
    assert path is not None and path.cost == graph.distances_from(0)[-1] and len(path.edges) == 21
