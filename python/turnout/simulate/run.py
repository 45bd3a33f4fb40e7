"""Policies on streams: the rewards of every round, and what they say with intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from turnout.evaluate.bootstrap import Interval
from turnout.evaluate.measure import plain
from turnout.learning import Learning as RouterLearning
from turnout.simulate.linear import LinUCB
from turnout.simulate.policies import EpsilonGreedy, Make, Oracle, Policy, Random, Setting, best_fixed, offline
from turnout.simulate.recorded import Recorded
from turnout.simulate.routed import Routed
from turnout.simulate.stream import Stream, shuffled
from turnout.simulate.twin import Learning, Turnout

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Progress = Callable[[str], None]

FORMAT = "turnout-simulation"
VALUES_USD = (0.001, 0.003, 0.01)
SEEDS = 20
DRAWS = 1000
POINTS = 100.0  # a reward of 1, a correct answer for nothing, is 100 points
CURVE = 60  # points of a drawn curve
EXPLORING = 0.35  # alpha of the variant that explores
OURS, TWIN = "turnout", "turnout's NumPy twin"
LEARNERS: Mapping[str, Make] = {
    OURS: Turnout,
    "turnout, exploring": partial(Turnout, how=Learning(alpha=EXPLORING)),
    "epsilon-greedy 0.1": EpsilonGreedy,
    "LinUCB": partial(LinUCB, tasks=False),
    "LinUCB, told the task": LinUCB,
    "Thompson, told the task": partial(LinUCB, thompson=True),
}


def learners(data: Recorded) -> dict[str, Make]:
    """The policies that learn: ours is the router itself where there is one, beside its twin."""
    if data.router is None:
        return {**LEARNERS}
    exploring = partial(Routed, learning=RouterLearning(strategy="ucb", width=EXPLORING))
    return {**LEARNERS, OURS: Routed, "turnout, exploring": exploring, TWIN: Turnout}


OTHERS: Mapping[str, Make] = {
    "offline routing": offline,
    "best fixed arm": best_fixed,
    "oracle": Oracle,
    "random": Random,
}
SEES_MORE = frozenset({"best fixed arm", "oracle"})


@dataclass(frozen=True, eq=False)
class Played:
    """What a policy did on S streams of T rounds.

    Attributes
    ----------
    chosen : int64 [S, T]
    reward : float64 [S, T]
        ``score - usd / value_usd`` of each round.
    query : int64 [S, T]
        The row of the recorded data of each round.
    """

    chosen: Ints
    reward: Floats
    query: Ints


def play(policy: Policy, stream: Stream) -> Ints:
    """The arms that it chooses, [T]."""
    chosen = np.empty(len(stream.order), np.int64)
    for t, query in enumerate(stream.order.tolist()):
        arm = policy.choose(query, stream.there[t])
        chosen[t] = arm
        policy.learn(query, arm, float(stream.score[t, arm]), float(stream.usd[t, arm]), bool(stream.fails[t, arm]))
    return chosen


def play_all(make: Make, data: Recorded, streams: Sequence[Stream], value_usd: float) -> Played:
    """A new policy on each stream; its seed is the stream's number."""
    chosen = np.stack([play(make(Setting(data, value_usd, s), stream), stream) for s, stream in enumerate(streams)])
    reward = np.stack(
        [np.take_along_axis(x.reward(value_usd), c[:, None], 1)[:, 0] for x, c in zip(streams, chosen, strict=True)]
    )
    return Played(chosen, reward, np.stack([stream.order for stream in streams]))


# Intervals ------------------------------------------------------------------------------------------------------------


