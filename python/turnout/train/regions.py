"""Where the training queries lie: centroids of their vectors, so that a router can say when a query is far from all."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Float32Array = npt.NDArray[np.float32]


def _unit(rows: Float32Array) -> Float32Array:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12), np.float32)


def centroids(x: Float32Array, count: int = 64, seed: int = 0, iterations: int = 50) -> Float32Array:
    """Spherical k-means (Dhillon and Modha 2001, doi:10.1023/A:1007612920971): unit rows [count, D] of unit rows `x`
    [Q, D].

    An empty cluster takes the row that is worst served.
    """
    rng = np.random.default_rng(seed)
    rows = x[rng.choice(len(x), min(count, len(x)), replace=False)]
    before = None
    for _ in range(iterations):
        similarity = x @ rows.T
        nearest = similarity.argmax(1)
        if before is not None and (nearest == before).all():
            break
        before = nearest
        sums = np.zeros_like(rows)
        np.add.at(sums, nearest, x)
        empty = np.flatnonzero(np.bincount(nearest, minlength=len(rows)) == 0)
        sums[empty] = x[np.argsort(similarity.max(1), kind="stable")[: len(empty)]]
        rows = _unit(sums)
    return rows


def threshold(x: Float32Array, rows: Float32Array, percentile: float = 1.0) -> float:
    """The percentile over queries of the best cosine to a centroid."""
    return float(np.percentile((x @ rows.T).max(1), percentile))
