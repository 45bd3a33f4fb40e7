"""Twin of telemetry's circuit breaker: closed, open, half-open."""

from __future__ import annotations

from dataclasses import dataclass, field

from turnout.telemetry import BreakerConfig

MAX_OPENINGS = 100

Transition = tuple[str, str, str]  # from, to, cause


@dataclass
class CircuitBreaker:
    config: BreakerConfig = field(default_factory=BreakerConfig)
    state: str = "closed"
    since: float = 0.0
    failures: int = 0  # in a row
    openings: int = 0  # since it was last closed
    acquired: int = 0  # probes
    succeeded: int = 0

    def cool_down(self) -> float:
        c = self.config
        return min(c.cool_down_seconds * c.backoff ** max(0, self.openings - 1), c.max_cool_down_seconds)

    def cooled(self, time: float) -> bool:
        return time - self.since >= self.cool_down()

    def due(self, time: float) -> bool:
        return self.state == "open" and self.cooled(time)

    def shown(self, time: float) -> str:
        return "half_open" if self.due(time) else self.state

    def admits(self, time: float) -> bool:
        if self.state == "closed":
            return True
        return (self.state == "half_open" and self.acquired < self.config.probes) or self.cooled(time)

    def try_acquire(self, time: float) -> tuple[bool, Transition | None]:
        """Takes a probe where it is half-open; probes that nobody answered are handed out again after a cool-down."""
        if self.state == "closed":
            return True, None
        if self.state == "half_open" and self.acquired < self.config.probes:
            self.acquired += 1
            return True, None
        if not self.cooled(time):
            return False, None
        old, self.state, self.since = self.state, "half_open", time
        self.acquired, self.succeeded = 1, 0
        return True, ("open", "half_open", "cooled_down") if old == "open" else None

    def record(self, ok: bool, time: float, too_many: bool = False) -> Transition | None:
        """The transition that the outcome makes; while it is open, outcomes are stragglers' and change nothing."""
        cause = {"closed": self._closed, "open": lambda ok, too_many: None, "half_open": self._probe}[self.state](
            ok, too_many
        )
        if cause is None:
            return None
        old, self.since, self.failures = self.state, time, 0
        self.acquired = self.succeeded = 0
        self.state = "closed" if cause == "probes_succeeded" else "open"
        self.openings = 0 if self.state == "closed" else min(self.openings + 1, MAX_OPENINGS)
        return old, self.state, cause

    def _closed(self, ok: bool, too_many: bool) -> str | None:
        self.failures = 0 if ok else self.failures + 1
        if 0 < self.config.consecutive_failures <= self.failures:
            return "consecutive_failures"
        return "failure_rate" if too_many and not ok else None

    def _probe(self, ok: bool, too_many: bool) -> str | None:
        self.succeeded += ok
        if not ok:
            return "probe_failed"
        return "probes_succeeded" if self.succeeded >= self.config.probes else None

    def retry_after(self, time: float) -> float:
        if self.admits(time):
            return 0.0
        return min(max(self.cool_down() - (time - self.since), 0.0), self.cool_down())
