"""Twin of the assign room: an LLM for each call slot, by label setting, and by trying every plan.

Same definition and same floating-point terms as the core, so assignments and totals agree to the bit. It keeps every
label that could be part of the answer and has no cap: an answer is always proved.
"""

from __future__ import annotations

import itertools
import math
import operator
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from turnout.assign import Solution, Stage
from turnout.names import Status

KNOTS = 65
P_KNOTS = np.linspace(0.0, 1.0, 129)
BEAM = 50
Matrix = list[list[float]]


class Grid(NamedTuple):
    """Rounds to a multiple of a power of two, on which sums are exact in any order."""

    magic: float

    def __call__(self, x: float) -> float:
        return (x + self.magic) - self.magic


def grid_for(most: float) -> Grid:
    """The finest grid on which sums up to `most` stay exact: 2**51 steps."""
    return Grid(math.ldexp(1.5, max(math.frexp(most)[1], -900) + 1))


PROBABILITY = Grid(1.5 * 2.0**12)


@dataclass(frozen=True)
class Problem:
    """The arguments of `solve` as lists, each term on its grid."""

    stages: Sequence[Stage]
    quality: list[float]
    usd: Matrix
    usd_bound: Matrix
    seconds: Matrix
    seconds_bound: Matrix
    charge: Matrix
    allowed: list[list[bool]]
    money: Grid
    value_usd: float
    budget: float
    max_seconds: float
    mandatory_only: bool = False

    def rows(self) -> Iterator[tuple[Stage, range]]:
        """Each stage with its slots."""
        first = 0
        for stage in self.stages:
            yield stage, range(first, first + len(stage.weights))
            first += len(stage.weights)


def total(terms: Iterable[float]) -> float:
    """Left to right, as the core adds; the built-in sum compensates since Python 3.12."""
    return reduce(operator.add, terms, 0.0)


def _most(matrix: NDArray[np.float64], allowed: NDArray[np.bool_]) -> float:
    """No plan's total exceeds it; what is forbidden does not count."""
    return total(np.where(allowed, matrix, 0.0).max(axis=1).tolist())


def _on(grid: Grid, matrix: Matrix) -> Matrix:
    return [[grid(x) for x in row] for row in matrix]


def problem_of(
    stages: Sequence[Stage],
    quality: NDArray[np.float64],
    usd: NDArray[np.float64],
    usd_bound: NDArray[np.float64],
    seconds: NDArray[np.float64],
    seconds_bound: NDArray[np.float64],
    allowed: NDArray[np.bool_],
    value_usd: float,
    usd_per_second: float = 0.0,
    budget: float | None = None,
    max_seconds: float | None = None,
) -> Problem:
    """The problem that `turnout.assign.solve` describes."""
    usd_rows, seconds_rows = usd.tolist(), seconds.tolist()
    bound_rows, time_rows = usd_bound.tolist(), seconds_bound.tolist()
    waiting = usd_per_second * _most(seconds, allowed) if usd_per_second > 0 else 0.0
    money = grid_for(max(value_usd, _most(usd, allowed) + waiting))
    return Problem(
        stages=stages,
        quality=quality.tolist(),
        usd=_on(money, usd_rows),
        usd_bound=_on(grid_for(_most(usd_bound, allowed)), bound_rows),
        seconds=seconds_rows,
        seconds_bound=_on(grid_for(_most(seconds_bound, allowed)), time_rows),
        charge=[[money(usd_per_second * x) for x in row] for row in seconds_rows],
        allowed=allowed.tolist(),
        money=money,
        value_usd=value_usd,
        budget=math.inf if budget is None else budget,
        max_seconds=math.inf if max_seconds is None else max_seconds,
    )


# The definition.


def curve_value(curve: Sequence[float], c: float) -> float:
    """g = curve(c)."""
    x = min(max(c, 0.0), 1.0) * (KNOTS - 1)
    k = min(int(x), KNOTS - 2)
    return PROBABILITY(min(curve[k + 1], curve[k] + (x - k) * (curve[k + 1] - curve[k])))


