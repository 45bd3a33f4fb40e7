"""Twin of what joins a decision to telemetry and to a ledger: `ReferenceRouter` beside the twins of both."""

from __future__ import annotations

import math
from typing import Any

from turnout.reference.budget import Ledger
from turnout.reference.request import Condition
from turnout.reference.router import ReferenceRouter
from turnout.reference.telemetry import Telemetry

MOST_LOAD = 0.95
USED_UP = 0.99  # share of a rate limit
MAX_SLOWDOWN = 1000.0


def condition_of(telemetry: Telemetry, arm: int, now: float) -> Condition:
    """What an arm's state means for a decision: waiting slows by 1 / (1 - load), as in a queue with one server."""
    state: dict[str, Any] = telemetry.state(arm, now)
    waiting = 1.0 / (1.0 - min(state["load"], MOST_LOAD))
    slowdown = min(max(state["latency_ratio"] * waiting, 1.0 / MAX_SLOWDOWN), MAX_SLOWDOWN)
    rule = "none"
    if not telemetry.arms[arm].breaker.admits(telemetry.timeline.at(now)):
        rule = "tripped"
    elif state["rate_limit_proximity"] >= USED_UP:
        rule = "rate_limited"
    return Condition(state["health"], slowdown, rule)


def route_on(
    router: ReferenceRouter, ledger: Ledger, path: str, now: float, query: Any, ttl: float = 60.0, **options: Any
) -> tuple[dict[str, Any], int | None]:
    """The decision on an account, and the serial of its reservation; alone, so that nobody takes what is left."""
    pressure = ledger.pressure(path, now)
    limits = _tighter(options, ledger.remaining(path, now))
    decision = router.route(query, **{**options, **limits, "value_usd": options.get("value_usd", 0.01) * pressure})
    decision["pressure"] = pressure
    if not decision["feasible"]:
        return decision, None
    calls = sum(node["calls"] for node in decision["plan"])
    tokens = sum(n["calls"] * (n["max_input_tokens"] + n["max_output_tokens"]) for n in decision["plan"])
    held = ledger.reserve(path, (decision["usd_bound"], tokens, decision["seconds_bound"], calls), now, ttl)
    if not isinstance(held, int):
        raise AssertionError(f"a plan within what is left was refused: {held}")
    return decision, held


def _tighter(options: dict[str, Any], left: tuple[float, float, float, float]) -> dict[str, Any]:
    """The options' limits, or what is left where that is less."""
    found: dict[str, Any] = {}
    for name, rest in zip(("budget_usd", "max_tokens", "max_seconds", "max_calls"), left, strict=True):
        given = options.get(name)
        limit = min(rest, math.inf if given is None else given)
        found[name] = None if math.isinf(limit) else int(limit) if name == "max_calls" else limit
    return found
