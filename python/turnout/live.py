"""What is known of the LLMs right now, as a decision takes it: from `turnout.telemetry`, or from your own monitor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol
from weakref import ref

import numpy as np

from turnout import _native
from turnout.arms import Clock
from turnout.core import InputError
from turnout.names import RULES
from turnout.schema import fail

MAX_SLOWDOWN = 1000.0
_RULES = ("none", "tripped", "rate_limited", "suspended")


@dataclass(frozen=True)
class Condition:
    """What is known of one LLM right now; an LLM without one is as its catalog entry says.

    Attributes
    ----------
    health : float
        Share of calls that succeed, in [0, 1]: multiplies P(correct).
    slowdown : float
        Seconds a call takes, in multiples of what the catalog says; above 0, at most 1000.
    rule : {"none", "tripped", "rate_limited", "suspended"}
        Whether it may be called at all.
    """

    health: float = 1.0
    slowdown: float = 1.0
    rule: Literal["none", "tripped", "rate_limited", "suspended"] = "none"


class Watched(Protocol):
    """What `turnout.telemetry.Telemetry` is to a router."""

    @property
    def arms(self) -> tuple[str, ...]: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def native(self) -> _native.Telemetry: ...


def live_of(conditions: Mapping[str, Condition], llms: Sequence[str]) -> _native.Live:
    """Conditions by id, as the native router takes them.

    Raises
    ------
    InputError, TypeError
        An unknown LLM, or a number out of its range, as in ``telemetry['gpt-4o'].health``.
    """
    if not isinstance(conditions, Mapping):
        raise TypeError(
            f"telemetry: expected turnout.telemetry.Telemetry or a mapping of LLM id to Condition, "
            f"got {type(conditions).__name__}"
        )
    rows = {name: i for i, name in enumerate(llms)}
    health, slowdown = np.ones(len(llms)), np.ones(len(llms))
    rules = np.zeros(len(llms), np.uint8)
    for name, condition in conditions.items():
        path = f"telemetry[{name!r}]"
        if name not in rows:
            raise fail(InputError, path, "there is no such LLM in the pool")
        if not isinstance(condition, Condition):
            raise TypeError(f"{path}: expected turnout.live.Condition, got {type(condition).__name__}")
        health[rows[name]] = _number(condition.health, f"{path}.health", 0.0, 1.0)
        slowdown[rows[name]] = _number(condition.slowdown, f"{path}.slowdown", 1e-9, MAX_SLOWDOWN)
        if condition.rule not in _RULES:
            raise fail(InputError, f"{path}.rule", f"expected one of {list(_RULES)}, got {condition.rule!r}")
        rules[rows[name]] = RULES.index(condition.rule)
    return _native.Live.fixed(health, slowdown, rules)


def watching(telemetry: Watched, llms: Sequence[str]) -> _native.Live:
    """What telemetry says at each call, by its own clock; LLMs that are no arm of it are as the catalog says."""
    rows = {name: i for i, name in enumerate(telemetry.arms)}
    clock = None if telemetry.clock is _native.steady_seconds else _clock_of(ref(telemetry))
    return _native.Live.watching(telemetry.native, [rows.get(name, -1) for name in llms], clock)


def _clock_of(telemetry: ref[Watched]) -> Clock:
    """Its clock, without keeping it: a router remembers what it watches for as long as that lives."""

    def now() -> float:
        watched = telemetry()
        assert watched is not None  # an argument of the call that asks
        return watched.clock()

    return now


def _number(value: float, path: str, least: float, most: float) -> float:
    if not isinstance(value, int | float | np.number):
        raise TypeError(f"{path}: expected a number, got {type(value).__name__}")
    if not least <= value <= most:
        raise fail(InputError, path, f"expected a number from {least:g} to {most:g}, got {value}")
    return float(value)
