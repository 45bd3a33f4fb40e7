"""Twin of the difficulty room: vector -> latent, difficulty, skills (docs/bundle-format.md).

The network runs in float64, the engine in float32: numbers agree to about 1e-6, not to the bit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from turnout.reference.core import Philox, dot, float32
from turnout.reference.onnx import Network

MAX_FLOOR, MAX_SCALE = 0.95, 16.0


def sigmoid(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x))


@dataclass(frozen=True)
class Assessment:
    """What is known of one query. Fields as in the native Assessment."""

    difficulty: float
    logit: float
    latent_mean: list[float]
    latent_logvar: list[float]
    skills: list[float]
    domain_similarity: float = 1.0
    out_of_domain: bool = False
    floor: float = 0.0  # P(correct) = floor + (1 - floor) sigmoid(...)
    output_scale: float = 1.0  # length of answers, in multiples of each LLM's own


def answer_columns(columns: list[float]) -> tuple[float, float]:
    """Guess floor and output scale, from the network's last two columns where it has them."""
    if not columns:
        return 0.0, 1.0
    floor, log_scale = columns
    scale = float32(math.exp(min(log_scale, 9.0)))  # as the native record holds it
    return min(max(floor, 0.0), MAX_FLOOR), min(max(scale, 1.0 / MAX_SCALE), MAX_SCALE)


@dataclass(frozen=True)
class Model:
    """The network with its tables."""

    network: Network
    latent: int
    skills: int
    heads: list[list[float]]  # [1 + S, Z]
    centroids: list[list[float]]  # [K, unit_dim], unit rows
    domain_threshold: float
    mean_difficulty: float
    unit_dim: int  # what follows in a vector are lexical scores

    def assess(self, x: list[float]) -> Assessment:
        """Greedy: the latent mean."""
        row, z = self.network.run(x), self.latent
        similarity = max(dot(x[: self.unit_dim], centroid) for centroid in self.centroids)
        return Assessment(
            sigmoid(row[2 * z]),
            row[2 * z],
            row[:z],
            row[z : 2 * z],
            row[2 * z + 1 : 2 * z + 1 + self.skills],
            similarity,
            similarity < self.domain_threshold,
            *answer_columns(row[2 * z + 1 + self.skills :]),
        )

    def sample(self, a: Assessment, rng: Philox) -> Assessment:
        """Moved to a latent drawn from N(mean, exp(logvar)); heads are linear in the latent."""
        step = [math.exp(0.5 * logvar) * rng.normal() for logvar in a.latent_logvar]
        moved = [sum(h * s for h, s in zip(head, step, strict=True)) for head in self.heads]
        logit = a.logit + moved[0]
        skills = [skill + m for skill, m in zip(a.skills, moved[1:], strict=True)]
        return replace(a, logit=logit, difficulty=sigmoid(logit), skills=skills)

    def mean(self) -> Assessment:
        """The assessment of a query without text."""
        d = self.mean_difficulty
        zeros = [0.0] * self.latent
        return Assessment(d, math.log(d / (1.0 - d)), zeros, zeros, [0.0] * self.skills)
