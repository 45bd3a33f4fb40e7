"""Twin of the ranking of LLMs as a single call of one operator."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from turnout import _native
from turnout.reference import catalog, costs
from turnout.reference.request import Query, Request

MAX_ALTERNATIVES = 16


def ranked(
    q: Query,
    request: Request,
    op: catalog.Operator,
    llms: Sequence[_native.Llm],
    row: Sequence[costs.SlotCost],
    rules: Sequence[str],
    quality: Sequence[float],
) -> list[dict[str, Any]]:
    """The LLMs by feasibility, utility, USD and place in the pool; `row`: what the operator costs on each."""
    found = []
    for m, llm in enumerate(llms):
        rule = _rule(q, request, op, llm, row[m], q.scales[m]) if rules[m] == "none" else rules[m]
        entry = _entry(q, request, op, row[m], quality[m]) | {"llm": llm.id, "feasible": rule == "none", "rule": rule}
        found.append(((rule != "none", -entry["utility"], entry["usd"], m), entry))
    return [entry for _, entry in sorted(found, key=lambda pair: pair[0])][:MAX_ALTERNATIVES]


def _rule(
    q: Query, request: Request, op: catalog.Operator, llm: _native.Llm, cost: costs.SlotCost, scale: float
) -> str:
    """The first rule or limit that excludes an LLM from this one call."""
    slot = op.slots[0]
    tokens = slot.calls * (costs.input_cap(slot, q.tokens) + cost.max_output_tokens)
    excludes = {
        "policy": bool(op.needs_llm & ~llm.policy),
        "context": not costs.room(llm, costs.input_tokens(slot, q.tokens), scale),
        "budget": cost.usd(request.bound, q.tokens) > _limit(request.budget_usd),
        "time": cost.seconds[request.bound] > _limit(request.max_seconds),
        "calls": slot.calls > _limit(request.max_calls),
        "tokens": tokens > _limit(request.max_tokens),
    }
    return next((rule for rule, holds in excludes.items() if holds), "none")


def _limit(value: float | None) -> float:
    return math.inf if value is None else value


def _entry(q: Query, request: Request, op: catalog.Operator, cost: costs.SlotCost, quality: float) -> dict[str, Any]:
    p = op.fix * catalog.curve_at(op.curve, quality)
    usd, seconds = cost.usd(costs.MEAN, q.tokens), cost.seconds[costs.MEAN]
    return {
        "p_correct": p,
        "usd": usd,
        "usd_bound": cost.usd(request.bound, q.tokens),
        "seconds": seconds,
        "utility": request.value_usd * p - usd - request.usd_per_second * seconds,
    }
