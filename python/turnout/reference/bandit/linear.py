"""Linear models whose inverse is computed anew for each arm and selection; the four ways to choose."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import numpy.typing as npt

from turnout.reference.core import Philox

Floats = npt.NDArray[np.float64]
Policy = Literal["ucb", "thompson", "epsilon", "temperature", "power"]


class DenseBandit:
    """Arms by number. Ties go to the first."""

    def __init__(
        self,
        dim: int,
        arms: int,
        policy: Policy = "ucb",
        *,
        alpha: float = 1.0,
        epsilon: float = 0.0,
        temperature: float = 0.0,
        ridge: float = 1.0,
        cost_weight: float = 0.0,
        seed: int = 0,
        keep: bool = False,
    ) -> None:
        """`keep`: an inverse is kept until its arm learns, which changes no number."""
        self.keep: dict[int, Floats] | None = {} if keep else None
        self.dim, self.policy, self.ridge, self.cost_weight, self.seed = dim, policy, ridge, cost_weight, seed
        self.alpha, self.epsilon, self.temperature = alpha, epsilon, temperature
        self.a = [ridge * np.eye(dim) for _ in range(arms)]
        self.b = [np.zeros(dim) for _ in range(arms)]
        self.selections = 0

    def add_arm(self) -> None:
        self.a.append(self.ridge * np.eye(self.dim))
        self.b.append(np.zeros(self.dim))

    def remove_arm(self, arm: int) -> None:
        del self.a[arm], self.b[arm]
        self._forget()

    def update(self, arm: int, x: npt.NDArray[np.float32], reward: float, weight: float = 1, prior: float = 0) -> None:
        wide = x.astype(np.float64)
        self._forget(arm)
        self.a[arm] = self.a[arm] + weight * np.outer(wide, wide)
        self.b[arm] = self.b[arm] + weight * (reward - prior) * wide

    def discount(self, gamma: float) -> None:
        eye = self.ridge * np.eye(self.dim)
        self._forget()
        self.a = [eye + gamma * (a - eye) for a in self.a]
        self.b = [gamma * b for b in self.b]

    def _forget(self, arm: int | None = None) -> None:
        if self.keep is not None:
            self.keep = {} if arm is None else {i: a for i, a in self.keep.items() if i != arm}

    def _inverse(self, arm: int) -> Floats:
        if self.keep is not None and arm in self.keep:
            return self.keep[arm]
        inverse: Floats = np.linalg.inv(self.a[arm]).astype(np.float64, copy=False)
        if self.keep is not None:
            self.keep[arm] = inverse
        return inverse

    def predict(self, arm: int, x: npt.NDArray[np.float32]) -> tuple[float, float]:
        wide = x.astype(np.float64)
        inverse = self._inverse(arm)
        return float(inverse @ self.b[arm] @ wide), math.sqrt(float(wide @ inverse @ wide))

    def select(
        self,
        x: npt.NDArray[np.float32],
        allowed: npt.NDArray[np.bool_] | None = None,
        cost: Floats | None = None,
        prior: Floats | None = None,
        seed: int | None = None,
    ) -> tuple[int, Floats, Floats]:
        """The arm, the scores and the propensities (of Thompson sampling: NaN)."""
        arms = range(len(self.a))
        rng = Philox(self.seed, self.selections + 1) if seed is None else Philox(seed)
        self.selections += 1
        scores = np.full(len(self.a), math.nan)
        for i in arms:
            noise = rng.normal() if self.policy == "thompson" else 1.0 if self.policy == "ucb" else 0.0
            if allowed is not None and not allowed[i]:
                continue
            mean, deviation = self.predict(i, x)
            scores[i] = mean + (0 if prior is None else prior[i]) - (0 if cost is None else self.cost_weight * cost[i])
            scores[i] += self.alpha * deviation * noise if noise else 0.0
        return self._draw(scores, rng)

    def _draw(self, scores: Floats, rng: Philox) -> tuple[int, Floats, Floats]:
        best = int(np.nanargmax(scores))
        if self.policy == "thompson":
            return best, scores, np.full(len(scores), math.nan)
        propensities = np.zeros(len(scores))
        if self.policy == "ucb":
            propensities[best] = 1
            return best, scores, propensities
        able = [i for i, s in enumerate(scores) if not math.isnan(s)]
        weights = self._weights([float(scores[i]) for i in able], able.index(best))
        for i, w in zip(able, weights, strict=True):
            propensities[i] = w / sum(weights)
        u, cumulative = rng.uniform(), 0.0
        for i in able:
            cumulative += propensities[i]
            if cumulative > u:
                break
        return i, scores, propensities

    def _weights(self, values: list[float], best: int) -> list[float]:
        if self.policy == "epsilon":
            return [self.epsilon / len(values) + (1 - self.epsilon) * (i == best) for i in range(len(values))]
        if self.policy == "temperature":
            if self.temperature == 0:
                return [float(v == values[best]) for v in values]
            return [math.exp((v - values[best]) / self.temperature) for v in values]
        kept = [max(0.0, v) for v in values]
        if self.temperature == 0 or max(kept) == 0:
            return [float(v == max(kept)) for v in kept]
        return [(v / max(kept)) ** (1 / self.temperature) for v in kept]
