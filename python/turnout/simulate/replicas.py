"""Several replicas of the learning policy that share what they have learned from time to time.

Queries are dealt out in turn. A replica adds up its own outcomes; after `every` decisions of all of them together each
gets the sums of all. Sums only: merging is a state-based CRDT, and its order does not matter.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from turnout.simulate.policies import Setting
from turnout.simulate.stream import Stream
from turnout.simulate.twin import Learning, Turnout

Mask = npt.NDArray[np.bool_]


class _Outcome(NamedTuple):
    query: int
    arm: int
    score: float
    usd: float
    failed: bool


class Replicas:
    """Each a `Turnout` of its own."""

    def __init__(
        self, setting: Setting, stream: Stream, every: int, count: int = 8, how: Learning | None = None
    ) -> None:
        self.replicas = [Turnout(setting._replace(seed=setting.seed + k), stream, how) for k in range(count)]
        self.every, self.now = every, 0
        self.unshared: list[tuple[int, _Outcome]] = []

    def choose(self, query: int, there: Mask) -> int:
        return self.replicas[self.now % len(self.replicas)].choose(query, there)

    def learn(self, query: int, arm: int, score: float, usd: float, failed: bool) -> None:
        mine = self.now % len(self.replicas)
        outcome = _Outcome(query, arm, score, usd, failed)
        self.replicas[mine].learn(*outcome)
        self.unshared.append((mine, outcome))
        self.now += 1
        if self.now % self.every == 0:
            self._share()

    def _share(self) -> None:
        """The evidence of the others; whether an arm is dead each replica finds out by itself."""
        for mine, outcome in self.unshared:
            for k, replica in enumerate(self.replicas):
                if k != mine and not outcome.failed:
                    replica.absorb(outcome.query, outcome.arm, outcome.score, outcome.usd)
        self.unshared.clear()
