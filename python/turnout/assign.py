"""An LLM for each call slot of a plan under hard limits, exact over the plan.

Label setting with Lagrangian bounds: labels and dominance as in Irnich and Desaulniers, "Shortest Path Problems with
Resource Constraints" (2005), bounds as in Handler and Zang, "A Dual Algorithm for the Constrained Shortest Path
Problem" (1980). See docs/adr/0002-assign.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turnout import _native
from turnout.names import Status

IDENTITY_CURVE: tuple[float, ...] = tuple(k / 64 for k in range(65))
"""The curve of an operator that is right as often as its LLMs are."""


@dataclass(frozen=True)
class Stage:
    """One operator of a plan.

    It maps the quality p so far to ``p * (1 - break_ * (1 - g)) + (1 - p) * fix * g`` with ``g = curve(c)``, where the
    competence c is the weighted mean of its LLMs' P(correct).

    Attributes
    ----------
    weights : tuple of float
        Share of each of its slots in the competence; they sum to 1.
    fix, break_ : float
        P(a wrong answer is mended | g = 1) and P(a right answer is spoilt | g = 0).
    curve : tuple of float
        65 non-decreasing values in [0, 1] over c = 0 .. 1, linear between.
    optional : bool
        Whether it may be skipped: p unchanged, no cost.
    parallel : bool
        Whether its slots run side by side: seconds are their maximum, else their sum.
    distinct : bool
        Whether its slots take pairwise distinct LLMs.
    """

    weights: tuple[float, ...] = (1.0,)
    fix: float = 1.0
    break_: float = 1.0
    curve: tuple[float, ...] = IDENTITY_CURVE
    optional: bool = False
    parallel: bool = False
    distinct: bool = False


@dataclass(frozen=True)
class Solution:
    """An assignment, what it is worth and costs, and what is proved of it.

    Attributes
    ----------
    status : str
        ``unlimited_best``: the best plan without limits meets them. ``exact``: the limits bind, proved optimal.
        ``label_cap``: feasible, the search was cut, see `gap`. ``infeasible``: no plan meets the limits; this one, of
        the mandatory stages alone, overspends the fewest USD, then the fewest seconds. ``no_candidate``: a mandatory
        slot has no allowed LLM; nothing is assigned.
    llms : tuple of int
        LLM of each slot; -1 where its stage is skipped.
    skipped : tuple of bool
        For each stage.
    quality : float
        P(correct) of the plan.
    usd, usd_bound, seconds, seconds_bound : float
        Expected totals and those of the statistics that the limits bound.
    utility : float
        ``value_usd * quality - usd - usd_per_second * seconds``.
    gap : float
        No feasible plan has a utility above `utility` + `gap`; 0 when proved optimal.
    labels : int
        Labels that the search under limits created; no part of equality.
    """

    status: Status
    llms: tuple[int, ...]
    skipped: tuple[bool, ...]
    quality: float
    usd: float
    usd_bound: float
    seconds: float
    seconds_bound: float
    utility: float
    gap: float = 0.0
    labels: int = 0


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
    """Assign an LLM to each slot so that utility is highest within the limits.

    Ties go to the lower expected USD, then to the lower LLM indices in the order of the slots.

    Parameters
    ----------
    stages : sequence of Stage
        1 to 16, in the order in which they run; their slots, at most 32, are numbered in this order.
    quality : float64[llms]
        P(correct) of each LLM on this query, in [0, 1]; at most 256 LLMs.
    usd, usd_bound, seconds, seconds_bound : float64[slots, llms]
        Expected USD and seconds of a slot on an LLM, and the statistics that `budget` and `max_seconds` bound.
    allowed : bool[slots, llms]
        False where a hard rule forbids the pair.
    value_usd : float
        What a correct answer is worth, in USD.
    usd_per_second : float
        What a second costs, in USD.
    budget, max_seconds : float, optional
        Hard limits, in USD and seconds; None for unlimited.

    Returns
    -------
    Solution

    Raises
    ------
    InputError
        A shape, a negative or not finite number, a share outside [0, 1], a decreasing curve.
    TypeError
        An array of another dtype or not C-contiguous.
    """
    return Solution(
        *_native.assign_solve(
            stages,
            quality,
            usd,
            usd_bound,
            seconds,
            seconds_bound,
            allowed,
            value_usd,
            usd_per_second,
            budget,
            max_seconds,
        )
    )
