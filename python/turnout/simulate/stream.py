"""A stream: recorded queries in some order, and what each LLM would do in each round; scenarios change it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from turnout.simulate.recorded import Recorded

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Stream:
    """T rounds.

    Attributes
    ----------
    order : int64 [T]
        The query of each round, a row of the recorded data.
    score, usd : float64 [T, M]
        What each LLM would give.
    fails, there : bool [T, M]
        Whether it would fail with an error (its score is 0), and whether it is in the pool.
    """

    order: Ints
    score: Floats
    usd: Floats
    fails: Mask
    there: Mask

    def reward(self, value_usd: float) -> Floats:
        """``score - usd / value_usd`` [T, M], in units of a correct answer; -inf where an LLM is not there."""
        return np.where(self.there, self.score - self.usd / value_usd, -np.inf)


def shuffled(data: Recorded, seed: int, rounds: int | None = None) -> Stream:
    """Every query once, or the first `rounds`, in an order drawn from `seed`."""
    order = np.random.default_rng(seed).permutation(len(data))[:rounds]
    no = np.zeros((len(order), len(data.llms)), bool)
    return Stream(order, data.score[order], data.usd[order], no, ~no)


Scenario = Callable[[Stream, int], Stream]
"""What happens to an arm."""


def degrades(at: int, factor: float = 0.5) -> Scenario:
    """From a round on its scores are multiplied."""

    def change(stream: Stream, arm: int) -> Stream:
        score = stream.score.copy()
        score[at:, arm] *= factor
        return replace(stream, score=score)

    return change


def costs(at: int, factor: float = 4.0) -> Scenario:
    """From a round on its price is another."""

    def change(stream: Stream, arm: int) -> Stream:
        usd = stream.usd.copy()
        usd[at:, arm] *= factor
        return replace(stream, usd=usd)

    return change


def fails(at: int) -> Scenario:
    """From a round on every call of it is an error, which costs nothing."""

    def change(stream: Stream, arm: int) -> Stream:
        score, usd, failing = stream.score.copy(), stream.usd.copy(), stream.fails.copy()
        score[at:, arm], usd[at:, arm], failing[at:, arm] = 0.0, 0.0, True
        return replace(stream, score=score, usd=usd, fails=failing)

    return change


def joins(at: int) -> Scenario:
    """It is not in the pool before a round."""

    def change(stream: Stream, arm: int) -> Stream:
        there = stream.there.copy()
        there[:at, arm] = False
        return replace(stream, there=there)

    return change


def gains(points: float, seed: int = 0) -> Scenario:
    """Its mean score is higher than the router believes: some of its wrong answers, drawn by query, become right."""

    def change(stream: Stream, arm: int) -> Stream:
        score = stream.score.copy()
        drawn = np.random.default_rng(seed).random(int(stream.order.max()) + 1)[stream.order]
        room = 1.0 - float(score[:, arm].mean())
        score[:, arm] += (1.0 - score[:, arm]) * (drawn < points / room)
        return replace(stream, score=score)

    return change
