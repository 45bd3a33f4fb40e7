"""Arms that no longer answer: a sequential test on each, and probes of those that it has suspended.

The test is CUSUM (Page 1954): the log-likelihood ratio of "its answers are right with probability 0.02" against the
prediction is summed and never falls below 0; above a threshold the arm is suspended. A linear correction alone takes as
many outcomes to unlearn an arm as it has seen good ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class DeadConfig:
    """Constants of the test.

    Attributes
    ----------
    right : float
        P(correct) of a dead arm.
    threshold : float
        Of the summed log-likelihood ratio, above which an arm is suspended.
    failures : int
        Errors in a row that suspend it.
    gap : int
        Decisions until the first probe; the gap doubles with every probe that is wrong.
    """

    right: float = 0.02
    threshold: float = 10.0
    failures: int = 3
    gap: int = 100


class DeadArms:
    """The state of M arms, and a clock that counts decisions."""

    def __init__(self, arms: int, config: DeadConfig) -> None:
        self.config, self.now = config, 0
        self.evidence = np.zeros(arms)
        self.errors = np.zeros(arms, np.int64)
        self.gap = np.zeros(arms, np.int64)  # 0: not suspended
        self.due = np.zeros(arms, np.int64)
        self.suspensions: list[tuple[int, int]] = []  # decision, arm

    def admitted(self, there: Mask) -> tuple[Mask, int]:
        """Who may be chosen, and the arm whose probe is due, or -1. Where all are suspended, all may."""
        self.now += 1
        probes = np.flatnonzero(there & (self.gap > 0) & (self.due <= self.now))
        free = there & (self.gap == 0)
        return (free if free.any() else there), int(probes[0]) if len(probes) else -1

    def learn(self, arm: int, prior: float, score: float, failed: bool) -> None:
        self.errors[arm] = self.errors[arm] + 1 if failed else 0
        if self.gap[arm] > 0:
            self._probed(arm, score)
            return
        if not failed:
            p = min(max(prior, self.config.right), 1.0 - self.config.right)
            ratio = score * math.log(self.config.right / p) + (1 - score) * math.log((1 - self.config.right) / (1 - p))
            self.evidence[arm] = max(self.evidence[arm] + ratio, 0.0)
        if self.evidence[arm] > self.config.threshold or self.errors[arm] >= self.config.failures:
            self.suspensions.append((self.now, arm))
            self._suspend(arm, self.config.gap)

    def _suspend(self, arm: int, gap: int) -> None:
        self.gap[arm], self.due[arm] = gap, self.now + gap

    def _probed(self, arm: int, score: float) -> None:
        if score >= 0.5:
            self.gap[arm], self.evidence[arm], self.errors[arm] = 0, 0.0, 0
        else:
            self._suspend(arm, 2 * int(self.gap[arm]))
