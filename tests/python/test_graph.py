"""Tool graphs: parity with the twin, names, changes in place, bad input."""

from __future__ import annotations

import pickle
import threading
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphs import EXACT, WEIGHTS, Pair, pair, pairs
from turnout.core import InputError
from turnout.graph import MAX_WEIGHT, Path, Step, ToolGraph
from turnout.graph.generate import random
from turnout.reference import graph as reference

NAMES = ["search", "fetch", "cache", "answer"]


def diamond() -> ToolGraph:
    """search -> fetch -> answer costs 3, search -> cache -> answer 3.5, search -> answer 4."""
    return ToolGraph.from_arrays(
        np.array([0, 0, 1, 2, 0], np.int32),
        np.array([1, 2, 3, 3, 3], np.int32),
        np.array([1, 1.5, 2, 2, 4], np.float64),
        names=NAMES,
    )


def same(native: Path | None, twin: reference.Path | None) -> bool:
    if native is None or twin is None:
        return native is twin
    return (tuple(map(int, native.nodes)), native.edges, native.cost) == (twin.nodes, twin.edges, twin.cost)


@given(pairs(), st.data())
@settings(max_examples=300)
def test_shortest_paths_equal_the_twins(graphs: Pair, data: st.DataObject) -> None:
    nodes = st.lists(st.integers(0, len(graphs.native) - 1), min_size=1, max_size=3)
    sources, goals = data.draw(nodes), data.draw(nodes)
    found = graphs.native.shortest_path(sources, goals)
    assert same(found, reference.shortest_path(graphs.twin, sources, goals))
    assert graphs.native.distances_from(sources).tolist() == reference.distances_from(graphs.twin, sources)
    assert graphs.native.distances_to(goals).tolist() == reference.distances_to(graphs.twin, goals)
    if found is not None:
        assert found.costs == tuple(graphs.native.costs[list(found.edges)]) and sum(found.costs) == found.cost


@given(pairs(), st.data(), st.sampled_from([0.0, 0.5, 1.0]))
@settings(max_examples=200)
def test_a_star_equals_the_twin_and_dijkstra(graphs: Pair, data: st.DataObject, scale: float) -> None:
    nodes = st.lists(st.integers(0, len(graphs.native) - 1), min_size=1, max_size=2)
    sources, goals = data.draw(nodes), [g for g in data.draw(nodes) if g not in graphs.twin.masked_nodes] or [0]
    exact = graphs.native.distances_to(goals)
    h = np.where(np.isfinite(exact), np.where(np.isfinite(exact), exact, 0) * scale, exact)
    h[goals] = 0.0
    if reference.inconsistent_edge(graphs.twin, h.tolist()) is not None:  # infinity before a goal that is masked
        return
    found = graphs.native.shortest_path(sources, goals, heuristic=h)
    assert same(found, reference.a_star(graphs.twin, sources, goals, h.tolist()))
    fresh = graphs.native.shortest_path(sources, goals)
    assert (found and found.cost) == (fresh and fresh.cost)


@given(pairs(EXACT), st.data())
@settings(max_examples=100)
def test_costs_equal_networkx(graphs: Pair, data: st.DataObject) -> None:
    source, goal = (data.draw(st.integers(0, len(graphs.native) - 1)) for _ in range(2))
    made = nx.MultiDiGraph()
    made.add_nodes_from(set(range(len(graphs.native))) - graphs.twin.masked_nodes)
    for edge, (u, v) in enumerate(zip(graphs.twin.sources, graphs.twin.targets, strict=True)):
        if graphs.twin.cost(edge) < float("inf"):
            made.add_edge(u, v, weight=graphs.twin.weights[edge])
    try:
        expected = nx.dijkstra_path_length(made, source, goal)
    except (nx.NetworkXNoPath, nx.NodeNotFound):
        expected = None
    found = graphs.native.shortest_path(source, goal)
    assert (None if found is None else found.cost) == expected


@given(pairs(), st.data())
@settings(max_examples=150)
def test_replanning_equals_a_fresh_search(graphs: Pair, data: st.DataObject) -> None:
    native, nodes = graphs.native, st.integers(0, len(graphs.native) - 1)
    replanner = native.replanner(data.draw(nodes), data.draw(nodes))
    twin = reference.Replanner(graphs.twin, native.node(replanner.start), native.node(replanner.goal))
    edges = st.integers(0, max(0, native.edge_count - 1))
    for _ in range(data.draw(st.integers(1, 6))):
        kind = data.draw(st.sampled_from(["mask", "unmask", "edge", "unedge", "weight", "move"]))
        if kind == "mask":
            graphs.mask_node(data.draw(nodes))
        elif kind == "unmask":
            graphs.unmask_node(data.draw(nodes))
        elif kind == "move":
            twin.start = data.draw(nodes)
            replanner.move_start(twin.start)
        elif native.edge_count:
            edge = data.draw(edges)
            if kind == "weight":
                graphs.set_weight(edge, data.draw(WEIGHTS))
            else:
                (graphs.mask_edge if kind == "edge" else graphs.unmask_edge)(edge)
        found, expected = replanner.replan(), twin.replan()
        assert found == native.shortest_path(replanner.start, replanner.goal)
        assert (found and found.cost) == (expected and expected.cost)


