"""Cost against quality: every policy is swept over the same weights of cost, and judged by the hull of what it reaches.

A policy predicts, for each query, every arm's score and cost before an answer is seen. At each weight it takes the arm
of the best balance. A mixture of two points is a policy too (toss a coin a query), so the concave hull is reachable.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

WEIGHTS: Floats = np.concatenate([[0.0], np.logspace(-3.0, 2.0, 60)])
"""Weights of cost against score, the same for every policy."""


class Curve(NamedTuple):
    """Mean recorded cost and score at each weight, float64 [L] each."""

    cost: Floats
    score: Floats


class Arms(NamedTuple):
    """Which single arms bound a comparison, as training data names them.

    Attributes
    ----------
    cheapest, best : int
        Least mean cost; highest mean score, of these the cheapest.
    scale : float
        Largest less smallest mean cost of the arms, USD.
    """

    cheapest: int
    best: int
    scale: float


def single_arms(score: Floats, cost: Floats) -> Arms:
    """Of training outcomes, float64 [Q, M] each."""
    mean_score, mean_cost = score.mean(0), cost.mean(0)
    best = np.lexsort((mean_cost, -mean_score))[0]
    return Arms(int(mean_cost.argmin()), int(best), float(np.ptp(mean_cost)))


def choices(predicted: Floats, cost: Floats, scale: float, weights: Floats = WEIGHTS) -> Ints:
    """argmax over arms of ``predicted - weight * cost / scale``, int64 [L, Q]; ties go to the first arm.

    Parameters
    ----------
    predicted, cost : float64 [Q, M]
        Expected score and expected cost: what is known before an answer.
    scale : float
        `Arms.scale`; where it is 0 all arms cost the same, and cost does not count.
    """
    price = cost / scale if scale > 0.0 else np.zeros_like(cost)
    return np.stack([np.argmax(predicted - weight * price, axis=1) for weight in weights])


def curve(chosen: Ints, score: Floats, cost: Floats) -> Curve:
    """Of choices [L, Q] on recorded outcomes [Q, M]."""
    rows = np.arange(chosen.shape[1])
    return Curve(cost[rows, chosen].mean(1), score[rows, chosen].mean(1))


def hull(points: Curve) -> Curve:
    """The non-decreasing concave hull, from the cheapest point to the best: what mixtures of the points reach."""
    order = np.lexsort((-points.score, points.cost))
    kept: list[tuple[float, float]] = []
    for point in zip(points.cost[order].tolist(), points.score[order].tolist(), strict=True):
        if kept and point[1] <= kept[-1][1]:
            continue
        while len(kept) >= 2 and not _falls(kept[-2], kept[-1], point):
            kept.pop()
        kept.append(point)
    return Curve(np.array([x for x, _ in kept]), np.array([y for _, y in kept]))


def _falls(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> bool:
    """Whether the slope falls at b."""
    return (b[1] - a[1]) * (c[0] - b[0]) > (c[1] - b[1]) * (b[0] - a[0])


def height(points: Curve, cost: Floats) -> Floats:
    """The hull's score at each cost [N]; flat to the right of its best point, NaN below its cheapest."""
    h = hull(points)
    return np.asarray(np.interp(cost, h.cost, h.score, left=np.nan))


def aiq(points: Curve, low: float, high: float) -> float:
    """Mean height of the hull between two costs.

    The average improvement in quality of RouterBench (Hu et al. 2024, arXiv 2403.12031): the area under the
    non-decreasing concave hull over the range of costs. Between the cheapest and the best single arm, both named on
    training data, it is a mean score. Below its cheapest point a policy is at that point's score: it never answers for
    less, and no other policy is judged there either.

    Returns
    -------
    float
        NaN where the range is not positive: one arm is the cheapest and the best.
    """
    if not high > low:
        return float("nan")
    h = hull(points)
    x = np.concatenate([[low], h.cost[(h.cost > low) & (h.cost < high)], [high]])
    y = np.interp(x, h.cost, h.score)
    return float((0.5 * (y[1:] + y[:-1]) * np.diff(x)).sum() / (high - low))


def cost_at(points: Curve, score: float) -> float:
    """The least cost at which the hull reaches a score; inf where it never does."""
    h = hull(points)
    if not score <= h.score[-1]:
        return float("inf")
    return float(np.interp(score, h.score, h.cost))
