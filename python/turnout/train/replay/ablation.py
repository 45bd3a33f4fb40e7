"""Policies over recorded answers, each swept over the same weights of cost and judged on queries that it never saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from turnout import _native
from turnout.evaluate import frontier
from turnout.evaluate.frontier import WEIGHTS, Arms
from turnout.train.replay import core_search, forecast, library, policy
from turnout.train.replay import table as vote_tables
from turnout.train.replay.predict import Split
from turnout.train.replay.recorded import Floats, Recorded


class Sweep(NamedTuple):
    """What a policy's choices brought at each weight of cost, float64 [L, Q] each."""

    right: Floats
    usd: Floats


@dataclass(frozen=True)
class Core:
    """The core's operators, as the bundle that ships states them, and with the vote table fitted."""

    config: _native.OperatorsConfig
    table: Sequence[_native.Operator]

    def named(self, name: str) -> _native.Operator:
        return next(o for o in self.table if o.id == name)

    def fitted(self, name: str, votes: vote_tables.Table) -> Core:
        """With another curve and other weights for one operator's voters."""
        return replace(self, table=[with_table(o, votes) if o.id == name else o for o in self.table])


def with_table(operator: _native.Operator, votes: vote_tables.Table) -> _native.Operator:
    """An operator whose voters count as the table says."""
    slots = [_native.Slot(role=f"voter {i + 1}", weight=w) for i, w in enumerate(votes.weights)]
    return _native.Operator(
        id=operator.id,
        generates=True,
        parallel=True,
        distinct=True,
        min_llms=len(slots),
        fix=1.0,
        break_=1.0,
        curve=votes.curve.tolist(),
        slots=slots,
        source=operator.source,
    )


ENSEMBLE = "multi_llm_ensemble"

# The vote table before it was fitted: voters of like accuracy, ties broken evenly, by the mean of their P(correct).
HAND_SET = vote_tables.Table(
    (1 / 3, 1 / 3, 1 / 3),
    np.interp(
        vote_tables.GRID,
        (0, 0.06, 0.13, 0.22, 0.31, 0.41, 0.505, 0.605, 0.695, 0.79, 0.877, 0.95, 1),
        (0, 0.068, 0.147, 0.251, 0.358, 0.478, 0.594, 0.712, 0.801, 0.889, 0.952, 0.987, 1),
    ),
    np.full(vote_tables.GRID.shape, np.nan),
    float("nan"),
    0,
)


def chosen(score: Floats, cost: Floats, lib: library.Library, scale: float) -> Sweep:
    """argmax over the library's actions at each weight."""
    rows = np.arange(len(score))
    picks = frontier.choices(score, cost, scale)
    return Sweep(lib.right[rows, picks], lib.usd[rows, picks])


def oracle(lib: library.Library, scale: float) -> Sweep:
    """It sees the recorded outcome and cost of every action."""
    return chosen(lib.right, lib.usd, lib, scale)


def core_sweep(core: Core, try_votes: bool, train: Recorded, held: Recorded, scale: float) -> Sweep:
    """The native decision over one call and votes: the best of one call, the allocation, and if asked a vote alone."""
    price, d = train.usd.mean(0) / scale, 1.0 / (1.0 + np.exp(-held.b))
    allocations = [core_search.allocated(core.config, core.table, ("direct", ENSEMBLE), x) for x in d.tolist()]
    votes = [[core.named(ENSEMBLE)]] if try_votes else []
    others = [[*votes, *([x] if x not in (*votes, [core.named("direct")]) else [])] for x in allocations]
    right, usd = np.zeros((len(WEIGHTS), held.queries)), np.zeros((len(WEIGHTS), held.queries))
    for i, weight in enumerate(WEIGHTS):
        right[i], usd[i] = core_search.outcome(core_search.decide(others, held.p, weight * price), held)
    return Sweep(right, usd)


@dataclass(frozen=True)
class Fitted:
    """All that one split's training queries taught."""

    split: Split
    arms: Arms
    held: library.Library
    trained: library.Library
    forecast: forecast.Forecast
    tables: dict[int, vote_tables.Table]

    @property
    def scale(self) -> float:
        return self.arms.scale


def fit(split: Split, draws: int) -> Fitted:
    """Chooses the actions, fits the vote tables and the forecasts."""
    train = split.train
    actions = library.candidates(train)
    return Fitted(
        split,
        frontier.single_arms(train.right, train.usd),
        library.replay(actions, split.held),
        library.replay(actions, train),
        forecast.fit(train, actions),
        {k: vote_tables.fit(train, k, draws) for k in (3, 5)},
    )


def learned(fitted: Fitted, kinds: tuple[type, ...], settings: policy.Settings) -> Sweep:
    """A softmax policy over the library's actions of these kinds, by its highest score."""
    keep = [a for a, action in enumerate(fitted.held.actions) if isinstance(action, kinds)]
    train, held, scale = fitted.split.train, fitted.split.held, fitted.scale
    problem = policy.Problem(
        policy.features(train),
        fitted.forecast.quality(train)[:, keep],
        fitted.forecast.usd(train)[:, keep] / scale,
        fitted.trained.right[:, keep],
        fitted.trained.usd[:, keep] / scale,
    )
    found = policy.train(problem, settings)
    score = fitted.forecast.quality(held)[:, keep] + found.correction(policy.features(held))
    return chosen(score, fitted.forecast.usd(held)[:, keep], _only(fitted.held, keep), scale)


def searched(fitted: Fitted, kinds: tuple[type, ...], by_table: bool = False) -> Sweep:
    """Exact search over the library's actions of these kinds, by their forecasts."""
    keep = [a for a, action in enumerate(fitted.held.actions) if isinstance(action, kinds)]
    held = fitted.split.held
    quality = forecast.pooled(fitted.forecast, held, fitted.tables) if by_table else fitted.forecast.quality(held)
    return chosen(quality[:, keep], fitted.forecast.usd(held)[:, keep], _only(fitted.held, keep), fitted.scale)


def _only(lib: library.Library, keep: Sequence[int]) -> library.Library:
    return library.Library([lib.actions[a] for a in keep], lib.right[:, keep], lib.usd[:, keep])
