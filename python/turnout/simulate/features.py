"""GreenServ's features of a query: its task, its cluster by online k-means, and how hard it is to read."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from turnout.simulate.recorded import Recorded

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

CLUSTERS = 3
EASY, HARD = 60.0, 30.0  # Flesch reading ease: above, plain English; below, for graduates

_WORD, _SENTENCE, _VOWELS = re.compile(r"[A-Za-z']+"), re.compile(r"[.!?]+"), re.compile(r"[aeiouy]+")


def flesch(text: str) -> float:
    """Flesch reading ease (1948), with groups of vowels as syllables; 100 where there are no words."""
    words = _WORD.findall(text)
    if not words:
        return 100.0
    sentences = max(len(_SENTENCE.findall(text)), 1)
    syllables = sum(max(len(_VOWELS.findall(word.lower())), 1) for word in words)
    return 206.835 - 1.015 * len(words) / sentences - 84.6 * syllables / len(words)


def online_clusters(vectors: Floats, order: Ints, clusters: int = CLUSTERS) -> Ints:
    """A cluster for each query [Q], given when it comes: the nearest centre, which then moves towards it by 1 / n
    (MacQueen 1967); the first queries are the centres. Queries that do not come are in cluster 0."""
    out = np.zeros(len(vectors), np.int64)
    centres, count = vectors[order[:clusters]].copy(), np.ones(clusters)
    for query in order.tolist():
        k = int(((centres - vectors[query]) ** 2).sum(1).argmin())
        count[k] += 1
        centres[k] += (vectors[query] - centres[k]) / count[k]
        out[query] = k
    return out


def features(data: Recorded, order: Ints, tasks: bool) -> Floats:
    """One-hot cluster and reading ease in three bins, and with `tasks` the recorded domain of the query, which turnout
    never sees: float64 [Q, 6 or more]."""
    ease = np.array([flesch(text) for text in data.texts])
    level = np.where(ease > EASY, 0, np.where(ease > HARD, 1, 2))
    found = [np.eye(CLUSTERS)[online_clusters(data.vectors, order)], np.eye(3)[level]]
    if tasks:
        names, which = np.unique(data.domains, return_inverse=True)
        found.append(np.eye(len(names))[which])
    return np.concatenate(found, 1)
