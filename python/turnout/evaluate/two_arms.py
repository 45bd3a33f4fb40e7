"""A weak and a strong arm: how much of the gap between them a share of calls to the strong one recovers.

RouteLLM (Ong et al. 2024, arXiv 2406.18665, section 3): performance gap recovered, its average over shares, and the
call-performance threshold.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def recovered(preference: Floats, weak: Floats, strong: Floats) -> tuple[Floats, Floats]:
    """Shares of strong calls, and the share of the gap that each recovers, float64 [Q + 1] each.

    Parameters
    ----------
    preference : float64 [Q]
        How much a policy would rather ask the strong arm; it asks it for the highest. Ties are broken evenly.
    weak, strong : float64 [Q]
        Recorded scores.

    Returns
    -------
    tuple
        NaN throughout where the strong arm is not better on the mean.
    """
    queries = len(preference)
    share = np.arange(queries + 1) / queries
    gap = float(strong.mean() - weak.mean())
    if not gap > 0.0:
        return share, np.full(queries + 1, np.nan)
    _, group = np.unique(-preference, return_inverse=True)
    gain = np.bincount(group, strong - weak) / np.bincount(group)  # the mean gain of those that are tied
    order = np.argsort(group, kind="stable")
    return share, np.concatenate([[0.0], np.cumsum(gain[group[order]])]) / (queries * gap)


def apgr(preference: Floats, weak: Floats, strong: Floats) -> float:
    """Average performance gap recovered: its mean over all shares of strong calls; a random policy gets 0.5."""
    share, found = recovered(preference, weak, strong)
    return float((0.5 * (found[1:] + found[:-1]) * np.diff(share)).sum())


def cpt(preference: Floats, weak: Floats, strong: Floats, level: float) -> float:
    """Call-performance threshold: the least share of strong calls that recovers `level` of the gap, as in CPT(50 %)."""
    share, found = recovered(preference, weak, strong)
    reached = np.flatnonzero(found >= level)
    return float(share[reached[0]]) if len(reached) else float("nan")
