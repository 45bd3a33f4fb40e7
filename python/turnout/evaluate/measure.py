"""What a policy is worth, with bootstrap intervals: all policies on the same resampled queries, so differences pair."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from turnout.evaluate import frontier
from turnout.evaluate.bootstrap import Interval
from turnout.evaluate.frontier import Arms, Curve
from turnout.evaluate.protocol import PLACEBO, Decided, Policy

Floats = npt.NDArray[np.float64]
CHUNK = 1 << 22  # counts that are held as float64 at once


class Draws(NamedTuple):
    """How often each query is drawn: first once each, then resampled; uint16 [1 + B, N]."""

    counts: npt.NDArray[np.uint16]

    @staticmethod
    def make(queries: int, draws: int, seed: int = 0) -> Draws:
        rng = np.random.default_rng(seed)
        resampled = rng.multinomial(queries, np.full(queries, 1.0 / queries), draws)
        return Draws(np.concatenate([np.ones((1, queries)), resampled]).astype(np.uint16))

    def means(self, table: Floats) -> Floats:
        """Means over the queries of [L, N], of each draw: [1 + B, L]."""
        size = max(CHUNK // table.shape[1], 1)
        starts = range(0, len(self.counts), size)
        sums = np.concatenate([self.counts[i : i + size] @ table.T for i in starts])
        return np.asarray(sums / table.shape[1])


class Frontier(NamedTuple):
    """Of a policy, in every draw; float64 [1 + B] each, the first of the queries as they are.

    A policy without weights is one point, not a frontier: its AIQ is undefined.

    Attributes
    ----------
    aiq : mean height of the hull from the cheapest to the best single arm's cost
    cost_ratio : the least cost at which the hull reaches the best single arm's score, as a share of its cost
    half_quality : the hull's score at half of the best single arm's cost
    """

    aiq: Floats
    cost_ratio: Floats
    half_quality: Floats


def frontiers(decided: Decided, draws: Draws) -> dict[str, Frontier]:
    """Of every policy that ran."""
    cost, score = draws.means(decided.cost.T), draws.means(decided.score.T)
    arms = decided.arms
    found = {
        policy.name: _frontier(policy, draws, arms, cost, score)
        for policy in decided.policies
        if policy.kind != "missing"
    }
    if decided.placebos:
        found[PLACEBO] = _mixed(
            [_frontier(policy, *part) for policy, part in zip(decided.placebos, _parts(decided, draws), strict=True)]
        )
    return found


def _parts(decided: Decided, draws: Draws) -> list[tuple[Draws, Arms, Floats, Floats]]:
    """The draws dealt out to the placebos; each has the queries as they are too, which come first."""
    out = []
    for i in range(len(decided.placebos)):
        part = Draws(np.concatenate([draws.counts[:1], draws.counts[1 + i :: len(decided.placebos)]]))
        out.append((part, decided.arms, part.means(decided.cost.T), part.means(decided.score.T)))
    return out


def _mixed(parts: list[Frontier]) -> Frontier:
    """One frontier of several: the mean of their values, and every draw in its place."""
    columns = []
    for values in zip(*parts, strict=True):
        drawn = np.empty(sum(len(v) - 1 for v in values))
        for i, v in enumerate(values):
            drawn[i :: len(values)] = v[1:]
        columns.append(np.concatenate([[np.mean([v[0] for v in values])], drawn]))
    return Frontier(*columns)


def _frontier(policy: Policy, draws: Draws, arms: Arms, cost: Floats, score: Floats) -> Frontier:
    rows = _distinct(policy)
    costs, scores = draws.means(policy.cost[rows]), draws.means(policy.score[rows])
    low, high, best = cost[:, arms.cheapest], cost[:, arms.best], score[:, arms.best]
    found = np.full((3, len(costs)), np.nan)
    for b in range(len(costs)):
        hull = frontier.hull(Curve(costs[b], scores[b]))
        reached = frontier.cost_at(hull, best[b])
        found[:, b] = (
            frontier.aiq(hull, low[b], high[b]) if policy.swept else np.nan,
            reached / high[b] if high[b] > 0.0 else np.nan,
            frontier.height(hull, np.array([0.5 * high[b]]))[0],
        )
    return Frontier(*found)


def _distinct(policy: Policy) -> list[int]:
    """The weights whose choices differ from those of the weight before."""
    if policy.chosen is None:
        return list(range(len(policy.cost)))
    return [0, *(i for i in range(1, len(policy.chosen)) if (policy.chosen[i] != policy.chosen[i - 1]).any())]


def interval(values: Floats, level: float = 0.95) -> Interval:
    """The first value, and the percentile interval of the others; infinite values are kept, undefined ones are not."""
    drawn = values[1:][~np.isnan(values[1:])]
    if np.isnan(values[0]) or not len(drawn):
        return Interval(float(values[0]), float("nan"), float("nan"))
    low, high = np.quantile(drawn, [(1.0 - level) / 2.0, (1.0 + level) / 2.0], method="inverted_cdf")
    return Interval(float(values[0]), float(low), float(high))


class TwoArms(NamedTuple):
    """RouteLLM's metrics in every draw (see `two_arms`), float64 [1 + B] each."""

    apgr: Floats
    cpt50: Floats
    cpt80: Floats


def two_arms(preference: Floats, weak: Floats, strong: Floats, draws: Draws) -> TwoArms:
    """Of a policy that would rather ask the strong arm the higher its preference [N]; ties are broken evenly."""
    _, group = np.unique(-preference, return_inverse=True)
    order = np.argsort(group, kind="stable")
    start = np.unique(group[order], return_index=True)[1]
    counts = draws.counts[:, order]
    queries = len(preference)
    share = np.add.reduceat(counts, start, axis=1).cumsum(1) / queries
    gain = np.add.reduceat(counts * (strong - weak)[order], start, axis=1).cumsum(1)
    gap = gain[:, -1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.where(gap > 0.0, gain / gap, np.nan)
    zero = np.zeros((len(share), 1))
    share, found = np.concatenate([zero, share], 1), np.concatenate([zero, found], 1)
    apgr = (0.5 * (found[:, 1:] + found[:, :-1]) * np.diff(share)).sum(1)
    return TwoArms(apgr, _reach(share, found, 0.5), _reach(share, found, 0.8))


def _reach(share: Floats, found: Floats, level: float) -> Floats:
    """The least share that recovers `level`, between two groups in proportion."""
    at = np.maximum((found >= level).argmax(1), 1)
    rows = np.arange(len(found))
    below, above = found[rows, at - 1], found[rows, at]
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.clip((level - below) / (above - below), 0.0, 1.0)
    return np.where(
        np.isnan(found[:, -1]), np.nan, share[rows, at - 1] + part * (share[rows, at] - share[rows, at - 1])
    )


def plain(value: Any) -> Any:
    """Plain data for JSON: an Interval as [value, low, high], NaN and infinities as None."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(item) for item in value]
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value
