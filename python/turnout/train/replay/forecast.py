"""What an action will bring, forecast before any answer: its quality and its cost, from predicted P(correct) alone.

A vote and a cascade are forecast as what they gain over their ablest LLM, by least squares over their members'
P(correct): one small regression an action. `pooled` takes the vote table instead, which knows no LLM by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from turnout.train.replay.actions import Action, Single, Vote, play
from turnout.train.replay.recorded import Floats, Recorded
from turnout.train.replay.table import Table

PENALTY = 30.0  # of the regressions' slopes, in queries


def members(action: Action) -> tuple[int, ...]:
    """The LLMs that it may ask; a cascade's last is the one asked last."""
    if isinstance(action, Single):
        return (action.llm,)
    return action.llms if isinstance(action, Vote) else (*action.first, action.then)


def _features(action: Action, recorded: Recorded) -> Floats:
    """Members' P(correct), centred at 1/2, and their products, [Q, F]."""
    p = recorded.p[:, list(members(action))] - 0.5
    k = p.shape[1]
    pairs = [p[:, i] * p[:, j] for i in range(k) for j in range(i, k)]
    return np.stack([*p.T, *pairs], axis=1)


@dataclass(frozen=True)
class Line:
    """A ridge regression with a free intercept."""

    level: float
    centre: Floats
    slope: Floats

    def at(self, x: Floats) -> Floats:
        return np.asarray(self.level + (x - self.centre) @ self.slope)


def line(x: Floats, y: Floats) -> Line:
    centre, level = x.mean(0), float(y.mean())
    a, scale = x - centre, x.std(0) + 1e-9
    slope = np.linalg.solve(a.T @ a + PENALTY * np.diag(scale**2), a.T @ (y - level))
    return Line(level, centre, slope)


@dataclass(frozen=True)
class Forecast:
    """Of a list of actions, fitted to training queries.

    Attributes
    ----------
    actions : list of Action
    price : float64 [M]
        Mean USD of each LLM.
    gain : list of Line or None
        Over its ablest LLM (the one of the highest accuracy); None for one LLM alone.
    stopped : list of Line or None
        P(a cascade needs no last call).
    ablest : list of int
    """

    actions: list[Action]
    price: Floats
    gain: list[Line | None]
    stopped: list[Line | None]
    ablest: list[int]

    def quality(self, recorded: Recorded) -> Floats:
        """P(right) of each action, [Q, A]."""
        out = recorded.p[:, self.ablest].copy()
        for a, found in enumerate(self.gain):
            if found is not None:
                out[:, a] += found.at(_features(self.actions[a], recorded))
        return np.clip(out, 0.0, 1.0)

    def usd(self, recorded: Recorded) -> Floats:
        """Expected USD of each action, [Q, A]."""
        total = [float(self.price[list(members(action))].sum()) for action in self.actions]
        out = np.tile(total, (recorded.queries, 1))
        for a, found in enumerate(self.stopped):
            if found is not None:
                saved = np.clip(found.at(_features(self.actions[a], recorded)), 0.0, 1.0)
                out[:, a] -= saved * self.price[members(self.actions[a])[-1]]
        return out


def fit(train: Recorded, actions: Sequence[Action]) -> Forecast:
    """Regressions of every action that asks more than one LLM."""
    accuracy = train.right.mean(0)
    gains, stops, ablest = list[Line | None](), list[Line | None](), list[int]()
    for action in actions:
        best = max(members(action), key=lambda m: accuracy[m])
        played, x = play(action, train), _features(action, train)
        alone = isinstance(action, Single)
        gains.append(None if alone else line(x, played.right - train.right[:, best]))
        stops.append(line(x, played.stopped.astype(float)) if played.stopped.any() else None)
        ablest.append(best)
    return Forecast(list(actions), train.usd.mean(0), gains, stops, ablest)


def pooled(forecast: Forecast, recorded: Recorded, tables: Mapping[int, Table]) -> Floats:
    """`Forecast.quality`, but votes by the table of their number of voters, as the core reads them."""
    out = forecast.quality(recorded)
    for a, action in enumerate(forecast.actions):
        if isinstance(action, Vote):
            out[:, a] = tables[len(action.llms)].predict(recorded.p[:, list(action.llms)])
    return out
