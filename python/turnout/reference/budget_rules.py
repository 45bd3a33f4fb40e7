"""Twin of what follows from a budget: pressure, pacing, turn limits, decisions on what remains, selection."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from turnout.reference.budget import SLACK
from turnout.reference.core import Philox

MAX_TURNS = 4096


def lambda_of(base: float, pressure: float, floor: float) -> float:
    return base / max(pressure, floor)


def effective_value(value_usd: float, pressure: float, floor: float = 0.0) -> float:
    return value_usd * max(pressure, floor)


def decide(share: float, go_on: float, dig: float, pivot: float) -> str:
    return next((a for a, least in (("go_on", go_on), ("dig", dig), ("pivot", pivot)) if share >= least), "stop")


def unified_cost(
    tokens: tuple[float, float], usd_per_mtok: tuple[float, float], calls: Sequence[float], prices: Sequence[float]
) -> float:
    usd = tokens[0] * usd_per_mtok[0] * 1e-6 + tokens[1] * usd_per_mtok[1] * 1e-6
    for count, price in zip(calls, prices, strict=True):
        usd += count * price
    return usd


class Pacer:
    """A credit that the plan fills, spending empties, and `burst` bounds."""

    def __init__(self, plan: Sequence[tuple[float, float]], burst: float, start: float) -> None:
        self.plan = [(0.0, 0.0), *plan]
        self.burst = self.credit = burst
        self.start = self.last = start
        self.spent = 0.0

    def planned(self, now: float) -> float:
        t = now - self.start
        if t < 0:
            return 0.0
        for (a, low), (b, high) in zip(self.plan, self.plan[1:], strict=False):
            if t < b:
                return low + (high - low) * ((t - a) / (b - a))
        return self.plan[-1][1]

    def fill(self, now: float) -> None:
        if now > self.last:
            self.credit = min(self.burst, self.credit + (self.planned(now) - self.planned(self.last)))
        if now > self.last or now < self.last - SLACK:
            self.last = now

    def admit(self, amount: float, now: float) -> bool:
        self.fill(now)
        if amount > self.credit:
            return False
        self.record(amount, now)
        return True

    def record(self, amount: float, now: float) -> None:
        self.fill(now)
        self.credit -= amount
        self.spent += amount

    def pace(self, now: float) -> float:
        planned = self.planned(now)
        if planned > 0:
            return self.spent / planned
        return math.inf if self.spent > 0 else 1.0

    def multiplier(self, now: float) -> float:
        self.fill(now)
        return min(max(self.credit / self.burst, 0.0), 1.0)


class TurnHistogram:
    """All runs, kept."""

    def __init__(self) -> None:
        self.counts: Counter[int] = Counter()

    def add(self, turns: int) -> None:
        self.counts[min(turns, MAX_TURNS)] += 1

    def merge(self, other: TurnHistogram) -> None:
        self.counts.update(other.counts)

    def quantile(self, q: float) -> int:
        runs = sorted(self.counts.elements())
        return runs[math.ceil(q * len(runs)) - 1]


class TurnControl:
    """A limit on turns that may be extended on demand."""

    def __init__(self, limit: int, hard_cap: int, extension: int) -> None:
        self.limit, self.hard_cap, self.extension = limit, hard_cap, extension
        self.used = self.extensions = 0

    def next(self) -> str:
        if self.used >= self.limit:
            return "stop"
        self.used += 1
        return "remind" if self.used == self.limit else "go"

    def extend(self, requested: bool, affordable: bool) -> bool:
        if not (requested and affordable and self.limit < self.hard_cap):
            return False
        self.limit = min(self.limit + self.extension, self.hard_cap)
        self.extensions += 1
        return True


def selection_probabilities(values: Sequence[float], r: float) -> list[float]:
    """V^(1/r), normalised, in logarithms relative to the largest."""
    most = max(values)

    def weight(value: float) -> float:
        if value == most:
            return 1.0
        return 0.0 if r == 0 or value == 0 else math.exp(min(0.0, math.log(value) - math.log(most)) / r)

    weights = [weight(v) for v in values]
    total = 0.0
    for w in weights:
        total += w
    return [w / total for w in weights]


def select(values: Sequence[float], r: float, rng: Philox) -> int:
    """The first node whose cumulative probability is above a uniform number."""
    u, cumulative, last = rng.uniform(), 0.0, 0
    for i, p in enumerate(selection_probabilities(values, r)):
        if p == 0:
            continue
        last = i
        cumulative += p
        if cumulative > u:
            break
    return last


def terminal_bound(p_min: float, steps: float, eps: float) -> float:
    log_eps = math.log(1 / eps)
    return (steps + math.sqrt(2 * steps * log_eps) + 2 * log_eps) / p_min
