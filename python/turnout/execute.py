"""A reference executor: a plan's calls, made by the caller's own client; docs/operators.md, "How a plan is run"."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Generator, Hashable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from turnout._native import Decision, PlanNode
from turnout.core import InputError
from turnout.schema import fail

Key = Callable[[str], Hashable]


class Done(str):
    """The text of a call whose node needs no further rounds: an actor has its answer, a program passed its tests."""


@dataclass(frozen=True)
class Output:
    """What one call said. `index` is its node's in `Decision.plan`; rounds and samples count from 0."""

    index: int
    node: PlanNode
    round: int
    sample: int
    text: str


@dataclass(frozen=True)
class Call:
    """One LLM call to make: `node` has its LLM, role, tools and token limits.

    Attributes
    ----------
    draft : Output, optional
        The answer of the operator before. Who revises it (critic, editor) reads it; who answers afresh need not.
    said : tuple of Output
        In this operator: the answers of earlier nodes, and the earlier rounds of this node and of those beside it.
    """

    index: int
    node: PlanNode
    round: int
    sample: int
    draft: Output | None
    said: tuple[Output, ...]

    @property
    def context(self) -> tuple[Output, ...]:
        """The draft, if there is one, then what was said."""
        return self.said if self.draft is None else (self.draft, *self.said)


class Result(NamedTuple):
    """A plan's answer, and what every call said."""

    answer: str
    outputs: tuple[Output, ...]


def _vote(outputs: Sequence[Output], key: Key) -> Output:
    """Plurality of keys, None left out; ties to the highest p_correct, then to the first."""
    keys = [key(output.text) for output in outputs]
    votes = Counter(k for k in keys if k is not None)
    return outputs[max(range(len(keys)), key=lambda i: (votes[keys[i]], outputs[i].node.p_correct, -i))]


def _last_round(outputs: Sequence[Output], index: int) -> list[Output]:
    mine = [output for output in outputs if output.index == index]
    return [output for output in mine if output.round == mine[-1].round]


def _rounds(
    beside: Sequence[tuple[int, PlanNode]], draft: Output | None, said: Sequence[Output]
) -> Generator[list[Call], list[str], list[Output]]:
    """Nodes that stand side by side, round by round: call k of a node is in its round k mod rounds."""
    heard: list[Output] = []
    for r in range(max(node.rounds for _, node in beside)):
        on = [x for x in beside if r == 0 or any(not isinstance(o.text, Done) for o in _last_round(heard, x[0]))]
        turns = [(i, node, k) for i, node in on if r < node.rounds for k in range(r, node.calls, node.rounds)]
        if calls := [Call(i, node, r, k // node.rounds, draft, (*said, *heard)) for i, node, k in turns]:
            for call, text in zip(calls, (yield calls), strict=True):
                if not isinstance(text, str):
                    at = f"plan[{call.index}] ({call.node.role})"
                    raise TypeError(f"call: expected a str for {at}, got {type(text).__name__}")
                heard.append(Output(call.index, call.node, r, call.sample, text))
    return heard


def _steps(decision: Decision, key: Key) -> Generator[list[Call] | Result, list[str], None]:
    """Yields calls that may be made side by side, is sent what they said, and yields the result at the end."""
    if not decision.plan:
        raise fail(InputError, "decision.plan", f"nothing to run: {', '.join(decision.reasons)}")
    draft, outputs = None, list[Output]()
    for _, operator in groupby(enumerate(decision.plan), lambda x: (x[1].layer, x[1].operator)):
        said: list[Output] = []
        for _, group in groupby(operator, lambda x: x[1].depends_on):
            beside = list(group)
            outputs += (heard := (yield from _rounds(beside, draft, said)))
            said += (answers := [_vote(_last_round(heard, index), key) for index, _ in beside])
        draft = _vote(answers, key)
        answer = draft.text
    yield Result(answer, tuple(outputs))


def run(decision: Decision, call: Callable[[Call], str], *, key: Key = str.strip) -> Result:
    """Runs a plan, one call after the other.

    Parameters
    ----------
    decision : Decision
        Its plan is run as it stands, even if it exceeds a limit: look at `Decision.feasible` before.
    call : callable
        Makes one LLM call, runs the tools that the LLM asks for, and returns what came out. What it raises is raised.
    key : callable
        Text -> what votes compare, as the letter of a choice; None casts no vote. Default: the stripped text.

    Raises
    ------
    InputError, TypeError
        The plan is empty; a call returned no str.
    """
    steps = _steps(decision, key)
    step = next(steps)
    while not isinstance(step, Result):
        step = steps.send([call(each) for each in step])
    return step


async def arun(decision: Decision, call: Callable[[Call], Awaitable[str]], *, key: Key = str.strip) -> Result:
    """`run` for asyncio: independent nodes and samples side by side. If a call fails, those beside it are cancelled."""
    steps = _steps(decision, key)
    step = next(steps)
    while not isinstance(step, Result):
        tasks = [asyncio.ensure_future(call(each)) for each in step]
        try:
            texts = await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()  # nothing happens to one that has ended
            await asyncio.wait(tasks)
        step = steps.send(texts)
    return step
