"""`llms.json`: what each LLM of the training sets can do, how long it writes and what it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from turnout.outcomes import Outcomes
from turnout.train.vae import FloatArray

if TYPE_CHECKING:
    from turnout.train.pipeline import Trained

# Set whose mean scores a public benchmark's are, and the benchmark's name in a pool file.
SCORE_SET, SCORE_NAME = "mmlupro29", "mmlu_pro"
MOST_ERROR = 5.0  # logits: of an ability that the outcomes do not tell at all


def _main_set(outcomes: Outcomes, llm: int) -> int:
    """The set with the most outcomes of this LLM."""
    return int(np.bincount(outcomes.sets[outcomes.query[outcomes.llm == llm]]).argmax())


def predictive_errors(trained: Trained) -> FloatArray:
    """Standard errors [M] of the abilities: item response's, scaled by how far predictions compress its abilities."""
    fitted, ability = trained.fitted, trained.model.ability
    known = ~np.isnan(fitted.ability)
    a, b = fitted.ability[known], ability[known]
    spread = float(((a - a.mean()) ** 2).sum())
    slope = float(((a - a.mean()) * (b - b.mean())).sum()) / spread if spread > 0.0 else 1.0
    return np.asarray(np.clip(np.nan_to_num(fitted.ability_se) * abs(slope), 0.0, MOST_ERROR))


def _numbers(values: FloatArray) -> list[float]:
    return [round(float(v), 4) for v in values]


def _entry(trained: Trained, llm: int, error: float) -> dict[str, Any]:
    outcomes, model, lengths = trained.outcomes, trained.model, trained.lengths
    rows = outcomes.llm == llm
    main = _main_set(outcomes, llm)
    inside = rows & (outcomes.sets[outcomes.query] == main)
    out: dict[str, Any] = {
        "id": outcomes.llms[llm],
        "ability": round(float(model.ability[llm]), 4),
        "ability_se": round(error, 4),
        "discrimination": round(float(model.discrimination[llm]), 4),
        "skill": _numbers(model.skill[llm]),
        "set": outcomes.set_names[main],
        "n": int(rows.sum()),
        "mean_score": round(float(outcomes.score[inside].mean()), 4),
        "output_tokens_mean": round(float(lengths.mean[llm]), 1),
        "output_tokens_p90": round(max(float(lengths.p90[llm]), float(lengths.mean[llm])), 1),
        "output_tokens": "measured" if lengths.measured[llm] else "assumed",
        "length_gain": float(lengths.gain[llm]),
        "length_skill": _numbers(lengths.deviation[llm]),
    }
    price = trained.prices[llm]
    if price is not None:
        out |= {name: float(f"{value:.6g}") for name, value in price._asdict().items()}
    return out


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


def prior(trained: Trained) -> dict[str, Any]:
    """How abilities and skills are distributed over the LLMs: where a new one starts."""
    skills = trained.model.skill.shape[1]
    tau = float(np.sqrt(np.mean(np.square(trained.model.tau))))
    variance = [max(trained.model.spread, 0.1) ** 2] + [tau**2] * skills
    covariance = np.diag(variance)
    return {"mean": [0.0] * (1 + skills), "covariance": [_numbers(row) for row in covariance]}


def ability_table(trained: Trained, default_pool: list[str]) -> dict[str, Any]:
    """The content of `llms.json`, LLMs from the ablest down.

    Tokens that no set measured are assumed to be the median of the LLMs that have them, and say so.
    """
    errors = predictive_errors(trained)
    order = np.argsort(-trained.model.ability, kind="stable").tolist()
    scores = {}
    if SCORE_SET in trained.outcomes.set_names:
        scores[SCORE_NAME] = score_line(trained.outcomes, trained.model.ability)
    return {
        "skills": trained.model.skill.shape[1],
        "spread": round(trained.model.spread, 4),
        "llms": [_entry(trained, llm, float(errors[llm])) for llm in order],
        "scores": scores,
        "prior": prior(trained),
        "default_pool": default_pool,
    }
