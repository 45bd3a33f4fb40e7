"""The cheapest configuration of a table that keeps a service level."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from turnout import _native
from turnout.dag.columns import floats


class ConfigurationChoice(NamedTuple):
    """A row; where none keeps the level (`feasible` is False), the one that misses it by the least, and by how much."""

    row: int
    feasible: bool
    quality_short: float
    seconds_over: float


def choose_configuration(
    quality: Sequence[float] | Any,
    seconds: Sequence[float] | Any,
    cost: Sequence[float] | Any,
    *,
    min_quality: float = 0.0,
    max_seconds: float = math.inf,
) -> ConfigurationChoice:
    """The cheapest configuration of a table that keeps a service level (after SLA-RAG); O(rows).

    Parameters
    ----------
    quality, seconds, cost : float64[N]
        In [0, 1e9].
    min_quality : float
    max_seconds : float
        > 0.

    Returns
    -------
    ConfigurationChoice
        Ties go to the better, then the faster, then the first row. Where no row keeps the level, the least
        quality_short / min_quality + seconds_over / max_seconds, then the cheapest.
    """
    columns = floats(quality, "quality"), floats(seconds, "seconds"), floats(cost, "cost")
    return ConfigurationChoice._make(_native.choose_configuration(*columns, min_quality, max_seconds))
