"""What the core decides on recorded queries: its allocation by difficulty and its exact assignment, both native.

Only operators that can be replayed are usable here: one call, and votes. Prices are the
LLMs' mean costs on training queries.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from turnout import _native, assign, operators
from turnout.train.replay.actions import Single, Vote, play
from turnout.train.replay.recorded import Floats, Recorded


class Plan(NamedTuple):
    """LLMs of each operator that runs, in order; what the last of them says is the answer."""

    stages: tuple[tuple[int, ...], ...]


def stage(operator: _native.Operator, optional: bool) -> assign.Stage:
    """An operator as the assignment sees it."""
    return assign.Stage(
        weights=tuple(slot.weight for slot in operator.slots),
        fix=operator.fix,
        break_=operator.break_,
        curve=tuple(operator.curve),
        optional=optional,
        parallel=operator.parallel,
        distinct=operator.distinct,
    )


def best(chosen: Sequence[_native.Operator], p: Floats, price: Floats) -> tuple[float, Plan]:
    """The exact assignment of one plan of operators and its utility, for P(correct) [M] and prices [M] in quality."""
    stages = [stage(operator, i > 0) for i, operator in enumerate(chosen)]
    slots = sum(len(s.weights) for s in stages)
    usd, none = np.tile(price, (slots, 1)), np.zeros((slots, len(price)))
    found = assign.solve(stages, p, usd, usd, none, none, np.ones((slots, len(price)), np.bool_), 1.0)
    at, run = 0, list[tuple[int, ...]]()
    for s, skipped in zip(stages, found.skipped, strict=False):
        if not skipped:
            run.append(tuple(found.llms[at : at + len(s.weights)]))
        at += len(s.weights)
    return found.utility, Plan(tuple(run))


def allocated(
    config: _native.OperatorsConfig, table: Sequence[_native.Operator], usable: Sequence[str], difficulty: float
) -> list[_native.Operator]:
    """What the allocator takes at this difficulty when only these operators may run; early stop may always."""
    masks = ["usable" if o.id in usable or o.stops else "disabled" for o in table]
    choices = operators.allocate(config, table, difficulty, masks).choices
    return [table[choice.operator] for choice in choices if not table[choice.operator].stops]


def bound(operator: _native.Operator, p: Floats, price: Floats) -> Floats:
    """Utility [Q] that no assignment of the operator alone exceeds: the ablest LLMs at the price of the cheapest."""
    weights = np.sort([slot.weight for slot in operator.slots])[::-1]
    c = -np.sort(-p, axis=1)[:, : len(weights)] @ weights
    quality = np.interp(c, np.linspace(0.0, 1.0, len(operator.curve)), operator.curve)
    return np.asarray(quality - np.sort(price)[: len(weights)].sum())


def decide(others: Sequence[Sequence[Sequence[_native.Operator]]], p: Floats, price: Floats) -> list[Plan]:
    """The best plan a query: one call, or one of the `others` of that query; ties go to the first.

    The best single call is the argmax by definition; one operator alone is not solved for where its bound says no.
    """
    single = p - price
    best_llm, utility = single.argmax(1), single.max(1)
    plans = [Plan(((m,),)) for m in best_llm.tolist()]
    alone = {c[0].id: bound(c[0], p, price) for candidates in others for c in candidates if len(c) == 1}
    for q, candidates in enumerate(others):
        for chosen in candidates:
            if len(chosen) > 1 or alone[chosen[0].id][q] > utility[q]:
                worth, plan = best(chosen, p[q], price)
                if worth > utility[q]:
                    utility[q], plans[q] = worth, plan
    return plans


def outcome(plans: Sequence[Plan], recorded: Recorded) -> tuple[Floats, Floats]:
    """What one plan a query brought: right [Q], usd [Q]."""
    right, usd = np.zeros(len(plans)), np.zeros(len(plans))
    rows_of: dict[Plan, list[int]] = {}
    for row, plan in enumerate(plans):
        rows_of.setdefault(plan, []).append(row)
    for plan, where in rows_of.items():
        rows = np.array(where)
        part = recorded.rows(rows)
        for llms in plan.stages:
            played = play(Single(llms[0]) if len(llms) == 1 else Vote(llms), part)
            right[rows] = played.right
            usd[rows] += played.usd
    return right, usd