def test_a_path_by_name() -> None:
    path = diamond().shortest_path("search", "answer")
    assert path == Path(("search", "fetch", "answer"), (0, 2), (1.0, 2.0), 3.0)
    assert path.steps == (Step("search", "fetch", 0, 1.0), Step("fetch", "answer", 2, 2.0))
    assert str(path) == "search -> fetch -> answer (cost 3)"
    assert pickle.loads(pickle.dumps(path)) == path and hash(path) == hash(diamond().shortest_path(0, 3))
    with pytest.raises(AttributeError):
        path.cost = 1.0  # type: ignore[misc]


def test_a_path_by_ids() -> None:
    found = diamond().shortest_path_ids(0, 3)
    assert found is not None
    nodes, edges, cost = found
    assert nodes.dtype == edges.dtype == np.int32
    assert (nodes.tolist(), edges.tolist(), cost) == ([0, 1, 3], [0, 2], 3.0)
    assert diamond().shortest_path_ids(3, 0) is None


def test_changes_in_place() -> None:
    graph = diamond()
    graph.mask_node("fetch")
    assert graph.shortest_path("search", "answer").nodes == ("search", "cache", "answer")  # type: ignore[union-attr]
    assert graph.masked_nodes == ("fetch",) and graph.costs[0] == np.inf and graph.weights[0] == 1
    graph.mask_edge(("cache", "answer"))
    assert graph.shortest_path("search", "answer").edges == (4,)  # type: ignore[union-attr]
    graph.set_weights(np.array([3, 4], np.int32), np.array([0.5, 9.0]))
    graph.unmask_edge(3)
    assert graph.shortest_path("search", "answer").cost == 2.0  # type: ignore[union-attr]
    graph.mask_node("answer")
    assert graph.shortest_path("search", "answer") is None and graph.shortest_path("answer", "answer") is None
    graph.reset()
    assert graph.weights.tolist() == [1, 1.5, 2, 2, 4] and graph.masked_nodes == graph.masked_edges == ()


def test_a_pickled_graph_is_as_it_was() -> None:
    graph = diamond()
    graph.set_weight(0, 7)
    graph.mask_node("cache")
    graph.mask_edge(4)
    copy = pickle.loads(pickle.dumps(graph))
    assert copy.names == graph.names and copy.costs.tolist() == graph.costs.tolist()
    assert copy.shortest_path("search", "answer") == graph.shortest_path("search", "answer")
    for each in (graph, copy):
        each.reset()
    assert copy.costs.tolist() == graph.costs.tolist() == [1, 1.5, 2, 2, 4]


def test_parallel_edges_are_kept_and_named_by_id() -> None:
    graph = pair(2, [(0, 1, 2.0), (0, 1, 1.0), (1, 1, 0.0)]).native
    assert graph.edges_between(0, 1) == (0, 1) and graph.edge((1, 1)) == 2 and graph.edges_between(1, 0) == ()
    assert graph.shortest_path("0", "1").edges == (1,)  # type: ignore[union-attr]
    with pytest.raises(InputError, match=r"edge: expected one edge from 0 to 1, got \(0, 1\)"):
        graph.set_weight((0, 1), 5.0)
    with pytest.raises(InputError, match=r"edge: expected one edge from 1 to 0, got \(\)"):
        graph.mask_edge((1, 0))


def arrays(**changed: Any) -> dict[str, Any]:
    fine = {"sources": np.zeros(2, np.int32), "targets": np.ones(2, np.int32), "weights": np.ones(2), "nodes": 2}
    return fine | changed