def quality_after(stage: Stage, p: float, g: float) -> float:
    """P(correct) after a stage: fix g if it was wrong, 1 - break (1 - g) if it was right."""
    base = PROBABILITY(stage.fix * g)
    slope = PROBABILITY(1 - stage.break_ * (1 - g)) - base
    return (p * slope + (base + PROBABILITY.magic)) - PROBABILITY.magic


def competence(problem: Problem, stage: Stage, llms: Sequence[int]) -> float:
    """The weighted mean of P(correct)."""
    return total(PROBABILITY(w * problem.quality[m]) for w, m in zip(stage.weights, llms, strict=True))


def evaluate(problem: Problem, llms: Sequence[int], status: Status) -> Solution:
    """What an assignment is worth, costs and takes; -1 for every slot of a skipped stage."""
    p = usd = usd_bound = seconds = seconds_bound = charge = 0.0
    skipped = []
    for stage, slots in problem.rows():
        chosen = llms[slots.start : slots.stop]
        skipped.append(chosen[0] < 0)
        if skipped[-1]:
            continue
        p = quality_after(stage, p, curve_value(stage.curve, competence(problem, stage, chosen)))
        together = max if stage.parallel else total
        cells = list(zip(slots, chosen, strict=True))
        usd += total(problem.usd[s][m] for s, m in cells)
        usd_bound += total(problem.usd_bound[s][m] for s, m in cells)
        seconds += together([problem.seconds[s][m] for s, m in cells])
        seconds_bound += together([problem.seconds_bound[s][m] for s, m in cells])
        charge += together([problem.charge[s][m] for s, m in cells])
    utility = problem.money(problem.value_usd * p) - (usd + charge)
    return Solution(status, tuple(llms), tuple(skipped), p, usd, usd_bound, seconds, seconds_bound, utility)


def preference(s: Solution) -> tuple[float, float, tuple[int, ...]]:
    """The lowest is the best: utility, then USD, then LLM indices."""
    return -s.utility, s.usd, s.llms


def violation(problem: Problem, s: Solution) -> tuple[float, float]:
    """Overspent USD, then seconds."""
    return max(0.0, s.usd_bound - problem.budget), max(0.0, s.seconds_bound - problem.max_seconds)


def _within(problem: Problem, s: Solution) -> bool:
    return s.usd_bound <= problem.budget and s.seconds_bound <= problem.max_seconds


def _nothing(problem: Problem) -> Solution:
    slots = sum(len(stage.weights) for stage in problem.stages)
    empty = evaluate(problem, (-1,) * slots, "no_candidate")
    return replace(empty, utility=0.0)


# Every plan.


def _fillings(problem: Problem, stage: Stage, slots: range) -> list[tuple[int, ...]]:
    """Every way to run a stage."""
    paths: list[tuple[int, ...]] = [()]
    for s in slots:
        free = [m for m, allowed in enumerate(problem.allowed[s]) if allowed]
        paths = [(*path, m) for path in paths for m in free if not (stage.distinct and m in path)]
    return ([(-1,) * len(slots)] if stage.optional else []) + paths


def brute_force(problem: Problem) -> Solution:
    """The definition of the answer, by trying every plan: for a few slots and LLMs."""
    paths: list[tuple[int, ...]] = [()]
    for stage, slots in problem.rows():
        paths = [path + filling for path in paths for filling in _fillings(problem, stage, slots)]
    plans = [evaluate(problem, path, "exact") for path in paths]
    if not plans:
        return _nothing(problem)
    best = min(plans, key=preference)
    if _within(problem, best):
        return replace(best, status="unlimited_best")
    feasible = [plan for plan in plans if _within(problem, plan)]
    if feasible:
        return min(feasible, key=preference)
    skipped = tuple(stage.optional for stage in problem.stages)
    mandatory = [plan for plan in plans if plan.skipped == skipped]
    least = min(mandatory, key=lambda plan: (violation(problem, plan), preference(plan)))
    return replace(least, status="infeasible")


# Label setting.


