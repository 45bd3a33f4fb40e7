"""The outcome model: P(LLM m is right on query q), from difficulty and a softly inferred domain.

``logit P = discrimination_m (level * table_m . posterior(q) - slope * within(q)) + offset_m``: `table` holds the logits
of each LLM by domain (`turnout.train.twoway`, from the domains as labelled), `posterior` is the domain as inferred from
the text, and `within` is the difficulty b(q) less what its domain explains. Two numbers, `level` and `slope`, say how
far such predictions hold for queries that were not seen; then every LLM is calibrated by a temperature and an offset of
its own (Platt 1999), shrunk to 1 and 0. All of it is fitted to held-out predictions, with tables that leave the fold
out too.

A guess floor (3PL; Birnbaum 1968) is a share of what the weakest LLM gets right in a domain. The share is chosen on
held-out predictions, and is 0 unless a larger one is better by more than two standard errors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from turnout.train import twoway
from turnout.train.response import sigmoid

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

# A query's weight by the number of LLMs that answered it: n / (n + this). One bit of outcome says less.
ANSWERS_AT_HALF = 2.0
DISCRIMINATION_SD, OFFSET_SD = 0.15, 0.3  # priors of an LLM's own calibration
FLOOR_SHARES = (0.0, 0.4, 0.8)
FLOOR_OUTCOMES = 30  # of an LLM in a domain, for its mean to bound the floor there


@dataclass(frozen=True)
class Views:
    """What the network says of queries.

    Attributes
    ----------
    b : float64 [Q]
    posterior : float64 [Q, K]
    """

    b: FloatArray
    posterior: FloatArray

    def keep(self, rows: IntArray | npt.NDArray[np.bool_]) -> Views:
        return Views(self.b[rows], self.posterior[rows])


@dataclass(frozen=True)
class Model:
    """``P = floor + (1 - floor) sigmoid(ability + skill . posterior - discrimination * b')`` with
    ``b' = slope * b + domain_offset . posterior`` and ``floor = domain_floor . posterior``.

    Attributes
    ----------
    ability, discrimination : float64 [M]
        Ability has mean 0: an LLM of ability 0, skill 0 and discrimination 1 is the reference.
    skill : float64 [M, K]
    slope : float
    domain_offset, domain_floor : float64 [K]
    spread : float
        Standard deviation of the abilities, in logits.
    tau : float64 [G]
        How far skills vary, by group of LLMs.
    """

    ability: FloatArray
    discrimination: FloatArray
    skill: FloatArray
    slope: float
    domain_offset: FloatArray
    domain_floor: FloatArray
    spread: float
    tau: FloatArray

    def difficulty(self, views: Views) -> FloatArray:
        """The logit b' [Q]; sigmoid of it is d, the probability that the reference LLM fails where nobody guesses."""
        return np.asarray(self.slope * views.b + views.posterior @ self.domain_offset)

    def predict(self, views: Views) -> FloatArray:
        """P(correct) [Q, M]."""
        floor = (views.posterior @ self.domain_floor)[:, None]
        b = self.difficulty(views)[:, None]
        logits = self.ability + views.posterior @ self.skill.T - self.discrimination * b
        return np.asarray(floor + (1.0 - floor) * sigmoid(logits))


@dataclass(frozen=True)
class _Parts:
    """A table and the domains' mean difficulties: what a fit needs beside the network."""

    table: twoway.TwoWay
    centre: FloatArray  # [K]

    def raw(self, views: Views) -> tuple[FloatArray, FloatArray]:
        """The table's logit [Q, M] and the difficulty within its domain [Q]."""
        return views.posterior @ self.table.logit.T, views.b - views.posterior @ self.centre


def _floors(scores: FloatArray, domain: IntArray, domains: int) -> FloatArray:
    """The least mean score of an LLM in each domain, [K]; 0 where none has outcomes enough."""
    n, right = twoway.counts(scores, domain, domains)
    mean = np.where(n >= FLOOR_OUTCOMES, right / np.maximum(n, 1.0), np.inf)
    return np.where(np.isfinite(mean.min(0)), mean.min(0), 0.0)


def _parts(scores: FloatArray, views: Views, domain: IntArray, group: IntArray, floor: FloatArray) -> _Parts:
    domains = views.posterior.shape[1]
    n, right = twoway.counts(scores, domain, domains)
    known = n * np.clip((right / np.maximum(n, 1.0) - floor) / (1.0 - floor), 0.0, 1.0)
    count = np.bincount(domain, minlength=domains)
    centre = np.bincount(domain, views.b, domains) / np.maximum(count, 1)
    return _Parts(twoway.fit(n, known, group), np.where(count > 0, centre, views.b.mean()))


def _weights(seen: npt.NDArray[np.bool_]) -> FloatArray:
    return np.asarray(seen / (seen.sum(1, keepdims=True) + ANSWERS_AT_HALF))


def _newton(
    x: list[FloatArray], y: FloatArray, w: FloatArray, floor: FloatArray, start: FloatArray, precision: FloatArray
) -> FloatArray:
    """Coefficients of columns `x` for scores `y` [N], with weights, a floor and a Gaussian prior at `start`.

    Newton's method with the expected curvature (Fisher scoring).
    """
    a, beta = np.column_stack(x), start.copy()
    for _ in range(50):
        s = sigmoid(a @ beta)
        p = np.clip(floor + (1.0 - floor) * s, 1e-9, 1.0 - 1e-9)
        slope = (1.0 - floor) * s * (1.0 - s)
        gradient = a.T @ (w * (y - p) * slope / (p * (1.0 - p))) - precision * (beta - start)
        curvature = (
            (a * (w * slope**2 / (p * (1.0 - p)))[:, None]).T @ a + np.diag(precision) + 1e-9 * np.eye(len(beta))
        )
        step = np.linalg.solve(curvature, gradient)
        beta = beta + np.clip(step, -1.0, 1.0)
        if np.abs(step).max() < 1e-9:
            break
    return beta


@dataclass(frozen=True)
class _Fit:
    """Held-out logits and the numbers that calibrate them."""

    level: float
    slope: float
    own: FloatArray  # [M, 2]: temperature and offset
    loss: FloatArray  # [Q]: mean cross-entropy of a query's outcomes


def _calibrated(
    scores: FloatArray, views: Views, domain: IntArray, group: IntArray, fold: IntArray, floor: FloatArray
) -> _Fit:
    table, within = np.empty_like(scores), np.empty(len(scores))
    for k in np.unique(fold):
        out = fold != k
        parts = _parts(scores[out], views.keep(out), domain[out], group, floor)
        table[~out], within[~out] = parts.raw(views.keep(~out))
    seen = ~np.isnan(scores)
    weight, guess = _weights(seen), np.broadcast_to((views.posterior @ floor)[:, None], scores.shape)
    drop = np.broadcast_to(-within[:, None], scores.shape)
    columns = [table[seen], drop[seen]]
    level, slope = _newton(columns, scores[seen], weight[seen], guess[seen], np.ones(2), np.full(2, 1e-6))
    logits = level * table + slope * drop
    own = np.tile([1.0, 0.0], (scores.shape[1], 1))
    precision = 1.0 / np.array([DISCRIMINATION_SD, OFFSET_SD]) ** 2
    for m in np.flatnonzero(seen.any(0)).tolist():
        rows = seen[:, m]
        x = [logits[rows, m], np.ones(int(rows.sum()))]
        # A whole outcome counts one here: the weights above only balance sets against each other.
        own[m] = _newton(x, scores[rows, m], np.ones(len(x[0])), guess[rows, m], own[m], precision)
    p = np.clip(guess + (1.0 - guess) * sigmoid(own[:, 0] * logits + own[:, 1]), 1e-9, 1.0 - 1e-9)
    y = np.nan_to_num(scores)
    cells = np.where(seen, -(y * np.log(p) + (1.0 - y) * np.log(1.0 - p)), 0.0)
    return _Fit(float(level), float(slope), own, cells.sum(1) / np.maximum(seen.sum(1), 1))


def _choose_floor(
    scores: FloatArray, views: Views, domain: IntArray, group: IntArray, fold: IntArray
) -> tuple[FloatArray, _Fit]:
    """The largest gain in held-out likelihood, if it is more than two standard errors."""
    least = _floors(scores, domain, views.posterior.shape[1])
    found = [(share * least, _calibrated(scores, views, domain, group, fold, share * least)) for share in FLOOR_SHARES]
    best = found[0]
    for floor, fitted in found[1:]:
        gain = best[1].loss - fitted.loss
        if gain.mean() > 2.0 * gain.std() / np.sqrt(len(gain)):
            best = floor, fitted
    return best


def fit(scores: FloatArray, views: Views, domain: IntArray, group: IntArray, fold: IntArray) -> Model:
    """Fits the model.

    Parameters
    ----------
    scores : float64 [Q, M]
        NaN where there is no outcome.
    views : Views
        Of queries held out of the network that looked at them.
    domain : int64 [Q]
        As labelled.
    group : int64 [M]
        LLMs whose skills are shrunk alike: those of one set.
    fold : int64 [Q]
        By which queries were held out.
    """
    floor, fitted = _choose_floor(scores, views, domain, group, fold)
    parts = _parts(scores, views, domain, group, floor)
    logit = fitted.level * parts.table.logit
    share = np.bincount(domain, minlength=len(floor)) / len(domain)
    shared = logit.mean(0)  # what a domain does to all LLMs alike
    theta = (logit - shared) @ share
    deviation = logit - shared - theta[:, None]
    temperature, offset = fitted.own.T
    ability = temperature * theta + offset
    shift = float(ability.mean() / temperature.mean())
    ability = ability - temperature * shift
    domain_offset = -(shared + fitted.slope * parts.centre) - shift
    return Model(
        ability,
        temperature,
        temperature[:, None] * deviation,
        fitted.slope,
        domain_offset,
        floor,
        float(ability.std()),
        parts.table.tau,
    )
