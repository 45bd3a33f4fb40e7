"""The rivals of the rooms' cases: their pure-Python twins, NetworkX, igraph. Every answer is compared with ours."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from turnout.bench import graphs
from turnout.bench.cases import Case
from turnout.bench.rooms import NANO_USD, Floats
from turnout.bench.timing import one_run
from turnout.budget import Ledger
from turnout.dag import measure
from turnout.graph import ToolGraph
from turnout.telemetry import Telemetry

FAILURES = 20  # tools that fail in turn, for rivals that search from scratch


def _share(right: list[bool]) -> Callable[[], float]:
    return lambda: float(np.mean(right))


# Tool graphs ----------------------------------------------------------------------------------------------------------


def _twin_graph(a: graphs.Arrays) -> Any:
    from turnout.reference.graph.rows import Graph

    return Graph(a.nodes, a.sources.tolist(), a.targets.tolist(), a.weights.tolist())


def _networkx(a: graphs.Arrays) -> Any:
    """Of parallel edges the cheaper one."""
    import networkx as nx

    graph = nx.DiGraph()
    graph.add_nodes_from(range(a.nodes))
    for s, t, w in sorted(zip(a.sources.tolist(), a.targets.tolist(), a.weights.tolist(), strict=True), reverse=True):
        graph.add_edge(s, t, weight=w)
    return graph


def _igraph(a: graphs.Arrays) -> Any:
    import igraph

    graph = igraph.Graph(n=a.nodes, edges=np.stack([a.sources, a.targets], 1).tolist(), directed=True)
    graph.es["weight"] = a.weights.tolist()
    return graph


def _failures(graph: ToolGraph) -> list[int]:
    """Inner nodes of the cheapest path."""
    found = graph.shortest_path_ids(0, len(graph) - 1)
    assert found is not None
    return [int(node) for node in found[0][1:-1]][:FAILURES]


def _cost_without(graph: ToolGraph, node: int) -> float:
    graph.mask_node(node)
    path = graph.shortest_path(0, len(graph) - 1)
    graph.unmask_node(node)
    return math.inf if path is None else path.cost


def python_graphs(name: str, arrays: graphs.Arrays, runs: int) -> list[Case]:
    """The twin, to the same path."""
    from turnout.reference.graph.search import shortest_path

    graph, twin, sink = arrays.tool_graph(), _twin_graph(arrays), arrays.nodes - 1

    def agree() -> float:
        ours, theirs = graph.shortest_path_ids(0, sink), shortest_path(twin, [0], [sink])
        assert ours is not None and theirs is not None
        return float((tuple(ours[0]), tuple(ours[1]), ours[2]) == (theirs.nodes, theirs.edges, theirs.cost))

    return [Case(name, "python", lambda _: shortest_path(twin, [0], [sink]), [None] * runs, runs=1, agreement=agree)]


def networkx_graphs(name: str, arrays: graphs.Arrays, runs: int) -> list[Case]:
    import networkx as nx

    graph, other, sink = arrays.tool_graph(), _networkx(arrays), arrays.nodes - 1

    def search(_: Any) -> float:
        return float(nx.single_source_dijkstra(other, 0, sink, weight="weight")[0])

    return [
        Case(
            name,
            "networkx",
            search,
            [None] * runs,
            runs=1,
            agreement=lambda: float(search(None) == graph.distances_from(0)[sink]),
        )
    ]


def igraph_graphs(name: str, arrays: graphs.Arrays, runs: int) -> list[Case]:
    """Called from Python, and `igraph_c`: less the same call to the source itself, which converts the weights only."""
    graph, other, sink = arrays.tool_graph(), _igraph(arrays), arrays.nodes - 1

    def search(goal: int) -> float:
        return float(other.distances(0, goal, weights="weight")[0][0])

    def inside() -> Floats:
        conversion = float(np.median(one_run(search, [0] * runs, 0.0)))
        return np.asarray(one_run(search, [sink] * runs, 0.0) - conversion, np.float64)

    def agree() -> float:
        return float(search(sink) == graph.distances_from(0)[sink])

    return [
        Case(name, "igraph", search, [sink] * runs, runs=3, agreement=agree),
        Case(name, "igraph_c", search, [sink] * runs, runs=3, agreement=agree, native_us=inside),
    ]


def python_replans(name: str, arrays: graphs.Arrays) -> list[Case]:
    """The twin's search from scratch without the tool."""
    from turnout.reference.graph.search import shortest_path

    graph, twin, sink = arrays.tool_graph(), _twin_graph(arrays), arrays.nodes - 1

    def search(node: int) -> float:
        twin.masked_nodes = {node}
        found = shortest_path(twin, [0], [sink])
        return math.inf if found is None else found.cost

    failures = _failures(graph)[:5]
    right = [search(node) == _cost_without(graph, node) for node in failures]
    return [Case(name, "python", search, failures, runs=1, agreement=_share(right))]


