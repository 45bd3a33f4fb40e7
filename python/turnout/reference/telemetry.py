"""Twin of the telemetry room: one thread, one arm after the other, plain formulas. See `breaker` and `sketch`, too."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from turnout.reference import sketch
from turnout.reference.breaker import CircuitBreaker, Transition
from turnout.telemetry import BreakerConfig, RateLimit

LATE_SECONDS = 60.0
NOTHING = 2.0**-64  # evidence that weighs less counts nothing
MAX_LATENCY_RATIO = 1e6
MOST_WINDOWS = 4.0


@dataclass
class Timeline:
    """The caller's clock as time that never runs backwards: a step back goes into the offset."""

    latest: float = -math.inf
    offset: float = 0.0

    def at(self, now: float) -> float:
        if now < self.latest - LATE_SECONDS:
            self.offset += self.latest - now
            self.latest = now
        self.latest = max(self.latest, now)
        return now + self.offset


def decay(seconds: float, half_life: float) -> float:
    return 2.0 ** (-seconds / half_life) if seconds > 0 else 1.0


@dataclass
class Meter:
    """How full a limit is: the time at which it would be empty again (generic cell rate algorithm)."""

    limit: float
    window: float
    empty: float = -1e300

    def use(self, amount: float, time: float) -> None:
        if self.limit > 0 and amount > 0:
            used = max(self.empty, time) + amount * (self.window / self.limit)
            self.empty = max(self.empty, min(used, time + MOST_WINDOWS * self.window))

    def share(self, time: float) -> float:
        return min(max(self.empty - time, 0.0) / self.window, 1.0)


@dataclass(frozen=True)
class Outcome:
    ok: bool
    seconds: float = 0.0
    expected_seconds: float = 0.0
    usd: float = 0.0
    tokens: float = 0.0
    error: str | None = None


@dataclass
class Arm:
    """Outcomes are kept, and weighed when asked."""

    half_life: float
    prior_weight: float
    limit: RateLimit
    capacity: int
    breaker: CircuitBreaker
    outcomes: list[tuple[float, Outcome]] = field(default_factory=list)
    reported: tuple[float, float, float] = (0.0, 0.0, -math.inf)  # share, seconds to its reset, when
    in_flight: int = 0

    def __post_init__(self) -> None:
        self.requests = Meter(self.limit.requests, self.limit.window_seconds)
        self.tokens = Meter(self.limit.tokens, self.limit.window_seconds)

    def mean(self, values: Sequence[tuple[float, float]], prior: float = 0.0) -> float:
        weight = sum(w for w, _ in values) + prior
        return (sum(w * x for w, x in values) + prior) / weight if weight >= NOTHING else 0.0

    def weighed(self, time: float) -> list[tuple[float, Outcome]]:
        last = max((t for t, _ in self.outcomes), default=time)
        age = decay(time - last, self.half_life)
        return [(age * decay(last - t, self.half_life), o) for t, o in self.outcomes]

    def failure_share(self, time: float) -> tuple[float, float]:
        """Of the decayed calls, and how many they are."""
        all_ = self.weighed(time)
        return self.mean([(w, float(not o.ok)) for w, o in all_]), sum(w for w, _ in all_)

    def timed(self) -> list[Outcome]:
        return [o for _, o in self.outcomes if o.seconds > 0 and (o.ok or o.error == "timeout")]

    def quantile(self, q: float) -> float:
        return sketch.quantile((o.seconds for o in self.timed()), q)

    def report(self, share: float, reset: float, time: float) -> None:
        """The latest report counts."""
        if time >= self.reported[2]:
            self.reported = (share, reset, time)

    def proximity(self, time: float) -> float:
        share, reset, when = self.reported
        left = share * min(max(1 - (time - when) / reset, 0.0), 1.0) if reset > 0 else 0.0
        return max(left, self.requests.share(time), self.tokens.share(time))

    def state(self, time: float) -> dict[str, float | str]:
        all_ = self.weighed(time)
        timed = [(w, o) for w, o in all_ if o.seconds > 0 and (o.ok or o.error == "timeout")]
        ratios = [(w, o.seconds / o.expected_seconds) for w, o in timed if o.expected_seconds > 0]
        calls = sum(w for w, _ in all_)
        return {
            "health": self.mean([(w, float(o.ok)) for w, o in all_], self.prior_weight),
            "latency_ratio": self.mean([(w, min(x, MAX_LATENCY_RATIO)) for w, x in ratios], self.prior_weight),
            "seconds": self.mean([(w, o.seconds) for w, o in timed]),
            "usd": self.mean([(w, o.usd) for w, o in all_]),
            "tokens": self.mean([(w, o.tokens) for w, o in all_]),
            "calls": calls,
            "calls_per_second": calls * math.log(2) / self.half_life,
            "load": self.in_flight / self.capacity if self.capacity else 0.0,
            "rate_limit_proximity": self.proximity(time),
            "breaker": self.breaker.shown(time),
            "retry_after": self.breaker.retry_after(time),
        }


