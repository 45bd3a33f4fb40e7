"""`llms.json`: what each LLM of the training sets can do, on the scale that the network predicts on."""

from __future__ import annotations

from typing import Any

import numpy as np

from turnout.train.assessor import Assessor
from turnout.train.crossfit import Calibration
from turnout.train.data import Outcomes
from turnout.train.response import Response
from turnout.train.vae import FloatArray

# Set whose mean scores a public benchmark's are, and the benchmark's name in a pool file.
SCORE_SET, SCORE_NAME = "mmlupro29", "mmlu_pro"
# Sets that were asked for an option's letter alone report one token: that is not what an LLM writes.
LEAST_TOKENS = 8.0


def _tokens(outcomes: Outcomes, llm: int) -> tuple[float, float] | None:
    """Mean and 90th percentile of measured output tokens; None when the sets have none."""
    values = outcomes.out_tokens[(outcomes.llm == llm) & (outcomes.out_tokens >= 1.0)]
    full = values[values >= LEAST_TOKENS]
    if len(full) < 0.5 * len(values) or len(full) == 0:
        return None
    return float(values.mean()), float(np.percentile(values, 90))


def _main_set(outcomes: Outcomes, llm: int) -> int:
    """The set with the most outcomes of this LLM."""
    return int(np.bincount(outcomes.sets[outcomes.query[outcomes.llm == llm]]).argmax())


def predictive_errors(fitted: Response, found: Calibration) -> FloatArray:
    """Standard errors [M] of the predictive abilities: item response's, scaled by how far predictions compress its
    abilities.
    """
    present = ~np.isnan(found.ability)
    a, b = fitted.ability[present], found.ability[present]
    slope = float(((a - a.mean()) * (b - b.mean())).sum() / ((a - a.mean()) ** 2).sum())
    return np.asarray(fitted.ability_se * slope)


def _entry(outcomes: Outcomes, llm: int, model: Assessor, found: Calibration, errors: FloatArray) -> dict[str, Any]:
    rows = outcomes.llm == llm
    main = _main_set(outcomes, llm)
    inside = rows & (outcomes.sets[outcomes.query] == main)
    return {
        "id": outcomes.llms[llm],
        "ability": round(float(found.ability[llm]), 4),
        "ability_se": round(float(errors[llm]), 4),
        "skill": [round(float(v), 4) for v in model.skill[llm]],
        "set": outcomes.set_names[main],
        "n": int(rows.sum()),
        "mean_score": round(float(outcomes.score[inside].mean()), 4),
    }


def score_line(outcomes: Outcomes, ability: FloatArray, draws: int = 50, seed: int = 0) -> dict[str, Any]:
    """ability = intercept + slope * logit(mean score on the benchmark), over the LLMs that answered it.

    `residual_sd` is how far off an ability is that was read from a score on other domains than the ones it is used
    on: over random halves of the domains, the root mean square difference between the two halves' abilities. The
    fit's own residual would say nothing about transfer, since score and ability come from the same answers.
    """
    inside = outcomes.keep(outcomes.sets == outcomes.set_names.index(SCORE_SET))
    matrix = inside.matrix()
    known = (~np.isnan(matrix)).any(0)
    matrix, ability = matrix[:, known], ability[known]
    logit = _logit(np.nanmean(matrix, 0))
    slope, intercept = np.polyfit(logit, ability, 1)
    domains = np.array(inside.domains)
    gap = [_half_gap(matrix, domains, np.random.default_rng([seed, i])) for i in range(draws)]
    scores = np.nanmean(matrix, 0)
    return {
        "slope": round(float(slope), 4),
        "intercept": round(float(intercept), 4),
        "residual_sd": round(float(slope * np.sqrt(np.mean(np.square(gap)))), 4),
        "n": len(ability),
        "range": [round(float(scores.min()), 4), round(float(scores.max()), 4)],
    }


def _logit(p: FloatArray) -> FloatArray:
    p = np.clip(p, 1e-3, 1.0 - 1e-3)
    return np.asarray(np.log(p / (1.0 - p)))


def _half_gap(matrix: FloatArray, domains: np.ndarray[Any, Any], rng: np.random.Generator) -> FloatArray:
    """Per LLM, its logit score on half of the domains less that on the other half, both against the mean LLM."""
    names = np.unique(domains)
    half = np.isin(domains, rng.permutation(names)[: max(1, len(names) // 2)])
    if half.all():
        half = rng.permutation(len(domains)) % 2 == 0
    enough = ((~np.isnan(matrix[half])).sum(0) > 0) & ((~np.isnan(matrix[~half])).sum(0) > 0)
    gap = _logit(np.nanmean(matrix[half][:, enough], 0)) - _logit(np.nanmean(matrix[~half][:, enough], 0))
    return np.asarray(gap - gap.mean())


def ability_table(
    outcomes: Outcomes, fitted: Response, found: Calibration, model: Assessor, default_pool: list[str]
) -> dict[str, Any]:
    """The content of `llms.json`, LLMs from the ablest down.

    Tokens that no set measured are assumed to be the median of the LLMs that have them, and say so.
    """
    errors = predictive_errors(fitted, found)
    measured = {llm: _tokens(outcomes, llm) for llm in range(len(outcomes.llms))}
    usual = np.median([value for value in measured.values() if value is not None] or [(256.0, 512.0)], axis=0)
    llms = []
    for llm in np.argsort(-found.ability, kind="stable").tolist():
        mean, p90 = measured[llm] or (float(usual[0]), float(usual[1]))
        entry = _entry(outcomes, llm, model, found, errors)
        entry |= {"output_tokens_mean": round(mean, 1), "output_tokens_p90": round(max(p90, mean), 1)}
        llms.append(entry | {"output_tokens": "measured" if measured[llm] else "assumed"})
    scores = {}
    if SCORE_SET in outcomes.set_names:
        scores[SCORE_NAME] = score_line(outcomes, found.ability)
    return {"skills": model.skills, "llms": llms, "scores": scores, "default_pool": default_pool}
