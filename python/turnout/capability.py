"""Capabilities: tools and agents found by their descriptions, through FAISS.

FAISS (https://github.com/facebookresearch/faiss) proposes candidates; the core re-scores them with a fixed-order inner
product and sorts by (score, id), so that the answer does not depend on the SIMD level, the batch or FAISS's version.
Where the candidates cannot prove that they hold the k best, under a filter, a cost bias or near-ties, more are
proposed; where scanning the vectors that pass is cheaper than that, they are scanned.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from turnout._native import CapabilityIndex
from turnout.core import InputError
from turnout.schema import fail

__all__ = ["CapabilityIndex", "Projection", "build_index", "load_index", "matched_filter"]

HNSW_NEIGHBOURS = 32
# Above this many vectors a graph is searched instead of every vector.
FLAT_LIMIT = 5000
# Of matched_filter: between 0.03 and 0.3 the ranking hardly changes (bench/capability_quality.py).
DAMPING = 0.1


def matched_filter(
    vectors: npt.NDArray[np.float32], queries: npt.NDArray[np.float32], damping: float = DAMPING
) -> npt.NDArray[np.float32]:
    """Vectors that answer to what is particular about a query, not to what all queries share.

    Queries of one embedder have much in common (stop words, the form of a question), so plain cosines rank the same few
    tools first whatever is asked. With C the mean of q q^T over queries, C^-1 v is the direction whose answer to v is
    the largest beside its mean square answer to queries: the matched filter (Turin 1960, "An introduction to matched
    filters"). Only the tools' vectors change; a search costs what it did.

    Parameters
    ----------
    vectors : float32[N, D]
        Of tools and agents.
    queries : float32[K, D]
        Queries as they come, or their centroids (a bundle's ``difficulty/centroids.npy``).
    damping : float
        Share of the identity that is added to C, whose trace is 1.

    Returns
    -------
    float32[N, D]
        Unit rows; zeros stay zeros.
    """
    q, dim = queries.astype(np.float64), vectors.shape[1]
    moment = q.T @ q / np.square(q).sum()
    filtered = np.linalg.solve(moment + damping / dim * np.eye(dim), vectors.T.astype(np.float64)).T
    return np.ascontiguousarray(unit_rows(filtered), np.float32)


@dataclass(frozen=True)
class Projection:
    """Vectors for tools that a trained bundle has not seen, from their descriptions alone.

    With t an embedded description: ``matrix @ unit(whitening @ t) + shift``, cut to norm 1. Its answers to queries are
    on the scale of the trained vectors.

    Attributes
    ----------
    whitening, matrix : float32[D, D]
    shift : float32[D]
    """

    whitening: npt.NDArray[np.float32]
    matrix: npt.NDArray[np.float32]
    shift: npt.NDArray[np.float32]

    def apply(self, vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """The projected rows of `vectors`, float32[N, D]."""
        white = unit_rows(vectors.astype(np.float64) @ self.whitening.T.astype(np.float64))
        moved = white @ self.matrix.T.astype(np.float64) + self.shift.astype(np.float64)
        return np.ascontiguousarray(moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1.0), np.float32)


def unit_rows(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Rows of norm 1; zeros stay zeros."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    out: npt.NDArray[np.float64] = rows / np.where(norms > 0.0, norms, 1.0)
    return out


def build_index(vectors: npt.NDArray[np.float32], kind: str = "auto") -> bytes:
    """A FAISS index (inner product) over vectors, as bytes that `CapabilityIndex` takes.

    Parameters
    ----------
    vectors : float32[N, D]
    kind : {"auto", "flat", "hnsw"}
        ``flat`` is exact; ``hnsw`` (Malkov and Yashunin 2018, https://arxiv.org/abs/1603.09320, 32 neighbours) is
        approximate. ``auto``: flat up to 5,000 vectors.

    Returns
    -------
    bytes
        What `load_index` takes.

    Raises
    ------
    InputError
        Another shape or kind, or a number that is not finite.
    """
    import faiss

    if vectors.ndim != 2 or vectors.dtype != np.float32 or not np.isfinite(vectors).all():
        raise fail(InputError, "vectors", f"expected finite float32[N, D], got {vectors.dtype}{list(vectors.shape)}")
    if kind not in ("auto", "flat", "hnsw"):
        raise fail(InputError, "kind", f"expected auto, flat or hnsw, got {kind!r}")
    flat = kind == "flat" or (kind == "auto" and len(vectors) <= FLAT_LIMIT)
    dim = vectors.shape[1]
    index: Any
    if flat:
        index = faiss.IndexFlatIP(dim)
    else:
        index = faiss.IndexHNSWFlat(dim, HNSW_NEIGHBOURS, faiss.METRIC_INNER_PRODUCT)
    index.add(np.ascontiguousarray(vectors))
    return bytes(faiss.serialize_index(index).tobytes())


def load_index(
    data: bytes,
    path: str,
    vectors: npt.NDArray[np.float32],
    kinds: npt.NDArray[np.uint8],
    requires: npt.NDArray[np.uint32],
    usd_per_call: npt.NDArray[np.float32],
    threshold: float | None = None,
) -> CapabilityIndex:
    """An index to search, with the columns by which it filters; one entry a vector each.

    Parameters
    ----------
    data : bytes
        As `build_index` or `faiss.serialize_index` writes it: any type of float index with the inner-product metric.
        FAISS parses it: the caller trusts or has verified it.
    path : str
        Where it is from, for error messages.
    vectors : float32[N, D]
        The vectors that the index holds, in its order.
    kinds : uint8[N]
        0 tool, 1 agent, 2 code, 3 retrieval.
    requires : uint32[N]
        Policy bits of which the caller must grant all.
    usd_per_call : float32[N]
        USD.
    threshold : float, optional
        A search whose hits all have a lower similarity returns none; default: it always returns the best.

    Raises
    ------
    BundleError
        Bytes that FAISS cannot read, an untrained index, another metric, another N or D.
    ConfigError
        A column of another length, a number that is not finite.
    EngineError
        faiss-cpu is not installed, or its library is none that turnout can call.
    """
    from turnout import engines  # not at import: `python -m turnout.engines` would find itself imported

    least = -math.inf if threshold is None else threshold
    return CapabilityIndex(engines.faiss_library(), data, path, vectors, kinds, requires, usd_per_call, least)
