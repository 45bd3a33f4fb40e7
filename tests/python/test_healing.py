"""Self-healing runs: the published scenarios, parity with the twin, invariants under random failures, monitors."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turnout import _native
from turnout.core import InputError
from turnout.graph import ToolGraph
from turnout.healing import (
    Demotion,
    Goal,
    Healer,
    HealthMonitor,
    IntentMonitor,
    ProgressMonitor,
    Record,
    RiskMonitor,
    Run,
    Signal,
)
from turnout.healing_scenarios import MODERATION, SCENARIOS, SUPPORT, Scenario, graph_of, play
from turnout.reference import graph as reference_graph
from turnout.reference import healing as twin
from turnout.telemetry import BreakerConfig, Telemetry


class Hand:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def support(**options: Any) -> Healer:
    return Healer(graph_of(SUPPORT), clock=Hand(), **options)


def drive(run: Run, failing: Sequence[str] = ()) -> list[str]:
    done = []
    while tools := run.step():
        for tool in tools:
            if tool in failing:
                run.failed(tool)
            else:
                run.succeeded(tool)
                done.append(tool)
    return done


@pytest.mark.parametrize("told", [False, True], ids=["found out", "told"])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name)
def test_scenarios(scenario: Scenario, told: bool) -> None:
    run, calls = play(scenario, told=told)
    if scenario.escalates:
        assert run.state == "escalated" and "end" not in calls
        escalation = run.escalation
        assert escalation is not None and escalation.cut and set(escalation.cut) <= set(scenario.failing)
    else:
        assert run.state == "done" and calls == scenario.calls
    assert len(set(calls)) == len(calls) and not set(calls) & set(scenario.failing)


@pytest.mark.parametrize("told", [False, True], ids=["found out", "told"])
def test_nineteen_of_nineteen_with_seven_escalations_and_no_silent_failure(told: bool) -> None:
    solved = escalations = silent = 0
    for scenario in SCENARIOS:
        run, calls = play(scenario, told=told)
        records = [r for r in run.log if r.kind in ("reroute", "escalate")]
        called = {t for t, state in run.healer.telemetry.states().items() if state.failures["error"]}
        failures = sorted(scenario.failing) if told else sorted(called)
        silent += failures != sorted(str(r.tool) for r in records)  # one each, no more and no fewer
        escalated = sum(r.kind == "escalate" for r in records)
        escalations += escalated
        solved += (escalated == 1) if scenario.escalates else (calls == scenario.calls and escalated == 0)
    assert (len(SCENARIOS), solved, escalations, silent) == (19, 19, 7, 0)


class Case:
    """A random graph, native and as its twin, with joins where asked."""

    def __init__(self, nodes: int, edges: list[tuple[int, int, int, int]], joins: dict[int, list[int]]) -> None:
        columns = np.array(edges, np.int64).reshape(-1, 4).T
        sources, targets = columns[0].astype(np.int32), columns[1].astype(np.int32)
        weights, self.inputs = columns[2].astype(np.float64), columns[3].tolist()
        self.nodes, self.joins = nodes, joins
        self.native = _native.ToolGraph(nodes, sources, targets, weights)
        self.twin = reference_graph.Graph(nodes, sources.tolist(), targets.tolist(), weights.tolist())

    def runs(self, goals: list[twin.Goal], retries: int) -> tuple[_native.HealingRun, twin.Run]:
        ours = _native.HealingRun(
            self.native,
            [0],
            [(g.node, g.drop_loss, list(g.fallbacks)) for g in goals],
            inputs=self.inputs if self.joins else [],
            joins=list(self.joins),
            required=[(v, i) for v, inputs in self.joins.items() for i in inputs],
            max_retries=retries,
            down=[],
        )
        return ours, twin.Run(self.twin, [0], goals, self.inputs if self.joins else (), self.joins, retries)


@st.composite
def cases(draw: st.DrawFn, joins: bool) -> Case:
    nodes = draw(st.integers(2, 9))
    node = st.integers(0, nodes - 1)
    edges = draw(st.lists(st.tuples(node, node, st.integers(0, 3), st.integers(0, 1)), max_size=24))
    wanted = draw(st.lists(node.filter(lambda v: v > 0), max_size=2, unique=True)) if joins else []
    return Case(nodes, edges, {v: draw(st.sampled_from([[0, 1], [1], []])) for v in wanted})


def goals_of(draw: st.DrawFn, nodes: int, many: bool) -> list[twin.Goal]:
    node = st.integers(0, nodes - 1)
    loss = st.integers(0, 4).map(float)
    picked = draw(st.lists(node, min_size=1, max_size=3 if many else 1, unique=True))
    fallbacks = st.lists(st.tuples(node, loss), max_size=2).map(tuple)
    return [twin.Goal(v, draw(st.one_of(st.just(math.inf), loss)), draw(fallbacks)) for v in picked]


def same(ours: _native.HealingRun, theirs: twin.Run) -> None:
    assert [record[1:] for record in ours.log] == [tuple(record) for record in theirs.log]
    nodes, edges, cost = ours.plan
    assert (ours.state, tuple(nodes), tuple(edges), cost) == (theirs.state, *theirs.plan)
    assert [ours.executed(v) for v in range(theirs.graph.nodes)] == [
        v in theirs.executed for v in range(theirs.graph.nodes)
    ]


@settings(deadline=None, max_examples=200)
@given(st.booleans().flatmap(cases), st.data())
def test_parity_with_the_twin(case: Case, data: st.DataObject) -> None:
    goals = goals_of(data.draw, case.nodes, many=data.draw(st.booleans()))
    ours, theirs = case.runs(goals, data.draw(st.integers(0, 4)))
    same(ours, theirs)
    for _ in range(30):
        event = data.draw(st.sampled_from(["step", "ok", "fail", "fail", "trip", "restore", "resume", "demote"]))
        flying = sorted(theirs.in_flight)
        if event == "step":
            assert ours.step() == theirs.step()
        elif event in ("ok", "fail") and flying:
            tool = data.draw(st.sampled_from(flying))
            if event == "ok":
                ours.succeeded(tool)
                theirs.succeeded(tool)
            else:
                ours.failed(tool)
                theirs.failed(tool)
        elif event == "trip":
            tool = data.draw(st.integers(0, case.nodes - 1))
            assert (ours.tripped(tool) is None) == (theirs.tripped(tool) is None)
        elif event == "restore" and theirs.graph.masked_nodes:
            tool = data.draw(st.sampled_from(sorted(theirs.graph.masked_nodes)))
            ours.restored(tool)
            theirs.restored(tool)
        elif event == "resume" and theirs.state == "escalated":
            ours.resume(1)
            theirs.resume(1)
        elif event == "demote" and theirs.state == "escalated" and theirs.demotion() is not None:
            ours.demote()
            theirs.demote()
        same(ours, theirs)
        if theirs.state == "escalated":
            assert ours.cut() == theirs.cut() and ours.down() == sorted(theirs.graph.masked_nodes)
            assert ours.demotion() == theirs.demotion()


@settings(deadline=None, max_examples=150)
@given(st.booleans().flatmap(cases), st.data())
def test_every_failure_is_one_record_with_the_cost_of_the_optimum(case: Case, data: st.DataObject) -> None:
    names = [f"t{v}" for v in range(case.nodes)]
    required = {names[v]: [str(i) for i in inputs] for v, inputs in case.joins.items()}
    labels = [str(i) for i in case.inputs]
    healer = Healer(ToolGraph(case.native, names, labels, required), max_retries=1000, clock=Hand())
    run = healer.run("t0", names[data.draw(st.integers(0, case.nodes - 1))])
    oracle, executed, failures = case.twin, [0], 0
    goal = names.index(run.goals[0])
    while tools := run.step():
        for tool in tools:
            v = names.index(tool)
            assert v not in oracle.masked_nodes and v not in executed  # nothing masked, nothing twice
            if data.draw(st.booleans()):
                run.succeeded(tool)
                executed.append(v)
                continue
            record = run.failed(tool)
            failures += 1
            oracle.masked_nodes.add(v)
            found: Any = reference_graph.shortest_path(oracle, executed, [goal])
            if case.joins:
                found = reference_graph.cheapest_plan(oracle, case.inputs, case.joins, executed, goal)
            assert record.cost == (None if found is None else found.cost)
            assert record.kind == ("escalate" if found is None else "reroute") and record.tool == tool
    assert sum(r.kind in ("reroute", "escalate") and r.tool is not None for r in run.log) == failures
    assert run.state == ("done" if goal in executed else "escalated")


def test_the_log_is_frozen_and_json() -> None:
    run = support().run("start", Goal("end", fallbacks=(("lookup", 2.0),)))
    drive(run, ["card", "bank"])
    told = json.loads(json.dumps([record.to_dict() for record in run.log]))
    assert [record["kind"] for record in told] == ["plan", "reroute", "escalate"]
    assert told[1]["plan"] == ["bank", "mail", "end"] and told[1]["cost"] == pytest.approx(0.9)
    assert told[2]["escalation"] == {
        "down": ["card", "bank"],
        "cut": ["card", "bank"],
        "demotion": {"changes": [["end", "lookup"]], "loss": 2.0},
    }
    with pytest.raises(AttributeError):
        run.log[0].kind = "plan"  # type: ignore[misc]


def test_a_demotion_to_what_was_executed_ends_the_run() -> None:
    run = support().run("start", Goal("end", fallbacks=(("lookup", 2.0),)))
    drive(run, ["card", "bank"])
    record = run.demote()
    assert (record.kind, record.cost, run.state, run.goals) == ("demote", 0.0, "done", ("lookup",))


def test_goals_side_by_side() -> None:
    graph = graph_of(MODERATION)
    goals = [Goal("words"), Goal("images", drop_loss=1.0), Goal("video", drop_loss=3.0)]
    run = Healer(graph, clock=Hand()).run("start", goals)
    assert run.step() == ("words", "images", "video")
    run.succeeded("words")
    record = run.failed("video")
    assert record.escalation is not None
    assert record.escalation.demotion == Demotion((("video", None),), 3.0) and record.escalation.cut == ("video",)
    run.succeeded("images")
    run.demote()
    assert run.state == "done" and run.goals == ("words", "images")


def test_a_breaker_that_opens_over_runs_is_a_mask_of_the_next() -> None:
    clock = Hand()
    healer = Healer(graph_of(SUPPORT), breaker=BreakerConfig(cool_down_seconds=60), clock=clock)
    for _ in range(3):
        assert healer.run("start", "end").plan == ("start", "lookup", "card", "mail", "end")
        drive(healer.run("start", "end"), ["card"])
    run = healer.run("start", "end")
    assert run.plan == ("start", "lookup", "bank", "mail", "end") and len(run.log) == 1
    clock.now = 60.0
    again = healer.run("start", "end")
    assert again.plan[2] == "card"  # half-open: a probe
    drive(again)
    assert healer.telemetry.state("card").breaker == "closed"


def test_a_breaker_that_opens_meanwhile_is_found_when_the_tool_is_due() -> None:
    healer = support()
    run = healer.run("start", "end")
    assert run.step() == ("lookup",)
    for _ in range(3):
        healer.telemetry.record("card", ok=False)
    run.succeeded("lookup")
    assert run.step() == ("bank",)
    record = run.log[-1]
    assert (record.kind, record.reason, record.tool) == ("reroute", "tool_down", "card") and run.failures == 0


def test_telemetry_counts_calls_in_flight_until_the_run_is_closed() -> None:
    healer = support()
    with healer.run("start", "end") as run:
        run.step()
        assert healer.telemetry.state("lookup").in_flight == 1
    assert healer.telemetry.state("lookup").in_flight == 0
    run.close()


def test_telemetry_of_others_watches_the_tools_that_it_knows() -> None:
    tel = Telemetry(["other", "card"], clock=Hand())
    run = Healer(graph_of(SUPPORT), telemetry=tel).run("start", "end")
    drive(run, ["card"])
    assert tel.state("card").failures["error"] == 1 and tel.state("other").updates == 0 and run.state == "done"


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        ("timeout", "timeout", "timeout"),
        (TimeoutError("slow"), "timeout", "TimeoutError: slow"),
        ("refused", "refused", "refused"),
        ("no such table", "error", "no such table"),
    ],
)
def test_errors_reach_telemetry_by_kind_and_the_log_as_text(error: Any, kind: Any, text: str) -> None:
    healer = support()
    run = healer.run("start", "end")
    run.step()
    assert run.failed("lookup", error).error == text
    assert healer.telemetry.state("lookup").failures[kind] == 1


def test_more_failures_than_retries_escalate() -> None:
    run = support(max_retries=0).run("start", "end")
    drive(run, ["card"])
    record = run.log[-1]
    assert (record.kind, record.reason) == ("escalate", "retries_spent")
    assert record.escalation is not None and record.escalation.cut == ()
    assert run.resume(1).kind == "resume" and drive(run) == ["bank", "mail", "end"]


def test_a_tool_that_is_back_is_planned_with() -> None:
    run = support().run("start", "end")
    drive(run, ["card", "bank"])
    assert run.restored("bank").plan == ("bank", "mail", "end") and run.state == "running"


class Always:
    def __init__(self, signal: Signal) -> None:
        self.signal = signal

    def check(self, run: Run, caller: Any) -> Signal | None:
        return self.signal


def said(**options: Any) -> Always:
    return Always(Signal(**{"monitor": "mine", "priority": 0.6, "action": "escalate"} | options))


def test_the_highest_priority_wins_and_ties_go_to_the_first() -> None:
    run = support(monitors=[said(detail="a"), said(priority=0.7, detail="b"), said(priority=0.7, detail="c")]).run(
        "start", "end"
    )
    (record,) = run.signals()
    assert record.signal is not None and record.signal.detail == "b"
    assert (record.kind, record.reason, record.error) == ("escalate", "signal", "b")
    assert run.signals() == []  # an escalated run is not watched


def test_the_published_priorities() -> None:
    monitors = [HealthMonitor(), RiskMonitor(), IntentMonitor(), ProgressMonitor()]
    assert [monitor.priority for monitor in monitors] == [0.99, 0.95, 0.9, 0.5]


def test_health_masks_what_the_caller_says_is_down_then_the_others_are_heard() -> None:
    run = support().run("start", "end")
    records = run.signals(down=["card", "text"], risk=0.9)
    assert [(r.kind, r.tool) for r in records] == [("reroute", "card"), ("reroute", "text"), ("escalate", None)]
    assert records[-1].signal is not None and records[-1].signal.monitor == "risk"
    assert run.resume().plan == ("lookup", "bank", "mail", "end")


def test_health_masks_tools_of_the_plan_that_are_unwell() -> None:
    healer = support(breaker=BreakerConfig(consecutive_failures=0))
    for _ in range(20):
        healer.telemetry.record("card", ok=False)
    run = healer.run("start", "end")
    (record,) = run.signals()
    assert (record.kind, record.tool) == ("reroute", "card") and "card" not in record.plan


def test_risk_below_its_threshold_says_nothing() -> None:
    run = support().run("start", "end")
    assert run.signals(risk=0.5) == [] and run.signals() == []
    with pytest.raises(InputError, match=r"^risk: "):
        run.signals(risk=math.nan)


def test_intent_changes_the_goals_once() -> None:
    monitor = IntentMonitor({"cancel": (Goal("lookup"),)})
    run = support(monitors=[monitor]).run("start", "end")
    (record,) = run.signals(intent="cancel")
    assert (record.kind, run.goals) == ("retarget", ("lookup",))
    assert run.signals(intent="cancel") == [] and run.signals(intent="unknown") == []
    assert drive(run) == ["lookup"]


def test_progress_escalates_a_run_that_stands_still() -> None:
    clock = Hand()
    run = Healer(graph_of(SUPPORT), clock=clock).run("start", "end")
    clock.now = 299.0
    assert run.signals() == []
    clock.now = 300.0
    (record,) = run.signals()
    assert record.signal is not None and record.signal.monitor == "progress"
    assert run.resume().kind == "resume" and run.signals() == []


def wrong(f: Callable[[Run], Any]) -> InputError:
    run = support().run("start", "end")
    before = run.log
    with pytest.raises(InputError) as error:
        f(run)
    assert run.log == before and run.state == "running"
    return error.value


@pytest.mark.parametrize(
    ("path", "call"),
    [
        ("tool", lambda run: run.succeeded("card")),
        ("tool", lambda run: run.failed("nothing")),
        ("tool", lambda run: run.restored("card")),
        ("goals", lambda run: run.demote()),
        ("goals[0].tool", lambda run: run.retarget("nothing")),
        ("goals[0].fallbacks[0].loss", lambda run: run.retarget(Goal("end", (("card", -1.0),)))),
        ("goals[0].drop_loss", lambda run: run.retarget(Goal("end", drop_loss=math.nan))),
        ("goals[1].node", lambda run: run.retarget(["end", "end"])),
        ("goals", lambda run: run.retarget([])),
        ("more_retries", lambda run: run.resume(-1)),
        ("edges[0]", lambda run: run.set_weights(np.array([99], np.int32), np.array([1.0]))),
    ],
)
def test_wrong_calls_are_named_and_change_nothing(path: str, call: Callable[[Run], Any]) -> None:
    assert wrong(call).path == path


@pytest.mark.parametrize(
    ("path", "signal"),
    [
        ("monitors[0].priority", {"priority": 1.5}),
        ("monitors[0].action", {"action": "panic"}),
        ("mine.tools[0]", {"action": "mask", "tools": ("nothing",)}),
    ],
)
def test_wrong_signals_are_named(path: str, signal: dict[str, Any]) -> None:
    run = support(monitors=[said(**signal)]).run("start", "end")
    with pytest.raises(InputError) as error:
        run.signals()
    assert error.value.path == path


def test_wrong_numbers_of_a_call_leave_it_in_flight() -> None:
    healer = support()
    run = healer.run("start", "end")
    run.step()
    with pytest.raises(InputError, match=r"^seconds: "):
        run.succeeded("lookup", seconds=-1.0)
    assert healer.telemetry.state("lookup").in_flight == 1
    run.succeeded("lookup")
    assert run.step() == ("card",)


def test_records_are_values() -> None:
    a, b = (support().run("start", "end").log[0] for _ in range(2))
    assert a == b and isinstance(a, Record) and hash(a) == hash(b)


def test_each_tool_of_a_signal_is_noted_with_the_plan_that_it_left() -> None:
    first, second = support().run("start", "end").signals(down=["card", "mail"])
    assert first.plan == ("lookup", "bank", "mail", "end") and first.cost == pytest.approx(1.0)
    assert second.plan == ("lookup", "bank", "text", "end") and second.cost == pytest.approx(1.1)
    first, second = support().run("start", "end").signals(down=["card", "bank"])
    assert (first.kind, first.plan) == ("reroute", ("lookup", "bank", "mail", "end")) and second.kind == "escalate"


@pytest.mark.parametrize("broken", [math.nan, math.inf, 1e300])
def test_a_broken_clock_loses_no_call(broken: float) -> None:
    hand = Hand()
    run = Healer(graph_of(SUPPORT), clock=hand).run("start", "end")
    hand.now = broken
    with pytest.raises(InputError, match="clock: expected seconds"):
        run.step()
    hand.now = 1.0
    assert run.step() == ("lookup",)
    hand.now = broken
    for call in (lambda: run.failed("lookup"), lambda: run.tripped("card"), lambda: run.resume()):
        with pytest.raises(InputError, match="clock: expected seconds"):
            call()
    hand.now = 2.0
    run.succeeded("lookup")
    assert len(run.log) == 1 and drive(run) == ["card", "mail", "end"]


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


def test_an_error_that_cannot_be_told_changes_nothing() -> None:
    run = support().run("start", "end")
    run.step()
    with pytest.raises(RuntimeError, match="no words"):
        run.failed("lookup", Unspeakable())
    run.succeeded("lookup")
    assert run.failures == 0 and len(run.log) == 1
    assert run.healer.telemetry.state("lookup").failures["error"] == 0


@pytest.mark.parametrize(
    ("goals", "message"),
    [
        ([3], r"goals\[0\]: expected a tool or a Goal, got int 3"),
        (Goal("end", fallbacks=("lookup", 5.0)), r"goals\[0\].fallbacks\[0\]: expected \(tool, loss\), got 'lookup'"),
    ],
)
def test_goals_of_another_form_are_named(goals: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        support().run("start", goals)


def test_required_tools_without_labels() -> None:
    ends = np.array([[0, 1], [1, 2]], np.int32)
    graph = ToolGraph.from_arrays(ends[0], ends[1], np.ones(2), names=["a", "b", "c"], required={"b": []})
    assert drive(Healer(graph, clock=Hand()).run((), "c")) == ["b", "c"]
