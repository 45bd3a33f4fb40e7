"""The report of an evaluation: plain data for tables, JSON and pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from turnout.evaluate import calibration, choice, frontier, leakage, measure
from turnout.evaluate.measure import Draws, Frontier, interval
from turnout.evaluate.protocol import PLACEBO, SINGLES, TURNOUT, Decided, Fold, Policy
from turnout.train.metrics import spearman

Floats = npt.NDArray[np.float64]

FORMAT = "turnout-evaluation"
SHOWN_WEIGHTS = (0.0, 0.01, 0.1, 1.0, 10.0)  # the grid's nearest are taken
COVERAGES = (0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
EXAMPLES = 5  # of near-duplicates, by their ids


def task_report(decided: Decided, folds: Sequence[Fold], draws: int, seed: int = 0) -> dict[str, Any]:
    """Everything about one pool of one set."""
    task, arms = decided.task, decided.arms
    drawn = Draws.make(len(decided.rows), draws, seed)
    costed = task.cost is not None
    found = measure.frontiers(decided, drawn) if costed else {}
    low, high = (float(decided.cost[:, m].mean()) for m in (arms.cheapest, arms.best))
    pair = _pair(decided, drawn) if len(task.llms) == 2 else {}
    return {
        "name": task.name,
        "llms": list(task.llms),
        "queries": {"evaluated": len(decided.rows), "train": int(task.train.sum()), "dropped": task.dropped},
        "left_out": list(task.left_out),
        "cost_kinds": task.cost_kinds,
        "costed": costed,
        "cheapest": task.llms[arms.cheapest],
        "best": task.llms[arms.best],
        "single_llms": [
            {"llm": llm, "score": float(decided.score[:, m].mean()), "usd": _cost_of(decided, m)}
            for m, llm in enumerate(task.llms)
        ],
        "cost_range": [low, high] if costed else None,
        "undefined": _undefined(decided),
        "hull_of_singles": measure.plain(interval(found[SINGLES].aiq)) if costed else None,
        "leakage": _leakage(decided, folds),
        "policies": [
            _policy(policy, decided, found, pair, drawn) for policy in decided.policies if policy.kind != "singles"
        ]
        + _placebo(found),
        "differences": _differences(decided, found),
        "placebo_holds": _placebo_holds(found),
        "weights": frontier.WEIGHTS.tolist() if costed else [0.0],
    }


def _cost_of(decided: Decided, m: int) -> float | None:
    return None if decided.task.cost is None else float(decided.cost[:, m].mean())


def _undefined(decided: Decided) -> str:
    """Why there is no AIQ; "" where there is."""
    if decided.task.cost is None:
        return "the pool has no costs: quality alone is shown"
    if decided.arms.cheapest == decided.arms.best:
        return "the cheapest LLM is the best one on the training split: there is nothing to trade"
    low, high = (decided.cost[:, m].mean() for m in (decided.arms.cheapest, decided.arms.best))
    return "" if high > low else "the best LLM costs no more than the cheapest one on these queries"


def _points(found: dict[str, Frontier], name: str, against: str) -> Floats:
    return 100.0 * (found[name].aiq - found[against].aiq)


def _placebo(found: dict[str, Frontier]) -> list[dict[str, Any]]:
    if PLACEBO not in found:
        return []
    points = interval(_points(found, PLACEBO, SINGLES))
    row = {"name": PLACEBO, "kind": "placebo", "note": "", "aiq": interval(found[PLACEBO].aiq), "points": points}
    return [measure.plain(row)]


def _placebo_holds(found: dict[str, Frontier]) -> bool | None:
    """Whether turnout with the texts permuted is not above the hull: its interval begins at 0 or below."""
    if PLACEBO not in found:
        return None
    low = interval(_points(found, PLACEBO, SINGLES)).low
    return None if np.isnan(low) else bool(low <= 0.0)


def _differences(decided: Decided, found: dict[str, Frontier]) -> list[dict[str, Any]]:
    """turnout less every other policy, in points of AIQ, paired."""
    if TURNOUT not in found:
        return []
    others = [p.name for p in decided.policies if p.name in found and p.name != TURNOUT and (p.swept)]
    return [{"against": name, "points": measure.plain(interval(_points(found, TURNOUT, name)))} for name in others]


# One policy -----------------------------------------------------------------------------------------------------------


def _policy(
    policy: Policy, decided: Decided, found: dict[str, Frontier], pair: dict[str, Any], draws: Draws
) -> dict[str, Any]:
    out: dict[str, Any] = {"name": policy.name, "kind": policy.kind, "note": policy.note}
    if policy.kind == "missing":
        return out
    out["score"] = interval(draws.means(policy.score[:1])[:, 0])
    if policy.name in found:
        out |= {"usd": interval(draws.means(policy.cost[:1])[:, 0])} | _frontier(policy, found)
    out |= pair.get(policy.name, {})
    if policy.chosen is not None:
        out["at_weights"] = [_at_weight(policy, decided, i) for i in _shown(policy)]
    if policy.predicted is not None:
        out |= _predictions(policy, decided)
    plain: dict[str, Any] = measure.plain(out)
    return plain


def _frontier(policy: Policy, found: dict[str, Frontier]) -> dict[str, Any]:
    mine = found[policy.name]
    with np.errstate(divide="ignore"):
        pass_costs = policy.cost.mean(1) / policy.score.mean(1)
    return {
        "aiq": interval(mine.aiq),
        "points": interval(_points(found, policy.name, SINGLES)),
        "cost_ratio": interval(mine.cost_ratio),
        "reaches_best": bool(np.isfinite(mine.cost_ratio[0])),
        "half_quality": interval(mine.half_quality),
        "least_cost_of_pass": float(pass_costs.min()),
        "curve": {"usd": policy.cost.mean(1), "score": policy.score.mean(1)},
    }


def _shown(policy: Policy) -> list[int]:
    """The weights of the grid that are nearest to `SHOWN_WEIGHTS`; a policy without weights has one."""
    if not policy.swept:
        return [0]
    grid = frontier.WEIGHTS
    near = [0 if w == 0.0 else 1 + int(np.abs(np.log(grid[1:] / w)).argmin()) for w in SHOWN_WEIGHTS]
    return sorted(set(near))


def _at_weight(policy: Policy, decided: Decided, i: int) -> dict[str, Any]:
    assert policy.chosen is not None
    chosen, scale = policy.chosen[i], decided.arms.scale
    share = choice.shares(chosen, len(decided.task.llms))
    weight = float(frontier.WEIGHTS[i])
    price = decided.cost * (weight / scale) if scale > 0.0 else np.zeros_like(decided.cost)
    return {
        "weight": weight if policy.swept or policy.predicted is not None else None,
        "score": float(policy.score[i].mean()),
        "usd": float(policy.cost[i].mean()),
        "shares": dict(zip(decided.task.llms, share.tolist(), strict=True)),
        "entropy_bits": choice.entropy(share),
        "regret": float(choice.regret(chosen, decided.score, price, 1.0).mean()),
        "oracle_gap": choice.oracle_gap(chosen, decided.score),
        "cost_of_pass": choice.cost_of_pass(policy.cost[i], policy.score[i]) if decided.task.cost is not None else None,
    }


def _predictions(policy: Policy, decided: Decided) -> dict[str, Any]:
    """What its predicted scores are worth as probabilities."""
    assert policy.predicted is not None and policy.chosen is not None
    p, score = policy.predicted, decided.score
    overall, alone = calibration.calibrations(p, score)
    bins = calibration.reliability(np.clip(p, 0.0, 1.0).ravel(), score.ravel())
    right = score >= 0.5
    by_llm = {
        llm: {**one._asdict(), "passes": one.passes, "auc": choice.auc(p[:, m], right[:, m])}
        for m, (llm, one) in enumerate(zip(decided.task.llms, alone, strict=True))
    }
    sure = p[np.arange(len(p)), policy.chosen[0]]
    return {
        "calibration": {**overall._asdict(), "passes": overall.passes},
        "auc": choice.auc(p.ravel(), right.ravel()),
        "by_llm": by_llm,
        "reliability": bins._asdict(),
        "difficulty_spearman": _spearman(-p.mean(1), 1.0 - score.mean(1)),
        "abstention": _abstention(sure, policy.score[0]),
    }


def _spearman(a: Floats, b: Floats) -> float:
    return spearman(a, b) if np.ptp(a) > 0.0 and np.ptp(b) > 0.0 else float("nan")


def _abstention(confidence: Floats, score: Floats) -> dict[str, list[float]]:
    """The mean score of the most confident share of the queries, at weight 0."""
    curve = choice.abstention(confidence, score)
    at = [max(round(share * len(score)), 1) - 1 for share in COVERAGES]
    return {"answered": curve.answered[at].tolist(), "score": curve.score[at].tolist()}


# A pool of two --------------------------------------------------------------------------------------------------------


def _pair(decided: Decided, draws: Draws) -> dict[str, Any]:
    """APGR and CPT of every policy that predicts, by the difference of its two predicted scores."""
    strong = decided.arms.best
    weak = 1 - strong
    out = {}
    for policy in decided.policies:
        if policy.predicted is not None:
            preference = policy.predicted[:, strong] - policy.predicted[:, weak]
            found = measure.two_arms(preference, decided.score[:, weak], decided.score[:, strong], draws)
            out[policy.name] = {name: interval(values) for name, values in found._asdict().items()}
    return out


# Guards ---------------------------------------------------------------------------------------------------------------


def _leakage(decided: Decided, folds: Sequence[Fold]) -> dict[str, Any]:
    """Held texts that also stand in the rows that the policies were fitted on."""
    return {
        "equal_stems": _found(decided, folds, leakage.same_stem),
        "near_duplicates": _found(decided, folds, leakage.near_duplicates),
    }


def _found(
    decided: Decided, folds: Sequence[Fold], find: Callable[[Sequence[str], Sequence[str]], list[leakage.Near]]
) -> dict[str, Any]:
    task, pairs = decided.task, []
    for fold in folds:
        train, held = ([task.texts[i] for i in rows] for rows in (fold.train, fold.held))
        pairs += [(int(fold.train[near.train]), int(fold.held[near.test])) for near in find(train, held)]
    ids = task.query_ids
    return {
        "queries": len(pairs),
        "share": len(pairs) / len(decided.rows),
        "examples": [[ids[held], ids[train]] for train, held in pairs[:EXAMPLES]],
    }
