"""Domains of the training queries: a few groups, of a set's own labels or of like texts where it has none.

A router never sees a domain: it infers one softly from the text. Many small domains would be inferred badly and leave
too few outcomes a group, so small ones join the group whose texts are most alike.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from turnout.train import regions

Float32Array = npt.NDArray[np.float32]
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

MOST, LEAST = 30, 40  # groups, and queries of a group
CLUSTERS, CLUSTER_QUERIES = 16, 60  # where there are no labels: at most so many, one for so many queries


def _labels(sets: IntArray, set_names: Sequence[str], domains: Sequence[str], x: Float32Array, seed: int) -> list[str]:
    """A label for each query: its set and domain, or its cluster where the set has no domains."""
    out = [f"{set_names[k]}/{domain}" for k, domain in zip(sets.tolist(), domains, strict=True)]
    for k, name in enumerate(set_names):
        rows = np.flatnonzero(sets == k)
        if len({domains[i] for i in rows.tolist()}) > 1 or not len(rows):
            continue
        count = int(np.clip(len(rows) // CLUSTER_QUERIES, 1, CLUSTERS))
        nearest = (x[rows] @ regions.centroids(x[rows], count, seed).T).argmax(1)
        for i, cluster in zip(rows.tolist(), nearest.tolist(), strict=True):
            out[i] = f"{name}/cluster {cluster + 1}"
    return out


def group(
    sets: IntArray, set_names: Sequence[str], domains: Sequence[str], x: Float32Array, seed: int = 0, most: int = MOST
) -> tuple[list[str], IntArray]:
    """Groups of the queries: their names and the group of each query, int64 [Q].

    Parameters
    ----------
    sets : int64 [Q]
    domains : sequence of str, [Q]
        "" where there is none.
    x : float32 [Q, D]
        Unit vectors.
    """
    names, index = np.unique(np.array(_labels(sets, set_names, domains, x, seed)), return_inverse=True)
    members = [[name] for name in names.tolist()]
    count = np.bincount(index).astype(np.float64)
    total = np.zeros((len(names), x.shape[1]))
    np.add.at(total, index, x.astype(np.float64))
    alive = list(range(len(names)))
    into = np.arange(len(names))
    while len(alive) > 1:
        small = min(alive, key=lambda i: count[i])
        if count[small] >= LEAST and len(alive) <= most:
            break
        others = [i for i in alive if i != small]
        target = others[int(np.argmax([_cosine(total[small], total[i]) for i in others]))]
        count[target] += count[small]
        total[target] += total[small]
        members[target] += members[small]
        into[into == small] = target
        alive.remove(small)
    at = {old: new for new, old in enumerate(alive)}
    groups = np.array([at[int(i)] for i in into], np.int64)[index]
    return [" + ".join(sorted(members[i])) for i in alive], groups


def _cosine(a: FloatArray, b: FloatArray) -> float:
    return float(a @ b / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-12))
