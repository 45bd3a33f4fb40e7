"""Policies that every router is shown beside: each learns from training outcomes and predicts every arm's score.

They see unit vectors of the queries, never the rows' own cost, tokens or scores. Costs are the arms' training means.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Examples:
    """Training queries with every arm's recorded score.

    Attributes
    ----------
    x : float64 [Q, D]
        Unit vectors.
    score : float64 [Q, M]
    domain : list of str, [Q]
    """

    x: Floats
    score: Floats
    domain: list[str]


@dataclass(frozen=True)
class Queries:
    """What a policy may look at: vectors, and for the tables over a *true* domain its name."""

    x: Floats
    domain: list[str]


Predictor = Callable[[Examples, Queries], Floats]
"""Examples, new queries [N] -> predicted scores float64 [N, M]."""


def means(train: Examples, queries: Queries) -> Floats:
    """The same for every query: each arm's mean. Swept over weights of cost it walks along the single arms."""
    return np.tile(train.score.mean(0), (len(queries.x), 1))


def domain_table(shrinkage: float = 20.0) -> Predictor:
    """Means a domain, shrunk to the arms' means as if by `shrinkage` queries. It sees the true domain: a reference."""

    def predict(train: Examples, queries: Queries) -> Floats:
        overall = train.score.mean(0)
        names, rows = np.unique(np.array(train.domain), return_inverse=True)
        table = np.tile(shrinkage * overall, (len(names), 1))
        np.add.at(table, rows, train.score)
        table /= (shrinkage + np.bincount(rows, minlength=len(names)))[:, None]
        known = {name: row for name, row in zip(names.tolist(), table, strict=True)}
        return np.stack([known.get(name, overall) for name in queries.domain])

    return predict


def soft_domain_table(shrinkage: float = 20.0, penalty: float = 1e-4) -> Predictor:
    """Means a domain, shrunk as in `domain_table`, mixed by P(domain | text) of a multinomial logistic regression.

    `penalty` is on half the squared weights, beside the mean cross-entropy; its value was chosen by cross-validation
    inside training splits. It sees the text only.
    """

    def predict(train: Examples, queries: Queries) -> Floats:
        names, rows = np.unique(np.array(train.domain), return_inverse=True)
        table = domain_table(shrinkage)(train, Queries(train.x[: len(names)], names.tolist()))
        return np.asarray(_logistic(train.x, rows, penalty)(queries.x) @ table)

    return predict


def _softmax(logits: Floats) -> Floats:
    power = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(power / power.sum(1, keepdims=True))


def _logistic(x: Floats, rows: Ints, penalty: float, rounds: int = 200) -> Callable[[Floats], Floats]:
    """Multinomial logistic regression by Nesterov's accelerated gradient, whose step the curvature's bound gives."""
    a = np.concatenate([x - x.mean(0), np.ones((len(x), 1))], 1)
    target = np.eye(int(rows.max()) + 1)[rows]
    decay = penalty * np.append(np.ones(x.shape[1]), 1e-3)[:, None]  # the intercepts are almost free
    step = 1.0 / (0.5 * float(np.linalg.eigvalsh(a.T @ a / len(a))[-1]) + penalty)
    weights = before = np.zeros((a.shape[1], target.shape[1]))
    for i in range(rounds):
        ahead = weights + i / (i + 3.0) * (weights - before)
        before, slope = weights, a.T @ (_softmax(a @ ahead) - target) / len(a) + decay * ahead
        weights = ahead - step * slope
    centre = x.mean(0)
    return lambda z: _softmax(np.concatenate([z - centre, np.ones((len(z), 1))], 1) @ weights)


def nearest(k: int = 40) -> Predictor:
    """k nearest neighbours by cosine, alike in weight."""

    def predict(train: Examples, queries: Queries) -> Floats:
        count = min(k, len(train.x))
        out = np.empty((len(queries.x), train.score.shape[1]))
        for start in range(0, len(out), 1024):
            near = np.argpartition(-(queries.x[start : start + 1024] @ train.x.T), count - 1, axis=1)[:, :count]
            out[start : start + 1024] = train.score[near].mean(1)
        return out

    return predict