@pytest.mark.parametrize(
    ("changed", "path", "message"),
    [
        ({"sources": np.array([0, 2], np.int32)}, "graph.sources[1]", "expected 0 to 1, got 2"),
        ({"targets": np.array([-1, 0], np.int32)}, "graph.targets[0]", "expected 0 to 1, got -1"),
        ({"weights": np.array([1.0, np.nan])}, "graph.weights[1]", "expected a number from 0 to 1e12"),
        ({"weights": np.array([1.0, -1.0])}, "graph.weights[1]", "expected a number from 0 to 1e12"),
        ({"weights": np.array([np.inf, 1.0])}, "graph.weights[0]", "expected a number from 0 to 1e12"),
        ({"weights": np.ones(3)}, "graph.weights", "expected one an edge"),
        ({"sources": np.zeros(0, np.int32), "nodes": None}, "graph.targets", "expected one an edge (0), got 2"),
        ({"nodes": 0}, "graph.nodes", "expected 1 to 4194304, got 0"),
        ({"nodes": 2**22 + 1}, "graph.nodes", "expected 1 to 4194304"),
        ({"names": ["a", "a"]}, "graph.nodes[1]", "is also the name of node 0"),
        ({"names": ["a", " "]}, "graph.nodes[1]", "expected a name of printable characters"),
        ({"names": ["a"]}, "graph.names", "expected one a node"),
        ({"labels": ["x"]}, "graph.labels", "expected one an edge"),
        ({"required": {"z": ["x"]}}, "node", "there is no node 'z'"),
    ],
)
def test_wrong_arrays_are_refused_with_the_path(changed: dict[str, Any], path: str, message: str) -> None:
    with pytest.raises(InputError) as refused:
        ToolGraph.from_arrays(**arrays(**changed))
    assert refused.value.path == path and message in str(refused.value)


@pytest.mark.parametrize("column", ["sources", "targets", "weights"])
def test_another_dtype_is_a_type_error(column: str) -> None:
    with pytest.raises(TypeError, match=f"graph.{column}: expected a C-contiguous numpy array"):
        ToolGraph.from_arrays(**arrays(**{column: np.zeros(2, np.float32)}))


def test_a_graph_of_nothing_is_refused() -> None:
    none = np.zeros(0, np.int32)
    with pytest.raises(InputError, match=r"graph.nodes: expected 1 to 4194304, got 0"):
        ToolGraph.from_arrays(none, none, np.zeros(0))
    lone = ToolGraph.from_arrays(none, none, np.zeros(0), names=["a"])
    assert lone.shortest_path("a", "a") == Path(("a",), (), (), 0.0)
    with pytest.raises(InputError, match="edge: there is none"):
        lone.core.set_weight(0, 1.0)


def test_a_name_may_be_of_a_subclass_of_str() -> None:
    path = diamond().shortest_path(np.str_("search"), [np.str_("answer")])
    assert path is not None and path.cost == 3.0


def test_lists_are_no_arrays() -> None:
    with pytest.raises(TypeError, match=r"graph.sources: expected a C-contiguous numpy array of int32, got list"):
        ToolGraph.from_arrays([0], [1], [1.0], nodes=2)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"graph.sources: expected a C-contiguous numpy array of int32, got list"):
        ToolGraph.from_arrays([0], [1], [1.0])  # type: ignore[arg-type]


def test_wrong_calls_are_refused_and_change_nothing() -> None:
    graph = diamond()
    with pytest.raises(InputError, match="goal: there is no node 'anser'; did you mean 'answer'"):
        graph.shortest_path("search", "anser")
    with pytest.raises(InputError, match=r"source\[1\]: expected 0 to 3, got 4"):
        graph.shortest_path([0, 4], 1)
    with pytest.raises(InputError, match="sources: expected at least one node"):
        graph.shortest_path([], 1)
    with pytest.raises(TypeError, match="node: expected a name or an id, got bool True"):
        graph.mask_node(True)
    with pytest.raises(InputError, match="edge: expected 0 to 4, got 5"):
        graph.set_weight(5, 1.0)
    for weight in (-1.0, np.nan, np.inf, MAX_WEIGHT * 1.01):
        with pytest.raises(InputError, match="weight: expected a number from 0 to 1e12"):
            graph.set_weight(0, weight)
    with pytest.raises(InputError, match=r"weights\[1\]"):
        graph.set_weights(np.array([0, 1], np.int32), np.array([9.0, -9.0]))
    with pytest.raises(InputError, match=r"heuristic\[1\]: not consistent on edge 2 \(1 -> 3\)"):
        graph.shortest_path(0, 3, heuristic=np.array([3.0, 2.5, 2.0, 0.0]))
    with pytest.raises(InputError, match=r"heuristic: expected one a node \(4\), got 3"):
        graph.shortest_path(0, 3, heuristic=np.zeros(3))
    assert graph.version == 0 and graph.weights.tolist() == [1, 1.5, 2, 2, 4]


