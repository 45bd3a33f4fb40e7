"""Shortest paths beside NetworkX, igraph's C and the pure-Python twin, from Python, on the same graphs in one run.

    python bench/graph_baselines.py

Needs networkx; igraph where it is installed. Answers are compared first: fast and wrong cannot pass.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from importlib import import_module, util
from typing import Any

import numpy as np

from turnout.graph import ToolGraph
from turnout.graph.generate import layered, random
from turnout.reference import graph as reference


def microseconds(call: Callable[[], Any], repeats: int) -> float:
    """The median of `repeats` calls, after one to warm up."""
    call()
    times = []
    for _ in range(repeats):
        start = time.perf_counter_ns()
        call()
        times.append((time.perf_counter_ns() - start) / 1e3)
    return statistics.median(times)


def rivals(graph: ToolGraph, source: int, goal: int) -> dict[str, tuple[Callable[[], Any], Callable[[], float]]]:
    """By name: a search from source to goal, and the cost that it finds."""
    networkx = import_module("networkx")
    other = networkx.DiGraph()
    ends = sorted(
        zip(graph.weights.tolist(), graph.sources.tolist(), graph.targets.tolist(), strict=True), reverse=True
    )
    other.add_weighted_edges_from((u, v, w) for w, u, v in ends)  # of parallel edges the lightest comes last and stays
    twin = reference.Graph(len(graph), graph.sources.tolist(), graph.targets.tolist(), graph.weights.tolist())
    calls: dict[str, tuple[Callable[[], Any], Callable[[], float]]] = {
        "networkx": (
            lambda: networkx.dijkstra_path(other, source, goal),
            lambda: networkx.dijkstra_path_length(other, source, goal),
        ),
        "twin": (
            lambda: reference.shortest_path(twin, [source], [goal]),
            lambda: reference.shortest_path(twin, [source], [goal]).cost,
        ),
    }
    if util.find_spec("igraph"):
        edges = list(zip(graph.sources.tolist(), graph.targets.tolist(), strict=True))
        igraph = import_module("igraph").Graph(n=len(graph), edges=edges, directed=True)
        igraph.es["weight"] = graph.weights.tolist()
        calls["igraph"] = (
            lambda: igraph.get_shortest_path(source, goal, weights="weight"),
            lambda: igraph.distances([source], [goal], weights="weight")[0][0],
        )
    return calls


def compare(name: str, graph: ToolGraph, source: int, goal: int, repeats: int, slow: int) -> bool:
    """Prints one line a library; whether all found the same cost."""
    path = graph.shortest_path(source, goal)
    ours = microseconds(lambda: graph.shortest_path(source, goal), repeats)
    print(f"{name:12} {'turnout':10} {ours:12.1f} us")
    fine = path is not None
    for rival, (search, cost) in rivals(graph, source, goal).items():
        right = path is not None and cost() == path.cost
        took = microseconds(search, repeats if rival == "igraph" else slow)
        print(f"{name:12} {rival:10} {took:12.1f} us  {took / ours:7.1f} x  {'' if right else 'ANOTHER COST'}")
        fine = fine and right
    return fine


def replanning(repeats: int) -> bool:
    """Each tool of the path fails and comes back, seen from the source."""
    graph = layered(seed=1)
    replanner = graph.replanner(0, len(graph) - 1)
    path = replanner.replan()
    assert path is not None
    times, fine = [], True
    for i in range(repeats):
        tool = path.nodes[1 + i % (len(path.nodes) - 2)]
        start = time.perf_counter_ns()
        graph.mask_node(tool)
        found = replanner.replan()
        times.append((time.perf_counter_ns() - start) / 1e3)
        fine = fine and found == graph.shortest_path(0, len(graph) - 1)
        graph.unmask_node(tool)
        replanner.replan()
    print(f"{'replan 1k':12} {'turnout':10} {statistics.median(times):12.1f} us")
    return fine


def main() -> int:
    small, large = layered(seed=1), random(100_000, 500_000, seed=1)
    reached = large.distances_from(0)
    farthest = int(np.argmax(np.where(np.isfinite(reached), reached, -1.0)))
    fine = compare("1k", small, 0, len(small) - 1, 500, 20)
    fine &= compare("100k", large, 0, farthest, 15, 2)
    fine &= replanning(500)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