def _ridge(x: Floats, y: Floats, penalty: float) -> Callable[[Floats], Floats]:
    """Linear in x with a free intercept; `penalty` on the squared weights."""
    centre, level = x.mean(0), y.mean(0)
    a = x - centre
    weights = np.linalg.solve(a.T @ a + penalty * np.eye(a.shape[1]), a.T @ (y - level))
    return lambda z: np.asarray((z - centre) @ weights + level)


def ridge(penalty: float = 3.0) -> Predictor:
    """One ridge regression an arm."""
    return lambda train, queries: _ridge(train.x, train.score, penalty)(queries.x)


def centred_ridge(shared: float = 3.0, contrast: float = 100.0) -> Predictor:
    """Two penalties: one for the mean over arms, a far larger one for what differs between them."""

    def predict(train: Examples, queries: Queries) -> Floats:
        mean = train.score.mean(1, keepdims=True)
        common = _ridge(train.x, mean, shared)(queries.x)
        return np.asarray(common + _ridge(train.x, train.score - mean, contrast)(queries.x))

    return predict


def cluster_table(clusters: int = 64, top: int = 4, sharpness: float = 9.0, seed: int = 0) -> Predictor:
    """Means a cluster of the training vectors, mixed over the `top` nearest with softmax(-sharpness * distance).

    The form of Avengers (Zhang et al. 2025, arXiv 2505.19797): k-means on unit vectors and a table of scores.
    """

    def predict(train: Examples, queries: Queries) -> Floats:
        centres = _k_means(train.x, min(clusters, len(train.x)), np.random.default_rng(seed))
        rows = _nearest_centre(train.x, centres)
        filled, rows = np.unique(rows, return_inverse=True)
        centres = centres[filled]
        table = np.zeros((len(centres), train.score.shape[1]))
        np.add.at(table, rows, train.score)
        table /= np.bincount(rows, minlength=len(centres))[:, None]
        distance = _distances(queries.x, centres)
        far = np.partition(distance, min(top, len(centres)) - 1, axis=1)[:, min(top, len(centres)) - 1]
        near = distance <= far[:, None]
        weight = np.where(near, np.exp(-sharpness * (distance - distance.min(1, keepdims=True))), 0.0)
        return np.asarray(weight @ table / weight.sum(1, keepdims=True))

    return predict


def _distances(x: Floats, centres: Floats) -> Floats:
    square = (x**2).sum(1)[:, None] - 2.0 * x @ centres.T + (centres**2).sum(1)
    return np.asarray(np.sqrt(np.maximum(square, 0.0)))


def _nearest_centre(x: Floats, centres: Floats) -> Ints:
    return np.asarray(_distances(x, centres).argmin(1))


def _k_means(x: Floats, k: int, rng: np.random.Generator, rounds: int = 30) -> Floats:
    """Lloyd's algorithm from k rows; an empty cluster keeps its centre."""
    centres = x[np.sort(rng.choice(len(x), k, replace=False))].copy()
    for _ in range(rounds):
        rows = _nearest_centre(x, centres)
        count = np.bincount(rows, minlength=k)
        total = np.zeros_like(centres)
        np.add.at(total, rows, x)
        moved = np.where(count[:, None] > 0, total / np.maximum(count, 1)[:, None], centres)
        if np.array_equal(moved, centres):
            break
        centres = moved
    return centres


BASELINES: dict[str, Predictor] = {
    "means": means,
    "domain_table": domain_table(),
    "soft_domain_table": soft_domain_table(),
    "cluster_table": cluster_table(),
    "knn40": nearest(),
    "ridge": ridge(),
    "centred_ridge": centred_ridge(),
}
"""By name, with the settings that are shown."""


def out_of_fold(predictor: Predictor, examples: Examples, fold: Ints) -> Floats:
    """Predictions [Q, M] of every query by a predictor that never saw its fold."""
    out = np.empty_like(examples.score)
    for k in np.unique(fold):
        rows, held = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        train = Examples(examples.x[rows], examples.score[rows], [examples.domain[i] for i in rows])
        out[held] = predictor(train, Queries(examples.x[held], [examples.domain[i] for i in held]))
    return out
