"""What single policies are worth: cost of pass, regret, oracle gap, shares of the arms, what abstaining buys."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def cost_of_pass(cost: Floats, score: Floats) -> float:
    """Expected USD for one correct answer, E[cost] / E[score]; inf where none is correct.

    Erol et al. 2025 (arXiv 2504.13359), of one policy's recorded costs and scores [Q].
    """
    right = float(score.mean())
    return float(cost.mean()) / right if right > 0.0 else float("inf")


def utility(score: Floats, cost: Floats, value_usd: float) -> Floats:
    """``value_usd * score - cost``, USD."""
    return np.asarray(value_usd * score - cost)


def regret(chosen: Ints, score: Floats, cost: Floats, value_usd: float) -> Floats:
    """Utility lost a query [Q] against the arm that would have been best there; >= 0.

    Parameters
    ----------
    chosen : int64 [Q]
    score, cost : float64 [Q, M]
        Recorded.
    """
    all_arms = utility(score, cost, value_usd)
    return np.asarray(all_arms.max(1) - all_arms[np.arange(len(chosen)), chosen])


def oracle_gap(chosen: Ints, score: Floats) -> float:
    """Mean score of the best arm a query less that of the choices."""
    return float((score.max(1) - score[np.arange(len(chosen)), chosen]).mean())


def shares(chosen: Ints, arms: int) -> Floats:
    """Of queries that go to each arm, float64 [M]; sums to 1."""
    return np.asarray(np.bincount(chosen, minlength=arms) / len(chosen))


def entropy(share: Floats) -> float:
    """Of shares, in bits: 0 when one arm takes all, log2(M) when all are alike."""
    used = share[share > 0.0]
    return float(-(used * np.log2(used)).sum()) + 0.0


class Abstention(NamedTuple):
    """Mean score of the queries that are answered when the least confident are not, float64 [Q] each."""

    answered: Floats
    score: Floats


def abstention(confidence: Floats, score: Floats) -> Abstention:
    """The risk-coverage curve (El-Yaniv and Wiener 2010), from the most confident query to all; ties share alike."""
    _, group = np.unique(-confidence, return_inverse=True)
    mean = np.bincount(group, score) / np.bincount(group)
    order = np.argsort(group, kind="stable")
    count = np.arange(1, len(score) + 1)
    return Abstention(count / len(score), np.cumsum(mean[group[order]]) / count)


def auc(confidence: Floats, positive: npt.NDArray[np.bool_]) -> float:
    """Area under the ROC curve: P(a positive is ranked above a negative), ties half; NaN where one kind is missing."""
    positives = int(positive.sum())
    negatives = len(positive) - positives
    if positives == 0 or negatives == 0:
        return float("nan")
    _, inverse, counts = np.unique(confidence, return_inverse=True, return_counts=True)
    rank = np.cumsum(counts) - 0.5 * (counts - 1)  # from 1, ties shared
    return float((rank[inverse][positive].sum() - positives * (positives + 1) / 2) / (positives * negatives))
