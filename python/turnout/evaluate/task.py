"""What is evaluated: a pool of LLMs on the queries of one set that all of them answered."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from turnout.core import InputError
from turnout.outcomes import Outcomes
from turnout.schema import did_you_mean, fail

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Pools = Mapping[str, Mapping[str, Sequence[str] | str]]
"""Set -> name of a pool -> its LLMs, or "*" for all of the set."""

ENOUGH = 0.5  # of a set's queries: the least share that an LLM of the pool "all" has answered
LEAST_ROWS = 20  # of a split, below which nothing can be said


@dataclass(frozen=True)
class Task:
    """A pool's complete rows.

    Attributes
    ----------
    set_name, pool : str
    llms : tuple of str, [M]
    query_ids, texts, domains : list of str, [Q]
    train : bool [Q]
        Whether the query is of the split "train".
    score : float64 [Q, M]
    cost : float64 [Q, M] or None
        USD; None where the pool has no costs: quality alone is evaluated then.
    set_score : float64 [Q]
        Mean score of all LLMs of the set that answered, also of those outside the pool.
    dropped : int
        Queries of the set that lack a score or a cost of some LLM.
    left_out : tuple of str
        LLMs of the set that the pool "all" leaves out: too few of their scores and costs are known.
    cost_kinds : dict of str to int
        How the costs of the pool's outcomes are known.
    """

    set_name: str
    pool: str
    llms: tuple[str, ...]
    query_ids: list[str]
    texts: list[str]
    domains: list[str]
    train: Mask
    score: Floats
    cost: Floats | None
    set_score: Floats
    dropped: int
    left_out: tuple[str, ...]
    cost_kinds: dict[str, int]

    @property
    def name(self) -> str:
        return f"{self.set_name}/{self.pool}"


def tasks(outcomes: Outcomes, pools: Pools | None = None) -> list[Task]:
    """A task for each pool of each set; without `pools` one a set, of all LLMs with scores and costs on half of it.

    Raises
    ------
    InputError
        A pool names an unknown set or LLM, has fewer than 2, or too few rows are complete.
    """
    found = []
    for set_name in pools or ():
        if set_name not in outcomes.set_names:
            hint = f"expected one of {', '.join(outcomes.set_names)}{did_you_mean(set_name, outcomes.set_names)}"
            raise fail(InputError, f"pools.{set_name}", hint)
    for k, set_name in enumerate(outcomes.set_names):
        part = outcomes.keep(outcomes.sets == k)
        part = part.select_llms([part.llms[m] for m in np.unique(part.llm).tolist()])
        for pool, llms in ({"all": "*"} if pools is None else pools.get(set_name, {})).items():
            found.append(_task(part, set_name, pool, llms))
    return found


def _task(part: Outcomes, set_name: str, pool: str, llms: Sequence[str] | str) -> Task:
    path = f"pools.{set_name}.{pool}"
    score, usd = part.matrix(), part.matrix("usd")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a query that nobody answered: no pool keeps it
        set_score = np.nanmean(score, 1)
    if isinstance(llms, str):
        if llms != "*":
            raise fail(InputError, path, f"expected a list of LLMs or '*', got {llms!r}")
        columns = _columns_of_all(score, usd)
    else:
        columns = _columns(part.llms, llms, path)
    if len(columns) < 2:
        raise fail(InputError, path, f"expected at least 2 LLMs with scores on half of the queries, got {len(columns)}")
    score, usd = score[:, columns], usd[:, columns]
    costed = not np.isnan(usd).all(0).any()
    needed = [score, usd] if costed else [score]
    complete: Mask = np.logical_not(np.isnan(np.concatenate(needed, 1)).any(1))
    rows = np.flatnonzero(complete).tolist()
    of_pool = np.isin(part.llm, columns) & complete[part.query]
    names = tuple(part.llms[m] for m in columns)
    return Task(
        set_name,
        pool,
        names,
        [part.query_ids[i] for i in rows],
        [part.texts[i] for i in rows],
        [part.domains[i] for i in rows],
        np.array([part.splits[i] == "train" for i in rows], bool),
        score[rows],
        usd[rows] if costed else None,
        set_score[rows],
        part.queries - len(rows),
        tuple(name for name in part.llms if name not in names) if isinstance(llms, str) else (),
        dict(Counter(part.usd_kind[i] for i in np.flatnonzero(of_pool).tolist())),
    )


def _columns_of_all(score: Floats, usd: Floats) -> list[int]:
    """The LLMs with scores and costs on enough queries; where there are not two of them, those with scores."""
    scored = ~np.isnan(score)
    both = np.flatnonzero((scored & ~np.isnan(usd)).mean(0) >= ENOUGH)
    return (both if len(both) >= 2 else np.flatnonzero(scored.mean(0) >= ENOUGH)).tolist()


def _columns(known: Sequence[str], llms: Sequence[str], path: str) -> list[int]:
    at = {name: i for i, name in enumerate(known)}
    for i, name in enumerate(llms):
        if name not in at:
            raise fail(InputError, f"{path}[{i}]", f"{name!r} has no outcomes in this set{did_you_mean(name, known)}")
        if name in llms[:i]:
            raise fail(InputError, f"{path}[{i}]", f"{name!r} is named twice")
    return [at[name] for name in llms]


def require_rows(task: Task, rows: Mask, what: str) -> None:
    """Raises an InputError unless there are enough of them."""
    if int(rows.sum()) < LEAST_ROWS:
        message = f"expected at least {LEAST_ROWS} {what} queries that every LLM of the pool has answered"
        raise fail(InputError, task.name, f"{message}, got {int(rows.sum())}")
