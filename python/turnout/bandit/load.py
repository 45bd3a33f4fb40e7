"""Bias against expensive arms, only while load is above a threshold (IC-Cache, a24)."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from turnout.core import ConfigError, InputError
from turnout.schema import fail


class LoadBias:
    """strength * tanh(excess) * cost, excess = max(0, load / threshold - 1), load an EWMA of what it is told.

    Parameters
    ----------
    threshold : float
        Load up to which there is no bias at all, > 0.
    strength : float
        What the bias tends to for an arm of cost 1, in the unit of the scores it is taken from; at least 0.
    smoothing : float
        Of a new load in the average, in (0, 1].

    Notes
    -----
    Source of the form (EWMA load, tanh penalty on expensive arms, nothing below a threshold): IC-Cache; the constants
    are the caller's.
    """

    def __init__(self, threshold: float, *, strength: float = 1.0, smoothing: float = 0.1) -> None:
        if not 0 < threshold < math.inf:
            raise fail(ConfigError, "load.threshold", f"expected a finite number > 0, got {threshold}")
        if not 0 <= strength < math.inf:
            raise fail(ConfigError, "load.strength", f"expected a finite number >= 0, got {strength}")
        if not 0 < smoothing <= 1:
            raise fail(ConfigError, "load.smoothing", f"expected a number above 0, at most 1, got {smoothing}")
        self.threshold, self.strength, self.smoothing = threshold, strength, smoothing
        self.load = 0.0

    def observe(self, load: float) -> None:
        """A load, at least 0, of any unit: requests a second, calls in flight."""
        if not 0 <= load < math.inf:
            raise fail(InputError, "load", f"expected a finite number >= 0, got {load}")
        self.load += self.smoothing * (load - self.load)

    def bias(self, cost: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """What to take from each arm's score; `cost` in [0, 1], of the dearest arm 1, float64 [arms]."""
        if not ((cost >= 0) & (cost <= 1)).all():
            raise fail(InputError, "cost", "expected numbers from 0 to 1")
        return self.strength * math.tanh(max(0.0, self.load / self.threshold - 1)) * cost
