"""What can be replayed: one LLM, a vote, a cascade; each with the answer and the cost that it really had.

A vote is the plurality of the letters. Ties go to the voter of the highest predicted P(correct), which is the rule by
which `turnout.execute` runs a plan; who said nothing readable does not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from turnout.train.replay.recorded import Floats, Ints, Recorded

Bools = npt.NDArray[np.bool_]


class Single(NamedTuple):
    """One LLM alone."""

    llm: int


class Vote(NamedTuple):
    """Distinct LLMs, all asked."""

    llms: tuple[int, ...]


class Cascade(NamedTuple):
    """The `first` are asked; where they agree, that is the answer, else `then` is asked too.

    With one LLM first, to agree is to say something readable. `vote`: the answer after `then` is the vote of all, else
    it is what `then` says.
    """

    first: tuple[int, ...]
    then: int
    vote: bool = False


Action = Single | Vote | Cascade


class Played(NamedTuple):
    """What came of an action on each query, [Q] each.

    Attributes
    ----------
    right, usd : float64
    stopped : bool
        A cascade that did not need its last call; False elsewhere.
    """

    right: Floats
    usd: Floats
    stopped: Bools


def votes(letters: Ints) -> Ints:
    """How many of [Q, k] letters are the same as each, itself included; 0 for no letter."""
    same = (letters[:, :, None] == letters[:, None, :]) & (letters[:, :, None] > 0)
    return np.asarray(same.sum(axis=2), np.int64)


def winner(letters: Ints, p: Floats) -> Ints:
    """Whose answer stands, [Q]: of the most frequent letter the voter of the highest P(correct), then the first."""
    count = votes(letters)
    leading = count == count.max(axis=1, keepdims=True)
    return np.asarray(np.where(leading, p, -1.0).argmax(axis=1))


def agreed(letters: Ints) -> Bools:
    """Whether all of [Q, k] say the same letter."""
    return np.asarray((letters == letters[:, :1]).all(axis=1) & (letters[:, 0] > 0))


def _vote(recorded: Recorded, llms: Sequence[int]) -> Floats:
    at = list(llms)
    chosen = winner(recorded.letters[:, at], recorded.p[:, at])
    return np.asarray(recorded.right[:, at][np.arange(recorded.queries), chosen])


def _cascade(action: Cascade, recorded: Recorded) -> Played:
    first = list(action.first)
    stopped = agreed(recorded.letters[:, first])
    last = _vote(recorded, [*first, action.then]) if action.vote else recorded.right[:, action.then]
    usd = recorded.usd[:, first].sum(1) + np.where(stopped, 0.0, recorded.usd[:, action.then])
    return Played(np.where(stopped, recorded.right[:, first[0]], last), usd, stopped)


def play(action: Action, recorded: Recorded) -> Played:
    """What the action would have brought on every query."""
    if isinstance(action, Cascade):
        return _cascade(action, recorded)
    never = np.zeros(recorded.queries, np.bool_)
    if isinstance(action, Single):
        return Played(recorded.right[:, action.llm], recorded.usd[:, action.llm], never)
    return Played(_vote(recorded, action.llms), recorded.usd[:, list(action.llms)].sum(1), never)


def singles(llms: int) -> list[Action]:
    return [Single(m) for m in range(llms)]


def all_votes(llms: int, voters: int) -> list[Action]:
    """Every set of so many LLMs."""
    return [Vote(chosen) for chosen in combinations(range(llms), voters)]


def all_cascades(price: Floats) -> list[Action]:
    """One or two LLMs, then a dearer one than any of them: `price` is each LLM's mean USD."""
    llms = range(len(price))
    firsts = [(m,) for m in llms] + list(combinations(llms, 2))
    return [
        Cascade(first, then, vote)
        for first in firsts
        for then in llms
        if price[then] > max(price[m] for m in first)
        for vote in ((False, True) if len(first) > 1 else (False,))
    ]


def name(action: Action, llms: Sequence[str]) -> str:
    """For people."""
    if isinstance(action, Single):
        return llms[action.llm]
    if isinstance(action, Vote):
        return "vote(" + ", ".join(llms[m] for m in action.llms) + ")"
    last = "vote with " if action.vote else ""
    return " = ".join(llms[m] for m in action.first) + f", else {last}{llms[action.then]}"
