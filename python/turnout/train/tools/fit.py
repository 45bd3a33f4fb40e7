"""Vectors of tools by softmax regression: the inner product with a query says which tool fits.

All in a whitened space, where an equal penalty on every direction is right, because queries vary alike in all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
SHORTEN = 5.0
ROWS = 4096  # of logits at a time: memory does not grow with the number of queries


@dataclass(frozen=True)
class Space:
    """Queries as rows of ``x @ root``, where root is the inverse square root of their damped second moment."""

    root: Floats

    @staticmethod
    def of(x: npt.NDArray[np.float32], damping: float) -> Space:
        q = x.astype(np.float64)
        moment = q.T @ q / len(q)
        dim = len(moment)
        values, vectors = np.linalg.eigh(moment + damping * np.trace(moment) / dim * np.eye(dim))
        return Space((vectors / np.sqrt(values)) @ vectors.T)

    def into(self, vectors: Floats) -> Floats:
        """Vectors whose answers to whitened queries are those of `vectors` to the queries as they are."""
        return np.linalg.solve(self.root, vectors.T).T.astype(np.float64)

    def out_of(self, vectors: Floats) -> Floats:
        """The way back."""
        out: Floats = vectors @ self.root
        return out


def softmax_loss(logits: Singles, targets: Singles) -> tuple[float, Singles]:
    """Sum of cross-entropies over rows, and its gradient; rows of `targets` add up to 1. Overwrites `logits`."""
    logits -= logits.max(1, keepdims=True)
    p = np.exp(logits)
    sums = p.sum(1, keepdims=True)
    loss = float(np.log(sums).sum(dtype=np.float64)) - float((targets * logits).sum(dtype=np.float64))
    p /= sums
    p -= targets
    return loss, p


def _mean_loss(x: Singles, targets: Singles, vectors: Singles) -> tuple[float, Floats]:
    """Mean cross-entropy of the softmax over ``x @ vectors.T``, and its gradient [T, D]."""
    loss, gradient = 0.0, np.zeros(vectors.shape)
    for start in range(0, len(x), ROWS):
        rows = slice(start, start + ROWS)
        part, residual = softmax_loss(x[rows] @ vectors.T, targets[rows])
        loss += part
        gradient += residual.T @ x[rows]
    return loss / len(x), gradient / len(x)


def _minimise(f: Callable[[Floats], tuple[float, Floats]], start: Floats, iterations: int) -> Floats:
    """L-BFGS (Liu and Nocedal 1989); stopping early is part of the regularisation."""
    found: Floats = minimize(f, start, jac=True, method="L-BFGS-B", options={"maxiter": iterations}).x
    return found


def targets_of(relevant: npt.NDArray[np.bool_]) -> Singles:
    """Equal shares for the tools that fit; every row has one."""
    return (relevant / relevant.sum(1, keepdims=True)).astype(np.float32)


def fit_vectors(x: Singles, targets: Singles, prior: Floats, penalty: float, iterations: int) -> Floats:
    """Vectors [T, D] by softmax regression, drawn to `prior` by an L2 penalty.

    Starts where linear discriminant analysis would end: at the mean query of a tool, shorter while there are few.
    """
    count = targets.sum(0, dtype=np.float64)[:, None]
    start = prior + (targets.T @ x).astype(np.float64) / (count + SHORTEN)
    shape = prior.shape

    def f(flat: Floats) -> tuple[float, Floats]:
        vectors = flat.reshape(shape)
        loss, gradient = _mean_loss(x, targets, vectors.astype(np.float32))
        away = vectors - prior
        return loss + 0.5 * penalty * float(np.square(away).sum()), (gradient + penalty * away).ravel()

    # Softmax does not see what all vectors share; calibration puts something of use in its place.
    vectors = _minimise(f, (start - start.mean(0)).ravel(), iterations).reshape(shape)
    centred: Floats = vectors - vectors.mean(0)
    return centred


def fit_projection(x: Singles, targets: Singles, features: Floats, penalty: float, iterations: int) -> Floats:
    """A matrix A [D, D] for ``x @ (features @ A.T).T``, by softmax regression over tools that are known by their
    descriptions only: a multiple of the identity, free, and a departure from it, penalised.
    """
    f32, dim = features.astype(np.float32), features.shape[1]

    def matrix(flat: Floats) -> Floats:
        out: Floats = flat[0] * np.eye(dim) + flat[1:].reshape(dim, dim)
        return out

    def f(flat: Floats) -> tuple[float, Floats]:
        loss, gradient = _mean_loss(x, targets, f32 @ matrix(flat).T.astype(np.float32))
        by_matrix, away = gradient.T @ features, flat[1:]
        both = np.concatenate([[np.trace(by_matrix)], by_matrix.ravel() + penalty * away])
        return loss + 0.5 * penalty * float(away @ away), both

    return matrix(_minimise(f, np.concatenate([[1.0], np.zeros(dim * dim)]), iterations))
