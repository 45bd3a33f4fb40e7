"""How well probabilities fit outcomes: expected calibration error, beside what chance alone would give, and Brier."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

BINS = 15
MARGIN = 0.01  # the error that is allowed above what chance gives


class Bins(NamedTuple):
    """A reliability diagram: of each bin its cells, their mean probability and mean score, float64 [BINS] each."""

    cells: Floats
    probability: Floats
    score: Floats


class Calibration(NamedTuple):
    """Of one set of probabilities.

    Attributes
    ----------
    ece : float
        Expected calibration error.
    limit : float
        The 95th percentile of the error of outcomes drawn from the probabilities themselves, as many as there are.
    brier : float
    """

    ece: float
    limit: float
    brier: float

    @property
    def passes(self) -> bool:
        return self.ece <= self.limit + MARGIN


def _bin(p: Floats) -> npt.NDArray[np.int64]:
    return np.minimum((p * BINS).astype(np.int64), BINS - 1)


def reliability(p: Floats, score: Floats) -> Bins:
    """Bins of equal width over [0, 1]; NaN where a bin is empty. p and score: float64 [N]."""
    rows = _bin(p)
    count = np.bincount(rows, minlength=BINS).astype(np.float64)
    with np.errstate(invalid="ignore"):
        means = (np.bincount(rows, values, minlength=BINS) / count for values in (p, score))
        return Bins(count, *means)


def ece(p: Floats, score: Floats) -> float:
    """Expected calibration error (Naeini et al. 2015; Guo et al. 2017, arXiv 1706.04599), 15 bins of equal width."""
    rows = _bin(p)
    return float(np.abs(np.bincount(rows, p - score, minlength=BINS)).sum() / len(p))


def brier(p: Floats, score: Floats) -> float:
    """Mean squared error of the probabilities (Brier 1950); scores may be fractions."""
    return float(((p - score) ** 2).mean())


def _errors(p: Floats, draws: int, rng: np.random.Generator) -> Floats:
    """Summed error of each bin [draws, BINS] of outcomes that are drawn from the probabilities."""
    rows = np.argsort(_bin(p), kind="stable")
    filled, start = np.unique(_bin(p)[rows], return_index=True)
    sorted_p = p[rows].astype(np.float32)
    out = np.zeros((draws, BINS))
    for i in range(draws):
        drawn = rng.random(len(p), np.float32) < sorted_p
        out[i, filled] = np.add.reduceat(drawn - sorted_p, start)
    return out


def calibrations(p: Floats, score: Floats, draws: int = 300, seed: int = 0) -> tuple[Calibration, list[Calibration]]:
    """Of all cells together, and of each LLM alone.

    Parameters
    ----------
    p, score : float64 [Q, M]
        Probabilities, cut to [0, 1], and recorded scores.
    draws : int
        Sets of outcomes that are drawn for the limits.
    """
    p = np.clip(p, 0.0, 1.0)
    rng = np.random.default_rng(seed)
    total = np.zeros((draws, BINS))
    alone = []
    for m in range(p.shape[1]):
        errors = _errors(p[:, m], draws, rng)
        total += errors
        alone.append(_calibration(p[:, m], score[:, m], errors))
    return _calibration(p.ravel(), score.ravel(), total), alone


def _calibration(p: Floats, score: Floats, errors: Floats) -> Calibration:
    limit = np.quantile(np.abs(errors).sum(1) / len(p), 0.95)
    return Calibration(ece(p, score), float(limit), brier(p, score))