class Telemetry:
    """Arms by number; the caller passes `now`."""

    def __init__(
        self,
        arms: int,
        *,
        half_life: float = 300.0,
        prior_weight: float = 2.0,
        capacity: Sequence[int] | None = None,
        limits: Sequence[RateLimit] | None = None,
        breaker: BreakerConfig | None = None,
    ) -> None:
        self.config = breaker or BreakerConfig()
        self.timeline = Timeline()
        self.events: list[tuple[float, int, Transition]] = []
        self.arms = [
            Arm(
                half_life,
                prior_weight,
                limits[i] if limits else RateLimit(),
                capacity[i] if capacity else 0,
                CircuitBreaker(self.config),
            )
            for i in range(arms)
        ]

    def _log(self, arm: int, transition: Transition | None, now: float) -> None:
        if transition is not None:
            self.events.append((now, arm, transition))

    def record(self, arm: int, outcome: Outcome, now: float) -> None:
        a, time = self.arms[arm], self.timeline.at(now)
        a.outcomes.append((time, outcome))
        if outcome.error == "rate_limited":
            a.report(1.0, a.limit.window_seconds, time)
        a.requests.use(1, time)
        a.tokens.use(outcome.tokens, time)
        if outcome.error != "refused":
            self._step(arm, outcome.ok, time, now)

    def _step(self, arm: int, ok: bool, time: float, now: float) -> None:
        """Who asks `admits` alone takes no probe: then the first outcome after the cool-down is one."""
        a = self.arms[arm]
        if a.breaker.due(time):
            self._log(arm, a.breaker.try_acquire(time)[1], now)
        share, calls = a.failure_share(time)
        too_many = 0 < self.config.failure_rate <= share and calls >= self.config.min_calls
        self._log(arm, a.breaker.record(ok, time, too_many), now)

    def begin(self, arm: int, now: float) -> None:
        self.timeline.at(now)
        self.arms[arm].in_flight += 1

    def end(self, arm: int, now: float) -> None:
        self.timeline.at(now)
        self.arms[arm].in_flight -= 1

    def report_rate_limit(self, arm: int, used_share: float, reset_seconds: float, now: float) -> None:
        self.arms[arm].report(used_share, reset_seconds, self.timeline.at(now))

    def try_acquire(self, arm: int, now: float) -> bool:
        ok, transition = self.arms[arm].breaker.try_acquire(self.timeline.at(now))
        self._log(arm, transition, now)
        return ok

    def state(self, arm: int, now: float) -> dict[str, float | str]:
        return self.arms[arm].state(self.timeline.at(now))


def jensen_shannon(p: Sequence[float], q: Sequence[float], smoothing: float = 0.0) -> float:
    """H((P + Q) / 2) - (H(P) + H(Q)) / 2, in bits."""

    def shares(counts: Sequence[float]) -> list[float]:
        total = sum(counts) + smoothing * len(counts)
        return [(n + smoothing) / total for n in counts]

    def entropy(shares: Sequence[float]) -> float:
        return -sum(x * math.log2(x) for x in shares if x > 0)

    a, b = shares(p), shares(q)
    mixed = [(x + y) / 2 for x, y in zip(a, b, strict=True)]
    return min(max(entropy(mixed) - (entropy(a) + entropy(b)) / 2, 0.0), 1.0)


@dataclass
class Drift:
    """Every decision is kept; the two windows before the current one are compared."""

    arms: int
    window_seconds: float
    smoothing: float
    min_count: int
    timeline: Timeline = field(default_factory=Timeline)
    decisions: list[tuple[int, int, int]] = field(default_factory=list)  # window, cluster, arm

    def record(self, cluster: int, arm: int, now: float) -> None:
        self.decisions.append((math.floor(self.timeline.at(now) / self.window_seconds), cluster, arm))

    def read(self, cluster: int, now: float) -> tuple[float | None, int, int]:
        current = math.floor(self.timeline.at(now) / self.window_seconds)
        before, after = (
            [self.decisions.count((current - back, cluster, arm)) for arm in range(self.arms)] for back in (2, 1)
        )
        enough = min(sum(before), sum(after)) >= self.min_count
        return jensen_shannon(before, after, self.smoothing) if enough else None, sum(before), sum(after)
