"""How good predictions are: rank correlation with its error, calibration, and the ridge baseline."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


class Calibrated(NamedTuple):
    """Of probabilities against outcomes."""

    ece: float  # mean over 15 equally filled bins of |mean outcome - mean probability|
    brier: float
    n: int


def ranks(values: FloatArray) -> FloatArray:
    """Ranks from 0, ties shared."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - 0.5 * (counts + 1))[inverse])


def spearman(a: FloatArray, b: FloatArray) -> float:
    """Spearman's rank correlation."""
    return float(np.corrcoef(ranks(a), ranks(b))[0, 1])


def spearman_difference(
    a: FloatArray, b: FloatArray, truth: FloatArray, draws: int = 200, seed: int = 0
) -> tuple[float, float]:
    """spearman(a, truth) - spearman(b, truth), paired, and its bootstrap standard error."""
    rng = np.random.default_rng(seed)
    differences = []
    for _ in range(draws):
        rows = rng.integers(0, len(truth), len(truth))
        differences.append(spearman(a[rows], truth[rows]) - spearman(b[rows], truth[rows]))
    return spearman(a, truth) - spearman(b, truth), float(np.std(differences, ddof=1))


def calibration(p: FloatArray, score: FloatArray, bins: int = 15) -> Calibrated:
    """Expected calibration error and Brier score of probabilities `p` [N] for scores [N] in [0, 1]."""
    parts = np.array_split(np.argsort(p, kind="stable"), min(bins, len(p)))
    gaps = [len(rows) * abs(float(score[rows].mean() - p[rows].mean())) for rows in parts]
    return Calibrated(sum(gaps) / len(p), float(((p - score) ** 2).mean()), len(p))


def ridge_out_of_fold(
    x: npt.NDArray[np.floating], y: FloatArray, fold: IntArray, penalties: tuple[float, ...] = (1, 3, 10, 30, 100)
) -> tuple[FloatArray, float]:
    """Out-of-fold ridge predictions [Q] with the penalty of the highest rank correlation, and that correlation.

    The penalty is chosen on the very predictions that are reported: a baseline that is helped, not hindered.
    """
    best, best_value = np.zeros(len(y)), -np.inf
    for penalty in penalties:
        predicted = np.zeros(len(y))
        for k in np.unique(fold):
            rows = fold != k
            centre, level = x[rows].mean(0), y[rows].mean()
            a = np.asarray(x[rows] - centre, np.float64)
            w = np.linalg.solve(a.T @ a + penalty * np.eye(a.shape[1]), a.T @ (y[rows] - level))
            predicted[~rows] = (x[~rows] - centre) @ w + level
        value = spearman(predicted, y)
        if value > best_value:
            best, best_value = predicted, value
    return best, best_value