def networkx_replans(name: str, arrays: graphs.Arrays) -> list[Case]:
    """A search from scratch in the graph without the tool."""
    import networkx as nx

    graph, other, sink = arrays.tool_graph(), _networkx(arrays), arrays.nodes - 1

    def search(node: int) -> float:
        edges = [*other.in_edges(node, data=True), *other.out_edges(node, data=True)]
        other.remove_node(node)
        cost = float(nx.single_source_dijkstra(other, 0, sink, weight="weight")[0])
        other.add_edges_from(edges)
        return cost

    failures = _failures(graph)
    right = [search(node) == _cost_without(graph, node) for node in failures]
    return [Case(name, "networkx", search, failures, runs=1, agreement=_share(right))]


def igraph_replans(name: str, arrays: graphs.Arrays) -> list[Case]:
    """A search from scratch, the tool's edges at infinity."""
    graph, other, sink = arrays.tool_graph(), _igraph(arrays), arrays.nodes - 1

    def search(node: int) -> float:
        edges = other.incident(node, mode="all")
        before = other.es[edges]["weight"]
        other.es[edges]["weight"] = math.inf
        cost = float(other.distances(0, sink, weights="weight")[0][0])
        other.es[edges]["weight"] = before
        return cost

    failures = _failures(graph)
    right = [search(node) == _cost_without(graph, node) for node in failures]
    return [Case(name, "igraph", search, failures, runs=3, agreement=_share(right))]


# Task DAGs ------------------------------------------------------------------------------------------------------------


def python_dags(name: str, tasks: graphs.Tasks) -> list[Case]:
    from turnout.reference.dag import shape

    edges, seconds = [(int(a), int(b)) for a, b in tasks.edges], tasks.seconds.tolist()

    def twin(_: Any) -> Any:
        return shape.measure(tasks.nodes, edges, seconds)

    return [
        Case(name, "python", twin, [None], runs=1, agreement=lambda: float(tuple(twin(None)) == tuple(measure(*tasks))))
    ]


def networkx_dags(name: str, tasks: graphs.Tasks) -> list[Case]:
    """Whether it is a DAG, its generations, and its longest path by seconds: a part of what we measure."""
    import networkx as nx

    graph = nx.DiGraph()
    graph.add_nodes_from(range(tasks.nodes))
    graph.add_weighted_edges_from([(int(a), int(b), float(tasks.seconds[a])) for a, b in tasks.edges])

    def measured(_: Any) -> tuple[int, int, float]:
        assert nx.is_directed_acyclic_graph(graph)
        generations = [len(generation) for generation in nx.topological_generations(graph)]
        finish = np.zeros(tasks.nodes)
        for node in nx.topological_sort(graph):
            before = max((finish[p] for p in graph.predecessors(node)), default=0.0)
            finish[node] = before + tasks.seconds[node]
        return len(generations), max(generations), float(finish.max())

    ours = measure(*tasks)

    def agree() -> float:
        return float(measured(None) == (ours.depth, ours.width, ours.critical_path))

    return [Case(name, "networkx", measured, [None] * 5, runs=2, agreement=agree)]


# Ledgers and telemetry ------------------------------------------------------------------------------------------------


