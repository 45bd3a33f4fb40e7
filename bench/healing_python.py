"""Microseconds of `Run.failed` from Python, to the record with the new plan: V = 1,002, E = 4,850.

Every record's cost is checked against a search from scratch: fast and wrong cannot pass.
"""

from __future__ import annotations

import statistics
import time

from turnout.graph import ToolGraph
from turnout.graph.generate import layered
from turnout.healing import Healer

GRAPHS, DEPTHS = 100, (0, 5, 10, 15)


def one(graph: ToolGraph, healer: Healer, depth: int) -> float:
    """Walks the plan up to its `depth`-th tool, which fails."""
    run = healer.run("0", graph.names[-1])
    executed = ["0"]
    for _ in range(depth):
        (tool,) = run.step()
        run.succeeded(tool)
        executed.append(tool)
    (tool,) = run.step()
    start = time.perf_counter_ns()
    record = run.failed(tool)
    us = (time.perf_counter_ns() - start) / 1e3
    graph.mask_node(tool)
    found = graph.shortest_path(executed, graph.names[-1])
    graph.unmask_node(tool)
    assert found is not None and record.kind == "reroute" and record.cost == found.cost
    return us


def main() -> None:
    graphs = [layered(seed=seed) for seed in range(GRAPHS)]
    us = []
    for graph in graphs:
        healer = Healer(graph)
        us += [one(graph, healer, depth) for depth in DEPTHS]
    print(f"{len(us)} failures, V = {len(graphs[0]):,}, E = {graphs[0].edge_count:,}")
    print(f"  failed() to the record: p50 {statistics.median(us):.1f} us, p90 {sorted(us)[len(us) * 9 // 10]:.1f}")


if __name__ == "__main__":
    main()
