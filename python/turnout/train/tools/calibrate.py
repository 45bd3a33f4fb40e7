"""From scores to P(relevant), and below which of them nothing is proposed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
PROPOSED = 5  # tools of a query by which scores are calibrated: what a caller gets to see


@dataclass(frozen=True)
class Line:
    """logit P(relevant) = slope * score + x @ shift + intercept.

    The shift is one vector for all tools. Softmax scores say which tool fits better, not whether any does: the shift
    takes off what a query adds to every score.
    """

    slope: float
    intercept: float
    shift: Floats

    def logits(self, scores: Floats, x: npt.NDArray[Any]) -> Floats:
        """[N, K] of scores [N, K] and queries [N, D]."""
        out: Floats = self.slope * scores + (x @ self.shift + self.intercept)[:, None]
        return out


def best(scores: Floats, k: int = PROPOSED) -> npt.NDArray[np.int64]:
    """Columns of the k best of each row, best first; ties to the lower."""
    order: npt.NDArray[np.int64] = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return order


def fit_line(scores: Floats, x: npt.NDArray[np.float32], relevant: Flags, penalty: float) -> Line:
    """Logistic regression over the best tools of each query, by scores that their training had not seen."""
    columns = best(scores)
    s = np.take_along_axis(scores, columns, 1)
    y = np.take_along_axis(relevant, columns, 1).astype(np.float64)
    q = x.astype(np.float64)

    def f(flat: Floats) -> tuple[float, Floats]:
        line = Line(flat[0], flat[1], flat[2:])
        z = line.logits(s, q)
        loss = np.logaddexp(0.0, z).sum() - (y * z).sum() + 0.5 * penalty * float(line.shift @ line.shift)
        r = expit(z) - y
        gradient = np.concatenate([[(r * s).sum(), r.sum()], q.T @ r.sum(1) + penalty * line.shift])
        return float(loss) / len(q), gradient / len(q)

    start = np.concatenate([[1.0, 0.0], np.zeros(q.shape[1])])
    flat = minimize(f, start, jac=True, method="L-BFGS-B", options={"maxiter": 200}).x
    return Line(float(flat[0]), float(flat[1]), flat[2:])


def fit_offset_line(z: Floats, offset: Floats, y: Flags) -> tuple[float, float]:
    """(slope, intercept) of a logistic line through z [N, K] beside a given offset [N], by Newton's method."""
    a, b, base = 1.0, 0.0, offset[:, None]
    for _ in range(50):
        p = expit(a * z + b + base)
        r, w = p - y, p * (1.0 - p)
        gradient = np.array([(r * z).sum(), r.sum()]) + 1e-6 * np.array([a - 1.0, b])
        cross = (w * z).sum()
        hessian = np.array([[(w * z * z).sum(), cross], [cross, w.sum()]]) + 1e-6 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        scale = min(1.0, 2.0 / max(1e-12, float(np.abs(step).max())))
        a, b = a - scale * step[0], b - scale * step[1]
        if np.abs(step).max() < 1e-9:
            break
    return float(a), float(b)


def choose_threshold(scores: Floats, matched: Flags, keep: float) -> float:
    """The best score of a query below which no tool is proposed.

    Where the training queries hold some that no tool fits: the cut with the largest share of both kinds on their own
    sides (Youden's J). Else the cut that `keep` of the queries with a tool pass.
    """
    if matched.all():
        return float(np.quantile(scores, 1.0 - keep, method="lower"))
    cuts = np.sort(scores[matched])
    passed = 1.0 - np.arange(len(cuts)) / len(cuts)
    refused = np.searchsorted(np.sort(scores[~matched]), cuts, side="left") / (~matched).sum()
    return float(cuts[int(np.argmax(passed + refused))])


def expected_error(p: Floats, y: Flags, bins: int = 15) -> float:
    """Expected calibration error over bins of equal counts (Naeini et al. 2015, with equal mass)."""
    order = np.argsort(p, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return float(sum(abs(p[part].mean() - y[part].mean()) * len(part) for part in parts) / len(p))
