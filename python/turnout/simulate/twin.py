"""turnout's learning policy in NumPy: the twin of what the router does with feedback.

The outcome model's P(correct) is the prior mean. An arm's correction is linear in the context and is believed as far as
its own uncertainty allows: the positive part of James and Stein's shrinkage (1961), stricter downwards, because an arm
that is left teaches nothing more, and one that is tried corrects itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from turnout.simulate.dead import DeadArms, DeadConfig
from turnout.simulate.linear import Ridge
from turnout.simulate.policies import Setting
from turnout.simulate.stream import Stream

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


DEAD = DeadConfig()


@dataclass(frozen=True)
class Learning:
    """How it learns and explores. The defaults suit LLMs that the bundle knows, `UNKNOWN` those that nothing
    is known of; both were chosen on training queries.

    Attributes
    ----------
    ridge : float
        Of the corrections.
    noise : float
        Standard deviation of a score about its P(correct).
    down, up : float
        How many deviations of itself a correction must exceed, downwards and upwards, to be believed at all.
    alpha : float
        UCB: how many of sqrt(phi^T A^-1 phi) are added to an arm's quality; 0: none.
    eps, temperature : float
        With probability eps an arm is drawn from a softmax of utilities, in units of the value of a correct answer.
    cost_prior : float
        Outcomes that the expected USD counts for against the observed.
    dead : DeadConfig or None
        The test for arms that no longer answer; None: without.
    """

    ridge: float = 10.0
    noise: float = 0.45
    down: float = 2.5
    up: float = 1.0
    alpha: float = 0.0
    eps: float = 0.0
    temperature: float = 0.05
    cost_prior: float = 20.0
    dead: DeadConfig | None = DEAD


UNKNOWN = Learning(ridge=1.0, down=1.0, up=0.0, alpha=0.1)


def believed(delta: Floats, deviation: Floats, how: Learning) -> Floats:
    """The part of each correction that its uncertainty leaves, [M]."""
    floor = np.where(delta < 0.0, how.down, how.up) * how.noise * deviation
    enough = np.abs(delta) > floor
    lost = np.divide(floor, delta, out=np.ones_like(delta), where=enough)
    return np.asarray(delta * (1.0 - lost**2))


class Costs:
    """Observed over expected USD of each arm, shrunk towards 1."""

    def __init__(self, arms: int, prior: float) -> None:
        self.prior = prior
        self.count, self.observed, self.expected = np.zeros((3, arms))

    def ratio(self) -> Floats:
        """((observed / expected) n + prior) / (n + prior), [M]."""
        seen = np.divide(self.observed, self.expected, out=np.ones_like(self.observed), where=self.expected > 0.0)
        return (seen * self.count + self.prior) / (self.count + self.prior)

    def update(self, arm: int, observed: float, expected: float) -> None:
        self.count[arm] += 1
        self.observed[arm] += observed
        self.expected[arm] += expected


class Turnout:
    """Choices by ``value_usd * quality' - usd'`` of each arm."""

    def __init__(self, setting: Setting, stream: Stream, how: Learning | None = None) -> None:
        data = setting.data
        how = how or Learning()
        self.data, self.value_usd, self.how = data, setting.value_usd, how
        arms = len(data.llms)
        self.models = Ridge(arms, data.context.shape[1], how.ridge)
        self.costs = Costs(arms, how.cost_prior)
        self.dead = DeadArms(arms, how.dead) if how.dead else None
        self.rng = np.random.default_rng(setting.seed)

    def utility(self, query: int) -> Floats:
        """Of every arm in units of a correct answer, [M], the bonus for exploration included."""
        x = self.data.context[query]
        deviation = self.models.deviation(x)
        quality = self.data.correct[query] + believed(self.models.predict(x), deviation, self.how)
        quality = np.clip(quality + self.how.alpha * deviation, 0.0, 1.0)
        return np.asarray(quality - self.data.expected_usd[query] * self.costs.ratio() / self.value_usd)

    def choose(self, query: int, there: Mask) -> int:
        if self.dead is not None:
            there, probe = self.dead.admitted(there)
            if probe >= 0:
                return probe
        utility = np.where(there, self.utility(query), -np.inf)
        best = int(utility.argmax())
        if self.how.eps > 0.0 and self.rng.random() < self.how.eps:
            odds = np.exp((utility - utility[best]) / self.how.temperature)
            return int(self.rng.choice(len(odds), p=odds / odds.sum()))
        return best

    def learn(self, query: int, arm: int, score: float, usd: float, failed: bool) -> None:
        if self.dead is not None:
            self.dead.learn(arm, self.data.correct[query, arm], score, failed)
        if not failed:  # an error says nothing of answers
            self.absorb(query, arm, score, usd)

    def absorb(self, query: int, arm: int, score: float, usd: float) -> None:
        """Evidence, of this or of another replica."""
        self.models.update(arm, self.data.context[query], score - self.data.correct[query, arm])
        self.costs.update(arm, usd, self.data.expected_usd[query, arm])
