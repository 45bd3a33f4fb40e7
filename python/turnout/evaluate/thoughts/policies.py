"""Policies that may look at answers before they stop, replayed. Each gives its calls and the answer that it returns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from turnout import belief, consensus
from turnout.belief import Answer, AnswerModel, Observation, Option
from turnout.evaluate.thoughts.answers import NO_ANSWER, Answers

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


class Played(NamedTuple):
    """What a policy did on each query.

    Attributes
    ----------
    usd, score : float64 [Q]
        Recorded cost of all calls; recorded score of the answer that is returned, 0 where it abstains.
    calls : float64 [Q]
    agreed : bool [Q]
        It stopped on two or more answers, all alike.
    """

    usd: Floats
    score: Floats
    calls: Floats
    agreed: Bools


Asked = list[int]
Rule = Callable[[Answers, int], tuple[Asked, int]]
"""Answers and a query -> the columns that were asked, in order, and the column whose answer is returned (-1: none)."""


def play(a: Answers, rule: Rule) -> Played:
    """A rule on every query."""
    usd, score, calls = np.zeros(a.queries), np.zeros(a.queries), np.zeros(a.queries)
    agreed = np.zeros(a.queries, bool)
    for q in range(a.queries):
        asked, returned = rule(a, q)
        said = [int(a.letters[q, m]) for m in asked if a.letters[q, m] != NO_ANSWER]
        usd[q], calls[q] = a.usd[q, asked].sum(), len(asked)
        score[q] = a.right[q, returned] if returned >= 0 else 0.0
        agreed[q] = len(said) > 1 and len(set(said)) == 1
    return Played(usd, score, calls, agreed)


def _answer(a: Answers, q: int, m: int) -> Answer:
    letter = int(a.letters[q, m])
    return Answer(letter, a.llms[m], failed="invalid" if letter == NO_ANSWER else None)


def _first_with(a: Answers, q: int, asked: Asked, letter: object) -> int:
    return next((m for m in asked if a.letters[q, m] == letter), -1)


def second_thoughts(value_usd: float, depth: int = 2, model: AnswerModel | None = None) -> Rule:
    """`belief.next_step` until it stops: it sees P(correct) and expected USD of the text, and the answers so far."""
    given = AnswerModel() if model is None else model

    def rule(a: Answers, q: int) -> tuple[Asked, int]:
        columns = zip(a.llms, a.p[q].tolist(), a.expected_usd[q].tolist(), strict=True)
        options = [Option(llm, p, usd) for llm, p, usd in columns]
        asked: Asked = []
        said: list[Answer] = []
        while True:
            step = belief.next_step(options, Observation(said), value_usd=value_usd, model=given, depth=depth)
            if step.llm is None:
                return asked, _first_with(a, q, asked, step.answer)
            asked.append(a.llms.index(step.llm))
            said.append(_answer(a, q, asked[-1]))

    return rule


def one_call(value_usd: float) -> Rule:
    """The LLM of the largest expected utility, without a look at its answer."""

    def rule(a: Answers, q: int) -> tuple[Asked, int]:
        best = int(np.argmax(value_usd * a.p[q] - a.expected_usd[q]))
        return [best], best

    return rule


def _vote(a: Answers, q: int, asked: Asked) -> int:
    """The plurality's; ties to the ablest voter by P(correct)."""
    letters = [int(a.letters[q, m]) or None for m in asked]
    answer = consensus.plurality(letters, abilities=a.p[q, asked]).answer
    return asked[0] if answer is None else _first_with(a, q, asked, answer)


def always_vote(voters: Sequence[int]) -> Rule:
    """All of them, then the plurality."""
    return lambda a, q: (list(voters), _vote(a, q, list(voters)))


def acar(probes: Sequence[int], judges: Sequence[int]) -> Rule:
    """Three probes; where they agree that is the answer, else as many judges as ACAR says, and a vote of all."""

    def rule(a: Answers, q: int) -> tuple[Asked, int]:
        asked = list(probes)
        distinct = belief.models_to_ask([int(a.letters[q, m]) or None for m in asked])
        if distinct != 1:
            asked += [m for m in judges if m not in asked][: max(distinct, 2) - 1]
        return asked, _vote(a, q, asked)

    return rule


def threshold_cascade(chain: Sequence[int], threshold: float, model: AnswerModel | None = None) -> Rule:
    """A fixed order of LLMs, until the likeliest answer's posterior reaches a threshold (the form of FrugalGPT)."""
    given = AnswerModel() if model is None else model

    def rule(a: Answers, q: int) -> tuple[Asked, int]:
        options = [Option(a.llms[m], float(a.p[q, m])) for m in chain]
        asked: Asked = []
        for m in chain:
            asked.append(m)
            found = belief.posterior(options, [_answer(a, q, i) for i in asked], given)
            none = found.pop(None)
            best = max(found, key=found.__getitem__, default=None)
            sure = 0.0 if best is None else min(found[best], 1.0 - none)
            if belief.accept(sure, threshold, last=m == chain[-1]):
                return asked, _first_with(a, q, asked, best)
        return asked, -1

    return rule
