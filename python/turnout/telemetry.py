"""Telemetry: what calls of each arm (an LLM, a tool, an edge) were like lately. A twin: `turnout.reference.telemetry`.

Decayed means and rates, streaming quantiles, load, nearness to rate limits, a circuit breaker an arm, and drift. It
reports; others decide. An arm without outcomes reads as perfectly healthy, so that telemetry without evidence changes
nothing. Any number of threads may use an object at once.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self, get_args

from turnout import _native
from turnout._native import QuantileSketch
from turnout.arms import Clock, names_of, unknown
from turnout.breaker import Breaker, BreakerConfig, BreakerState, Cause
from turnout.core import ConfigError, InputError
from turnout.drift import Drift, DriftReport, jensen_shannon
from turnout.schema import fail

__all__ = [
    "ArmState",
    "Breaker",
    "BreakerConfig",
    "BreakerState",
    "Call",
    "Cause",
    "Clock",
    "Drift",
    "DriftReport",
    "ErrorKind",
    "Event",
    "QuantileSketch",
    "RateLimit",
    "Telemetry",
    "jensen_shannon",
]

ErrorKind = Literal["error", "timeout", "rate_limited", "refused"]

_MAX_SECONDS = 1e6
_KINDS: dict[str | None, int] = {None: 0, **{kind: i for i, kind in enumerate(get_args(ErrorKind), 1)}}


def _kind(error: str | None) -> int:
    if error not in _KINDS:
        raise fail(InputError, "error", f"expected one of {', '.join(get_args(ErrorKind))}, got {error!r}")
    return _KINDS[error]


@dataclass(frozen=True)
class RateLimit:
    """What a provider allows an arm in any window of `window_seconds`; 0: no limit."""

    requests: float = 0.0
    tokens: float = 0.0
    window_seconds: float = 60.0


@dataclass(frozen=True, kw_only=True)
class ArmState:
    """What is known of an arm at a time.

    Attributes
    ----------
    health : float
        Decayed P(success) under a prior of successes only; exactly 1 without evidence.
    latency_ratio : float
        Decayed mean of observed / expected seconds under a prior of 1; exactly 1 without evidence.
    seconds, usd, tokens : float
        Decayed means of a call; 0 without evidence.
    load : float
        In flight / capacity; 0 without a capacity.
    rate_limit_proximity : float
        The largest of used / limit, in [0, 1].
    breaker : {"closed", "open", "half_open"}
    retry_after : float
        Seconds until the breaker may admit a call; 0 when it does.
    calls, calls_per_second : float
        Decayed count and rate.
    idle_seconds : float
        Since the last outcome; infinite without one.
    in_flight, updates : int
    successes : int
        Ever.
    failures : dict
        Ever, by kind of error.
    transitions : dict
        Of the breaker ever, into each state.
    """

    health: float
    latency_ratio: float
    seconds: float
    usd: float
    tokens: float
    load: float
    rate_limit_proximity: float
    breaker: BreakerState
    retry_after: float
    calls: float
    calls_per_second: float
    idle_seconds: float
    in_flight: int
    updates: int
    successes: int
    failures: dict[ErrorKind, int]
    transitions: dict[BreakerState, int]


_PLAIN = [f for f in ArmState.__annotations__ if f not in ("successes", "failures", "transitions")]


def _state(s: _native.ArmState) -> ArmState:
    successes, *failures = s.by_kind
    return ArmState(
        successes=successes,
        failures=dict(zip(get_args(ErrorKind), failures, strict=True)),
        transitions=dict(zip(get_args(BreakerState), s.transitions, strict=True)),
        **{name: getattr(s, name) for name in _PLAIN},
    )


@dataclass(frozen=True)
class Event:
    """A transition of an arm's breaker. `sequence` counts from 1; `now` is the clock's."""

    sequence: int
    now: float
    arm: str
    from_state: BreakerState
    to_state: BreakerState
    cause: Cause


class Telemetry:
    """Telemetry of named arms.

    Parameters
    ----------
    arms : sequence of str
        Names, each once.
    half_life : float
        Seconds after which an outcome counts half.
    prior_weight : float
        Of the prior, in outcomes: what evidence it takes to move an arm halfway.
    capacity : mapping of str to int, optional
        Calls at once that an arm is good for.
    limits : mapping of str to RateLimit, optional
    breaker : BreakerConfig, optional
        Of every arm.
    shards : int
        Threads that can update one arm at once without waiting for each other, 1 to 64.
    quantiles : bool
        Whether to keep a sketch of seconds for each arm; 24 KiB each, of which what is touched takes memory.
    clock : callable, optional
        Returns seconds of any origin; default: the machine's steady clock. A step back of more than a minute is a clock
        that was set back: no time has passed. A leap of years leaves the prior.

    Raises
    ------
    ConfigError
        With the path to the culprit, as in ``telemetry.half_life``.
    """

    def __init__(
        self,
        arms: Sequence[str],
        *,
        half_life: float = 300.0,
        prior_weight: float = 2.0,
        capacity: Mapping[str, int] | None = None,
        limits: Mapping[str, RateLimit] | None = None,
        breaker: BreakerConfig | None = None,
        shards: int = 8,
        quantiles: bool = True,
        clock: Clock | None = None,
    ) -> None:
        self._arms = names_of(arms, "telemetry.arms")
        capacity, limits = capacity or {}, limits or {}
        for name, what in [("capacity", capacity), ("limits", limits)]:
            for arm in what:
                if arm not in self._arms:
                    raise fail(ConfigError, f"telemetry.{name}", unknown(arm, self._arms))
        each = [limits.get(arm, RateLimit()) for arm in self._arms]
        self._clock = clock
        self.native = _native.Telemetry(
            len(self._arms),
            half_life=half_life,
            prior_weight=prior_weight,
            breaker=(breaker or BreakerConfig()).to_native(),
            shards=shards,
            quantiles=quantiles,
            capacity=[capacity.get(arm, 0) for arm in self._arms],
            limits=[(x.requests, x.tokens, x.window_seconds) for x in each],
        )

    @property
    def arms(self) -> tuple[str, ...]:
        return tuple(self._arms)

    @property
    def clock(self) -> Clock:
        """Seconds, as this telemetry counts them."""
        return self._clock or _native.steady_seconds

    @property
    def version(self) -> int:
        """How many updates there have been."""
        return self.native.version

    def _at(self, arm: str) -> int:
        try:
            return self._arms[arm]
        except KeyError:
            raise fail(InputError, "arm", unknown(arm, self._arms)) from None

    def _now(self) -> float | None:
        return None if self._clock is None else self._clock()

    def record(
        self,
        arm: str,
        *,
        ok: bool,
        seconds: float = 0.0,
        expected_seconds: float = 0.0,
        usd: float = 0.0,
        tokens: float = 0.0,
        error: ErrorKind | None = None,
    ) -> None:
        """Records a call that ended.

        Parameters
        ----------
        arm : str
        ok : bool
        seconds, expected_seconds : float
            At most 1e6; 0: not known. Seconds of calls that failed count for timeouts only.
        usd, tokens : float
            What the call took.
        error : {"error", "timeout", "rate_limited", "refused"}, optional
            Of a call that failed; default "error". A refusal counts against health, not against the breaker; a rate
            limit also sets `rate_limit_proximity` to 1, from where it falls to 0 within the limit's window.

        Raises
        ------
        InputError
            An unknown arm, a number out of range; nothing has changed then.
        """
        kind = _kind("error" if error is None and not ok else error)
        at = self._at(arm)
        self.native.record(at, ok, seconds, expected_seconds, usd, tokens, kind, self._now())

    def begin(self, arm: str) -> None:
        """Counts a call as in flight until `end`; `call` does both."""
        self.native.begin(self._at(arm), self._now())

    def end(self, arm: str) -> None:
        self.native.end(self._at(arm), self._now())

    def call(self, arm: str, *, expected_seconds: float = 0.0) -> Call:
        """Times the block under ``with``, counts it as in flight, and records how it ended.

        An exception counts as a failure (TimeoutError as a timeout) and goes on; what is no `Exception`, such as a
        cancellation, leaves no outcome. The block may set `usd`, `tokens` and `error` of the `Call`.
        """
        return Call(self, self._at(arm), expected_seconds)

    def report_rate_limit(self, arm: str, *, remaining: float, limit: float, reset_seconds: float) -> None:
        """Takes what a provider's headers say: `remaining` of `limit`, all of it free again after `reset_seconds`."""
        if not 0 <= remaining <= limit or not 0 < limit < math.inf:
            raise fail(
                InputError,
                "remaining",
                f"expected 0 <= remaining <= limit, a finite number > 0, got {remaining} of {limit}",
            )
        self.native.report_rate_limit(self._at(arm), 1 - remaining / limit, reset_seconds, self._now())

    def admits(self, arm: str) -> bool:
        """Whether the arm's breaker lets a call through; takes no probe."""
        return self.native.admits(self._at(arm), self._now())

    def refusing(self) -> list[str]:
        """The arms whose breaker lets no call through."""
        names = self.arms
        return [names[i] for i in self.native.refusing(self._now())]

    def try_acquire(self, arm: str) -> bool:
        """Like `admits`, and takes a probe where the breaker is half-open: ask it when the call is about to be made."""
        return self.native.try_acquire(self._at(arm), self._now())

    def state(self, arm: str) -> ArmState:
        return _state(self.native.read(self._at(arm), self._now()))

    def states(self) -> dict[str, ArmState]:
        return dict(zip(self._arms, map(_state, self.native.read_all(self._now())), strict=True))

    def quantile(self, arm: str, q: float) -> float:
        """Seconds that a share q of the arm's calls took at most; see `QuantileSketch` for the error.

        Raises
        ------
        InputError
            No seconds were recorded yet, q is outside [0, 1], or this telemetry keeps no quantiles.
        """
        return self.native.quantile(self._at(arm), q)

    def sketch(self, arm: str) -> QuantileSketch:
        """A copy of the sketch of the arm's seconds, since the beginning."""
        return self.native.sketch(self._at(arm))

    def events(self, after: int = 0) -> list[Event]:
        """Transitions of breakers with a sequence number above `after`, oldest first; the latest 1,024 are kept."""
        names = self.arms
        events = self.native.events(after)
        return [Event(n, now, names[arm], old, new, cause) for n, now, arm, old, new, cause in events]

    def snapshot(self) -> bytes:
        """What is known, but for calls in flight and events. Ages are kept, times are not: another clock may go on."""
        return self.native.save(self._now(), self._tag())

    def restore(self, data: bytes) -> None:
        """Replaces what is known by a snapshot of the same arms.

        Raises
        ------
        InputError
            Damaged, of other arms, or of another version: checked before anything is parsed or changed.
        """
        self.native.restore(data, self._now(), self._tag())

    def _tag(self) -> int:
        names = "\0".join(self._arms).encode()
        return int.from_bytes(hashlib.blake2b(names, digest_size=8).digest(), "little")


