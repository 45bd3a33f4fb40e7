"""Policies: small classes that choose an arm for a query and learn from its outcome."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from turnout.simulate.recorded import Recorded
from turnout.simulate.stream import Stream

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


class Setting(NamedTuple):
    """What a policy is told before the first round."""

    data: Recorded
    value_usd: float  # of a correct answer; rewards are score - usd / value_usd
    seed: int


class Policy(Protocol):
    """One stream's learner. Queries are rows of the recorded data; a policy reads there what it may know of them."""

    def choose(self, query: int, there: Mask) -> int:
        """An arm that is there, bool [M]."""

    def learn(self, query: int, arm: int, score: float, usd: float, failed: bool) -> None:
        """The outcome of what was chosen, before the next query."""


Make = Callable[[Setting, Stream], Policy]
"""A new policy for a stream. Only those that are marked as seeing more read the stream."""


class Fixed:
    """A choice for every query that nothing changes; where that arm is not there, the next best by `scores`."""

    def __init__(self, scores: Floats) -> None:
        self.scores = scores  # [Q, M]

    def choose(self, query: int, there: Mask) -> int:
        return int(np.where(there, self.scores[query], -np.inf).argmax())

    def learn(self, query: int, arm: int, score: float, usd: float, failed: bool) -> None:
        pass


def offline(setting: Setting, stream: Stream) -> Policy:
    """The bundle's router without feedback: the largest predicted utility."""
    data = setting.data
    return Fixed(data.correct - data.expected_usd / setting.value_usd)


def best_fixed(setting: Setting, stream: Stream) -> Policy:
    """Sees more: the arm whose mean reward over this very stream is the best, in the rounds that it is there for."""
    reward = np.where(stream.there, stream.reward(setting.value_usd), 0.0)
    mean = reward.sum(0) / np.maximum(stream.there.sum(0), 1)
    return Fixed(np.broadcast_to(mean, setting.data.score.shape))


class Oracle:
    """Sees more: the best arm of every round."""

    def __init__(self, setting: Setting, stream: Stream) -> None:
        self.best = stream.reward(setting.value_usd).argmax(1)
        self.round = -1

    def choose(self, query: int, there: Mask) -> int:
        self.round += 1
        return int(self.best[self.round])

    def learn(self, query: int, arm: int, score: float, usd: float, failed: bool) -> None:
        pass


class Random:
    """Any arm that is there."""

    def __init__(self, setting: Setting, stream: Stream) -> None:
        self.rng = np.random.default_rng(setting.seed)

    def choose(self, query: int, there: Mask) -> int:
        return int(self.rng.choice(np.flatnonzero(there)))

    def learn(self, query: int, arm: int, score: float, usd: float, failed: bool) -> None:
        pass


class EpsilonGreedy:
    """The arm with the best mean reward so far, whatever the query; any with probability eps. New arms come first."""

    def __init__(self, setting: Setting, stream: Stream, eps: float = 0.1) -> None:
        self.eps, self.value_usd = eps, setting.value_usd
        self.rng = np.random.default_rng(setting.seed)
        self.count, self.total = np.zeros((2, len(setting.data.llms)))

    def choose(self, query: int, there: Mask) -> int:
        if self.rng.random() < self.eps:
            return int(self.rng.choice(np.flatnonzero(there)))
        mean = np.where(self.count > 0, self.total / np.maximum(self.count, 1), np.inf)
        return int(np.where(there, mean, -np.inf).argmax())

    def learn(self, query: int, arm: int, score: float, usd: float, failed: bool) -> None:
        self.count[arm] += 1
        self.total[arm] += score - usd / self.value_usd
