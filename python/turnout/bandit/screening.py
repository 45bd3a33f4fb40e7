"""Screening of many agents to a few, and a bandit over the few (Symphony-Coord, a27)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from turnout.bandit.linear import LinUCB
from turnout.core import ConfigError, InputError
from turnout.schema import fail

SECONDS = 2.0  # of latency that count as 1


@dataclass(frozen=True)
class Candidate:
    """What is known of an agent before it is asked; all in [0, 1] but `seconds`, which is at least 0.

    Attributes
    ----------
    similarity : float
        Of the agent's abilities and the query.
    load, availability : float
    seconds : float
        Its latency.
    prior : float
        Share of successes that is expected of it.
    """

    similarity: float
    load: float = 0.0
    seconds: float = 0.0
    prior: float = 0.5
    availability: float = 1.0

    def __post_init__(self) -> None:
        for name in ("similarity", "load", "prior", "availability"):
            if not 0 <= getattr(self, name) <= 1:
                raise fail(InputError, name, f"expected a number from 0 to 1, got {getattr(self, name)}")
        if not 0 <= self.seconds < math.inf:
            raise fail(InputError, "seconds", f"expected a finite number >= 0, got {self.seconds}")

    @property
    def latency(self) -> float:
        """Of 2 seconds, at most 1."""
        return min(1.0, self.seconds / SECONDS)

    @property
    def features(self) -> npt.NDArray[np.float32]:
        values = (1.0, self.similarity, self.load, self.latency, self.prior, self.availability)
        return np.array(values, np.float32)


def stability(candidate: Candidate) -> float:
    """0.4 (1 - load) + 0.4 (1 - latency / 2 s) + 0.2 availability."""
    return 0.4 * (1 - candidate.load) + 0.4 * (1 - candidate.latency) + 0.2 * candidate.availability


class ScreenedBandit:
    """The `keep` candidates of the largest 0.5 similarity + 0.35 prior + 0.15 stability, and LinUCB among them.

    The first `warm_up` choices go round robin over all agents. A reward counts less latency_weight sqrt(latency).
    Ties go to the agent that stands first.

    Parameters
    ----------
    agents : sequence of str
    keep : int
    warm_up : int
        In selections.
    latency_weight : float
    alpha, ridge : float
        Of LinUCB, over [1, similarity, load, latency, prior, availability].

    Notes
    -----
    Formulas and constants: GradientHQ/symphony-coord, core/routing.py and core/cold_start.py.
    """

    def __init__(
        self,
        agents: Sequence[str],
        *,
        keep: int = 3,
        warm_up: int = 120,
        latency_weight: float = 0.2,
        alpha: float = 1.0,
        ridge: float = 1.0,
    ) -> None:
        if keep < 1:
            raise fail(ConfigError, "bandit.keep", f"expected 1 or more, got {keep}")
        if not (warm_up >= 0 and latency_weight >= 0):
            raise fail(ConfigError, "bandit.warm_up", "expected it, and latency_weight, to be at least 0")
        self.keep, self.warm_up, self.latency_weight, self.alpha = keep, warm_up, latency_weight, alpha
        self.bandit = LinUCB(6, agents, alpha=alpha, ridge=ridge)
        self._selections = 0

    def _able(self, candidates: dict[str, Candidate]) -> list[str]:
        for name in candidates:
            if name not in self.bandit.arms:
                raise fail(InputError, "candidates", f"there is no agent {name!r}")
        return [name for name in self.bandit.arms if name in candidates and candidates[name].availability > 0]

    def screen(self, candidates: dict[str, Candidate]) -> list[str]:
        """The names of the `keep` best, best first. Agents that are left out, or of availability 0, are not asked."""

        def merit(name: str) -> float:
            c = candidates[name]
            return 0.5 * c.similarity + 0.35 * c.prior + 0.15 * stability(c)

        return sorted(self._able(candidates), key=merit, reverse=True)[: self.keep]

    def select(self, candidates: dict[str, Candidate]) -> str:
        """Raises an InputError where no candidate is available."""
        kept = self.screen(candidates)
        if not kept:
            raise fail(InputError, "candidates", "none is available")
        if self._selections < self.warm_up:
            able = self._able(candidates)
            chosen = able[self._selections % len(able)]
        else:
            chosen = max(kept, key=lambda name: self._upper(name, candidates[name]))
        self._selections += 1
        return chosen

    def _upper(self, name: str, candidate: Candidate) -> float:
        mean, deviation = self.bandit.predict(name, candidate.features)
        return mean + self.alpha * deviation

    def update(self, agent: str, candidate: Candidate, reward: float) -> None:
        """A reward, with the candidate as it was when it was chosen; now or later."""
        cost = self.latency_weight * math.sqrt(candidate.latency)
        self.bandit.update(agent, candidate.features, reward - cost)
