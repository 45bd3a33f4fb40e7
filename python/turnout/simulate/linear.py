"""Contextual bandits without a router: linear models of the reward, one an arm.

LinUCB: Li et al., WWW 2010, with disjoint models; features and constants of GreenServ (alpha 0.1, ridge 0.05). Thompson
sampling: Agrawal and Goyal, ICML 2013. Rank-one updates of the inverse: Sherman and Morrison 1950.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from turnout.simulate.features import features
from turnout.simulate.policies import Setting
from turnout.simulate.stream import Stream

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


class Ridge:
    """Ridge regressions of M arms: A_m = ridge I + sum x x^T, of which the inverse is kept, and b_m = sum x y."""

    def __init__(self, arms: int, dim: int, ridge: float) -> None:
        self.ridge = ridge
        self.inverse = np.tile(np.eye(dim) / ridge, (arms, 1, 1))
        self.moment, self.theta = np.zeros((2, arms, dim))

    def predict(self, x: Floats) -> Floats:
        """theta . x of every arm, [M]."""
        return np.asarray(self.theta @ x)

    def deviation(self, x: Floats) -> Floats:
        """sqrt(x^T A^-1 x) of every arm, [M]."""
        return np.sqrt(np.maximum((self.inverse @ x) @ x, 0.0))

    def update(self, arm: int, x: Floats, y: float) -> None:
        inverse = self.inverse[arm]
        ax = inverse @ x
        inverse -= np.outer(ax, ax) / (1.0 + ax @ x)
        self.moment[arm] += y * x
        self.theta[arm] = inverse @ self.moment[arm]


class LinUCB:
    """The largest theta . x + alpha sqrt(x^T A^-1 x); `thompson`: a normal draw of theta . x of that deviation."""

    def __init__(
        self,
        setting: Setting,
        stream: Stream,
        alpha: float = 0.1,
        ridge: float = 0.05,
        tasks: bool = True,
        thompson: bool = False,
    ) -> None:
        self.x = features(setting.data, stream.order, tasks)
        self.alpha, self.thompson, self.value_usd = alpha, thompson, setting.value_usd
        self.models = Ridge(len(setting.data.llms), self.x.shape[1], ridge)
        self.rng = np.random.default_rng(setting.seed)

    def choose(self, query: int, there: Mask) -> int:
        x = self.x[query]
        around = self.alpha * self.models.deviation(x)
        if self.thompson:
            around *= self.rng.standard_normal(len(there))
        return int(np.where(there, self.models.predict(x) + around, -np.inf).argmax())

    def learn(self, query: int, arm: int, score: float, usd: float, failed: bool) -> None:
        self.models.update(arm, self.x[query], score - usd / self.value_usd)
