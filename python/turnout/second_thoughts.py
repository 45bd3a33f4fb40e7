"""What to do after an answer, from the decision that led to it: `turnout.belief`, with a decision's numbers."""

from __future__ import annotations

import math

from turnout import _native
from turnout.belief import AnswerModel, NextStep, Observation, Option, next_step


def options_of(decision: _native.Decision) -> list[Option]:
    """The LLMs that a decision ranked, as single calls, and those of its plan."""
    found = {a.llm: Option(a.llm, a.p_correct, a.usd_bound, a.seconds, a.feasible) for a in decision.alternatives}
    for node in decision.plan:
        one = max(1, node.calls)
        found.setdefault(node.llm, Option(node.llm, node.p_correct, node.usd_bound / one, node.seconds / one))
    return list(found.values())


def next_of(
    decision: _native.Decision,
    observation: Observation,
    *,
    account: _native.Account | None = None,
    wrong_usd: float = 0.0,
    model: AnswerModel | None = None,
    depth: int = 2,
) -> NextStep:
    """As `turnout.Router.next` describes."""
    usd, seconds, calls = (_limit(x) for x in (decision.budget_usd, decision.max_seconds, decision.max_calls))
    if account is not None:
        left = account.remaining
        held = decision.reservation
        usd = min(usd, left.usd + (observation.usd if held is None else held.amount.usd))
        seconds = min(seconds, left.seconds + (observation.seconds if held is None else held.amount.seconds))
        made = sum(not a.reused for a in observation.answers)
        calls = min(calls, left.calls + (made if held is None else held.amount.calls))
    return next_step(
        options_of(decision),
        observation,
        value_usd=decision.value_usd,
        wrong_usd=wrong_usd,
        usd_per_second=decision.usd_per_second,
        max_usd=usd,
        max_seconds=seconds,
        max_calls=calls,
        model=model or AnswerModel(),
        depth=depth,
    )


def _limit(value: float | None) -> float:
    return math.inf if value is None else value
