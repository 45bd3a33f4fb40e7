"""Twin of the capability room: the k best vectors by (score descending, id ascending), by scanning all of them; none
where no similarity among them reaches the threshold.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from turnout.reference.core import dot, float32

EVERYTHING = 0xFFFFFFFF


@dataclass(frozen=True)
class Hit:
    """A capability with its similarity (fixed-order inner product) and its score (less the cost bias)."""

    id: int
    similarity: float
    score: float


@dataclass(frozen=True)
class Filter:
    """What may be returned: bits of kinds, granted policy bits, similarity lost per USD of a call."""

    kinds: int = EVERYTHING
    granted: int = EVERYTHING
    cost_bias: float = 0.0


@dataclass(frozen=True)
class Index:
    """Vectors [N, D] with their columns, and the least similarity that makes a search worth returning."""

    vectors: Sequence[Sequence[float]]
    kinds: Sequence[int]
    requires: Sequence[int]
    usd_per_call: Sequence[float]
    threshold: float = -math.inf

    def passes(self, i: int, f: Filter) -> bool:
        return bool(f.kinds >> self.kinds[i] & 1) and not self.requires[i] & ~f.granted

    def passing(self, f: Filter) -> list[int]:
        return [i for i in range(len(self.vectors)) if self.passes(i, f)]

    def hit(self, x: Sequence[float], i: int, f: Filter) -> Hit:
        similarity = dot(x, self.vectors[i])
        return Hit(i, similarity, float32(similarity - f.cost_bias * float32(self.usd_per_call[i])))

    def search(self, x: Sequence[float], k: int, f: Filter | None = None) -> list[Hit]:
        """The k best that pass; fewer when fewer pass; none where all of these stay below the threshold."""
        f = f or Filter()
        hits = [self.hit(x, i, f) for i in self.passing(f)]
        best = sorted(hits, key=lambda hit: (-hit.score, hit.id))[:k]
        return best if any(hit.similarity >= self.threshold for hit in best) else []
