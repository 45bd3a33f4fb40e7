"""Texts of a test set that stand, almost word for word, in the training set too."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from turnout.outcomes import stem

HASHES, BANDS = 64, 16  # a pair of Jaccard similarity 0.8 is found with probability 0.9998
PER_BUCKET = 50  # training texts that a test text is compared with in one bucket
Grams = npt.NDArray[np.uint64]


class Near(NamedTuple):
    """Of a text of the test set: the closest training text that was found, and how alike they are."""

    test: int
    train: int
    similarity: float


def same_stem(train: Sequence[str], test: Sequence[str]) -> list[Near]:
    """Test texts whose question stands in the training set, whatever its options."""
    seen: dict[str, int] = {}
    for i, text in enumerate(train):
        seen.setdefault(stem(text), i)
    stems = [stem(text) for text in test]
    return [Near(i, seen[key], 1.0) for i, key in enumerate(stems) if key in seen]


def near_duplicates(train: Sequence[str], test: Sequence[str], least: float = 0.8) -> list[Near]:
    """Test texts with a training text of Jaccard similarity >= `least` on word 3-grams.

    Candidates come from MinHash (Broder 1997) with 16 bands of 4, of each band at most 50 training texts; what is
    reported is the exact similarity.
    """
    grams = _grams([*train, *test])
    signatures = _signatures(grams)
    best: dict[int, Near] = {}
    for band in signatures.reshape(len(grams), BANDS, -1).transpose(1, 0, 2):
        buckets: defaultdict[bytes, list[int]] = defaultdict(list)
        for i in range(len(train)):
            buckets[band[i].tobytes()].append(i)
        for i in range(len(test)):
            for j in buckets.get(band[len(train) + i].tobytes(), [])[:PER_BUCKET]:
                alike = _jaccard(grams[j], grams[len(train) + i])
                if alike >= least and (i not in best or alike > best[i].similarity):
                    best[i] = Near(i, j, alike)
    return [best[i] for i in sorted(best)]


def _jaccard(a: Grams, b: Grams) -> float:
    both = len(np.intersect1d(a, b, assume_unique=True))
    return both / (len(a) + len(b) - both)


def _grams(texts: Sequence[str]) -> list[Grams]:
    """The distinct word 3-grams of each text as numbers; a shorter text is one gram."""
    ids: dict[str, int] = {}
    out = []
    for text in texts:
        words = [ids.setdefault(word, len(ids) + 1) for word in re.findall(r"\w+", text.lower())]
        words += [0] * (3 - len(words))
        w = np.array(words, np.uint64)
        out.append(np.unique((w[:-2] * _P1 + w[1:-1]) * _P2 + w[2:]))
    return out


_P1, _P2 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)  # odd: a product keeps numbers apart


def _signatures(grams: list[Grams]) -> npt.NDArray[np.uint64]:
    """The least of each of 64 hashes over a text's grams, uint64 [T, HASHES]."""
    rng = np.random.default_rng(0)
    flat = np.concatenate(grams)
    start = np.cumsum([0, *(len(g) for g in grams[:-1])])
    out = np.empty((len(grams), HASHES), np.uint64)
    for k in range(HASHES):
        mult, plus = rng.integers(0, 2**63, 2).astype(np.uint64)
        mixed = (flat ^ plus) * (mult | np.uint64(1))
        out[:, k] = np.minimum.reduceat((mixed ^ (mixed >> np.uint64(29))) * _P1, start)
    return out
