"""Monitors of a self-healing run: small rules over telemetry and over what the caller says. See docs/healing.md."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

from turnout.core import InputError
from turnout.schema import fail

if TYPE_CHECKING:
    from turnout.healing import Run
    from turnout.healing_records import Goal

Action = Literal["none", "mask", "escalate", "retarget"]

Caller = Mapping[str, Any]
"""What the caller says, as the keywords of `Run.signals`."""


@dataclass(frozen=True, kw_only=True)
class Signal:
    """What a monitor says. Of several, the one with the highest priority is acted on.

    Attributes
    ----------
    monitor : str
    priority : float
        In [0, 1].
    action : {"none", "mask", "escalate", "retarget"}
    tools : tuple of str
        To be masked.
    goals : tuple of Goal
        To be reached from now on.
    detail : str
        Why, for the log.
    """

    monitor: str
    priority: float
    action: Action = "none"
    tools: tuple[str, ...] = ()
    goals: tuple[Goal, ...] = ()
    detail: str = ""


class Monitor(Protocol):
    """A rule of one's own: anything with a method `check`."""

    def check(self, run: Run, caller: Caller) -> Signal | None:
        """The signal, or None where there is nothing to say."""


def strongest(monitors: Sequence[Monitor], run: Run, caller: Caller) -> Signal | None:
    """The signal of the highest priority; ties go to the monitor that stands first."""
    best: Signal | None = None
    for i, monitor in enumerate(monitors):
        signal = monitor.check(run, caller)
        if signal is None:
            continue
        _check(signal, f"monitors[{i}]")
        if best is None or signal.priority > best.priority:
            best = signal
    return best


def _check(signal: Signal, path: str) -> None:
    if not 0.0 <= signal.priority <= 1.0:
        raise fail(InputError, f"{path}.priority", f"expected a number in [0, 1], got {signal.priority}")
    if signal.action not in get_args(Action):
        raise fail(InputError, f"{path}.action", f"expected one of {get_args(Action)}, got {signal.action!r}")


@dataclass
class HealthMonitor:
    """Masks tools of the plan that are down: `down` of the caller, an open breaker, a health below `min_health`."""

    min_health: float = 0.2
    priority: float = 0.99

    def check(self, run: Run, caller: Caller) -> Signal | None:
        told = [tool for tool in caller.get("down", ()) if run.is_idle(tool)]
        sick = [tool for tool in run.remaining if run.is_idle(tool) and self._is_sick(run, tool)]
        tools = tuple(dict.fromkeys([*told, *sick]))
        if not tools:
            return None
        return Signal(
            monitor="health", priority=self.priority, action="mask", tools=tools, detail=f"down: {', '.join(tools)}"
        )

    def _is_sick(self, run: Run, tool: str) -> bool:
        state = run.tool_health(tool)
        return state is not None and (state[0] == "open" or state[1] < self.min_health)


@dataclass
class RiskMonitor:
    """Escalates where the caller's `risk`, a number in [0, 1], is at least `threshold`."""

    threshold: float = 0.8
    priority: float = 0.95

    def check(self, run: Run, caller: Caller) -> Signal | None:
        risk = float(caller.get("risk", 0.0))
        if math.isnan(risk):
            raise fail(InputError, "risk", "expected a number, got nan")
        if risk < self.threshold:
            return None
        detail = f"risk {risk:g} is at least {self.threshold:g}"
        return Signal(monitor="risk", priority=self.priority, action="escalate", detail=detail)


@dataclass
class IntentMonitor:
    """Changes the goals where the caller's `intent` is one of `goals` and not what the run was asked for."""

    goals: Mapping[str, Sequence[Goal]] = field(default_factory=dict)
    priority: float = 0.90

    def check(self, run: Run, caller: Caller) -> Signal | None:
        intent = caller.get("intent")
        goals = self.goals.get(intent) if intent is not None else None
        if goals is None or tuple(goals) == run.requested:
            return None
        return Signal(
            monitor="intent", priority=self.priority, action="retarget", goals=tuple(goals), detail=f"intent {intent!r}"
        )


@dataclass
class ProgressMonitor:
    """Escalates where nothing has happened to the run for `stall_seconds`."""

    stall_seconds: float = 300.0
    priority: float = 0.50

    def check(self, run: Run, caller: Caller) -> Signal | None:
        idle = run.idle_seconds
        if idle < self.stall_seconds:
            return None
        return Signal(
            monitor="progress", priority=self.priority, action="escalate", detail=f"no progress for {idle:g} seconds"
        )


def default_monitors() -> list[Monitor]:
    """Health (.99), risk (.95), intent (.90, without goals of its own) and progress (.50)."""
    return [HealthMonitor(), RiskMonitor(), IntentMonitor(), ProgressMonitor()]
