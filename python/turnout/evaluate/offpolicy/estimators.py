"""Estimators of a policy's mean reward from another policy's log, with their intervals.

Sources: Horvitz and Thompson, JASA 1952 (IPS); Swaminathan and Joachims, NeurIPS 2015 (SNIPS); Dudik, Langford and Li,
ICML 2011 (DR); Kish, Survey Sampling, 1965 (effective sample size); Maurer and Pontil, COLT 2009 (empirical Bernstein).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from turnout.evaluate.bootstrap import Interval

Floats = npt.NDArray[np.float64]
CHUNK = 64  # bootstrap draws that are counted together
KEPT = 1 << 23  # counts (64 MiB) up to which they are kept for the next columns
NORMAL = 1.959963984540054  # 97.5 % point of the normal distribution


def effective_sample_size(weights: Floats) -> float:
    """``(sum w)^2 / sum w^2``: how many draws of the target policy itself would tell as much; 0 without weight."""
    square = float((weights**2).sum())
    return float(weights.sum()) ** 2 / square if square > 0.0 else 0.0


class Terms(NamedTuple):
    """What the estimators of one reward are means or ratios of, float64 [n] each.

    weights : target probability / logged probability of what was chosen.
    weighted : weight times reward.
    model : expected reward of the target policy by the outcome model.
    robust : model + weight * (reward - the model's reward of what was chosen).
    """

    weights: Floats
    weighted: Floats
    model: Floats
    robust: Floats


def terms(weights: Floats, reward: Floats, target: Floats, modelled: Floats, modelled_chosen: Floats) -> Terms:
    """
    Parameters
    ----------
    weights, reward, modelled_chosen : float64 [n]
    target, modelled : float64 [n, K]
        The target policy's probabilities, and the outcome model's rewards, of every candidate.
    """
    model = (target * modelled).sum(1)
    return Terms(weights, weights * reward, model, model + weights * (reward - modelled_chosen))


class Draws:
    """Bootstrap by ticket: how often each row is in each draw. All policies have the same draws: they are paired."""

    def __init__(self, rows: int, draws: int, seed: int) -> None:
        self.rows, self.draws, self.seed = rows, draws, seed
        self._kept: list[Floats] | None = None

    def _counts(self) -> Iterator[Floats]:
        rng = np.random.default_rng(self.seed)
        share = np.full(self.rows, 1.0 / self.rows)
        for start in range(0, self.draws, CHUNK):
            yield rng.multinomial(self.rows, share, min(CHUNK, self.draws - start)).astype(np.float64)

    def means(self, columns: Floats) -> Floats:
        """Of columns [n, c] in every draw: [draws, c]."""
        if self._kept is None and self.rows * self.draws <= KEPT:
            self._kept = list(self._counts())
        parts = [counts @ columns for counts in (self._counts() if self._kept is None else self._kept)]
        return np.concatenate([np.empty((0, columns.shape[1])), *parts]) / self.rows


def estimates(found: Terms, draws: Draws, level: float = 0.95) -> dict[str, Interval]:
    """``ips``, ``snips``, ``dr`` and ``model`` (the outcome model alone), with bootstrap percentile intervals."""
    drawn = draws.means(np.stack([found.weights, found.weighted, found.model, found.robust], 1))
    weight, weighted, model, robust = drawn.T
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = weighted / weight
    total = float(found.weights.sum())
    point = float(found.weighted.sum()) / total if total > 0.0 else math.nan
    return {
        "ips": _percentile(float(found.weighted.mean()), weighted, level),
        "snips": _percentile(point, ratio, level),
        "dr": _percentile(float(found.robust.mean()), robust, level),
        "model": _percentile(float(found.model.mean()), model, level),
    }


def _percentile(value: float, drawn: Floats, level: float) -> Interval:
    drawn = drawn[~np.isnan(drawn)]
    if math.isnan(value) or not len(drawn):
        return Interval(value, math.nan, math.nan)
    low, high = np.quantile(drawn, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    return Interval(value, float(low), float(high))


def normal(values: Floats) -> Interval:
    """The mean of rows [n] and its 95 % interval by the central limit theorem."""
    mean, error = float(values.mean()), float(values.std(ddof=1)) / math.sqrt(len(values))
    return Interval(mean, mean - NORMAL * error, mean + NORMAL * error)


def normal_ratio(found: Terms) -> Interval:
    """SNIPS and its 95 % interval by the delta method."""
    total = float(found.weights.sum())
    if total <= 0.0:
        return Interval(math.nan, math.nan, math.nan)
    ratio, rows = float(found.weighted.sum()) / total, len(found.weights)
    around = found.weighted - ratio * found.weights
    error = math.sqrt(float((around**2).sum()) * rows / (rows - 1)) / total
    return Interval(ratio, ratio - NORMAL * error, ratio + NORMAL * error)


def empirical_bernstein(values: Floats, span: float, level: float = 0.95) -> Interval:
    """The mean of rows [n] and an interval that holds for any distribution on a range of `span` (theorem 4).

    Each side is wrong with probability (1 - level) / 2. It is wide: it assumes nothing but the range.
    """
    rows, log = len(values), math.log(4.0 / (1.0 - level))
    around = math.sqrt(2.0 * float(values.var(ddof=1)) * log / rows) + 7.0 * span * log / (3.0 * (rows - 1))
    mean = float(values.mean())
    return Interval(mean, mean - around, mean + around)
