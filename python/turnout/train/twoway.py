"""Abilities by domain: a two-way fit with shrunk deviations, from counts of right answers.

``logit P(LLM m is right in domain k) = theta_m + a_k + delta_mk``. Cells may be missing: LLMs that answered one set
stand on the scale of the others through those that answered both. The deviations are shrunk to 0 as if drawn from
N(0, tau^2); tau is estimated from the data itself, one for each group of LLMs (empirical Bayes; Efron and Morris 1975),
so that a set whose LLMs differ little between domains is shrunk hard and one whose LLMs do is not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from turnout.train.response import sigmoid

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

MAIN_PRECISION = 0.05  # of theta and a about their mean: only keeps cells of all right or all wrong finite
LEAST_TAU, MOST_TAU = 0.05, 3.0


@dataclass(frozen=True)
class TwoWay:
    """A fitted table.

    Attributes
    ----------
    ability : float64 [M]
    domain : float64 [K]
    deviation : float64 [M, K]
        0 where an LLM has no outcomes in a domain.
    tau : float64 [G]
        Standard deviation of the deviations, one for each group of LLMs.
    """

    ability: FloatArray
    domain: FloatArray
    deviation: FloatArray
    tau: FloatArray

    @property
    def logit(self) -> FloatArray:
        """Of every cell, answered or not, [M, K]."""
        return np.asarray(self.ability[:, None] + self.domain + self.deviation)


def counts(scores: FloatArray, domain: IntArray, domains: int) -> tuple[FloatArray, FloatArray]:
    """Outcomes and their summed score by LLM and domain, [M, K] each, of scores [Q, M] (NaN: none)."""
    seen = (~np.isnan(scores)).astype(np.float64)
    one_hot = np.eye(domains)[domain]
    return seen.T @ one_hot, np.nan_to_num(scores).T @ one_hot


def _main_effects(n: FloatArray, right: FloatArray, steps: int = 50) -> tuple[FloatArray, FloatArray]:
    """theta [M] and a [K] of the additive model, by Newton's method; sum of theta is 0."""
    llms, domains = n.shape
    theta, a = np.zeros(llms), np.zeros(domains)
    for _ in range(steps):
        p = sigmoid(theta[:, None] + a)
        gradient = np.concatenate([(right - n * p).sum(1), (right - n * p).sum(0)])
        gradient -= MAIN_PRECISION * np.concatenate([theta, a])
        w = n * p * (1.0 - p)
        hessian = np.block([[np.diag(w.sum(1)), w], [w.T, np.diag(w.sum(0))]])
        step = np.linalg.solve(hessian + MAIN_PRECISION * np.eye(llms + domains), gradient)
        step *= min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-12))
        theta, a = theta + step[:llms], a + step[llms:]
        if np.abs(step).max() < 1e-9:
            break
    return theta - theta.mean(), a + theta.mean()


def _deviations(
    n: FloatArray, right: FloatArray, base: FloatArray, precision: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Posterior modes and variances [M, K] given `base` logits and a prior precision, by Newton's method."""
    d = np.zeros_like(n)
    for _ in range(30):
        p = sigmoid(base + d)
        step = (right - n * p - precision * d) / (n * p * (1.0 - p) + precision)
        d = d + np.clip(step, -1.0, 1.0)
    p = sigmoid(base + d)
    return d, 1.0 / (n * p * (1.0 - p) + precision)


def fit(n: FloatArray, right: FloatArray, group: IntArray, rounds: int = 100) -> TwoWay:
    """Fits the table.

    Parameters
    ----------
    n, right : float64 [M, K]
        Outcomes, and their summed score; 0 where there is none.
    group : int64 [M]
        LLMs whose deviations share a tau, 0 .. G-1.
    """
    theta, a = _main_effects(n, right)
    base, seen = theta[:, None] + a, n > 0
    tau = np.full(int(group.max()) + 1, 0.5)
    for _ in range(rounds):
        d, variance = _deviations(n, right, base, (1.0 / tau**2)[group][:, None] * np.ones_like(n))
        square = np.where(seen, d**2 + variance, 0.0).sum(1)
        total = np.bincount(group, square, len(tau)) / np.maximum(np.bincount(group, seen.sum(1), len(tau)), 1.0)
        after = np.clip(np.sqrt(total), LEAST_TAU, MOST_TAU)
        if np.abs(after - tau).max() < 1e-6:
            break
        tau = after
    return TwoWay(theta, a, np.where(seen, d, 0.0), tau)
