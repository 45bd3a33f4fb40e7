"""The columns of a feedback log that off-policy evaluation needs, checked at the door."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from turnout.core import InputError
from turnout.schema import fail

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

LEAST_OUTCOMES = 2  # of a log, below which no spread can be told
SUM_TOLERANCE = 1e-6  # by which the probabilities of a decision may miss 1


class FeedbackColumns(Protocol):
    """What a log must offer: rows of decisions with outcomes, as ``turnout.state_log.FeedbackLog`` has them."""

    @property
    def ticket(self) -> npt.NDArray[Any]: ...
    @property
    def chosen(self) -> npt.NDArray[Any]: ...
    @property
    def candidate_count(self) -> npt.NDArray[Any]: ...
    @property
    def probabilities(self) -> Floats: ...
    @property
    def arms(self) -> npt.NDArray[Any]: ...
    @property
    def arm_names(self) -> tuple[str, ...]: ...
    @property
    def predicted_quality(self) -> Floats: ...
    @property
    def predicted_usd(self) -> Floats: ...
    @property
    def predicted_seconds(self) -> Floats: ...
    @property
    def value_usd(self) -> Floats: ...
    @property
    def usd_per_second(self) -> Floats: ...
    @property
    def score(self) -> Floats: ...
    @property
    def usd(self) -> Floats: ...
    @property
    def seconds(self) -> Floats: ...
    @property
    def failure(self) -> npt.NDArray[Any]: ...


@dataclass(frozen=True, eq=False)
class Logged:
    """Decisions with a known score: n rows, K candidates each.

    Attributes
    ----------
    there : bool[n, K]
        Whether the candidate is one, not padding.
    probability : float64[n, K]
        Of each candidate, when the decision was drawn; 0 in the padding.
    chosen : int64[n]
    arms : int64[n, K]
        Indices into `arm_names`; -1: a plan of several calls.
    quality, usd, seconds : float64[n, K]
        As predicted at the time.
    value_usd, usd_per_second : float64[n]
    score, paid, took : float64[n]
        The outcome: score, USD and seconds. What is not known of the last two is the prediction.
    assumed_usd, assumed_seconds, unscored, failed : int
        Rows whose USD (seconds) are the prediction; rows that were left out, since their score is not known; rows that
        failed, whose score is 0.
    """

    there: Bools
    probability: Floats
    chosen: Ints
    arms: Ints
    arm_names: tuple[str, ...]
    quality: Floats
    usd: Floats
    seconds: Floats
    value_usd: Floats
    usd_per_second: Floats
    score: Floats
    paid: Floats
    took: Floats
    assumed_usd: int
    assumed_seconds: int
    unscored: int
    failed: int

    def __len__(self) -> int:
        return len(self.chosen)

    def of_chosen(self, table: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The column of the chosen candidate, [n, K] -> [n]."""
        return np.take_along_axis(table, self.chosen[:, None], 1)[:, 0]

    @property
    def deterministic(self) -> Bools:
        """Rows whose decision was not drawn, bool[n]: one candidate had probability 1."""
        return np.asarray(self.probability.max(1) >= 1.0)


def read_columns(log: FeedbackColumns) -> Logged:
    """Checks a log and settles what is missing in it.

    A failure without a score counts as score 0. A row whose score is not known otherwise is left out. Unknown USD and
    seconds become the predicted ones of the chosen candidate.

    Raises
    ------
    InputError
        Columns of different lengths, a ticket twice, a chosen candidate that is none, probabilities or predictions
        that cannot be, or too few outcomes.
    """
    _check(log)
    failed = np.asarray(log.failure) != 0
    score = np.where(failed & np.isnan(log.score), 0.0, log.score)
    rows = np.flatnonzero(~np.isnan(score))
    if len(rows) < LEAST_OUTCOMES:
        raise fail(InputError, "log", f"expected at least {LEAST_OUTCOMES} decisions with a score, got {len(rows)}")
    there = np.arange(log.probabilities.shape[1]) < np.asarray(log.candidate_count)[rows, None]

    def table(values: npt.NDArray[Any]) -> Floats:
        return np.where(there, np.asarray(values, np.float64)[rows], 0.0)

    chosen = np.asarray(log.chosen, np.int64)[rows]
    usd, seconds = table(log.predicted_usd), table(log.predicted_seconds)
    at = np.arange(len(rows))
    paid, took = log.usd[rows], log.seconds[rows]
    return Logged(
        there,
        table(log.probabilities),
        chosen,
        np.where(there, np.asarray(log.arms, np.int64)[rows], -1),
        log.arm_names,
        table(log.predicted_quality),
        usd,
        seconds,
        log.value_usd[rows],
        log.usd_per_second[rows],
        score[rows],
        np.where(np.isnan(paid), usd[at, chosen], paid),
        np.where(np.isnan(took), seconds[at, chosen], took),
        int(np.isnan(paid).sum()),
        int(np.isnan(took).sum()),
        len(score) - len(rows),
        int(failed[rows].sum()),
    )


def _check(log: FeedbackColumns) -> None:
    n, width = log.probabilities.shape
    for name in ("chosen", "candidate_count", "value_usd", "usd_per_second", "score", "usd", "seconds", "failure"):
        if len(getattr(log, name)) != n:
            raise fail(InputError, f"log.{name}", f"expected {n} rows, got {len(getattr(log, name))}")
    tickets, count = np.unique(log.ticket, return_counts=True)
    if (count > 1).any():
        raise fail(InputError, "log.ticket", f"ticket {tickets[count > 1][0]} stands there {count.max()} times")
    chosen, candidates = np.asarray(log.chosen, np.int64), np.asarray(log.candidate_count, np.int64)
    _require(candidates, (candidates >= 1) & (candidates <= width), "candidate_count", f"1 to {width}")
    _require(chosen, (chosen >= 0) & (chosen < candidates), "chosen", "a candidate")
    there = np.arange(width) < candidates[:, None]
    for name in ("probabilities", "predicted_quality"):
        column = getattr(log, name)
        wrong = there & ~((column >= 0.0) & (column <= 1.0))
        _require(column.max(1, initial=0.0), ~wrong.any(1), name, "numbers from 0 to 1")
    for name in ("predicted_usd", "predicted_seconds"):
        column = getattr(log, name)
        _require(column.max(1, initial=0.0), ~(there & ~np.isfinite(column)).any(1), name, "finite numbers")
    total = np.where(there, log.probabilities, 0.0).sum(1)
    _require(total, np.abs(total - 1.0) <= SUM_TOLERANCE, "probabilities", "a sum of 1")
    drawn = np.take_along_axis(log.probabilities, chosen[:, None], 1)[:, 0]
    _require(drawn, drawn > 0.0, "probabilities", "more than 0 of the chosen candidate")


def _require(shown: npt.NDArray[Any], right: npt.NDArray[Any], name: str, expected: str) -> None:
    if not right.all():
        row = int(np.argmin(right))
        raise fail(InputError, f"log.{name}[{row}]", f"expected {expected}, got {shown[row]}")
