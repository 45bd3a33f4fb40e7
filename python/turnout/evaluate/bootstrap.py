"""Intervals by resampling queries; differences are paired: both policies on the same queries."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Interval(NamedTuple):
    """An estimate, and its percentile interval."""

    value: float
    low: float
    high: float


def interval(
    statistic: Callable[[Ints], float], queries: int, draws: int = 1000, level: float = 0.95, seed: int = 0
) -> Interval:
    """Bootstrap percentile interval (Efron 1979) of a statistic of query rows.

    Parameters
    ----------
    statistic : callable
        Rows int64 [Q], with repeats -> a number. For a difference of two policies: of both on these rows.
    queries : int
        How many there are.
    level : float
        Of the interval, in (0, 1).
    """
    rng = np.random.default_rng(seed)
    found = [statistic(rng.integers(0, queries, queries)) for _ in range(draws)]
    low, high = np.nanquantile(found, [(1.0 - level) / 2.0, (1.0 + level) / 2.0]) if draws else (np.nan, np.nan)
    return Interval(statistic(np.arange(queries)), float(low), float(high))
