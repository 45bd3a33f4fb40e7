"""Which actions are worth considering: chosen on training queries by how far they lie below the cost-quality hull."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from turnout.evaluate import frontier
from turnout.train.replay.actions import Action, Cascade, Single, Vote, all_cascades, all_votes, play, singles
from turnout.train.replay.recorded import Floats, Ints, Recorded


@dataclass(frozen=True)
class Library:
    """Actions, and what each brought on every query: right, usd float64 [Q, A]."""

    actions: list[Action]
    right: Floats
    usd: Floats


def replay(actions: Sequence[Action], recorded: Recorded) -> Library:
    """Plays every action on every query."""
    played = [play(action, recorded) for action in actions]
    return Library(list(actions), np.stack([x.right for x in played], 1), np.stack([x.usd for x in played], 1))


def below_hull(score: Floats, cost: Floats) -> Floats:
    """How far each point lies below the hull of all, [N]."""
    points = frontier.Curve(cost, score)
    return np.asarray(frontier.height(points, cost) - score)


def able(train: Recorded, most: int) -> Ints:
    """The LLMs nearest to the hull of the single models."""
    gap = below_hull(train.right.mean(0), train.usd.mean(0))
    return np.sort(np.argsort(gap, kind="stable")[:most])


def candidates(train: Recorded, most_llms: int = 8, most_each: int = 24) -> list[Action]:
    """Every LLM alone; of votes (of 3 and of 5) and of cascades of the ablest LLMs those nearest to the hull of all."""
    llms = able(train, most_llms).tolist()
    price = train.usd.mean(0)
    of_three, of_five = _named(all_votes(len(llms), 3), llms), _named(all_votes(len(llms), 5), llms)
    cascades = _named(all_cascades(price[llms]), llms)
    every = [*singles(len(train.llms)), *of_three, *of_five, *cascades]
    found = replay(every, train)
    gap = below_hull(found.right.mean(0), found.usd.mean(0))
    out, start = singles(len(train.llms)), len(train.llms)
    for group, most in ((of_three, most_each), (of_five, most_each // 4), (cascades, most_each)):
        inside = gap[start : start + len(group)]
        out += [group[i] for i in np.argsort(inside, kind="stable")[:most]]
        start += len(group)
    return out


def _named(actions: Sequence[Action], llms: Sequence[int]) -> list[Action]:
    """Actions over positions in `llms` -> over LLMs."""
    out = list[Action]()
    for action in actions:
        if isinstance(action, Single):
            out.append(Single(llms[action.llm]))
        elif isinstance(action, Vote):
            out.append(Vote(tuple(llms[m] for m in action.llms)))
        else:
            out.append(Cascade(tuple(llms[m] for m in action.first), llms[action.then], action.vote))
    return out