class Label(NamedTuple):
    """A way to run the stages, or the slots of a stage, so far. The order of its fields is that of the tie rule."""

    net: float  # USD and charge
    usd: float
    llms: tuple[int, ...]
    gain: float  # p, or competence within a stage
    uses: tuple[float, ...]  # of the limits that are finite; within a parallel stage also the charge so far


def undominated(labels: list[Label]) -> list[Label]:
    """Drops each label that a better one, in the tie rule's order, equals or beats in gain and in every use."""
    labels.sort()
    if labels and len(labels[0].uses) > 1:
        return _undominated_by_search(labels)
    kept: list[Label] = []
    uses: list[float] = []  # ascending; the most gain at that use or less, ascending too
    gains: list[float] = []
    for label in labels:
        use = label.uses[0] if label.uses else 0.0
        at = bisect_right(uses, use)
        if at > 0 and gains[at - 1] >= label.gain:
            continue
        kept.append(label)
        end = at
        while end < len(gains) and gains[end] <= label.gain:
            end += 1
        uses[at:end], gains[at:end] = [use], [label.gain]
    return kept


def _undominated_by_search(labels: list[Label]) -> list[Label]:
    rows = np.array([(-x.gain, *x.uses) for x in labels])
    kept: list[Label] = []
    front = np.empty_like(rows)
    for label, row in zip(labels, rows, strict=True):
        if not np.any(np.all(front[: len(kept)] <= row, axis=1)):
            front[len(kept)] = row
            kept.append(label)
    return kept


@dataclass(frozen=True)
class Limits:
    """The finite ones count; `of` takes what counts from (USD, seconds)."""

    budget: float = math.inf
    max_seconds: float = math.inf

    def of(self, usd_bound: float, seconds_bound: float) -> tuple[float, ...]:
        finite = ((self.budget, usd_bound), (self.max_seconds, seconds_bound))
        return tuple(use for limit, use in finite if limit < math.inf)

    def values(self) -> tuple[float, ...]:
        return self.of(self.budget, self.max_seconds)