def python_ledgers(name: str, depth: int) -> list[Case]:
    from turnout.reference.budget import Ledger as Twin

    path = "/".join("abcdefgh"[:depth])
    limits, clock = (1e6, 1e15, 1e10, 1e12), itertools.count()
    twin = Twin(4096)
    twin.open(path, limits, 0.0)

    def pair(_: Any) -> None:
        now = next(clock) * 1e-6
        made = twin.reserve(path, (0.01, 2000.0, 1.0, 1.0), now, 60.0)
        assert isinstance(made, int)
        twin.commit(made, (0.004, 1500.0, 0.5, 1.0), now)

    def agree() -> float:
        """All pairs so far, on a ledger of ours."""
        account = Ledger().open(path)
        count = twin.counts["committed"]
        for _ in range(count):
            account.reserve(usd=0.01, tokens=2000, seconds=1, calls=1).commit(usd=0.004, tokens=1500, seconds=0.5)
        state = twin.accounts[path]
        assert state.spent[0] == count * NANO_USD
        ours = account.spent
        units = [round(ours.usd * 1e9), ours.tokens, round(ours.seconds * 1e6), ours.calls]
        return float(units == state.spent and state.held == [0] * 4)

    return [Case(name, "python", pair, [None] * 2000, runs=3, agreement=agree)]


def python_telemetry(name: str) -> list[Case]:
    from turnout.reference.telemetry import Outcome
    from turnout.reference.telemetry import Telemetry as Twin

    def outcomes(count: int) -> list[Outcome]:
        return [
            Outcome(False, 0.1, 1.0, 0.0, 0.0, "error") if i % 50 == 0 else Outcome(True, 0.5, 1.0, 0.001, 300.0)
            for i in range(count)
        ]

    twin, clock = Twin(1), itertools.count()

    def record(outcome: Outcome) -> None:
        twin.record(0, outcome, next(clock) * 1e-3)

    def agree() -> float:
        """400 outcomes in each, from the beginning."""
        now = [0.0]
        ours, theirs = Telemetry(["a"], clock=lambda: now[0]), Twin(1)
        for o in outcomes(400):
            now[0] += 1e-3
            theirs.record(0, o, now[0])
            ours.record(
                "a", ok=o.ok, seconds=o.seconds, expected_seconds=o.expected_seconds, usd=o.usd, tokens=o.tokens
            )
        state, wanted = ours.state("a"), theirs.state(0, now[0])
        return float(
            all(math.isclose(getattr(state, k), float(wanted[k]), rel_tol=1e-9) for k in ("health", "seconds", "usd"))
        )

    return [Case(name, "python", record, outcomes(400), runs=1, agreement=agree)]


Maker = Callable[[str], list[Case]]
# Case, rival, the packages that it needs, its maker.
RIVALS: tuple[tuple[str, str, tuple[str, ...], Maker], ...] = (
    ("graph_dijkstra_1k", "python", (), lambda name: python_graphs(name, graphs.tools_1k(), 10)),
    ("graph_dijkstra_1k", "networkx", ("networkx",), lambda name: networkx_graphs(name, graphs.tools_1k(), 30)),
    ("graph_dijkstra_1k", "igraph", ("igraph",), lambda name: igraph_graphs(name, graphs.tools_1k(), 200)),
    ("graph_dijkstra_100k", "python", (), lambda name: python_graphs(name, graphs.tools_100k(), 1)),
    ("graph_dijkstra_100k", "networkx", ("networkx",), lambda name: networkx_graphs(name, graphs.tools_100k(), 2)),
    ("graph_dijkstra_100k", "igraph", ("igraph",), lambda name: igraph_graphs(name, graphs.tools_100k(), 7)),
    ("graph_replan_1k_from_source", "python", (), lambda name: python_replans(name, graphs.tools_1k())),
    ("graph_replan_1k_from_source", "networkx", ("networkx",), lambda name: networkx_replans(name, graphs.tools_1k())),
    ("graph_replan_1k_from_source", "igraph", ("igraph",), lambda name: igraph_replans(name, graphs.tools_1k())),
    ("plan_metrics_1k", "python", (), lambda name: python_dags(name, graphs.tasks(1000, 5000))),
    ("plan_metrics_1k", "networkx", ("networkx",), lambda name: networkx_dags(name, graphs.tasks(1000, 5000))),
    ("budget_reserve_commit", "python", (), lambda name: python_ledgers(name, 1)),
    ("budget_reserve_commit_depth_3", "python", (), lambda name: python_ledgers(name, 3)),
    ("telemetry_update", "python", (), python_telemetry),
)
