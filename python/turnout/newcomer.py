"""An LLM that is new to a bundle: what its outcomes say of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from turnout.ability import AbilityEstimate, Floats, chances, evidence, update
from turnout.core import InputError
from turnout.schema import did_you_mean, fail

if TYPE_CHECKING:
    from turnout.outcomes import Outcomes
    from turnout.router import Router


@dataclass(frozen=True)
class Lesson:
    """What was known of an LLM, and what is known after outcomes.

    Attributes
    ----------
    prior, posterior : AbilityEstimate
    n : int
        Outcomes of this lesson.
    score, expected, fitted : float
        Mean score; what the prior expected of it, and the posterior.
    measured : int
        Outcomes that have their output tokens.
    out_tokens, out_tokens_p90 : float or None
        Of a direct answer to a usual query, where measured: each answer over the bundle's prediction of how long it is
        to be.
    seconds, seconds_p90 : float or None
        Of a call, where the outcomes have them.
    """

    prior: AbilityEstimate
    posterior: AbilityEstimate
    n: int
    score: float
    expected: float
    fitted: float
    measured: int
    out_tokens: float | None
    out_tokens_p90: float | None
    seconds: float | None
    seconds_p90: float | None


def learn(router: Router, outcomes: Outcomes, llm: str, prior: AbilityEstimate) -> Lesson:
    """What the outcomes of one LLM say, all splits.

    Parameters
    ----------
    llm : str
        Its name in the outcomes.

    Raises
    ------
    InputError
        It has no outcomes.
    """
    if llm not in outcomes.llms:
        known = did_you_mean(llm, outcomes.llms) or f"; they are of {', '.join(outcomes.llms[:8])}"
        raise fail(InputError, "model", f"{llm!r} has no outcomes{known}")
    cells = outcomes.llm == outcomes.llms.index(llm)
    assessed = router.assess([outcomes.texts[i] for i in outcomes.query[cells]])
    seen = evidence(assessed, outcomes.score[cells])
    posterior = update(prior, seen)
    tokens = _tokens(outcomes.out_tokens[cells], np.asarray(assessed.output_scale, np.float64))
    return Lesson(
        prior,
        posterior,
        len(seen.score),
        float(seen.score.mean()),
        float(chances(prior.mean, seen).mean()),
        float(chances(posterior.mean, seen).mean()),
        int((~np.isnan(outcomes.out_tokens[cells])).sum()),
        *tokens,
        *_mean_and_p90(outcomes.seconds[cells]),
    )


def _tokens(values: Floats, scale: Floats) -> tuple[float, float] | tuple[None, None]:
    known = ~np.isnan(values)
    if not known.any():
        return None, None
    mean = float(values[known].sum() / scale[known].sum())
    return mean, max(mean, float(np.percentile(values[known] / scale[known], 90)))


def _mean_and_p90(values: Floats) -> tuple[float, float] | tuple[None, None]:
    known = values[~np.isnan(values)]
    return (float(known.mean()), float(np.percentile(known, 90))) if len(known) else (None, None)
