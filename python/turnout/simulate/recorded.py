"""What a simulation replays: the outcomes of a pool's LLMs, and what the router and the text say of each query."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from turnout.evaluate import bundled
from turnout.evaluate.protocol import unit_vectors
from turnout.evaluate.task import Task
from turnout.pool import LlmEntry, Pool
from turnout.router import Router

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

PRICES = ("usd_per_mtok_in", "usd_per_mtok_out", "usd_per_call")
DOMAIN_SCALE = 0.3  # of the domain posterior beside the constant: an LLM's deviation in a domain is the smaller one


@dataclass(frozen=True, eq=False)
class Recorded:
    """Q queries that each of M LLMs has answered.

    Attributes
    ----------
    name : str
    llms : tuple of str
    texts, domains : list of str
    score, usd : float64 [Q, M]
        Recorded.
    correct, expected_usd : float64 [Q, M]
        What the router predicts without any feedback.
    context : float64 [Q, d]
        1 and the scaled domain posterior: what corrections are linear in.
    vectors : float64 [Q, D]
        Unit vectors of the texts, for policies that know no router.
    router : Router, optional
        That it was recorded with; None: outcomes that no router has seen.
    """

    name: str
    llms: tuple[str, ...]
    texts: list[str]
    domains: list[str]
    score: Floats
    usd: Floats
    correct: Floats
    expected_usd: Floats
    context: Floats
    vectors: Floats
    router: Router | None = None

    def keep(self, rows: Mask) -> Recorded:
        pick = np.flatnonzero(rows).tolist()
        return replace(
            self,
            texts=[self.texts[i] for i in pick],
            domains=[self.domains[i] for i in pick],
            score=self.score[rows],
            usd=self.usd[rows],
            correct=self.correct[rows],
            expected_usd=self.expected_usd[rows],
            context=self.context[rows],
            vectors=self.vectors[rows],
        )

    def cold(self) -> Recorded:
        """The same where nothing is known of the LLMs: all are as likely to be right."""
        return replace(self, correct=np.full_like(self.correct, 0.5), router=None)

    def __len__(self) -> int:
        return len(self.texts)


def router_at_log_prices(bundle: Path | None, task: Task) -> Router:
    """The bundle's router over the task's LLMs at the prices of the log: the USD that it expects of an LLM on the
    training queries are in the mean what was recorded there."""
    assert task.cost is not None
    train = np.flatnonzero(task.train)
    entries = bundled.entries_of(bundle, task.llms)
    texts = [task.texts[i] for i in train.tolist()]
    expected = bundled.expected(Router.load(bundle, pool=Pool(entries)), texts).usd.mean(0)
    recorded = task.cost[train].mean(0)
    priced = [_at_level(*each) for each in zip(entries, expected.tolist(), recorded.tolist(), strict=True)]
    return Router.load(bundle, pool=Pool(priced))


def _at_level(entry: LlmEntry, expected: float, recorded: float) -> LlmEntry:
    """All its prices times one factor; what was free by the entry has a price a call."""
    if expected == 0.0:
        return msgspec.structs.replace(entry, usd_per_call=recorded)
    scale = recorded / expected
    prices = {name: getattr(entry, name) * scale for name in PRICES}
    return msgspec.structs.replace(entry, **prices)


def recorded(task: Task, router: Router) -> Recorded:
    """All queries of a task, as this router sees them."""
    assert task.cost is not None
    found = bundled.expected(router, task.texts)
    seen = router.assess(task.texts)
    posterior = seen.skills[:, seen.skills.shape[1] - seen.domains :].astype(np.float64)
    context = np.concatenate([np.ones((len(task.texts), 1)), DOMAIN_SCALE * posterior], 1)
    return Recorded(
        task.name,
        task.llms,
        task.texts,
        task.domains,
        task.score,
        task.cost,
        found.correct,
        found.usd,
        context,
        unit_vectors(router, task.texts),
        router,
    )
