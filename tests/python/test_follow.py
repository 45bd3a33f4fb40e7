"""Tool graphs beside telemetry and a ledger."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turnout.budget import Ledger
from turnout.graph import Criteria, ToolGraph
from turnout.graph.follow import Follower, limits_of
from turnout.telemetry import RateLimit, Telemetry

TOOLS = ("fetch", "read", "scan", "store")


class Clock:
    now = 50.0

    def __call__(self) -> float:
        return self.now


def two_ways() -> ToolGraph:
    ends = np.array([[0, 0, 1, 2], [1, 2, 3, 3]], np.int32)
    return ToolGraph.from_arrays(ends[0], ends[1], np.array([1.0, 1.5, 1.0, 1.0]), names=TOOLS)


def test_without_outcomes_no_bit_changes() -> None:
    graph, telemetry = two_ways(), Telemetry(TOOLS, clock=Clock())
    before, path = graph.costs.copy(), graph.shortest_path("fetch", "store")
    followed = Follower(graph, telemetry).refresh()
    assert graph.costs.tobytes() == before.tobytes() and graph.shortest_path("fetch", "store") == path
    assert str(followed) == "telemetry version 0: nothing to say"


def test_a_large_graph_takes_work_in_its_size() -> None:
    class Counted(str):
        hashed = 0

        def __hash__(self) -> int:
            Counted.hashed += 1
            return str.__hash__(self)

    tools = [Counted(f"tool{i}") for i in range(300)]
    ends = np.arange(300, dtype=np.int32)
    graph = ToolGraph.from_arrays(ends[:-1], ends[1:], np.ones(299), names=tools)
    telemetry, Counted.hashed = Telemetry([str(tool) for tool in tools], clock=Clock()), 0
    Follower(graph, telemetry)
    assert 300 <= Counted.hashed <= 1000


def test_a_slow_tool_costs_a_path() -> None:
    graph, telemetry = two_ways(), Telemetry(TOOLS, clock=Clock())
    follower = Follower(graph, telemetry)
    assert graph.shortest_path("fetch", "store").nodes == ("fetch", "read", "store")
    for _ in range(8):
        telemetry.record("read", ok=True, seconds=4.0, expected_seconds=1.0)
    followed = follower.refresh()
    ratio = telemetry.state("read").latency_ratio
    assert followed.factors == {"read": pytest.approx(ratio)} and graph.weights[0] == pytest.approx(ratio)
    assert graph.shortest_path("fetch", "store").nodes == ("fetch", "scan", "store")


def test_factors_are_the_published_formula() -> None:
    clock = Clock()
    limits = {"read": RateLimit(requests=10, window_seconds=60.0)}
    telemetry = Telemetry(TOOLS, clock=clock, limits=limits, capacity={"read": 4})
    telemetry.record("read", ok=False)
    telemetry.record("read", ok=True, seconds=3.0, expected_seconds=2.0)
    telemetry.begin("read")
    s = telemetry.state("read")
    expected = s.latency_ratio / (1 - 0.25) / s.health * (1 + 5 * s.rate_limit_proximity)
    assert s.rate_limit_proximity > 0 and s.health < 1
    assert Follower(two_ways(), telemetry).refresh().factors["read"] == pytest.approx(expected, rel=1e-12)


def test_an_open_breaker_masks_and_a_probe_unmasks() -> None:
    clock, graph = Clock(), two_ways()
    telemetry = Telemetry(TOOLS, clock=clock)
    follower = Follower(graph, telemetry)
    for _ in range(3):
        telemetry.record("read", ok=False)
    followed = follower.refresh()
    assert followed.masked == ("read",) == graph.masked_nodes and "read masked" in str(followed)
    assert follower.refresh().masked == ()
    clock.now += 31.0
    assert follower.refresh().unmasked == ("read",) and graph.masked_nodes == ()


def test_a_mask_that_the_caller_took_off_comes_back_while_the_breaker_is_open() -> None:
    graph, telemetry = two_ways(), Telemetry(TOOLS, clock=Clock())
    follower = Follower(graph, telemetry)
    for _ in range(3):
        telemetry.record("read", ok=False)
    follower.refresh()
    graph.reset()
    assert follower.refresh().masked == ("read",) == graph.masked_nodes
    follower.release()
    assert graph.masked_nodes == ()


def test_what_the_caller_masked_stays() -> None:
    clock, graph = Clock(), two_ways()
    graph.mask_node("read")
    telemetry = Telemetry(TOOLS, clock=clock)
    follower = Follower(graph, telemetry)
    for tool in ("read", "scan"):
        for _ in range(3):
            telemetry.record(tool, ok=False)
    assert follower.refresh().masked == ("scan",)
    clock.now += 31.0
    assert follower.refresh().unmasked == ("scan",) and graph.masked_nodes == ("read",)


@settings(max_examples=60, deadline=None)
@given(outcomes=st.lists(st.tuples(st.sampled_from(TOOLS), st.booleans(), st.floats(0.1, 50.0)), max_size=12))
def test_release_puts_everything_back(outcomes: list[tuple[str, bool, float]]) -> None:
    graph, telemetry = two_ways(), Telemetry([*TOOLS, "other"], clock=Clock())
    before, follower = graph.costs.tobytes(), Follower(graph, telemetry)
    for tool, ok, seconds in outcomes:
        telemetry.record(tool, ok=ok, seconds=seconds, expected_seconds=1.0)
        follower.refresh()
    follower.release()
    assert graph.costs.tobytes() == before and graph.masked_nodes == ()


def test_what_is_left_of_an_account_limits_a_path() -> None:
    graph = two_ways()
    run = Ledger(clock=Clock()).open("run", usd=1.0)
    assert limits_of(run) == {"max_usd": 1.0}
    criteria = Criteria(graph, usd=np.array([0.4, 0.1, 0.4, 0.1]), quality=np.array([1.0, 0.9, 1.0, 0.9]))
    free = criteria.pareto_paths("fetch", "store", **limits_of(run))
    assert [p.nodes[1] for p in free.paths] == ["scan", "read"]
    run.reserve(usd=0.5)
    tight = criteria.pareto_paths("fetch", "store", **limits_of(run))
    assert [p.nodes[1] for p in tight.paths] == ["scan"]
