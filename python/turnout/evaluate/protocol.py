"""The protocol: every policy is fitted on training rows, decides on held rows from their texts alone, on one grid.

A decision at a weight w is the argmax over arms of ``p - w * c / (max - min mean training cost)``, p the policy's
predicted score and c its own expected cost. Only the references (`REFERENCES`) see more than the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from turnout.evaluate import frontier, networks
from turnout.evaluate.baselines import BASELINES, Examples, Predictor, Queries
from turnout.evaluate.bundled import at_log_prices, expected
from turnout.evaluate.frontier import Arms
from turnout.evaluate.task import Task, require_rows
from turnout.router import Router

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SINGLES, TURNOUT, PLACEBO, ORACLE = "singles", "turnout", "turnout_permuted", "oracle"
REFERENCES = ("domain_table", ORACLE)
"""What sees more than a router does: the true domain, the recorded outcomes."""
PERMUTATIONS = 20  # of the texts, for the placebo: one alone may be lucky
NEEDS_TORCH = "needs turnout[train]"


@dataclass(frozen=True)
class Fold:
    """Rows of a task to fit on and rows to decide, and what is fixed before those are seen.

    Attributes
    ----------
    train, held : int64
        Rows.
    router : Router
        Whose vectors the baselines see. It knows the task's LLMs, in their order, if `predicts`.
    predicts : bool
        Whether the router is evaluated too.
    """

    train: Ints
    held: Ints
    router: Router
    predicts: bool = True


class Policy(NamedTuple):
    """What a policy did on the evaluated rows.

    Attributes
    ----------
    name : str
    kind : str
        "policy", "reference", "placebo", "missing" (it could not run) or "singles" (each row of the tables one LLM).
    score, cost : float64 [L, N]
        Recorded, of the choices at each weight; a policy without weights has L = 1.
    chosen : int64 [L, N] or None
    predicted : float64 [N, M] or None
        Its predicted scores.
    note : str
    """

    name: str
    kind: str
    score: Floats
    cost: Floats
    chosen: Ints | None = None
    predicted: Floats | None = None
    note: str = ""

    @property
    def swept(self) -> bool:
        """Whether it answers at every weight: it has a frontier, not a point."""
        return len(self.score) > 1


@dataclass(frozen=True)
class Decided:
    """All policies on the evaluated rows of a task (`rows`), with the arms that its training split names.

    `placebos` are turnout on the texts of other rows, permuted anew in each: what it gets without looking at the query.
    """

    task: Task
    rows: Ints
    arms: Arms
    policies: list[Policy]
    placebos: list[Policy]

    @property
    def score(self) -> Floats:
        return self.task.score[self.rows]

    @property
    def cost(self) -> Floats:
        return _cost(self.task)[self.rows]

    def policy(self, name: str) -> Policy:
        return next(policy for policy in self.policies if policy.name == name)


def split_fold(task: Task, router: Router, predicts: bool = True) -> Fold:
    """Fit on the split "train", decide the split "test"."""
    require_rows(task, task.train, "training")
    require_rows(task, ~task.train, "test")
    return Fold(np.flatnonzero(task.train), np.flatnonzero(~task.train), router, predicts)


def decide(task: Task, folds: Sequence[Fold], seed: int = 0) -> Decided:
    """Fits and runs every policy.

    Parameters
    ----------
    folds : sequence of Fold
        Their held rows do not overlap: one for a test, five for out-of-fold.
    seed : int
        Of the random policy and of the placebo.
    """
    rows = np.sort(np.concatenate([fold.held for fold in folds]))
    cost = _cost(task)
    train = task.train if task.train.any() else np.ones(len(task.train), bool)
    arms = frontier.single_arms(task.score[train], cost[train])
    predicted = _Predicted(task, folds)
    policies = _simple(task.score[rows], cost[rows], arms, seed)
    for name, (p, c) in predicted.known.items():
        policies.append(_swept(name, task, p, c, predicted.scale, rows))
    policies += [_missing(name, NEEDS_TORCH) for name in networks.NETWORKS if not networks.available()]
    policies.append(_swept(ORACLE, task, task.score, cost, predicted.scale, rows)._replace(predicted=None))
    return Decided(task, rows, arms, policies, _placebos(task, predicted, rows, seed))


def _cost(task: Task) -> Floats:
    return np.zeros_like(task.score) if task.cost is None else task.cost


def _simple(score: Floats, cost: Floats, arms: Arms, seed: int) -> list[Policy]:
    """The single arms, and those that draw one."""
    drawn = np.random.default_rng(seed).integers(0, score.shape[1], (1, len(score)))
    found = [Policy(SINGLES, "singles", score.T, cost.T)]
    for name, chosen in (
        ("random", drawn),
        ("cheapest", np.full_like(drawn, arms.cheapest)),
        ("strongest", np.full_like(drawn, arms.best)),
    ):
        found.append(_policy(name, chosen, score, cost))
    mixture = Policy("uniform_mixture", "policy", score.mean(1)[None], cost.mean(1)[None])
    return [*found[:2], mixture, *found[2:]]


def _policy(name: str, chosen: Ints, score: Floats, cost: Floats) -> Policy:
    at = np.arange(len(score))
    kind = "reference" if name in REFERENCES else "policy"
    return Policy(name, kind, score[at, chosen], cost[at, chosen], chosen)


def _missing(name: str, note: str) -> Policy:
    return Policy(name, "missing", np.empty((0, 0)), np.empty((0, 0)), note=note)


def _swept(name: str, task: Task, p: Floats, c: Floats, scale: Floats, rows: Ints) -> Policy:
    cost = _cost(task)
    weights = frontier.WEIGHTS if task.cost is not None else frontier.WEIGHTS[:1]
    price = np.divide(c, scale[:, None], out=np.zeros_like(c), where=scale[:, None] > 0.0)
    chosen = frontier.choices(p[rows], price[rows], 1.0, weights)
    return _policy(name, chosen, task.score[rows], cost[rows])._replace(predicted=p[rows])


def _placebos(task: Task, predicted: _Predicted, rows: Ints, seed: int) -> list[Policy]:
    if TURNOUT not in predicted.known or task.cost is None:
        return []
    rng, found = np.random.default_rng(seed + 1), []
    for _ in range(PERMUTATIONS):
        p, c = (column.copy() for column in predicted.known[TURNOUT])
        shuffled = rng.permutation(rows)
        p[rows], c[rows] = p[shuffled], c[shuffled]
        found.append(_swept(PLACEBO, task, p, c, predicted.scale, rows)._replace(kind="placebo", predicted=None))
    return found


class _Predicted:
    """Predicted scores and costs [Q, M] by policy, filled fold by fold; `scale` [Q] is that of the row's fold."""

    def __init__(self, task: Task, folds: Sequence[Fold]) -> None:
        self.task = task
        self.known: dict[str, tuple[Floats, Floats]] = {}
        self.scale = np.zeros(len(task.texts))
        for fold in folds:
            self._fold(fold)

    def _fold(self, fold: Fold) -> None:
        task, cost = self.task, _cost(self.task)
        mean_cost = cost[fold.train].mean(0)
        self.scale[fold.held] = np.ptp(mean_cost)
        if fold.predicts:
            correct, usd = expected(fold.router, task.texts)
            usd = at_log_prices(usd, fold.train, mean_cost)
            self._put(TURNOUT, fold.held, correct[fold.held], usd[fold.held])
        x = unit_vectors(fold.router, task.texts)
        domains = np.array(task.domains, object)
        train = Examples(x[fold.train], task.score[fold.train], domains[fold.train].tolist())
        queries = Queries(x[fold.held], domains[fold.held].tolist())
        price = np.broadcast_to(mean_cost, (len(fold.held), len(mean_cost)))
        for name, predictor in predictors().items():
            self._put(name, fold.held, predictor(train, queries), price)

    def _put(self, name: str, held: Ints, p: Floats, c: Floats) -> None:
        shape = self.task.score.shape
        table = self.known.setdefault(name, (np.full(shape, np.nan), np.full(shape, np.nan)))
        table[0][held], table[1][held] = p, c


def unit_vectors(router: Router, texts: Sequence[str]) -> Floats:
    """What the baselines see, float64 [N, D]: no lexical scores, which a bundle has fitted to outcomes."""
    dim = router.parts.bundle.embed_config().dim
    return np.stack([router.embed(text)[:dim] for text in texts]).astype(np.float64)


def predictors() -> dict[str, Predictor]:
    """The baselines that can run here, by name."""
    return BASELINES | (networks.NETWORKS if networks.available() else {})
