"""How able an LLM is, as a normal distribution that outcomes narrow; the networks stay as they are.

``P(correct | q, LLM) = floor(q) + (1 - floor(q)) sigmoid(ability + skill . s(q) - b(q))`` with the bundle's floor, s
and b. What is unknown of an LLM is theta = (ability, skill), 1 + S numbers. Before any outcome it is distributed as
over the LLMs of the bundle; public scores move the ability, and the skills that go with it in that population; outcomes
give the maximum a posteriori (Newton's method with the Fisher information) and Laplace's covariance there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from turnout.bundle import AbilityTable
from turnout.core import InputError
from turnout.schema import fail

if TYPE_CHECKING:
    from turnout.router import Router

Floats = npt.NDArray[np.float64]

FEWEST_LLMS = 3  # of which a covariance is estimated; below, every variance is 1: the spread of abilities is 1 logit
LEAST_SHRINKAGE = 0.01  # of correlations, so that few LLMs do not make a covariance that has no inverse
MAX_STEPS = 100
TOLERANCE = 1e-9


class Assessed(Protocol):
    """What the bundle says of N queries: `Router.assess`."""

    @property
    def logit(self) -> npt.NDArray[Any]: ...
    @property
    def skills(self) -> npt.NDArray[Any]: ...
    @property
    def floor(self) -> npt.NDArray[Any]: ...


@dataclass(frozen=True, eq=False)
class AbilityEstimate:
    """theta ~ N(mean, covariance), in logits.

    Attributes
    ----------
    mean : float64 [1 + S]
        The ability, then the skills.
    covariance : float64 [1 + S, 1 + S]
    n : int
        Outcomes that it has seen.
    """

    mean: Floats
    covariance: Floats
    n: int = 0

    @property
    def ability(self) -> float:
        return float(self.mean[0])

    @property
    def skill(self) -> list[float]:
        return [float(v) for v in self.mean[1:]]

    @property
    def ability_se(self) -> float:
        return math.sqrt(float(self.covariance[0, 0]))

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """The central interval of the ability."""
        from statistics import NormalDist  # not at `import turnout`

        reach = NormalDist().inv_cdf(0.5 + 0.5 * level) * self.ability_se
        return self.ability - reach, self.ability + reach


@dataclass(frozen=True, eq=False)
class Evidence:
    """Outcomes as the update reads them.

    Attributes
    ----------
    design : float64 [N, 1 + S]
        1, s.
    offset, floor, score : float64 [N]
        b; what guessing gives; the outcome in [0, 1].
    """

    design: Floats
    offset: Floats
    floor: Floats
    score: Floats


def evidence(assessed: Assessed, scores: npt.ArrayLike) -> Evidence:
    """Outcomes on assessed queries.

    Raises
    ------
    InputError
        Not one score in [0, 1] a query.
    """
    score = np.asarray(scores, np.float64)
    rows = len(assessed.logit)
    if score.shape != (rows,):
        raise fail(InputError, "scores", f"expected {rows} numbers, one a query, got the shape {list(score.shape)}")
    wrong = ~((score >= 0.0) & (score <= 1.0))
    if wrong.any():
        row = int(wrong.argmax())
        raise fail(InputError, f"scores[{row}]", f"expected a number from 0 to 1, got {score[row]:g}")
    design = np.hstack([np.ones((rows, 1)), np.asarray(assessed.skills, np.float64)])
    return Evidence(design, np.asarray(assessed.logit, np.float64), np.asarray(assessed.floor, np.float64), score)


def chances(theta: Floats, seen: Evidence) -> Floats:
    """P(correct) of each outcome's query, [N]."""
    return np.asarray(seen.floor + (1.0 - seen.floor) * _sigmoid(seen.design @ theta - seen.offset))


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * x)))


def _log_likelihood(theta: Floats, seen: Evidence) -> float:
    """Cross-entropy, negative; without a floor it stays exact for any logit."""
    z = seen.design @ theta - seen.offset
    log_wrong = np.log1p(-seen.floor) - np.logaddexp(0.0, z)
    log_right = np.where(seen.floor > 0.0, np.log(np.maximum(chances(theta, seen), 1e-300)), -np.logaddexp(0.0, -z))
    return float((seen.score * log_right + (1.0 - seen.score) * log_wrong).sum())


def _slope_and_information(theta: Floats, seen: Evidence) -> tuple[Floats, Floats]:
    """Gradient [1 + S] and Fisher information [1 + S, 1 + S] of the log-likelihood."""
    right = _sigmoid(seen.design @ theta - seen.offset)
    p = np.maximum(seen.floor + (1.0 - seen.floor) * right, 1e-300)
    # dP/dz = (1 - floor) right (1 - right), and P (1 - P) has the factor (1 - floor) (1 - right) too.
    gradient = seen.design.T @ ((seen.score - p) * right / p)
    weight = (1.0 - seen.floor) * right * right * (1.0 - right) / p
    return gradient, seen.design.T @ (weight[:, None] * seen.design)


