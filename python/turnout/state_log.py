"""The log of decisions and outcomes as columns, for off-policy evaluation and replays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from turnout import _native

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FeedbackLog:
    """Outcomes of whole plans, each with the decision that it belongs to: n rows, in the order of the outcomes.

    An outcome of node 0 counts where the plan has one node. What an outcome does not say is NaN. K is 17: what a
    decision was drawn from, padded with probability 0 and arm -1; d is the length of the contexts.

    Attributes
    ----------
    ticket : uint64[n]
    epoch : uint32[n]
    state_version : uint64[n]
        Of the state that the decision read.
    chosen : int32[n]
        Index of the candidate that was drawn.
    candidate_count : int32[n]
    probabilities : float64[n, K]
        Of each candidate, at the time of the decision: the propensities.
    arms : int32[n, K]
        Indices into `arm_names`; -1: a plan of several calls, or padding.
    arm_names : tuple of str
    predicted_quality : float64[n, K]
        P(correct), as predicted at the time with what had been learned; float32 in the log.
    predicted_usd : float64[n, K]
    predicted_seconds : float64[n, K]
    context : float32[n, d]
        In steps of 2^-12.
    prior : float64[n]
        P(correct) of the chosen plan by the outcome model alone, in steps of 2^-15.
    value_usd : float64[n]
    usd_per_second : float64[n]
    score : float64[n]
        In [0, 1]; NaN where it is not known or where there is no answer.
    usd : float64[n]
    in_tokens : float64[n]
    out_tokens : float64[n]
    seconds : float64[n]
    failure : int32[n]
        Index into ``turnout.state.FAILURES``; 0: none.
    learned : bool[n]
        Whether the outcome changed the evidence: False where learning was frozen.
    tickets : int
        Decisions in the log.
    unanswered : int
        Those without an outcome of the whole plan.
    orphans : int
        Outcomes whose ticket is not in these bytes; they are no rows.
    notes : tuple of (int, bytes)
        Ticket and record of a decision, in their order.
    read : tuple of int
        Bytes of each part that were whole records; less than its length where it is torn or damaged there.
    """

    ticket: npt.NDArray[np.uint64]
    epoch: npt.NDArray[np.uint32]
    state_version: npt.NDArray[np.uint64]
    chosen: npt.NDArray[np.int32]
    candidate_count: npt.NDArray[np.int32]
    probabilities: Float64
    arms: npt.NDArray[np.int32]
    arm_names: tuple[str, ...]
    predicted_quality: Float64
    predicted_usd: Float64
    predicted_seconds: Float64
    context: npt.NDArray[np.float32]
    prior: Float64
    value_usd: Float64
    usd_per_second: Float64
    score: Float64
    usd: Float64
    in_tokens: Float64
    out_tokens: Float64
    seconds: Float64
    failure: npt.NDArray[np.int32]
    learned: npt.NDArray[np.bool_]
    tickets: int
    unanswered: int
    orphans: int
    notes: tuple[tuple[int, bytes], ...]
    read: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.ticket)


def read_log(parts: Iterable[bytes]) -> FeedbackLog:
    """The columns of a log: bytes that ``Memory.take()`` gave, in their order, one part a file.

    Each (ticket, node) counts once, whatever is there twice. A part is read up to its first torn or damaged record.

    Raises
    ------
    InputError
        Parts of contexts of different lengths or spaces.
    """
    return FeedbackLog(**_native.read_log(list(parts)))
