"""Cases of the rooms beside the decision: tool graphs, task DAGs, ledgers, telemetry.

Each is measured inside C++ (`native`) and, where calls are short, from Python (`native_python`); `native_2_threads`
counts the operations of both threads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from turnout import _native
from turnout.bench import graphs
from turnout.bench.cases import Case
from turnout.budget import Ledger
from turnout.dag import measure
from turnout.telemetry import Telemetry

Floats = npt.NDArray[np.float64]
NAMES = (
    "graph_dijkstra_1k",
    "graph_dijkstra_100k",
    "graph_replan_1k",
    "graph_replan_1k_from_source",
    "plan_metrics_1k",
    "plan_metrics_50k_edges",
    "plan_metrics_100k_edges",
    "budget_reserve_commit",
    "budget_reserve_commit_depth_3",
    "telemetry_update",
)
OPERATIONS = 1000  # of a sample, where one takes nanoseconds


def looped(
    name: str, rival: str, loop: Callable[[], tuple[Floats, int, Any]], operations: int, right: Callable[[Any], bool]
) -> Case:
    """A case that is a loop inside C++: (microseconds of each sample, allocations of all, an answer).

    `operations` are those of a loop; `right` says whether its answer is.
    """

    def allocations() -> float:
        return loop()[1] / operations

    def samples() -> Floats:
        micros, _, answer = loop()
        if not right(answer):
            raise AssertionError(f"{name}: the answer is wrong: {answer}")
        return micros

    return Case(name, rival, lambda _: samples(), [None], native_us=samples, counted=allocations, agreement=lambda: 1.0)


def dijkstra(name: str, arrays: graphs.Arrays, samples: int) -> list[Case]:
    """From the source to the sink, which is the last of all nodes but a few."""
    graph = arrays.tool_graph()
    sink = arrays.nodes - 1
    cost = float(graph.distances_from(0)[sink])
    return [
        looped(name, "native", lambda: _native.time_shortest_path(graph.core, 0, sink, samples), samples, cost.__eq__),
        Case(name, "native_python", lambda _: graph.shortest_path_ids(0, sink), [None] * samples),
    ]


def replan(name: str, from_source: bool, count: int) -> list[Case]:
    """Each tool of the cheapest path fails in turn, on `count` graphs: masking it and a new path."""
    made = [graphs.tools_1k(seed) for seed in range(count)]
    cores = [arrays.tool_graph().core for arrays in made]

    def loop() -> tuple[Floats, int, int]:
        runs = [_native.time_replan(core, 0, a.nodes - 1, from_source) for core, a in zip(cores, made, strict=True)]
        micros, counted, differing = zip(*runs, strict=True)
        return np.concatenate(micros), min(counted) if min(counted) < 0 else sum(counted), sum(differing)

    return [looped(name, "native", loop, len(loop()[0]), lambda differing: differing == 0)]


def plan_metrics(name: str, tasks: graphs.Tasks, samples: int) -> list[Case]:
    """A DAG from rows of edges, checked and measured."""
    wanted = measure(*tasks)

    def loop() -> tuple[Floats, int, Any]:
        return _native.time_dag_measure(*tasks, samples)

    return [
        looped(name, "native", loop, samples, lambda got: got == tuple(wanted)),
        Case(name, "native_python", lambda _: measure(*tasks), [None] * samples),
    ]


NANO_USD = 4_000_000  # what a pair commits


def reserve_commit(name: str, depth: int, samples: int) -> list[Case]:
    """A reservation and its commit in an account of this depth, limits in all dimensions at each level."""

    def loop(threads: int) -> Callable[[], tuple[Floats, int, Any]]:
        return lambda: _native.time_reserve_commit(depth, threads, samples, OPERATIONS)

    def right(answer: tuple[int, int]) -> bool:
        return answer[1] == answer[0] * NANO_USD

    account = Ledger().open("/".join("abcdefgh"[:depth]), usd=1e6, tokens=1e15, seconds=1e10, calls=1e12)

    def pair(_: Any) -> bool:
        hold = account.reserve(usd=0.01, tokens=2000, seconds=1, calls=1, ttl=60)
        return hold.commit(usd=0.004, tokens=1500, seconds=0.5, calls=1).counted

    return [
        looped(name, "native", loop(1), samples * OPERATIONS, right),
        looped(name, "native_2_threads", loop(2), samples * OPERATIONS * 2, right),
        Case(name, "native_python", pair, [None] * (samples * 20)),
    ]


def telemetry_update(samples: int) -> list[Case]:
    """An outcome of one arm; 1 of 50 is a failure."""
    name, operations = "telemetry_update", (samples + 1) * OPERATIONS  # with a round to warm up
    telemetry = Telemetry(["a"])

    def record(_: Any) -> None:
        telemetry.record("a", ok=True, seconds=0.5, expected_seconds=1.0, usd=0.001, tokens=300)

    return [
        looped(
            name,
            "native",
            lambda: _native.time_telemetry_record(samples, OPERATIONS),
            samples * OPERATIONS,
            lambda updates: updates == operations,
        ),
        Case(name, "native_python", record, [None] * (samples * 20)),
    ]


def room_calls(quick: bool, only: str | None = None) -> list[Case]:
    """Every case of ours whose name contains `only`."""
    share = 1 if quick else 5

    def wanted(*names: str) -> bool:
        return any(only is None or only in name for name in names)

    cases: list[Case] = []
    if wanted("graph_dijkstra_1k"):
        cases += dijkstra("graph_dijkstra_1k", graphs.tools_1k(), 200 * share)
    if wanted("graph_dijkstra_100k"):
        cases += dijkstra("graph_dijkstra_100k", graphs.tools_100k(), 4 * share)
    if wanted("graph_replan_1k", "graph_replan_1k_from_source"):
        cases += replan("graph_replan_1k", False, 4 * share)
        cases += replan("graph_replan_1k_from_source", True, 4 * share)
    if wanted("plan_metrics_1k"):
        cases += plan_metrics("plan_metrics_1k", graphs.tasks(1000, 5000), 100 * share)
    if wanted("plan_metrics_50k_edges"):
        cases += plan_metrics("plan_metrics_50k_edges", graphs.tasks(10_000, 50_000), 8 * share)
    if wanted("plan_metrics_100k_edges"):
        cases += plan_metrics("plan_metrics_100k_edges", graphs.tasks(20_000, 100_000), 4 * share)
    if wanted("budget_reserve_commit", "budget_reserve_commit_depth_3"):
        cases += reserve_commit("budget_reserve_commit", 1, 50 * share)
        cases += reserve_commit("budget_reserve_commit_depth_3", 3, 50 * share)
    if wanted("telemetry_update"):
        cases += telemetry_update(50 * share)
    return [case for case in cases if only is None or only in case.name]