def test_networkx_there_and_back() -> None:
    made = nx.MultiDiGraph()
    made.add_edge("a", "b", weight=1)
    made.add_edge("a", "b", weight=0.5)
    made.add_edge("b", 3, weight=2)
    graph = ToolGraph.from_networkx(made)
    assert graph.names == ("a", "b", "3") and graph.edges_between("a", "b") == (0, 1)
    graph.mask_node("b")
    back = graph.to_networkx()
    assert list(back.edges(keys=True, data="weight")) == [("a", "b", 0, 1.0), ("a", "b", 1, 0.5), ("b", "3", 2, 2.0)]
    assert back.nodes["b"]["masked"] and not back.nodes["a"]["masked"]
    again = ToolGraph.from_networkx(back)
    assert again.weights.tolist() == graph.weights.tolist()


def test_an_undirected_edge_goes_both_ways() -> None:
    made = nx.Graph([("a", "b", {"usd": 2}), ("b", "b", {"usd": 1})])
    graph = ToolGraph.from_networkx(made, weight="usd")
    assert (graph.sources.tolist(), graph.targets.tolist()) == ([0, 1, 1], [1, 0, 1])
    with pytest.raises(InputError) as refused:
        ToolGraph.from_networkx(made)
    assert refused.value.path == "graph.edges['a', 'b'].weight"
    assert ToolGraph.from_networkx(made, default=1.0).weights.tolist() == [1, 1, 1]
    made.edges["a", "b"]["weight"] = "dear"
    with pytest.raises(InputError, match="expected a number, got str 'dear'"):
        ToolGraph.from_networkx(made, default=1.0)


def test_searches_go_on_while_weights_change() -> None:
    graph = diamond()
    costs: set[float] = set()

    def search() -> None:
        for _ in range(500):
            path = graph.shortest_path("search", "answer")
            assert path is not None and sum(path.costs) == path.cost
            costs.add(path.cost)

    threads = [threading.Thread(target=search) for _ in range(3)]
    for thread in threads:
        thread.start()
    for i in range(500):
        graph.set_weight(0, 1.0 + i % 2)
    for thread in threads:
        thread.join()
    assert costs <= {3.0, 3.5}


def test_a_change_gets_its_turn_among_searches() -> None:
    """Searches that overlap without end must not keep it out."""
    graph, changed = random(20_000, 100_000, seed=1), threading.Event()
    searches = []

    def search() -> None:
        for _ in range(60):
            if changed.is_set():
                return
            graph.distances_from(0)
        searches.append("to the end")

    threads = [threading.Thread(target=search) for _ in range(6)]
    for thread in threads:
        thread.start()
    for i in range(10):
        graph.set_weight(0, float(i))
    changed.set()
    for thread in threads:
        thread.join()
    assert searches == []


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"labels": "ab"}, TypeError, "graph.labels: expected a list of str, got the str 'ab'"),
        ({"labels": ["a", 1]}, TypeError, r"graph.labels\[1\]: expected a str, got int"),
        ({"required": {"b": "text"}}, TypeError, r"graph.required\['b'\]: expected a list of str"),
        ({"required": {"b": ["x", "x"]}}, InputError, r"graph.required\['b'\]\[1\]: 'x' stands twice"),
    ],
)
def test_wrong_labels_and_requirements_are_refused(options: Any, error: type[Exception], message: str) -> None:
    ends = np.array([[0, 0], [1, 1]], np.int32)
    with pytest.raises(error, match=message):
        ToolGraph.from_arrays(ends[0], ends[1], np.ones(2), names=["a", "b"], **{"labels": ["x", "y"], **options})


def test_distances_to_a_masked_goal_are_a_heuristic() -> None:
    ends = np.array([[0, 0], [1, 2]], np.int32)
    graph = ToolGraph.from_arrays(ends[0], ends[1], np.array([1.0, 2.0]))
    graph.mask_node(1)
    assert graph.shortest_path(0, 1, heuristic=graph.distances_to(1)) is None
    both = graph.shortest_path(0, [1, 2], heuristic=graph.distances_to([1, 2]))
    assert both is not None and both.nodes == ("0", "2")


@pytest.mark.parametrize(
    ("weight", "message"), [(10**400, "beyond every float"), (np.complex128(1), "complex128")], ids=["huge", "complex"]
)
def test_networkx_weights_that_are_no_numbers(weight: Any, message: str) -> None:
    made = nx.DiGraph()
    made.add_edge("a", "b", weight=weight)
    with pytest.raises(InputError, match=message) as refused:
        ToolGraph.from_networkx(made)
    assert refused.value.path == "graph.edges['a', 'b'].weight"
