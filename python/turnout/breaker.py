"""A circuit breaker of its own. A twin: `turnout.reference.breaker`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from turnout import _native
from turnout.arms import Clock

BreakerState = Literal["closed", "open", "half_open"]
Cause = Literal["consecutive_failures", "failure_rate", "cooled_down", "probe_failed", "probes_succeeded"]


@dataclass(frozen=True, kw_only=True)
class BreakerConfig:
    """When a circuit breaker opens and closes.

    Attributes
    ----------
    consecutive_failures : int
        Failures in a row that open it; 0: they do not.
    failure_rate : float
        Share of the decayed calls that opens it; 0: it does not.
    min_calls : float
        Decayed calls below which the rate says nothing.
    cool_down_seconds, backoff, max_cool_down_seconds : float
        It stays open for ``cool_down_seconds * backoff ** n``, at most `max_cool_down_seconds`, where n counts the
        openings since it was last closed.
    probes : int
        Calls that half-open admits; all must succeed to close it, one failure opens it again.
    """

    consecutive_failures: int = 3
    failure_rate: float = 0.0
    min_calls: float = 10.0
    cool_down_seconds: float = 30.0
    backoff: float = 2.0
    max_cool_down_seconds: float = 600.0
    probes: int = 1

    def to_native(self) -> _native.BreakerConfig:
        return _native.BreakerConfig(**self.__dict__)


class Breaker:
    """A circuit breaker of its own: closed, open, half-open (Nygard 2007, "Release It!").

    Parameters
    ----------
    config : BreakerConfig, optional
        Its failure rate is not used: a lone breaker keeps no counts.
    clock : callable, optional
        Seconds; default: the steady clock.
    """

    def __init__(self, config: BreakerConfig | None = None, *, clock: Clock | None = None) -> None:
        self.config = config or BreakerConfig()
        self._native = _native.CircuitBreaker(self.config.to_native())
        self._clock = clock or _native.steady_seconds

    def admits(self) -> bool:
        """Whether `try_acquire` would succeed."""
        return self._native.admits(self._clock())

    def try_acquire(self) -> bool:
        """Whether the call may be made; takes a probe where it is half-open."""
        return self._native.try_acquire(self._clock())[0]

    def record(self, *, ok: bool) -> None:
        """How a call ended. While it is open, outcomes are stragglers' and change nothing."""
        self._native.record(ok, self._clock(), False)

    @property
    def state(self) -> BreakerState:
        """What is open past its cool-down is half-open."""
        return self._native.state(self._clock())

    @property
    def retry_after(self) -> float:
        """Seconds until it may admit a call; 0 when it does."""
        return self._native.retry_after(self._clock())
