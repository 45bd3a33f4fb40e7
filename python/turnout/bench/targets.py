"""What the rooms' cases are to reach, and whether they do, in the record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol


class Measured(Protocol):
    """A row of the table."""

    @property
    def name(self) -> str: ...
    @property
    def rival(self) -> str: ...
    @property
    def p50_us(self) -> float: ...
    @property
    def per_second(self) -> float: ...
    @property
    def allocations(self) -> float | None: ...


class Target(NamedTuple):
    """A statistic of a case that is to be at most, or at least, a limit.

    Attributes
    ----------
    case, rival : str
    statistic : {"p50_us", "per_second", "allocations"}
    limit : float
        With `over`, in multiples of that row's statistic.
    at_least : bool
    over : (case, rival), optional
    """

    case: str
    rival: str
    statistic: str
    limit: float
    at_least: bool = False
    over: tuple[str, str] | None = None


TARGETS = (
    Target("graph_dijkstra_1k", "native", "p50_us", 60),
    Target("graph_dijkstra_100k", "native", "p50_us", 60_000),
    Target("graph_dijkstra_100k", "native", "p50_us", 1.5, over=("graph_dijkstra_100k", "igraph_c")),
    Target("graph_replan_1k", "native", "p50_us", 15),
    Target("plan_metrics_1k", "native", "p50_us", 150),
    # Twice the nodes and edges: linear is twice the time. (The small DAG is no measure: it fits in the first cache.)
    Target("plan_metrics_100k_edges", "native", "p50_us", 3, over=("plan_metrics_50k_edges", "native")),
    Target("budget_reserve_commit", "native", "p50_us", 0.3),
    Target("budget_reserve_commit_depth_3", "native", "p50_us", 0.3),
    Target("budget_reserve_commit", "native_python", "p50_us", 2),
    Target("budget_reserve_commit", "native_2_threads", "per_second", 2e6, at_least=True),
    Target("telemetry_update", "native", "p50_us", 0.1),
    Target("bandit_64x32", "native", "p50_us", 15),
    Target("bandit_64x32", "native_python", "p50_us", 15),
    Target("feedback", "native_python", "p50_us", 3),
    Target("state_recover_1m", "native_python", "p50_us", 3e6),
    *(
        Target(name, "native", "allocations", 0)
        for name in ("graph_dijkstra_1k", "graph_dijkstra_100k", "graph_replan_1k", "plan_metrics_1k")
    ),
    *(
        Target(name, "native", "allocations", 0)
        for name in ("budget_reserve_commit", "telemetry_update", "bandit_64x32")
    ),
)


def judged(rows: Sequence[Measured]) -> list[dict[str, Any]]:
    """Each target whose rows were measured: what it asks, what was measured, whether it is met."""
    by_key = {(row.name, row.rival): row for row in rows}
    found = []
    for target in TARGETS:
        row, base = by_key.get((target.case, target.rival)), by_key.get(target.over or (target.case, target.rival))
        value = None if row is None else getattr(row, target.statistic)
        if value is None or base is None:
            continue
        measured = value / getattr(base, target.statistic) if target.over else value
        met = measured >= target.limit if target.at_least else measured <= target.limit
        found.append({**target._asdict(), "measured": measured, "met": met})
    return found


def line(target: dict[str, Any]) -> str:
    """One of `judged`, as a sentence."""
    over = f" of {'/'.join(target['over'])}" if target["over"] else ""
    bound = "at least" if target["at_least"] else "at most"
    return (
        f"target {'met' if target['met'] else 'MISSED'}: {target['case']} ({target['rival']}) {target['statistic']} "
        f"{target['measured']:.4g}{over}, {bound} {target['limit']:g}"
    )
