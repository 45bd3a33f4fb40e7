"""Twin of what joins a decision to what was learned: corrections, prices, and the draw of a plan."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from turnout.learning import Learning
from turnout.reference.core import Philox

SCORE_DEVIATION = 0.45
MOST_RATIO = 8.0
MOST_FEATURE = 4.0
LOGIT_SCALE = 0.25
DOMAIN_SCALE = 0.3
NOISE = 0x7475726E6F7574  # the streams of Thompson draws are apart from those of plans

Vector = npt.NDArray[np.float64]


@dataclass
class Arm:
    """Outcomes of one LLM, as they came."""

    rows: list[tuple[Vector, float, float]] = field(default_factory=list)  # features, score - prior, weight
    usd: list[tuple[float, float]] = field(default_factory=list)  # observed, expected

    def posterior(self, ridge: float, dim: int) -> tuple[Vector, npt.NDArray[np.float64]]:
        """theta and A^-1."""
        a, b = ridge * np.eye(dim), np.zeros(dim)
        for x, residual, weight in self.rows:
            a += weight * np.outer(x, x)
            b += weight * residual * x
        inverse: npt.NDArray[np.float64] = np.linalg.inv(a).astype(np.float64)
        return inverse @ b, inverse

    def ratio(self, prior: float) -> float:
        """Observed over expected USD, shrunk to 1 as if by `prior` outcomes."""
        expected = sum(e for _, e in self.usd)
        if not expected > 0:
            return 1.0
        n = len(self.usd)
        found = (sum(o for o, _ in self.usd) / expected * n + prior) / (n + prior)
        return min(max(found, 1.0 / MOST_RATIO), MOST_RATIO)


class ReferenceLearner:
    """What `turnout.learning.Learner` makes of the same outcomes, for a router's LLMs by id."""

    def __init__(self, learning: Learning) -> None:
        self.learning = learning
        self.arms: dict[str, Arm] = {}

    @property
    def active(self) -> bool:
        """Whether it has something to say, or explores."""
        return bool(self.arms) or self.learning.epsilon > 0 or self.learning.strategy != "mean"

    def features(self, a: Any, domains: int) -> Vector:
        """Of an assessed query; quantised as they are kept."""
        x = [1.0]
        if "difficulty" in self.learning.features:
            x.append(min(max(LOGIT_SCALE * a.logit, -MOST_FEATURE), MOST_FEATURE))
        if "domains" in self.learning.features and domains:
            x += [DOMAIN_SCALE * p for p in a.skills[-domains:]]
        if "latent" in self.learning.features:
            x += [min(max(z, -MOST_FEATURE), MOST_FEATURE) for z in a.latent_mean]
        return np.array(x)

    def learn(self, llm: str, x: Vector, score: float, prior: float, weight: float = 1.0) -> None:
        """One answer of an LLM."""
        kept = np.round(x * 4096) / 4096, round((score - prior) * 32768) / 32768, round(weight * 64) / 64
        self.arms.setdefault(llm, Arm()).rows.append(kept)

    def pay(self, llm: str, usd: float, expected: float) -> None:
        """What an answer cost, and what the catalog says of it."""
        self.arms.setdefault(llm, Arm()).usd.append((usd, expected))

    def correct(self, llms: Sequence[str], x: Vector, priors: Sequence[float], draw: int) -> list[float]:
        """P(correct) that decides."""
        noise = Philox(self.learning.seed ^ NOISE, draw)
        return [self._corrected(llm, x, p, noise) for llm, p in zip(llms, priors, strict=True)]

    def ratios(self, llms: Sequence[str]) -> list[float]:
        """Of each LLM's prices."""
        return [self.arms.get(llm, Arm()).ratio(self.learning.usd_prior) for llm in llms]

    def _corrected(self, llm: str, x: Vector, prior: float, noise: Philox) -> float:
        theta, inverse = self.arms.get(llm, Arm()).posterior(self.learning.ridge, len(x))
        deviation = math.sqrt(x @ inverse @ x)
        shift = float(theta @ x)
        gate = self.learning.gate if shift < 0 else self.learning.gate_up
        shift = gated(shift, gate * SCORE_DEVIATION * deviation)
        if self.learning.strategy != "mean":
            width = self.learning.width * deviation
            shift += width if self.learning.strategy == "ucb" else width * noise.normal()
        return min(max(prior + shift, 0.0), 1.0)

    def probabilities(self, utilities: Sequence[float], value_usd: float) -> list[float]:
        """Of each candidate, the best plan first."""
        scale, most = self.learning.temperature * value_usd, max(utilities)
        weights = [math.exp((u - most) / scale) for u in utilities]
        drawn = [self.learning.epsilon * w / sum(weights) for w in weights]
        return [drawn[0] + 1.0 - self.learning.epsilon, *drawn[1:]]

    def choose(self, probabilities: Sequence[float], draw: int) -> int:
        """The candidate that a draw falls on."""
        left = Philox(self.learning.seed, draw).uniform()
        for i, p in enumerate(probabilities[:-1]):
            if left < p:
                return i
            left -= p
        return len(probabilities) - 1


def gated(shift: float, noise: float) -> float:
    """What is left of a correction where one up to `noise` may be chance: positive-part James-Stein."""
    return 0.0 if abs(shift) <= noise else shift * (1.0 - (noise / shift) ** 2)
