"""What the twin of the router is asked, and what it knows of a query on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from turnout.assign import Stage
from turnout.constraints import Constraints
from turnout.reference import operators

STATISTICS = ("p90", "mean", "cap")


@dataclass(frozen=True)
class Condition:
    """What telemetry says of an LLM right now."""

    health: float = 1.0
    slowdown: float = 1.0
    rule: str = "none"  # tripped, rate_limited


@dataclass(frozen=True)
class Request:
    """The options of `Router.route`."""

    value_usd: float = 0.01
    budget_usd: float | None = None
    max_seconds: float | None = None
    constraints: Constraints = field(default_factory=Constraints)
    seed: int | None = None
    in_tokens: int | None = None
    statistic: str = "p90"
    tools: int = 4
    usd_per_second: float = 0.0
    max_calls: int | None = None
    max_tokens: float | None = None
    conditions: Sequence[Condition] = ()  # of each LLM, from telemetry

    @property
    def bound(self) -> int:
        return STATISTICS.index(self.statistic)


@dataclass
class Query:
    """What is known of the query so far, and what must be said of it."""

    x: list[float]
    in_tokens: int
    kept: int
    reasons: set[str] = field(default_factory=set)
    scales: list[float] = field(default_factory=list)  # of each LLM's answers to it
    slowdowns: list[float] = field(default_factory=list)  # of each LLM, now
    priors: list[float] = field(default_factory=list)  # P(correct) of each LLM by the outcome model alone
    ratios: list[float] = field(default_factory=list)  # of each LLM's prices, as learned

    @property
    def tokens(self) -> float:
        """For prices and context windows."""
        return float(max(self.in_tokens, 0))


@dataclass(frozen=True)
class Problem:
    """One plan's stages: the operator and layer of each, catalog-wide slots, and the matrices of `assign`."""

    choices: list[operators.Choice]
    stages: list[Stage]
    slots: list[tuple[int, int]]  # (operator, slot of it), one a row
    matrices: dict[str, Any]