def update(prior: AbilityEstimate, seen: Evidence) -> AbilityEstimate:
    """The prior after outcomes: maximum a posteriori, and Laplace's covariance there.

    One update with all outcomes and one after the other with parts of them agree to within Laplace's approximation.
    """
    if len(seen.score) == 0:
        return prior
    precision = np.linalg.inv(prior.covariance)

    def posterior(theta: Floats) -> float:
        away = theta - prior.mean
        return _log_likelihood(theta, seen) - 0.5 * float(away @ precision @ away)

    theta, value = prior.mean.copy(), posterior(prior.mean)
    for _ in range(MAX_STEPS):
        gradient, information = _slope_and_information(theta, seen)
        step = np.linalg.solve(information + precision, gradient - precision @ (theta - prior.mean))
        while True:  # halved until it climbs: with a floor the likelihood is not concave
            tried = posterior(theta + step)
            if tried >= value or float(np.abs(step).max()) < TOLERANCE:
                break
            step = 0.5 * step
        theta, value = theta + step, max(tried, value)
        if float(np.abs(step).max()) < TOLERANCE:
            break
    covariance = np.linalg.inv(_slope_and_information(theta, seen)[1] + precision)
    return AbilityEstimate(theta, _symmetric(covariance), prior.n + len(seen.score))


def _symmetric(matrix: Floats) -> Floats:
    return np.asarray(0.5 * (matrix + matrix.T))


# Before outcomes ------------------------------------------------------------------------------------------------------


def population(table: AbilityTable) -> AbilityEstimate:
    """How the LLMs of a bundle are distributed: what is known of a new one.

    The table's own `prior` where training wrote one. Else the LLMs' mean and covariance, the correlations shrunk
    towards 0 by the weight of least expected error (Schaefer and Strimmer 2005, doi:10.2202/1544-6115.1175), and the
    abilities' own standard errors taken off their variance.
    """
    if table.prior is not None:
        return AbilityEstimate(np.array(table.prior.mean), np.array(table.prior.covariance))
    theta = np.array([[llm.ability, *llm.skill] for llm in table.llms]).reshape(-1, 1 + table.skills)
    if len(theta) < FEWEST_LLMS:
        mean = theta.mean(0) if len(theta) else np.zeros(1 + table.skills)
        return AbilityEstimate(mean, np.eye(1 + table.skills))
    variance = np.maximum(theta.var(0, ddof=1), 1e-6)
    noise = float(np.mean([llm.ability_se**2 for llm in table.llms]))
    variance[0] = max(variance[0] - noise, 0.1 * variance[0])
    spread = np.sqrt(variance)
    return AbilityEstimate(theta.mean(0), _shrunk_correlation(theta) * np.outer(spread, spread))


def _shrunk_correlation(theta: Floats) -> Floats:
    """Correlations of the columns of [M, K], times 1 less their sampling variance over their square."""
    count, columns = theta.shape
    z = (theta - theta.mean(0)) / np.maximum(theta.std(0, ddof=1), 1e-9)
    products = z[:, :, None] * z[:, None, :]
    correlation = products.sum(0) / (count - 1)
    variance = count / (count - 1.0) ** 3 * ((products - products.mean(0)) ** 2).sum(0)
    off = ~np.eye(columns, dtype=bool)
    square = float((correlation[off] ** 2).sum())
    weight = min(1.0, max(LEAST_SHRINKAGE, float(variance[off].sum()) / square)) if square > 0.0 else 1.0
    return np.asarray(np.where(off, (1.0 - weight) * correlation, 1.0))


def given_ability(prior: AbilityEstimate, ability: float, se: float) -> AbilityEstimate:
    """`prior` once the ability is known to be N(ability, se^2): the skills follow by their regression on it."""
    slope = prior.covariance[:, 0] / prior.covariance[0, 0]
    mean = prior.mean + slope * (ability - prior.ability)
    left = prior.covariance - np.outer(slope, prior.covariance[0])
    return replace(prior, mean=mean, covariance=_symmetric(left + np.outer(slope, slope) * max(se, 1e-6) ** 2))


def around(prior: AbilityEstimate, theta: Floats, se: float) -> AbilityEstimate:
    """`given_ability`, with the mean at the `theta` of an LLM that is alike."""
    return replace(given_ability(prior, float(theta[0]), se), mean=np.asarray(theta, np.float64))


def fit_population(
    groups: Sequence[Evidence], start: AbilityEstimate, rounds: int = 30
) -> tuple[AbilityEstimate, list[AbilityEstimate]]:
    """The distribution that outcomes of several LLMs were drawn from, and each one's estimate under it.

    Empirical Bayes by EM: every LLM's posterior under the population, then the population's mean and covariance from
    the posteriors, their own uncertainty counted in (Laird and Ware 1982, doi:10.2307/2529876).

    Parameters
    ----------
    groups : sequence of Evidence
        One an LLM, on queries that the networks have not seen.
    """
    found: list[AbilityEstimate] = []
    for _ in range(rounds):
        found = [update(start, seen) for seen in groups]
        theta = np.array([each.mean for each in found])
        centre = theta.mean(0)
        within = np.mean([each.covariance for each in found], axis=0)
        away = theta - centre
        start = AbilityEstimate(centre, _symmetric(away.T @ away / len(theta) + within))
    return start, found


def estimate_ability(
    router: Router, queries: Sequence[Any], scores: npt.ArrayLike, prior: AbilityEstimate | None = None
) -> AbilityEstimate:
    """How able an LLM is by its outcomes on your queries.

    Parameters
    ----------
    router : Router
        Any of the bundle; its pool does not matter.
    queries : sequence
        What `Router.assess` takes.
    scores : float [N]
        How right each answer was, from 0 to 1.
    prior : AbilityEstimate, optional
        What was known before: of `turnout.pool.prior_of`, or an earlier estimate; default: the bundle's LLMs.

    Returns
    -------
    AbilityEstimate

    Raises
    ------
    InputError, TypeError
        As `Router.assess`, or a score that is no number from 0 to 1.
    """
    known = population(router.parts.bundle.abilities()) if prior is None else prior
    return update(known, evidence(router.assess(queries), scores))
