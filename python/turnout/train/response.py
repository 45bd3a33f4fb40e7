"""Item response theory: how able each LLM is and how hard each query is, on one scale across sets.

Model (Rasch 1960): logit P(correct | query q, LLM m) = ability_m - b_q, with b_q ~ N(mean_set, sd_set^2). Abilities
and the sets' priors maximise the marginal likelihood by EM with the queries' difficulties integrated out on a grid
(Bock and Aitkin 1981, doi:10.1007/BF02293801). Missing cells are simply absent; fractional scores enter through the
cross-entropy.

Identification: the mean of the abilities over all LLMs, each counting once, is 0. So ability 0 is an LLM of average
strength among those of the training sets: the reference LLM. `spread` is the abilities' standard deviation in logits;
ability / spread is the standardised ability. The sets share a scale because some LLMs answered two of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

GRID = np.linspace(-8.0, 8.0, 65)


@dataclass(frozen=True)
class Response:
    """A fitted Rasch model.

    Attributes
    ----------
    ability, ability_se : float64 [M]
        In logits, mean 0; NaN for an LLM without outcomes.
    spread : float
        Standard deviation of the abilities.
    difficulty, difficulty_sd : float64 [Q]
        Posterior mean and standard deviation of b_q.
    set_mean, set_sd : float64 [K]
        The prior of each set's difficulties.
    log_likelihood : float
        Marginal, at the end.
    iterations : int
    """

    ability: FloatArray
    ability_se: FloatArray
    spread: float
    difficulty: FloatArray
    difficulty_sd: FloatArray
    set_mean: FloatArray
    set_sd: FloatArray
    log_likelihood: float
    iterations: int


def sigmoid(x: FloatArray) -> FloatArray:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * x)))


def _posterior(
    scores: FloatArray, seen: FloatArray, ability: FloatArray, mean: FloatArray, sd: FloatArray
) -> tuple[FloatArray, float]:
    """P(b_q = grid point | outcomes), [Q, G], and the marginal log-likelihood. `mean`, `sd` are per query."""
    margin = ability[:, None] - GRID  # [M, G]
    log_right, log_wrong = -np.logaddexp(0.0, -margin), -np.logaddexp(0.0, margin)
    joint = scores @ log_right + (seen - scores) @ log_wrong
    z = (GRID - mean[:, None]) / sd[:, None]
    joint += -0.5 * z * z - np.log(sd)[:, None] + np.log((GRID[1] - GRID[0]) / np.sqrt(2.0 * np.pi))
    top = joint.max(1, keepdims=True)
    weight = np.exp(joint - top)
    total = weight.sum(1, keepdims=True)
    return weight / total, float((top + np.log(total)).sum())


def _update_ability(ability: FloatArray, right: FloatArray, count: FloatArray) -> FloatArray:
    """Newton steps of each LLM's weighted logistic regression on the grid; `right`, `count` are [M, G]."""
    for _ in range(3):
        p = sigmoid(ability[:, None] - GRID)
        gradient = right.sum(1) - (count * p).sum(1)
        curvature = np.maximum((count * p * (1.0 - p)).sum(1), 1e-9)
        ability = ability + np.clip(gradient / curvature, -1.0, 1.0)
    return ability


def _set_moments(posterior: FloatArray, sets: IntArray, count: int) -> tuple[FloatArray, FloatArray]:
    first, second = posterior @ GRID, posterior @ (GRID * GRID)
    mean = np.array([first[sets == k].mean() for k in range(count)])
    variance = np.array([second[sets == k].mean() for k in range(count)]) - mean * mean
    return mean, np.sqrt(np.maximum(variance, 1e-4))


def _standard_errors(
    scores: FloatArray, seen: FloatArray, posterior: FloatArray, ability: FloatArray, sets: IntArray, count: int
) -> FloatArray:
    """From the outer product of each query's score vector, the sets' means included, under sum(ability) = 0."""
    expected = posterior @ sigmoid(ability[:, None] - GRID).T
    blocks = [scores - seen * expected]
    centred = posterior @ GRID
    for k in range(count):
        inside = sets == k
        blocks.append(np.where(inside, centred - centred[inside].mean(), 0.0)[:, None])
    gradient = np.hstack(blocks)
    information = gradient.T @ gradient
    llms = len(ability)
    constraint = np.zeros(information.shape[0])
    constraint[:llms] = 1.0
    bordered = np.block([[information, constraint[:, None]], [constraint[None, :], np.zeros((1, 1))]])
    covariance = np.linalg.pinv(bordered)[:llms, :llms]
    return np.asarray(np.sqrt(np.maximum(np.diag(covariance), 0.0)))


def fit(matrix: FloatArray, sets: IntArray, iterations: int = 500, tolerance: float = 1e-3) -> Response:
    """Fits the model.

    Parameters
    ----------
    matrix : float64 [Q, M]
        Scores in [0, 1], NaN where missing.
    sets : int64 [Q]
        The set of each query, 0 .. K-1, every set with at least one query.
    tolerance : float
        EM stops when the log-likelihood gains less than this.
    """
    seen = (~np.isnan(matrix)).astype(float)
    scores = np.nan_to_num(matrix)
    sets_n = int(sets.max()) + 1
    present = seen.sum(0) > 0
    scores, seen = scores[:, present], seen[:, present]
    ability = np.zeros(scores.shape[1])
    set_mean, set_sd = np.zeros(sets_n), np.full(sets_n, 1.5)
    before, done = -np.inf, 0
    while done < iterations:
        done += 1
        posterior, value = _posterior(scores, seen, ability, set_mean[sets], set_sd[sets])
        if value - before < tolerance:
            break
        before = value
        ability = _update_ability(ability, scores.T @ posterior, seen.T @ posterior)
        set_mean, set_sd = _set_moments(posterior, sets, sets_n)
        shift = ability.mean()
        ability, set_mean = ability - shift, set_mean - shift
    posterior, value = _posterior(scores, seen, ability, set_mean[sets], set_sd[sets])
    mean = posterior @ GRID
    sd = np.sqrt(np.maximum(posterior @ (GRID * GRID) - mean * mean, 0.0))
    errors = _standard_errors(scores, seen, posterior, ability, sets, sets_n)
    spread = float(ability.std())
    return Response(
        _spread_out(ability, present), _spread_out(errors, present), spread, mean, sd, set_mean, set_sd, value, done
    )


def _spread_out(values: FloatArray, present: npt.NDArray[np.bool_]) -> FloatArray:
    out = np.full(len(present), np.nan)
    out[present] = values
    return out
