"""Drift: how far the arms' shares moved between two windows. Reported, never acted on."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from turnout import _native
from turnout.arms import Clock, names_of, unknown
from turnout.core import InputError
from turnout.schema import fail


def jensen_shannon(
    p: Sequence[float] | npt.NDArray[np.float64],
    q: Sequence[float] | npt.NDArray[np.float64],
    smoothing: float = 0.0,
) -> float:
    """Jensen-Shannon divergence of two lists of counts or shares, base 2, in [0, 1].

    `smoothing` is added to every count. Source: Lin 1991, "Divergence measures based on the Shannon entropy", IEEE
    Transactions on Information Theory 37.

    Raises
    ------
    InputError
        Lists of different lengths, a negative count, nothing to compare.
    """
    x, y = np.ascontiguousarray(p, np.float64), np.ascontiguousarray(q, np.float64)
    return _native.jensen_shannon(x, y, smoothing)


@dataclass(frozen=True)
class DriftReport:
    """How far a cluster's decisions moved.

    Attributes
    ----------
    divergence : float or None
        None where a window holds fewer than `min_count` decisions.
    before, after : int
        Decisions in the two windows.
    """

    divergence: float | None
    before: int
    after: int


@dataclass(eq=False)
class Drift:
    """Divergence of the arms' shares, cluster by cluster, between the last two windows that are over.

    It is reported, never acted on.

    Parameters
    ----------
    arms : sequence of str
    clusters : int or sequence of str
        How many, or their names.
    window_seconds : float
    smoothing : float
        Added to every arm's count in both windows, so that an arm that was not chosen once is no certainty.
    min_count : int
        Decisions that each window must hold.
    clock : callable, optional
    """

    arms: Sequence[str]
    clusters: int | Sequence[Hashable]
    window_seconds: float = 3600.0
    smoothing: float = 0.5
    min_count: int = 30
    clock: Clock | None = None
    _arms: dict[str, int] = field(init=False, repr=False)
    _clusters: dict[Hashable, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._arms = names_of(self.arms, "drift.arms")
        names = range(self.clusters) if isinstance(self.clusters, int) else self.clusters
        self._clusters = {name: i for i, name in enumerate(names)}
        self._native = _native.Drift(
            len(self._clusters),
            len(self._arms),
            window_seconds=self.window_seconds,
            smoothing=self.smoothing,
            min_count=self.min_count,
        )

    def _now(self) -> float | None:
        return None if self.clock is None else self.clock()

    def _cluster(self, cluster: Hashable) -> int:
        if cluster not in self._clusters:
            raise fail(InputError, "cluster", f"there is no cluster {cluster!r}")
        return self._clusters[cluster]

    def record(self, cluster: Hashable, arm: str) -> None:
        """Counts a decision for `arm`."""
        if arm not in self._arms:
            raise fail(InputError, "arm", unknown(arm, self._arms))
        self._native.record(self._cluster(cluster), self._arms[arm], self._now())

    def read(self, cluster: Hashable) -> DriftReport:
        divergence, before, after, enough = self._native.read(self._cluster(cluster), self._now())
        return DriftReport(divergence if enough else None, before, after)

    def report(self) -> dict[Hashable, DriftReport]:
        """Of every cluster."""
        return {cluster: self.read(cluster) for cluster in self._clusters}
