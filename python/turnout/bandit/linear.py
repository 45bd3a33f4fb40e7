"""Linear models, one an arm, updated by rank-one steps, and four ways to choose by them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from turnout import _native
from turnout.arms import names_of, unknown
from turnout.core import ConfigError, InputError
from turnout.schema import fail

Floats = npt.NDArray[np.float64]
Features = npt.NDArray[np.float32]
Column = Floats | Mapping[str, float]
"""A number an arm: float64 [arms], or by name, where an arm that is left out has 0."""

_UCB, _THOMPSON, _EPSILON, _TEMPERATURE, _POWER = range(5)


class Selection(NamedTuple):
    """What was chosen.

    Attributes
    ----------
    arm : str
    score : float
        What it was chosen by.
    scores : ndarray of float64, shape (arms,)
        In the order of `arms`; NaN where an arm is not allowed.
    propensities : ndarray of float64, shape (arms,)
        The probability with which each arm would be chosen. Exact, but for Thompson sampling: NaN, or the shares of
        `draws` draws.
    """

    arm: str
    score: float
    scores: Floats
    propensities: Floats


class LinearBandit:
    """What the four have in common: score(arm) = prior + theta . x - cost_weight * cost, theta = A^-1 b,
    A = ridge I + sum of weight x x^T, b = sum of weight x (reward - prior).

    A tie goes to the arm that was added first; softmax shares it. One call at a time; threads wait for each other.

    Source: Li et al., "A contextual-bandit approach to personalized news article recommendation", WWW 2010, for the
    disjoint linear models; Sherman and Morrison 1950 for the update of the inverse.
    """

    _native: _native.LinearBandit

    def _make(
        self,
        dim: int,
        arms: Sequence[str],
        policy: int,
        *,
        alpha: float = 1.0,
        epsilon: float = 0.0,
        temperature: float = 0.0,
        ridge: float,
        cost_weight: float,
        seed: int,
    ) -> None:
        self._native = _native.LinearBandit(
            dim=dim,
            policy=policy,
            alpha=alpha,
            epsilon=epsilon,
            temperature=temperature,
            ridge=ridge,
            cost_weight=cost_weight,
            seed=seed,
        )
        for arm in names_of(arms, "bandit.arms"):
            self._native.add_arm(arm)
        self._names()

    def _names(self) -> None:
        self._arms = {name: i for i, name in enumerate(self._native.names)}
        self._order = tuple(self._arms)

    @property
    def arms(self) -> tuple[str, ...]:
        """Names, in the order of addition."""
        return self._order

    @property
    def dim(self) -> int:
        return self._native.dim

    def _at(self, arm: str) -> int:
        try:
            return self._arms[arm]
        except (KeyError, TypeError):
            raise fail(InputError, "arm", unknown(arm, self._arms)) from None

    def _column(self, values: Column | None, path: str) -> Floats | None:
        if values is None or not isinstance(values, Mapping):
            return values
        out = np.zeros(len(self._order))
        for arm, value in values.items():
            if arm not in self._arms:
                raise fail(InputError, path, unknown(arm, self._arms))
            out[self._arms[arm]] = value
        return out

    def _flags(self, allowed: Collection[str] | npt.NDArray[np.bool_] | None) -> npt.NDArray[np.bool_] | None:
        if allowed is None or isinstance(allowed, np.ndarray):
            return allowed
        out = np.zeros(len(self._order), bool)
        for arm in allowed:
            if arm not in self._arms:
                raise fail(InputError, "allowed", unknown(arm, self._arms))
            out[self._arms[arm]] = True
        return out

    def select(
        self,
        x: Features,
        *,
        allowed: Collection[str] | npt.NDArray[np.bool_] | None = None,
        cost: Column | None = None,
        prior: Column | None = None,
        seed: int | None = None,
    ) -> Selection:
        """Chooses an arm; learns nothing.

        Parameters
        ----------
        x : ndarray of float32, shape (dim,)
            From -1e6 to 1e6.
        allowed : collection of str, or ndarray of bool, shape (arms,), optional
            Default: all.
        cost, prior : ndarray of float64, shape (arms,), or mapping, optional
            What an arm costs, in the unit that `cost_weight` weighs; what it is expected to earn before anything was
            learned (an outcome model's prediction). Default 0.
        seed : int, optional
            The draw is a pure function of it. Default: of the bandit's seed and the number of the selection.

        Raises
        ------
        InputError
            A feature that is NaN or out of range, a wrong size, an unknown arm, no allowed arm.
        """
        return self._select(x, allowed, cost, prior, seed, 0)

    def _select(
        self,
        x: Features,
        allowed: Collection[str] | npt.NDArray[np.bool_] | None,
        cost: Column | None,
        prior: Column | None,
        seed: int | None,
        draws: int,
    ) -> Selection:
        at, score, scores, propensities = self._native.select(
            x, self._flags(allowed), self._column(cost, "cost"), self._column(prior, "prior"), seed, draws
        )
        return Selection(self._order[at], score, scores, propensities)

    def update(self, arm: str, x: Features, reward: float, *, weight: float = 1.0, prior: float = 0.0) -> None:
        """Learns a reward, now or later: an update is the same whenever it is given.

        Parameters
        ----------
        arm : str
        x : ndarray of float32, shape (dim,)
        reward : float
        weight : float
            At least 0; 2 counts as the same update twice.
        prior : float
            What `select` was given for this arm: the model learns the rest.

        Raises
        ------
        InputError
            Nothing has changed then.
        """
        self._native.update(self._at(arm), x, reward, weight, prior)

    def update_batch(
        self,
        arms: Sequence[str],
        x: Features,
        reward: Floats,
        *,
        weight: Floats | None = None,
        prior: Floats | None = None,
    ) -> None:
        """As `update` of row after row, bit for bit, or not at all.

        Parameters
        ----------
        arms : sequence of str
        x : ndarray of float32, shape (rows, dim)
        reward, weight, prior : ndarray of float64, shape (rows,)
        """
        if len(arms):
            self._native.update_batch([self._at(arm) for arm in arms], x, reward, weight, prior)

    def predict(self, arm: str, x: Features) -> tuple[float, float]:
        """theta . x and sqrt(x^T A^-1 x) of an arm."""
        return self._native.predict(self._at(arm), x)

    def discount(self, gamma: float) -> None:
        """An epoch has passed: A = ridge I + gamma (A - ridge I), b = gamma b, of every arm; gamma in [0, 1]."""
        self._native.discount(gamma)

    def add_arm(self, arm: str) -> None:
        """Adds an arm that knows nothing; at most 4,096 at once."""
        if not isinstance(arm, str) or not arm:
            raise fail(InputError, "arm", f"expected a name, got {arm!r}")
        self._native.add_arm(arm)
        self._names()

    def remove_arm(self, arm: str) -> None:
        """Removes an arm and what it learned; the others stay in their order."""
        self._native.remove_arm(self._at(arm))
        self._names()

    def snapshot(self) -> bytes:
        """All of the bandit, with a checksum; a copy goes on with the same bits."""
        return self._native.save()

    @classmethod
    def from_snapshot(cls, data: bytes) -> Self:
        """Raises an InputError where the bytes are damaged, of another version, or of another class."""
        bandit = cls.__new__(cls)
        bandit.__setstate__(data)
        return bandit

    def __getstate__(self) -> bytes:
        return self.snapshot()

    def __setstate__(self, data: bytes) -> None:
        native = _native.LinearBandit.load(data)
        if native.policy not in self._policies:
            raise fail(InputError, "snapshot", f"is not of a {type(self).__name__}")
        self._native = native
        self._names()

    _policies: tuple[int, ...] = ()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self._order)} arms, dim {self.dim}>"


class LinUCB(LinearBandit):
    """The largest score + alpha * deviation, deviation = sqrt(x^T A^-1 x); propensities are one-hot.

    Parameters
    ----------
    dim : int
        1 to 128.
    arms : sequence of str
    alpha : float
    ridge : float
        1e-6 to 1e6.
    cost_weight : float
    seed : int

    Raises
    ------
    ConfigError
        With the path to the culprit, as in ``bandit.ridge``.
    """

    _policies = (_UCB,)

    def __init__(
        self,
        dim: int,
        arms: Sequence[str],
        *,
        alpha: float = 1.0,
        ridge: float = 1.0,
        cost_weight: float = 0.0,
        seed: int = 0,
    ) -> None:
        self._make(dim, arms, _UCB, alpha=alpha, ridge=ridge, cost_weight=cost_weight, seed=seed)


class Thompson(LinearBandit):
    """The largest score of models that are drawn from their posteriors, N(theta, scale^2 A^-1).

    A model is drawn by its score, which is normal with the deviation of LinUCB times `scale`: the same distribution
    of choices. Propensities have no closed form: NaN, unless `draws` says how many draws shall estimate them (of
    standard error at most 0.5 / sqrt(draws)); those draws are not the one that chooses.

    Source: Agrawal and Goyal, "Thompson sampling for contextual bandits with linear payoffs", ICML 2013.
    """

    _policies = (_THOMPSON,)

    def __init__(
        self,
        dim: int,
        arms: Sequence[str],
        *,
        scale: float = 1.0,
        ridge: float = 1.0,
        cost_weight: float = 0.0,
        seed: int = 0,
    ) -> None:
        self._make(dim, arms, _THOMPSON, alpha=scale, ridge=ridge, cost_weight=cost_weight, seed=seed)

    def select(
        self,
        x: Features,
        *,
        allowed: Collection[str] | npt.NDArray[np.bool_] | None = None,
        cost: Column | None = None,
        prior: Column | None = None,
        seed: int | None = None,
        draws: int = 0,
    ) -> Selection:
        """As `LinearBandit.select`; `draws`, at most 2^20, estimate the propensities."""
        return self._select(x, allowed, cost, prior, seed, draws)


class EpsilonGreedy(LinearBandit):
    """With probability epsilon any allowed arm, each as likely, else the largest score; propensities are exact."""

    _policies = (_EPSILON,)

    def __init__(
        self,
        dim: int,
        arms: Sequence[str],
        *,
        epsilon: float = 0.1,
        ridge: float = 1.0,
        cost_weight: float = 0.0,
        seed: int = 0,
    ) -> None:
        self._make(dim, arms, _EPSILON, epsilon=epsilon, ridge=ridge, cost_weight=cost_weight, seed=seed)


class Softmax(LinearBandit):
    """An arm with P proportional to exp(score / temperature), or to max(0, score)^(1 / r); propensities are exact.

    Give one of the two. At 0 it is the largest score; scores that tie for it are as likely. r is a share of a budget
    that remains, in [0, 1]: the greedier the less remains (BAVT, as `turnout.budget.selection_probabilities`).
    """

    _policies = (_TEMPERATURE, _POWER)

    def __init__(
        self,
        dim: int,
        arms: Sequence[str],
        *,
        temperature: float | None = None,
        r: float | None = None,
        ridge: float = 1.0,
        cost_weight: float = 0.0,
        seed: int = 0,
    ) -> None:
        if (temperature is None) == (r is None):
            raise fail(ConfigError, "bandit.temperature", "expected either a temperature or r")
        policy, value = (_POWER, r) if temperature is None else (_TEMPERATURE, temperature)
        assert value is not None
        self._make(dim, arms, policy, temperature=value, ridge=ridge, cost_weight=cost_weight, seed=seed)
