"""Lexical scores: what n-grams and marks of a text say of it, by ridge regression, as tables of small integers.

A text's features are the hashed unigrams and bigrams of its tokens (each once, weighted by inverse document frequency,
together of norm 1), its marks (length, digits, mathematics, code, options: bins of counts) and its static vector. One
ridge regression a target (Hoerl and Kennard 1970) finds weights for all of them together; the part of n-grams and marks
is what the embedder adds to the static vector. The regression sees exactly what serving computes: the features come
from the core, the inverse document frequencies are the integers that ship.

Hashing: Weinberger et al. 2009 (arXiv 0902.2206). Presence instead of counts and bigrams: Wang and Manning 2012.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sparse

from turnout.embed import LexicalFeatures

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

BITS = 15  # of the hash: 32,768 buckets
MAX_WEIGHT = 2047
MARKS = 116
# What a unit of each part counts against the n-grams' unit norm.
STATIC_SHARE, MARK_SHARE = 0.5, 0.2
LEAST_TEXTS = 2  # an n-gram of fewer texts says nothing


def inverse_document_frequency(features: LexicalFeatures, rows: IntArray, bits: int = BITS) -> npt.NDArray[np.int16]:
    """Weights int16 [2^bits], in proportion to ln((1 + n) / (1 + texts)) + 1 over these rows; 0 for n-grams of a
    single text.
    """
    count = np.zeros(1 << bits, np.int64)
    for row in rows.tolist():
        count[features.buckets[features.indptr[row] : features.indptr[row + 1]]] += 1
    idf = np.where(count >= LEAST_TEXTS, np.log((1.0 + len(rows)) / (1.0 + count)) + 1.0, 0.0)
    return np.asarray(np.rint(idf / max(idf.max(), 1e-12) * MAX_WEIGHT), np.int16)


def _ngrams(features: LexicalFeatures, weights: npt.NDArray[np.int16]) -> Any:
    value = weights[features.buckets].astype(np.float64)
    row = np.repeat(np.arange(len(features.indptr) - 1), np.diff(features.indptr))
    norm = np.sqrt(np.bincount(row, value**2, len(features.indptr) - 1))
    value /= np.where(norm > 0.0, norm, 1.0)[row]
    shape = (len(features.indptr) - 1, len(weights))
    return sparse.csr_matrix((value, features.buckets, features.indptr), shape=shape)


def _marks(features: LexicalFeatures) -> Any:
    count, each = features.marks.shape
    ones = np.full(count * each, MARK_SHARE)
    indptr = np.arange(0, count * each + 1, each)
    return sparse.csr_matrix((ones, features.marks.ravel(), indptr), shape=(count, MARKS))


def design(features: LexicalFeatures, weights: npt.NDArray[np.int16], unit: Float32Array) -> Any:
    """The regression's matrix, CSR [Q, buckets + marks + D]."""
    parts = [_ngrams(features, weights), _marks(features), sparse.csr_matrix(STATIC_SHARE * unit.astype(np.float64))]
    return sparse.hstack(parts).tocsr()


def ridge(x: Any, y: FloatArray, penalty: FloatArray, steps: int = 25) -> tuple[FloatArray, FloatArray]:
    """Weights [F, T] and levels [T] of one ridge regression a column of `y` [Q, T], NaN where it has no target.

    Conjugate gradients on the normal equations, all columns side by side (Hestenes and Stiefel 1952).
    """
    seen = (~np.isnan(y)).astype(np.float64)
    level = np.nansum(y, 0) / np.maximum(seen.sum(0), 1.0)
    residual = x.T @ (np.where(seen > 0.0, y - level, 0.0))
    weights, direction = np.zeros_like(residual), residual.copy()
    square = (residual**2).sum(0)
    for _ in range(steps):
        image = x.T @ (seen * (x @ direction)) + penalty * direction
        step = square / np.maximum((direction * image).sum(0), 1e-300)
        weights += step * direction
        residual -= step * image
        before, square = square, (residual**2).sum(0)
        direction = residual + square / np.maximum(before, 1e-300) * direction
    return weights, level


@dataclass(frozen=True)
class LexicalTable:
    """What ships (docs/bundle-format.md): ``embed/ngrams.npy`` and its companions.

    Attributes
    ----------
    rows : int8 [B, R]
    weights : int16 [B]
    scale : float32 [R]
    marks : float32 [116, R]
    """

    rows: npt.NDArray[np.int8]
    weights: npt.NDArray[np.int16]
    scale: Float32Array
    marks: Float32Array

    def score(self, features: LexicalFeatures) -> Float32Array:
        """Lexical scores float32 [Q, R], as the core computes them."""
        weights = self.weights.astype(np.int64)
        rows = self.rows.astype(np.int64) * weights[:, None]
        out = np.zeros((len(features.indptr) - 1, self.rows.shape[1]), np.float32)
        for i in range(len(out)):
            buckets = features.buckets[features.indptr[i] : features.indptr[i + 1]]
            square = int((weights[buckets] ** 2).sum())
            inverse = 1.0 / np.sqrt(float(square)) if square > 0 else 0.0
            total = rows[buckets].sum(0).astype(np.float64) * inverse * self.scale.astype(np.float64)
            marks = np.zeros(len(total))
            for mark in features.marks[i].tolist():
                marks += self.marks[mark].astype(np.float64)
            out[i] = total + marks if features.tokens[i] > 0 else 0.0
        return out


def quantise(weights: FloatArray, idf: npt.NDArray[np.int16], columns: int) -> LexicalTable:
    """A table of `columns` scores from ridge weights [buckets + marks + D, T], T <= columns; the others are 0.

    A score's rows share one scale, at the 99.99th percentile of their size: few n-grams beyond it are cut.
    """
    buckets = len(idf)
    found = np.zeros((buckets + MARKS, columns))
    found[:, : weights.shape[1]] = weights[: buckets + MARKS]
    used = np.where((idf > 0)[:, None], found[:buckets], 0.0)
    largest = np.quantile(np.abs(used), 0.9999, axis=0)
    scale = np.where(largest > 0.0, largest, 1.0) / 127.0
    rows = np.clip(np.rint(used / scale), -127, 127).astype(np.int8)
    # Scores are scale * (sum of weight * row) / norm: the norm is of the integer weights, as in the regression.
    return LexicalTable(rows, idf, scale.astype(np.float32), (MARK_SHARE * found[buckets:]).astype(np.float32))


def columns_for(targets: int) -> int:
    """The block's width: a multiple of 16."""
    return -(-targets // 16) * 16