def _add(a: tuple[float, ...], b: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(x + y for x, y in zip(a, b, strict=True))


def _cells(problem: Problem, stage: Stage, slot: int, i: int, limits: Limits) -> list[Label]:
    """One slot's LLMs as labels; of a parallel stage the charge is a use, as only the longest counts."""
    cells = []
    for m, allowed in enumerate(problem.allowed[slot]):
        if not allowed:
            continue
        usd, charge = problem.usd[slot][m], problem.charge[slot][m]
        uses = limits.of(problem.usd_bound[slot][m], problem.seconds_bound[slot][m])
        gain = PROBABILITY(stage.weights[i] * problem.quality[m])
        if stage.parallel:
            cells.append(Label(usd, usd, (m,), gain, (*uses, charge)))
        else:
            cells.append(Label(usd + charge, usd, (m,), gain, uses))
    return cells


def _together(stage: Stage, limits: Limits, a: tuple[float, ...], b: tuple[float, ...]) -> tuple[float, ...]:
    """The uses of two slots of a stage: USD add up, seconds and charge of slots side by side are a maximum."""
    if not stage.parallel:
        return _add(a, b)
    usd = 1 if limits.budget < math.inf else 0
    return _add(a[:usd], b[:usd]) + tuple(map(max, a[usd:], b[usd:]))


def options(problem: Problem, stage: Stage, slots: range, limits: Limits) -> list[Label]:
    """The ways to run a stage, gain being g; skipping it is another."""
    empty = tuple(0.0 for _ in limits.values()) + ((0.0,) if stage.parallel else ())
    labels = [Label(0.0, 0.0, (), 0.0, empty)]
    for i, slot in enumerate(slots):
        cells = _cells(problem, stage, slot, i, limits)
        grown = [
            Label(
                x.net + c.net, x.usd + c.usd, x.llms + c.llms, x.gain + c.gain, _together(stage, limits, x.uses, c.uses)
            )
            for x in labels
            for c in cells
            if not (stage.distinct and c.llms[0] in x.llms)
        ]
        labels = grown if stage.distinct and i + 1 < len(slots) else undominated(grown)
    charged = [x._replace(net=x.net + x.uses[-1], uses=x.uses[:-1]) for x in labels] if stage.parallel else labels
    return undominated([x._replace(gain=curve_value(stage.curve, x.gain)) for x in charged])


def _least_uses(ways: list[Label], zero: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(min(way.uses[k] for way in ways) for k in range(len(zero)))


def _fits(limits: Limits, uses: tuple[float, ...], rest: tuple[float, ...]) -> bool:
    return all(use + more <= limit for use, more, limit in zip(uses, rest, limits.values(), strict=True))


class Layer(NamedTuple):
    """One stage: the ways to run it, skipping it among them, and the least uses of the stages after it."""

    stage: Stage
    ways: list[Label]
    rest: tuple[float, ...]


def _layers(problem: Problem, limits: Limits) -> list[Layer] | None:
    """None when some stage cannot be run."""
    zero = tuple(0.0 for _ in limits.values())
    stages = []
    for stage, slots in problem.rows():
        skip = [Label(0.0, 0.0, (-1,) * len(slots), math.nan, zero)] if stage.optional else []
        ways = [] if stage.optional and problem.mandatory_only else options(problem, stage, slots, limits)
        if not skip + ways:
            return None
        stages.append((stage, skip + ways))
    layers: list[Layer] = []
    rest = zero
    for stage, ways in reversed(stages):
        layers.insert(0, Layer(stage, ways, rest))
        rest = _add(rest, _least_uses(ways, zero))
    return layers


def best_plan(problem: Problem, limits: Limits) -> tuple[int, ...] | None:
    """The preferred plan within the limits, or None: a narrow search for a good one, then all that could be better."""
    layers = _layers(problem, limits)
    if layers is None:
        return None
    bounds = best_bounds(problem, layers, limits)
    good = _search(problem, layers, limits, bounds, -math.inf, width=BEAM)
    least = -math.inf if good is None else _utility(problem, good) - bounds.margin
    best = _search(problem, layers, limits, bounds, least, width=None)
    return None if best is None else best.llms


def _utility(problem: Problem, x: Label) -> float:
    return problem.money(problem.value_usd * x.gain) - x.net


def _search(
    problem: Problem, layers: list[Layer], limits: Limits, bounds: Bounds, least: float, width: int | None
) -> Label | None:
    labels = [Label(0.0, 0.0, (), 0.0, tuple(0.0 for _ in limits.values()))]
    for t, (stage, ways, rest) in enumerate(layers):
        grown = [y for x in labels for way in ways if _fits(limits, (y := _follow(stage, x, way)).uses, rest)]
        if not grown:
            return None
        reach = bounds.of(t + 1, grown)
        labels = undominated([y for y, most in zip(grown, reach, strict=True) if most >= least])
        if width is not None:
            labels = [y for _, y in sorted(zip(-bounds.of(t + 1, labels), labels, strict=True))[:width]]
    return min(labels, key=lambda x: (-_utility(problem, x), x.usd, x.llms), default=None)


@dataclass(frozen=True)
class Bounds:
    """Lagrangian bounds: the most utility that a label can still reach when a limit's use costs `multipliers` a unit.

    What later stages can add is convex in p, so that chords between the knots of `after` are upper bounds.
    """

    multipliers: tuple[float, ...]
    after: list[NDArray[np.float64]]  # [stages + 1][P knots]
    slack: float  # multipliers times limits
    margin: float  # for rounding

    def of(self, t: int, labels: list[Label]) -> NDArray[np.float64]:
        """For labels that have passed t stages."""
        p = np.array([x.gain for x in labels])
        paid = np.array([x.net + sum(map(operator.mul, self.multipliers, x.uses)) for x in labels])
        bound: NDArray[np.float64] = np.interp(p, P_KNOTS, self.after[t]) - paid + self.slack
        return bound


def bounds_at(problem: Problem, layers: list[Layer], limits: Limits, multipliers: tuple[float, ...]) -> Bounds:
    """Backwards, stage by stage, at every knot of p."""
    after = [problem.value_usd * P_KNOTS]
    size = problem.value_usd  # of what is added up: rounding errors are a part of it, or steps of the grid
    for stage, ways, _ in reversed(layers):
        paid = np.array([way.net + sum(map(operator.mul, multipliers, way.uses)) for way in ways])
        g = np.array([way.gain for way in ways])[:, None]
        skips = np.array([way.llms[0] < 0 for way in ways])[:, None]
        run = P_KNOTS * (1 - stage.break_ * (1 - g)) + (1 - P_KNOTS) * stage.fix * g
        reached = np.where(skips, P_KNOTS, run)
        after.insert(0, np.max(np.interp(reached, P_KNOTS, after[0]) - paid[:, None], axis=0))
        size += float(np.max(np.abs(paid)))
    slack = sum(map(operator.mul, multipliers, limits.values()))
    return Bounds(multipliers, after, slack, 1e-9 * (size + slack) + 2.0**-45 * problem.money.magic)


def best_bounds(problem: Problem, layers: list[Layer], limits: Limits) -> Bounds:
    """At the multipliers, from a grid, that bound the whole lowest; any would be valid."""
    grids = [
        [0.0] + [rate * 2.0**k for k in range(-8, 9) if (rate := problem.value_usd / max(limit, 1e-300)) < 1e150]
        for limit in limits.values()
    ]
    candidates = [bounds_at(problem, layers, limits, multipliers) for multipliers in itertools.product(*grids)]
    return min(candidates, key=lambda b: float(b.after[0][0]) + b.slack)


def _follow(stage: Stage, x: Label, way: Label) -> Label:
    p = x.gain if way.llms[0] < 0 else quality_after(stage, x.gain, way.gain)
    return Label(x.net + way.net, x.usd + way.usd, x.llms + way.llms, p, _add(x.uses, way.uses))


def _least_violation(problem: Problem) -> Solution:
    """The best plan of the mandatory stages under limits that are just met: first the USD, then the seconds."""
    mandatory = replace(problem, mandatory_only=True)
    free = [[0.0] * len(problem.quality) for _ in problem.usd]
    limits = Limits()
    if problem.budget < math.inf:
        cheapest = replace(mandatory, usd=problem.usd_bound, charge=free, value_usd=0.0)
        limits = Limits(max(problem.budget, _measured(problem, cheapest, limits).usd_bound))
    if problem.max_seconds < math.inf:
        fastest = replace(mandatory, usd=free, charge=problem.seconds_bound, value_usd=0.0)
        seconds = _measured(problem, fastest, limits).seconds_bound
        limits = Limits(limits.budget, max(problem.max_seconds, seconds))
    return _measured(problem, mandatory, limits)


def _measured(problem: Problem, question: Problem, limits: Limits) -> Solution:
    """The answer to another question, evaluated on this problem."""
    llms = best_plan(question, limits)
    assert llms is not None, "a mandatory stage has LLMs: checked before"
    return evaluate(problem, llms, "infeasible")


def answer(problem: Problem) -> Solution:
    """The answer, and how it came about."""
    llms = best_plan(problem, Limits())
    if llms is None:
        return _nothing(problem)
    unlimited = evaluate(problem, llms, "unlimited_best")
    if _within(problem, unlimited):
        return unlimited
    llms = best_plan(problem, Limits(problem.budget, problem.max_seconds))
    return _least_violation(problem) if llms is None else evaluate(problem, llms, "exact")


def solve(
    stages: Sequence[Stage],
    quality: NDArray[np.float64],
    usd: NDArray[np.float64],
    usd_bound: NDArray[np.float64],
    seconds: NDArray[np.float64],
    seconds_bound: NDArray[np.float64],
    allowed: NDArray[np.bool_],
    value_usd: float,
    usd_per_second: float = 0.0,
    budget: float | None = None,
    max_seconds: float | None = None,
) -> Solution:
    """As `turnout.assign.solve`; `labels` stays 0."""
    matrices = (usd, usd_bound, seconds, seconds_bound, allowed)
    return answer(problem_of(stages, quality, *matrices, value_usd, usd_per_second, budget, max_seconds))
