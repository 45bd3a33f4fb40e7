"""Self-healing runs through a tool graph: replan after failures, escalate where there is no plan. See docs/healing.md.

After the idea of Self-Healing Router (N. Bholani, https://github.com/NeerajBholani/self-healing-router). It decides and
keeps the log; the caller's orchestrator calls the tools. A readable twin: `turnout.reference.healing`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, get_args

import numpy as np
import numpy.typing as npt

from turnout import _native
from turnout.core import InputError
from turnout.graph import ToolGraph
from turnout.healing_monitors import (
    HealthMonitor,
    IntentMonitor,
    Monitor,
    ProgressMonitor,
    RiskMonitor,
    Signal,
    default_monitors,
    strongest,
)
from turnout.healing_records import Demotion, Escalation, Goal, Kind, Reason, Record, State
from turnout.schema import fail
from turnout.telemetry import BreakerConfig, BreakerState, Clock, ErrorKind, Telemetry

__all__ = [
    "Demotion",
    "Escalation",
    "Goal",
    "Healer",
    "HealthMonitor",
    "IntentMonitor",
    "Kind",
    "Monitor",
    "ProgressMonitor",
    "Reason",
    "Record",
    "RiskMonitor",
    "Run",
    "Signal",
    "State",
    "default_monitors",
]


MOST_SECONDS = 1e15
"""That a clock may show, as in telemetry."""


def _ids(graph: ToolGraph, tools: str | Iterable[str], path: str) -> list[int]:
    if isinstance(tools, str):
        return [graph.node(tools, path)]
    return [graph.node(tool, f"{path}[{i}]") for i, tool in enumerate(tools)]


def _goals(goals: str | Goal | Iterable[str | Goal]) -> tuple[Goal, ...]:
    each = [goals] if isinstance(goals, str | Goal) else list(goals)
    for i, goal in enumerate(each):
        if not isinstance(goal, str | Goal):
            raise TypeError(f"goals[{i}]: expected a tool or a Goal, got {type(goal).__name__} {goal!r}")
        if isinstance(goal, Goal):
            _check_fallbacks(goal, f"goals[{i}]")
    return tuple(Goal(goal) if isinstance(goal, str) else goal for goal in each)


def _check_fallbacks(goal: Goal, path: str) -> None:
    for k, fallback in enumerate(goal.fallbacks):
        if not isinstance(fallback, tuple | list) or len(fallback) != 2:
            raise TypeError(f"{path}.fallbacks[{k}]: expected (tool, loss), got {fallback!r}")


class Healer:
    """Runs through one tool graph, which share what is known of its tools.

    Parameters
    ----------
    graph : ToolGraph
        Weights in one unit. Tools of its `required` need all those inputs; a run with such tools or with several goals
        follows the cheapest plan, any other the cheapest path.
    telemetry : Telemetry, optional
        Health and breakers of the tools, by their names; what has no arm there is not watched. Default: one of its own.
    monitors : sequence of Monitor, optional
        Default: health, risk, intent and progress.
    max_retries : int
        Failures that a run may have; one more escalates.
    breaker : BreakerConfig, optional
        Of the telemetry of its own.
    clock : callable, optional
        Seconds; default: the telemetry's.
    """

    def __init__(
        self,
        graph: ToolGraph,
        *,
        telemetry: Telemetry | None = None,
        monitors: Sequence[Monitor] | None = None,
        max_retries: int = 3,
        breaker: BreakerConfig | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.graph, self.max_retries = graph, max_retries
        self.telemetry = telemetry or Telemetry(graph.names, breaker=breaker, shards=1, quantiles=False, clock=clock)
        self.monitors = default_monitors() if monitors is None else list(monitors)
        self.clock = clock or self.telemetry.clock
        arms = {arm: i for i, arm in enumerate(self.telemetry.arms)}
        self.arms = [arms.get(name) for name in graph.names]
        self.node_of = {arm: node for node, arm in enumerate(self.arms) if arm is not None}
        self.joins = _joins(graph)

    def run(self, start: str | Iterable[str], goals: str | Goal | Iterable[str | Goal]) -> Run:
        """Plans a run from tools that count as executed; tools whose breaker is open are masked.

        Raises
        ------
        InputError
            With the path to the culprit, as in ``goals[1].fallbacks[0].loss``.
        """
        return Run(self, start, goals)


def _joins(graph: ToolGraph) -> dict[str, Any]:
    if not graph.required:
        return {"inputs": [], "joins": [], "required": []}
    ids: dict[str, int] = {}
    inputs = [ids.setdefault(label, len(ids)) for label in graph.labels or ("",) * graph.edge_count]
    required = [
        (graph.node(tool), ids.setdefault(label, len(ids))) for tool, needs in graph.required.items() for label in needs
    ]
    return {"inputs": inputs, "joins": [graph.node(tool) for tool in graph.required], "required": required}


class Run:
    """One run; one thread at a time. Made by `Healer.run`.

    The caller calls what `step` gives, tells how each call ended, and may let the monitors speak with `signals`.
    """

    def __init__(self, healer: Healer, start: str | Iterable[str], goals: str | Goal | Iterable[str | Goal]) -> None:
        self.healer, self._graph, self._telemetry = healer, healer.graph, healer.telemetry.native
        self.requested = _goals(goals)
        self._in_flight: set[int] = set()
        now = self._now()
        down = [healer.node_of[arm] for arm in self._telemetry.refusing(now) if arm in healer.node_of]
        self._core = _native.HealingRun(
            self._graph.core,
            _ids(self._graph, start, "start"),
            self._native_goals(self.requested),
            max_retries=healer.max_retries,
            down=down,
            **healer.joins,
        )
        self._log: list[Record] = []
        self._note(self._core.log[0], now)

    @property
    def state(self) -> State:
        return self._core.state

    @property
    def log(self) -> tuple[Record, ...]:
        return tuple(self._log)

    @property
    def plan(self) -> tuple[str, ...]:
        """The plan as it was made last, with what has been executed; empty while escalated."""
        return tuple(self._graph.names[v] for v in self._core.plan[0])

    @property
    def remaining(self) -> tuple[str, ...]:
        """What of the plan has not been executed."""
        names, executed = self._graph.names, self._core.executed
        return tuple([names[v] for v in self._core.plan[0] if not executed(v)])

    @property
    def goals(self) -> tuple[str, ...]:
        """The tools to reach, after demotions."""
        return tuple(self._graph.names[v] for v in self._core.goals)

    @property
    def failures(self) -> int:
        return self._core.failures

    @property
    def escalation(self) -> Escalation | None:
        """What there is to decide; None unless the run is escalated."""
        return self._escalation() if self.state == "escalated" else None

    @property
    def idle_seconds(self) -> float:
        """Since the last event of this run."""
        return max(0.0, self.healer.clock() - self._last)

    def is_idle(self, tool: str) -> bool:
        """Whether the tool is up, and neither executed nor in flight."""
        v = self._graph.node(tool, "tool")
        return not (self._core.executed(v) or self._core.in_flight(v) or self._core.masked(v))

    def tool_health(self, tool: str) -> tuple[BreakerState, float] | None:
        """A tool's breaker and health, as telemetry has them; None where it has no such arm."""
        arm = self._arm(self._graph.node(tool, "tool"))
        if arm is None:
            return None
        state = self._telemetry.read(arm, self.healer.clock())
        return state.breaker, state.health

    def step(self) -> tuple[str, ...]:
        """The tools to call now, each of which is then in flight until `succeeded` or `failed`.

        All that the plan wants and whose inputs are there; empty while they are in flight, and when the run is over or
        escalated. A tool whose breaker lets no call through is masked, as if it had tripped.
        """
        while True:
            now = self._now()
            ids = self._core.step()
            ready = [v for v in ids if self._begin(v, now)]
            for v in ids:
                if v not in ready:
                    self._note(self._core.refused(v), now, error="its breaker is open")
            if ready or not ids:
                return tuple([self._graph.names[v] for v in ready])

    def succeeded(
        self,
        tool: str,
        *,
        seconds: float = 0.0,
        expected_seconds: float = 0.0,
        usd: float = 0.0,
        tokens: float = 0.0,
    ) -> None:
        """A call ended well; the numbers go to telemetry.

        Raises
        ------
        InputError
            The tool is not in flight, or a number is out of range; nothing has changed then.
        """
        v = self._flying(tool)
        self._end(v, self._now(), True, seconds, expected_seconds, usd, tokens, 0)
        self._core.succeeded(v)

    def failed(self, tool: str, error: ErrorKind | str | BaseException = "error", *, seconds: float = 0.0) -> Record:
        """A call failed: the tool is masked, and the run is replanned or escalated.

        Parameters
        ----------
        tool : str
        error : str or exception
            A kind that telemetry knows (error, timeout, rate_limited, refused), any other text, or an exception.
        seconds : float
            That the call took.

        Returns
        -------
        Record
            Of kind "reroute" or "escalate".
        """
        v, now, text = self._flying(tool), self._now(), _text(error)
        self._end(v, now, False, seconds, 0.0, 0.0, 0.0, _kind(error))
        return self._note(self._core.failed(v), now, error=text)

    def tripped(self, tool: str, error: str | None = None) -> Record | None:
        """The tool is known to be down; None where it has been executed or is masked already."""
        now = self._now()
        record = self._core.tripped(self._graph.node(tool, "tool"))
        return None if record is None else self._note(record, now, error=error)

    def signals(self, **caller: Any) -> list[Record]:
        """Lets the monitors speak, and acts on the strongest signal.

        Parameters
        ----------
        **caller
            What the caller knows: `down` (tools), `risk` (a number in [0, 1]), `intent` (a name), and whatever monitors
            of one's own look for.

        Returns
        -------
        list of Record
            What came of it. After tools have been masked, the monitors are heard again.
        """
        before = len(self._log)
        while self.state == "running":
            signal = strongest(self.healer.monitors, self, caller)
            if signal is None or not self._act(signal):
                break
        return self._log[before:]

    def _act(self, signal: Signal) -> bool:
        """Whether the monitors are to be heard again."""
        now, before = self._now(), len(self._log)
        if signal.action == "mask":
            for v in _ids(self._graph, signal.tools, f"{signal.monitor}.tools"):
                if (record := self._core.tripped(v)) is not None:  # noted at once: the next one changes the plan
                    self._note(record, now, error=signal.detail, signal=signal)
            return len(self._log) > before
        if signal.action == "escalate":
            self._note(self._core.escalate(), now, error=signal.detail, signal=signal)
        if signal.action == "retarget":
            self.retarget(signal.goals, signal=signal)
        return False

    def restored(self, tool: str) -> Record:
        """A tool is back; the run is replanned, unless it was escalated for another reason than a missing plan."""
        now = self._now()
        return self._note(self._core.restored(self._graph.node(tool, "tool")), now)

    def demote(self) -> Record:
        """Takes the cheapest demotion of the goals and goes on.

        Raises
        ------
        InputError
            There is none.
        """
        now = self._now()
        return self._note(self._core.demote(), now)

    def resume(self, more_retries: int = 0) -> Record:
        """Goes on after an escalation, with so many more retries; escalates again where there is no plan."""
        now = self._now()
        return self._note(self._core.resume(more_retries), now)

    def retarget(self, goals: str | Goal | Iterable[str | Goal], *, signal: Signal | None = None) -> Record:
        """Other goals from here on; what has been executed stays executed."""
        wanted, now = _goals(goals), self._now()
        record = self._core.retarget(self._native_goals(wanted))
        self.requested = wanted
        return self._note(record, now, signal=signal)

    def set_weights(self, edges: npt.NDArray[np.int32], weights: npt.NDArray[np.float64]) -> None:
        """Weights of the run's own copy of the graph, for the next plan."""
        self._core.set_weights(edges, weights)

    def close(self) -> None:
        """Ends a run that is given up: calls in flight no longer count as load."""
        for v in sorted(self._in_flight):
            self._telemetry.end(self._arm_of(v), self.healer.clock())
        self._in_flight.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _arm(self, v: int) -> int | None:
        return self.healer.arms[v]

    def _arm_of(self, v: int) -> int:
        arm = self.healer.arms[v]
        assert arm is not None
        return arm

    def _now(self) -> float:
        """The clock, read before anything changes: a clock that raises, or gives no time, loses no call."""
        now = float(self.healer.clock())
        if not abs(now) <= MOST_SECONDS:
            raise fail(InputError, "clock", f"expected seconds from -1e15 to 1e15, got {now}")
        return now

    def _begin(self, v: int, now: float) -> bool:
        arm = self._arm(v)
        if arm is not None:
            if not self._telemetry.try_acquire(arm, now):
                return False
            self._telemetry.begin(arm, now)
            self._in_flight.add(v)
        return True

    def _flying(self, tool: str) -> int:
        v = self._graph.node(tool, "tool")
        if not self._core.in_flight(v):
            raise fail(InputError, "tool", f"{tool!r} is not in flight")
        return v

    def _end(
        self, v: int, now: float, ok: bool, seconds: float, expected: float, usd: float, tokens: float, kind: int
    ) -> None:
        arm = self._arm(v)
        if arm is not None:
            self._telemetry.record(arm, ok, seconds, expected, usd, tokens, kind, now)
            if v in self._in_flight:
                self._telemetry.end(arm, now)
                self._in_flight.discard(v)
        self._last = now

    def _note(
        self,
        record: tuple[int, Kind, Reason, int, float],
        now: float,
        *,
        error: str | None = None,
        signal: Signal | None = None,
    ) -> Record:
        sequence, kind, reason, tool, cost = record
        self._last = now
        entry = Record(
            sequence=sequence,
            now=now,
            kind=kind,
            reason=reason,
            tool=None if tool < 0 else self._graph.names[tool],
            error=error,
            plan=self.remaining,
            cost=cost if math.isfinite(cost) else None,
            signal=signal,
            escalation=self._escalation() if kind == "escalate" else None,
        )
        self._log.append(entry)
        return entry

    def _escalation(self) -> Escalation:
        names, found = self._graph.names, self._core.demotion()
        demotion = None
        if found is not None:
            changes = tuple((names[goal], None if instead < 0 else names[instead]) for goal, instead, _ in found[0])
            demotion = Demotion(changes, found[1])
        down, cut = ([names[v] for v in ids] for ids in (self._core.down(), self._core.cut()))
        return Escalation(tuple(down), tuple(cut), demotion)

    def _native_goals(self, goals: Sequence[Goal]) -> list[tuple[int, float, list[tuple[int, float]]]]:
        out = []
        for i, goal in enumerate(goals):
            node = self._graph.node(goal.tool, f"goals[{i}].tool")
            fallbacks = [
                (self._graph.node(tool, f"goals[{i}].fallbacks[{k}].tool"), float(loss))
                for k, (tool, loss) in enumerate(goal.fallbacks)
            ]
            out.append((node, math.inf if goal.drop_loss is None else float(goal.drop_loss), fallbacks))
        return out


_KINDS: Mapping[str, int] = {kind: i for i, kind in enumerate(get_args(ErrorKind), 1)}


def _kind(error: str | BaseException) -> int:
    if isinstance(error, BaseException):
        return _KINDS["timeout" if isinstance(error, TimeoutError) else "error"]
    return _KINDS.get(error, _KINDS["error"])


def _text(error: str | BaseException) -> str:
    return error if isinstance(error, str) else f"{type(error).__name__}: {error}"
