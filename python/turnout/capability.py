"""Capabilities: tools and agents found by their descriptions, through FAISS.

FAISS proposes candidates; the core re-scores them with a fixed-order inner product and sorts by (score, id), so that the
answer does not depend on the SIMD level, the batch or FAISS's version.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from turnout._native import CapabilityIndex
from turnout.core import InputError
from turnout.schema import fail

__all__ = ["CapabilityIndex", "build_index"]

HNSW_NEIGHBOURS = 32
# Above this many vectors a graph is searched instead of every vector.
FLAT_LIMIT = 5000


def build_index(vectors: npt.NDArray[np.float32], kind: str = "auto") -> bytes:
    """A FAISS index (inner product) over unit vectors, as bytes that `CapabilityIndex` takes.

    Parameters
    ----------
    vectors : float32[N, D]
    kind : {"auto", "flat", "hnsw"}
        ``flat`` is exact; ``hnsw`` (Malkov and Yashunin 2018, 32 neighbours) is approximate. ``auto``: flat up to 5,000.

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
    index: Any = faiss.IndexFlatIP(dim) if flat else faiss.IndexHNSWFlat(dim, HNSW_NEIGHBOURS, faiss.METRIC_INNER_PRODUCT)
    index.add(np.ascontiguousarray(vectors))
    return bytes(faiss.serialize_index(index).tobytes())
