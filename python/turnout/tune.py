"""The worth of a correct answer that meets a target of cost or of quality: `value_usd`, the routing weight.

Each value is tried on queries whose outcomes are recorded. Where the plan is one plain call of an LLM that has an
outcome on the query, the outcome's score and USD count; of every other plan the router's own P(correct) and USD.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from turnout.core import InputError, TurnoutError
from turnout.evaluate.bootstrap import Interval, interval
from turnout.schema import fail

if TYPE_CHECKING:
    from turnout.outcomes import Outcomes
    from turnout.router import Router

Floats = npt.NDArray[np.float64]
Tried = Callable[[], None]

GRID = (0.0, *(float(f"{10.0**e:.3g}") for e in np.arange(-7.0, 3.01, 0.25)))
HALVINGS = 8  # of the gap between the best value of the grid and its neighbour: to 0.2 %, below three digits


@dataclass(frozen=True, eq=False)
class Point:
    """What routing by one value gives.

    Attributes
    ----------
    value_usd : float
    usd, quality : float64 [Q]
        Of each query: recorded, or expected.
    recorded : bool [Q]
        Which are recorded.
    """

    value_usd: float
    usd: Floats
    quality: Floats
    recorded: npt.NDArray[np.bool_]

    @property
    def cost(self) -> float:
        return float(self.usd.mean())

    @property
    def score(self) -> float:
        return float(self.quality.mean())


@dataclass(frozen=True)
class Target:
    """At most `cost` USD a query on the mean, or at least `quality`; one of them."""

    cost: float | None = None
    quality: float | None = None

    def met(self, point: Point) -> bool:
        if self.cost is not None:
            return point.cost <= self.cost
        return self.quality is not None and point.score >= self.quality

    def best(self, points: list[Point]) -> Point:
        """Of points that meet it: the best quality at a target of cost, the least cost at a target of quality."""
        if self.cost is not None:
            return max(points, key=lambda p: (p.score, -p.cost))
        return min(points, key=lambda p: (p.cost, -p.score))


@dataclass(frozen=True)
class Tuning:
    """Routing as it was, and as the target asks.

    Attributes
    ----------
    before, after : Point
    queries : int
    """

    before: Point
    after: Point
    queries: int

    def intervals(self) -> dict[str, dict[str, Interval]]:
        """Means over queries with 95 % bootstrap intervals: of before, after and the paired change."""
        columns = {
            "before": (self.before.usd, self.before.quality),
            "after": (self.after.usd, self.after.quality),
            "change": (self.after.usd - self.before.usd, self.after.quality - self.before.quality),
        }
        return {name: {"usd": _mean(usd), "quality": _mean(quality)} for name, (usd, quality) in columns.items()}


def _mean(values: Floats) -> Interval:
    return interval(lambda rows: float(values[rows].mean()), len(values))


def columns_of(router: Router, llms: tuple[str, ...]) -> list[int]:
    """The column of the outcomes that each LLM of the pool has, by its id or its id in the bundle; -1: none."""
    at = {name: i for i, name in enumerate(llms)}
    entries = [llm.entry for llm in router.parts.pool]
    return [at.get(entry.id, at.get(entry.ability or "", -1)) for entry in entries]


class Trials:
    """Routes the same queries by one value after another."""

    def __init__(self, router: Router, outcomes: Outcomes, options: Mapping[str, Any], tried: Tried | None) -> None:
        columns = columns_of(router, outcomes.llms)
        if max(columns, default=-1) < 0:
            raise fail(InputError, "outcomes", f"no LLM of the pool is among their models: {', '.join(outcomes.llms)}")
        self._router, self._texts, self._options, self._tried = router, outcomes.texts, options, tried
        pad = np.full((outcomes.queries, 1), np.nan)  # the column -1
        self._score = np.hstack([outcomes.matrix("score"), pad])[:, columns]
        self._usd = np.hstack([outcomes.matrix("usd"), pad])[:, columns]
        self._points: dict[float, Point] = {}

    def __call__(self, value_usd: float) -> Point:
        if value_usd not in self._points:
            self._points[value_usd] = self._route(value_usd)
            if self._tried is not None:
                self._tried()
        return self._points[value_usd]

    def _route(self, value_usd: float) -> Point:
        batch = self._router.route_batch(self._texts, value_usd=value_usd, **self._options)
        usd, quality = batch.usd.copy(), batch.p_correct.copy()
        llm = batch.llm_index
        recorded = np.zeros(len(usd), bool)
        for row in np.flatnonzero(batch.calls == 1).tolist():
            score = self._score[row, llm[row]]
            alone = batch[row].plan[0].p_correct
            if np.isnan(score) or abs(alone - quality[row]) > 1e-9:  # an operator that changes what the LLM would say
                continue
            recorded[row], quality[row] = True, score
            if not np.isnan(self._usd[row, llm[row]]):
                usd[row] = self._usd[row, llm[row]]
        return Point(value_usd, usd, quality, recorded)


def tune(
    router: Router,
    outcomes: Outcomes,
    target: Target,
    options: Mapping[str, Any] | None = None,
    tried: Tried | None = None,
) -> Tuning:
    """Finds the `value_usd` that meets a target.

    Parameters
    ----------
    router : Router
        Its own `value_usd` is what routing was by before.
    outcomes : Outcomes
        All of them count; keep the test split out.
    options : mapping, optional
        Options of `Router.route_batch` other than `value_usd`: what holds where you route.
    tried : callable, optional
        Called after each value.

    Raises
    ------
    InputError
        No value meets the target; says what can be reached. Or no LLM of the pool has outcomes.
    """
    trial = Trials(router, outcomes, options or {}, tried)
    points = [trial(value) for value in GRID]
    good = [point for point in points if target.met(point)]
    if not good:
        raise _unreachable(target, points)
    best = target.best(good)
    for other in _neighbours(best.value_usd):
        best = _refined(trial, target, best, other)
    return Tuning(trial(router.value_usd), best, outcomes.queries)


def _neighbours(value: float) -> list[float]:
    at = GRID.index(value)
    return [GRID[i] for i in (at - 1, at + 1) if 0 <= i < len(GRID)]


def _refined(trial: Trials, target: Target, best: Point, other: float) -> Point:
    """The best of the values between a good one and its neighbour, halving the gap towards what is good."""
    near, far = best.value_usd, other
    for _ in range(HALVINGS):
        middle = float(f"{np.sqrt(near * far) if near * far > 0.0 else 0.5 * (near + far):.3g}")
        if middle in (near, far):
            break
        point = trial(middle)
        if target.met(point) and target.best([best, point]) is point:
            best, near = point, middle
        else:
            far = middle
    return best


def _unreachable(target: Target, points: list[Point]) -> TurnoutError:
    if target.cost is not None:
        costs = [point.cost for point in points]
        wrong = (
            f"{target.cost:g} USD a query cannot be met: plans cost {min(costs):.4g} to {max(costs):.4g} on the mean"
        )
        return fail(InputError, "target_cost", wrong)
    scores = [point.score for point in points]
    wrong = f"{target.quality:g} cannot be met: the mean quality is {min(scores):.4f} to {max(scores):.4f}"
    return fail(InputError, "target_quality", wrong)