class Draws:
    """Bootstrap of queries and of orders together (Owen 2007): rows and columns of the table stream by query."""

    def __init__(self, seeds: int, queries: int, draws: int, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.seeds = rng.multinomial(seeds, np.full(seeds, 1.0 / seeds), draws)  # [B, S]
        self.queries = rng.multinomial(queries, np.full(queries, 1.0 / queries), draws)  # [B, Q]

    def mean(self, played: Played, values: Floats) -> Interval:
        """The mean of values [S, T] and its 95 % interval."""
        table, there = np.zeros((2, len(values), self.queries.shape[1]))
        rows = np.arange(len(values))[:, None]
        table[rows, played.query], there[rows, played.query] = values, 1.0
        total, count = (np.einsum("bs,bs->b", self.seeds, self.queries @ x.T) for x in (table, there))
        drawn = total[count > 0.0] / count[count > 0.0]
        low, high = np.quantile(drawn, [0.025, 0.975]) if len(drawn) else (np.nan, np.nan)
        return Interval(float(values.mean()), float(low), float(high))


def share(played: Played, arm: int, first: int, last: int) -> float:
    """Of the decisions of rounds first to last that went to an arm."""
    return float((played.chosen[:, first:last] == arm).mean())


# The report -----------------------------------------------------------------------------------------------------------


def simulate(
    data: Recorded,
    values_usd: Sequence[float] = VALUES_USD,
    seeds: int = SEEDS,
    draws: int = DRAWS,
    rounds: int | None = None,
    policies: Mapping[str, Make] | None = None,
    progress: Progress = lambda _: None,
) -> dict[str, Any]:
    """All policies on the same streams, for each value of a correct answer.

    Parameters
    ----------
    data : Recorded
        The queries to replay; each comes once in a stream.
    seeds : int
        Streams: orders of the queries.
    rounds : int, optional
        Of a stream; default: all queries.

    Returns
    -------
    dict
        Plain data: what ``turnout simulate --json`` writes. docs/simulation.md says what each field is.
    """
    streams = [shuffled(data, seed, rounds) for seed in range(seeds)]
    drawn = Draws(seeds, len(data), draws)
    makers = {**learners(data), **OTHERS} if policies is None else {**policies, **OTHERS}
    found = []
    for value_usd in values_usd:
        played = {}
        for name, make in makers.items():
            progress(f"{data.name}, value {value_usd:g} USD: {name}")
            played[name] = play_all(make, data, streams, value_usd)
        found.append(at_value(data, value_usd, played, drawn))
    rounds = len(streams[0].order)
    report = {"name": data.name, "llms": list(data.llms), "queries": len(data), "rounds": rounds, "seeds": seeds}
    plained: dict[str, Any] = plain(report | {"draws": draws, "values": found})
    return plained


def at_value(data: Recorded, value_usd: float, played: Mapping[str, Played], drawn: Draws) -> dict[str, Any]:
    """Rewards, regrets, and differences from turnout's, in points: hundredths of a correct answer."""
    best, ours = played["oracle"].reward, played.get(OURS)
    rows = []
    for name, one in played.items():
        row = {
            "name": name,
            "sees_more": name in SEES_MORE,
            "reward": drawn.mean(one, POINTS * one.reward),
            "regret": drawn.mean(one, POINTS * (best - one.reward)),
            "over_offline": drawn.mean(one, POINTS * (one.reward - played["offline routing"].reward)),
            "shares": {llm: float((one.chosen == m).mean()) for m, llm in enumerate(data.llms)},
            "curve": curve(best - one.reward),
        }
        if ours is not None:
            row["same_choice"] = float((ours.chosen == one.chosen).mean())
            row["turnout_less_it"] = drawn.mean(one, POINTS * (ours.reward - one.reward))
        rows.append(row)
    return {"value_usd": value_usd, "lambda": 1.0 / value_usd, "policies": rows}


def curve(regret: Floats) -> dict[str, Any]:
    """Regret [S, T] added up: mean over the streams, and the 5th and 95th percentile of them."""
    total = regret.cumsum(1)
    at = np.unique(np.linspace(0, total.shape[1] - 1, CURVE).astype(int))
    low, high = np.quantile(total[:, at], [0.05, 0.95], axis=0)
    return {"round": at + 1, "mean": total[:, at].mean(0), "low": low, "high": high}
