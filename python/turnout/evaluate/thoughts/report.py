"""What each policy costs and reaches on a pool, and where second thoughts go wrong."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from turnout.belief import AnswerModel
from turnout.evaluate import frontier
from turnout.evaluate.bootstrap import interval
from turnout.evaluate.thoughts import policies
from turnout.evaluate.thoughts.answers import Answers
from turnout.evaluate.thoughts.policies import Played, Rule, play

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Policies = dict[str, list[Rule]]

VALUES: Floats = np.logspace(-4.0, 0.0, 17)
"""USD that a right answer is worth."""
THRESHOLDS: Floats = np.linspace(0.3, 0.95, 14)
TRIPLES = 12
SINGLE, ONE_CALL, NEXT = "single LLMs", "one call", "next_step"
MODELS = [
    AnswerModel(common=c, common_gain=g, spread=s)
    for c, g in ((0.0, 0.0), (0.3, 0.5), (0.3, 0.65), (0.2, 0.75))
    for s in (0.0, 1.5, 2.2)
]
"""The grid from which the defaults come."""


def chain(train: Answers) -> list[int]:
    """LLMs of the hull of mean cost and score on train rows, the cheapest first."""
    cost, score = train.usd.mean(0), train.right.mean(0)
    kept = frontier.hull(frontier.Curve(cost, score))
    return [int(np.flatnonzero((cost == c) & (score == s))[0]) for c, s in zip(*kept, strict=True)]


def _triples(train: Answers) -> list[tuple[int, ...]]:
    """Triples of probes on the train rows' hull of mean cost and agreement with a right answer, at most `TRIPLES`."""
    cost, score = train.usd.mean(0), train.right.mean(0)
    able = sorted(np.argsort(-score / np.sqrt(cost))[:8].tolist())
    found: list[tuple[int, ...]] = list(combinations(able, 3))
    points = [(float(cost[list(t)].sum()), float(score[list(t)].mean())) for t in found]
    kept = frontier.hull(frontier.Curve(*(np.array(column) for column in zip(*points, strict=True))))
    pairs = set(zip(kept.cost.tolist(), kept.score.tolist(), strict=True))
    return [t for t, point in zip(found, points, strict=True) if point in pairs][:TRIPLES]


def all_policies(train: Answers) -> Policies:
    """Every policy with its settings, chosen on train rows alone."""
    ablest = np.argsort(-train.right.mean(0)).tolist()
    plain = AnswerModel(common=0.0, common_gain=0.0, spread=0.0)
    return {
        ONE_CALL: [policies.one_call(v) for v in VALUES],
        NEXT: [policies.second_thoughts(v) for v in VALUES],
        "next_step, one call ahead": [policies.second_thoughts(v, depth=1) for v in VALUES],
        "next_step, answers independent": [policies.second_thoughts(v, model=plain) for v in VALUES],
        "threshold cascade": [policies.threshold_cascade(chain(train), t) for t in THRESHOLDS],
        "ACAR": [policies.acar(t, ablest) for t in _triples(train)],
        "vote of the 3 ablest": [policies.always_vote(ablest[:3])],
        "vote of the 5 ablest": [policies.always_vote(ablest[:5])],
    }


def _curve(played: Sequence[Played], rows: Ints) -> frontier.Curve:
    return frontier.Curve(
        np.array([p.usd[rows].mean() for p in played]), np.array([p.score[rows].mean() for p in played])
    )


def singles(a: Answers) -> list[Played]:
    """Each LLM alone."""
    one, none = np.ones(a.queries), np.zeros(a.queries, bool)
    return [Played(a.usd[:, m], a.right[:, m], one, none) for m in range(len(a.llms))]


def judge(train: Answers, held: Answers, draws: int = 1000) -> dict[str, Any]:
    """A row a policy: points over the hull of the single LLMs and over one call, and each of its settings."""
    arms = frontier.single_arms(train.right, train.usd)
    low, high = (float(train.usd.mean(0)[m]) for m in (arms.cheapest, arms.best))
    played = {SINGLE: singles(held)}
    played |= {name: [play(held, rule) for rule in rules] for name, rules in all_policies(train).items()}

    def area(name: str, rows: Ints) -> float:
        return 100.0 * frontier.aiq(_curve(played[name], rows), low, high)

    def over(name: str, other: str) -> list[float]:
        return list(interval(lambda rows: area(name, rows) - area(other, rows), held.queries, draws))

    def row(name: str) -> dict[str, Any]:
        settings = [_setting(p) for p in played[name]]
        best = max(settings, key=lambda s: s["score"])
        found: dict[str, Any] = {"name": name, "best": best, "settings": settings}
        if len(settings) > 1 and name != SINGLE:
            found |= {"points": over(name, SINGLE), "over_one_call": over(name, ONE_CALL)}
        return found

    return {
        "pool": held.name,
        "queries": {"train": train.queries, "held": held.queries},
        "best_llm": {"llm": held.llms[arms.best], **_setting(played[SINGLE][arms.best])},
        "policies": [row(name) for name in played],
    }


def _setting(p: Played) -> dict[str, Any]:
    """Means over the queries; `agree_but_wrong` is of the stops on two or more answers that were all alike."""
    agreed = int(p.agreed.sum())
    return {
        "usd": float(p.usd.mean()),
        "score": float(p.score.mean()),
        "calls": float(p.calls.mean()),
        "fewer_than_3_calls": float((p.calls < 3).mean()),
        "agreed": agreed / len(p.agreed),
        "agree_but_wrong": float(1.0 - p.score[p.agreed].mean()) if agreed else None,
    }


def fit(train: Answers, queries: int = 2500, seed: int = 0) -> list[dict[str, Any]]:
    """Points of `next_step` on a sample of train rows for each answer model of the grid."""
    held = train.rows(np.sort(np.random.default_rng(seed).permutation(train.queries)[:queries]))
    arms = frontier.single_arms(train.right, train.usd)
    low, high = (float(train.usd.mean(0)[m]) for m in (arms.cheapest, arms.best))
    rows = np.arange(held.queries)
    base = frontier.aiq(_curve(singles(held), rows), low, high)
    out = []
    for model in MODELS:
        curve = _curve([play(held, policies.second_thoughts(v, model=model)) for v in VALUES], rows)
        points = 100.0 * (frontier.aiq(curve, low, high) - base)
        out.append({**model._asdict(), "points": points, "best_score": float(curve.score.max())})
    return out
