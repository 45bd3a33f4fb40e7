"""Logs of decisions that were drawn with known probabilities, on queries whose truth is known."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

K = 17
ARMS = ("giant", "large", "small", "tiny")
USD = np.array([4e-3, 1e-3, 3e-4, 1e-4])
VALUE = 0.01


@dataclass
class World:
    """Two kinds of query: P(correct) [2, 4] by kind and arm. The outcome model is `off` too high for the first arm."""

    truth: Any = field(default_factory=lambda: np.array([[0.9, 0.8, 0.6, 0.5], [0.8, 0.3, 0.3, 0.1]]))
    off: float = 0.15
    eps: float = 0.4
    temperature: float = 0.3

    def predicted(self) -> Any:
        return np.clip(self.truth + np.array([self.off, 0.0, 0.0, 0.0]), 0.0, 1.0)

    def probabilities(self) -> Any:
        """eps-softmax over predicted utilities, [2, 4]."""
        gain = VALUE * self.predicted() - USD
        odds = np.exp((gain - gain.max(1, keepdims=True)) / (self.temperature * VALUE))
        best = np.eye(4)[gain.argmax(1)]
        return (1.0 - self.eps) * best + self.eps * odds / odds.sum(1, keepdims=True)

    def value(self, target: Any) -> float:
        """The true mean reward of a policy [2, 4]; both kinds are as frequent."""
        return float((target * (VALUE * self.truth - USD)).sum(1).mean())


@dataclass(frozen=True, eq=False)
class Log:
    """The columns of turnout.state_log.FeedbackLog that off-policy evaluation reads."""

    ticket: Any
    chosen: Any
    candidate_count: Any
    probabilities: Any
    arms: Any
    arm_names: tuple[str, ...]
    predicted_quality: Any
    predicted_usd: Any
    predicted_seconds: Any
    value_usd: Any
    usd_per_second: Any
    score: Any
    usd: Any
    seconds: Any
    failure: Any
    unanswered: int = 0
    orphans: int = 0


def padded(values: Any, fill: float = 0.0) -> Any:
    out = np.full((len(values), K), fill)
    out[:, : values.shape[1]] = values
    return out


def log(world: World, rows: int, seed: int) -> tuple[Log, Any]:
    """A log, and the kind of each of its queries."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 2, rows)
    probability = world.probabilities()[kind]
    chosen = (probability.cumsum(1) < rng.random((rows, 1))).sum(1).clip(0, 3)
    score = (rng.random(rows) < world.truth[kind, chosen]).astype(float)
    made = Log(
        np.arange(rows, dtype=np.uint64),
        chosen.astype(np.int32),
        np.full(rows, 4, np.int32),
        padded(probability),
        padded(np.broadcast_to(np.arange(4.0), (rows, 4)), -1).astype(np.int32),
        ARMS,
        padded(world.predicted()[kind]),
        padded(np.broadcast_to(USD, (rows, 4))),
        np.zeros((rows, K)),
        np.full(rows, VALUE),
        np.zeros(rows),
        score,
        USD[chosen] * rng.uniform(0.5, 1.5, rows),
        np.zeros(rows),
        np.zeros(rows, np.int32),
    )
    return made, kind