class Call:
    """A call under way; see `Telemetry.call`.

    Attributes
    ----------
    usd, tokens : float
        What it took; the block may set them.
    error : str or None
        The block may set it, where a failure raises nothing.
    """

    __slots__ = ("_arm", "_expected", "_start", "_telemetry", "error", "tokens", "usd")

    def __init__(self, telemetry: Telemetry, arm: int, expected_seconds: float) -> None:
        self._telemetry, self._arm, self._expected = telemetry, arm, expected_seconds
        self.usd = self.tokens = 0.0
        self.error: ErrorKind | None = None
        self._start = 0.0

    def _now(self) -> float:
        now = self._telemetry._now()
        return _native.steady_seconds() if now is None else now

    def __enter__(self) -> Self:
        self._start = self._now()
        self._telemetry.native.begin(self._arm, self._start)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        now = self._end()
        if kind is not None and not issubclass(kind, Exception):
            return
        if kind is not None and self.error is None:
            self.error = "timeout" if issubclass(kind, TimeoutError) else "error"
        seconds = now - self._start
        if not 0.0 <= seconds <= _MAX_SECONDS:  # the clock was set
            seconds = 0.0
        code = _kind(self.error)
        self._telemetry.native.record(self._arm, code == 0, seconds, self._expected, self.usd, self.tokens, code, now)

    def _end(self) -> float:
        """The call is over, even where the clock fails."""
        try:
            now = self._now()
            self._telemetry.native.end(self._arm, now)
        except BaseException:
            self._telemetry.native.end(self._arm, self._start)
            raise
        return now
