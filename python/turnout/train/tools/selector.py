"""The trained tool side: vectors of tools with training queries, a projection for those without, calibration.

1. A projection of descriptions, fitted so that tools which it was not fitted on are found (folds over tools).
2. A vector for each tool by softmax regression, drawn to its projection; penalties by cross-validation over queries.
3. Calibration on out-of-fold scores: one line, one shift of all vectors, one threshold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from turnout.capability import Projection, unit_rows
from turnout.core import InputError
from turnout.schema import fail
from turnout.train.tools import calibrate
from turnout.train.tools.calibrate import Line, best
from turnout.train.tools.fit import Space, fit_projection, fit_vectors, targets_of

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
Folds = npt.NDArray[np.int64]
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Settings:
    """What training is told; where there are several values, cross-validation chooses.

    Attributes
    ----------
    seed : int
        Of the folds over tools and of the rows that the projection is fitted on.
    folds : int
    penalties : tuple of (damping of the whitening, L2 penalty a query)
        Of the tools' vectors.
    projection_penalties : tuple of float
        L2 penalty a query on the projection's departure from the matched filter.
    few : float
        So many training queries of a tool weigh as much as its description.
    iterations : int
        Of L-BFGS.
    projection_rows : int
        Queries that the projection is fitted on, at most.
    shift_penalty : float
        L2 penalty on the shift.
    keep : float, optional
        Share of the training queries that keep their proposals where no training query lacks a tool; None: no
        threshold, so that something is always proposed.
    """

    seed: int = 0
    folds: int = 3
    penalties: tuple[tuple[float, float], ...] = ((1.0, 2e-4), (1.0, 7e-4), (3.0, 2e-4))
    projection_penalties: tuple[float, ...] = (0.003, 0.01, 0.05)
    few: float = 5.0
    iterations: int = 25
    projection_rows: int = 4000
    shift_penalty: float = 3.0
    keep: float | None = 0.95


@dataclass(frozen=True)
class Data:
    """Embedded queries [N, D] and descriptions [T, D], what fits what [N, T], and a fold for each query."""

    x: Singles
    t: Singles
    relevant: Flags
    folds: Folds

    @property
    def matched(self) -> Flags:
        """The queries that some tool fits, [N]."""
        return np.asarray(self.relevant.any(1))

    @property
    def seen(self) -> Flags:
        """The tools that fit some query, [T]."""
        return np.asarray(self.relevant.any(0))


@dataclass(frozen=True)
class Selector:
    """What a bundle's `capability` folder holds; logit P(relevant) = slope * (x . vector) + intercept."""

    vectors: Singles
    projection: Projection
    slope: float
    intercept: float
    threshold: float | None
    facts: dict[str, Any]


def quality(scores: Floats, relevant: Flags) -> dict[str, float]:
    """Hit@1, recall@5 and mean reciprocal rank over the queries that some tool fits."""
    rows = relevant.any(1)
    scores, relevant = scores[rows], relevant[rows]
    order = best(scores, scores.shape[1])
    ranked = np.take_along_axis(relevant, order, 1)
    recall = ranked[:, : calibrate.PROPOSED].sum(1) / relevant.sum(1)
    return {
        "hit@1": float(ranked[:, 0].mean()),
        "recall@5": float(recall.mean()),
        "mrr": float((1.0 / (1.0 + ranked.argmax(1))).mean()),
    }


# The projection -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Described:
    """Tools by their descriptions, in the whitened space of the queries."""

    space: Space
    features: Floats  # [T, D]

    @staticmethod
    def of(data: Data, damping: float = 1.0) -> _Described:
        space = Space.of(data.x[data.matched], damping)
        return _Described(space, unit_rows(data.t.astype(np.float64) @ space.root))

    def vectors(self, matrix: Floats) -> Floats:
        return self.space.out_of(self.features @ matrix.T)


def _tool_folds(data: Data, settings: Settings) -> Iterator[tuple[Flags, Flags]]:
    """(tools to fit on, tools left out), both among those with training queries."""
    seen = np.flatnonzero(data.seen)
    shuffled = np.random.default_rng(settings.seed).permutation(seen)
    for k in range(min(settings.folds, len(seen))):
        left = np.zeros(len(data.t), bool)
        left[shuffled[k :: settings.folds]] = True
        yield data.seen & ~left, left


def _some(rows: Flags, settings: Settings) -> npt.NDArray[np.int64]:
    """At most `projection_rows` of the rows, drawn with the seed, in their order."""
    shuffled = np.random.default_rng(settings.seed).permutation(np.flatnonzero(rows))
    return np.sort(shuffled[: settings.projection_rows])


def _project(data: Data, described: _Described, tools: Flags, penalty: float, settings: Settings) -> Floats:
    rows = _some(np.asarray(data.relevant[:, tools].any(1)), settings)
    x = (data.x[rows].astype(np.float64) @ described.space.root).astype(np.float32)
    targets = targets_of(data.relevant[rows][:, tools])
    return fit_projection(x, targets, described.features[tools], penalty, settings.iterations)


@dataclass(frozen=True)
class _Projected:
    """The projection with the penalty that finds unseen tools best."""

    matrix: Floats
    penalty: float
    unseen: list[tuple[Flags, Flags, Floats]]  # of each fold over tools: fitted on, left out, its matrix
    quality: dict[str, float]


def _choose_projection(data: Data, described: _Described, settings: Settings) -> _Projected:
    tried = []
    for penalty in settings.projection_penalties:
        unseen = [
            (kept, left, _project(data, described, kept, penalty, settings))
            for kept, left in _tool_folds(data, settings)
        ]
        scored = [
            quality(data.x @ described.vectors(matrix)[left].T, data.relevant[:, left]) for _, left, matrix in unseen
        ]
        tried.append((penalty, unseen, {key: float(np.mean([s[key] for s in scored])) for key in scored[0]}))
    penalty, unseen, found = max(tried, key=lambda one: one[2]["recall@5"])
    matrix = _project(data, described, data.seen, penalty, settings)
    return _Projected(matrix, penalty, unseen, found)


# The vectors ----------------------------------------------------------------------------------------------------------


def _fit(data: Data, rows: Flags, prior: Floats, space: Space, penalty: float, settings: Settings) -> Floats:
    """Vectors of the tools with training queries, in the order of their columns."""
    seen = data.seen
    used = rows & data.matched
    x = (data.x[used].astype(np.float64) @ space.root).astype(np.float32)
    targets = targets_of(data.relevant[used][:, seen])
    count = targets.sum(0, dtype=np.float64)[:, None]
    # A hundred queries say more of a tool than its description.
    drawn = (prior[seen] - prior[seen].mean(0)) * settings.few / (count + settings.few)
    return space.out_of(fit_vectors(x, targets, space.into(drawn), penalty, settings.iterations))


def _out_of_fold(data: Data, prior: Floats, damping: float, penalty: float, settings: Settings) -> Floats:
    """Scores [N, seen tools] of each query by vectors that were fitted without its fold."""
    scores = np.zeros((len(data.x), int(data.seen.sum())))
    for k in range(settings.folds):
        rows = data.folds != k
        space = Space.of(data.x[rows & data.matched], damping)
        scores[~rows] = data.x[~rows] @ _fit(data, rows, prior, space, penalty, settings).T
    return scores


# Together -------------------------------------------------------------------------------------------------------------


def _unseen_line(
    data: Data, described: _Described, projected: _Projected, line: Line, s: Settings
) -> tuple[float, float]:
    """(slope, intercept) that put scores of unseen tools on the scale of P(relevant)."""
    rows = _some(np.ones(len(data.x), bool), s)
    x = data.x[rows].astype(np.float64)
    z, y = [], []
    for kept, left, matrix in projected.unseen:
        vectors = described.vectors(matrix)
        z.append(x @ (vectors[left] - vectors[kept].mean(0)).T)
        y.append(data.relevant[rows][:, left])
    slope, intercept = calibrate.fit_offset_line(np.concatenate(z, 1), x @ line.shift, np.concatenate(y, 1))
    return max(slope, 0.0), intercept  # descriptions that say nothing must not count against a tool


def _constant(x: Singles) -> Floats:
    """The vector whose answer to a query is nearest to 1, whatever the query."""
    q = x.astype(np.float64)
    moment = q.T @ q / len(q)
    out: Floats = np.linalg.solve(moment + 1e-3 * np.trace(moment) / len(moment) * np.eye(len(moment)), q.mean(0))
    return out


@dataclass(frozen=True)
class _Chosen:
    """The penalties that do best out of fold, with the scores by which they do and by which vectors are calibrated."""

    damping: float
    penalty: float
    scores: Floats
    quality: dict[str, float]


def _choose_vectors(data: Data, prior: Floats, settings: Settings, progress: Progress) -> _Chosen:
    tried = []
    for damping, penalty in settings.penalties:
        scores = _out_of_fold(data, prior, damping, penalty, settings)
        tried.append(_Chosen(damping, penalty, scores, quality(scores, data.relevant[:, data.seen])))
        recall = tried[-1].quality["recall@5"]
        progress(f"damping {damping:g}, penalty {penalty:g}: recall@5 {recall:.3f} out of fold")
    return max(tried, key=lambda one: one.quality["recall@5"])


def _line(data: Data, scores: Floats, settings: Settings) -> Line:
    line = calibrate.fit_line(scores, data.x, data.relevant[:, data.seen], settings.shift_penalty)
    if not line.slope > 0.0:
        what = "out of fold they say nothing about their tools: are `relevant` and `text` of the same query?"
        raise fail(InputError, "queries", what)
    return line


def _error(data: Data, logits: Floats) -> float:
    """ECE of P(relevant) over the tools that would be proposed."""
    columns = best(logits)
    y = np.take_along_axis(data.relevant[:, data.seen], columns, 1)
    return calibrate.expected_error(expit(np.take_along_axis(logits, columns, 1)).ravel(), y.ravel())


def train(data: Data, settings: Settings, progress: Progress) -> Selector:
    """Fits and calibrates the tool side on all rows of `data`; rows without a relevant tool only calibrate."""
    described = _Described.of(data)
    projected = _choose_projection(data, described, settings)
    progress(f"projection: recall@5 {projected.quality['recall@5']:.3f} among tools left out")
    prior = described.vectors(projected.matrix)

    chosen = _choose_vectors(data, prior, settings, progress)
    space = Space.of(data.x[data.matched], chosen.damping)
    fitted = _fit(data, np.ones(len(data.x), bool), prior, space, chosen.penalty, settings)

    # Vectors whose answers are logits less the intercept: those of unseen tools first, then those with queries.
    line = _line(data, chosen.scores, settings)
    slope, intercept = _unseen_line(data, described, projected, line, settings)
    shift = line.shift + (intercept - line.intercept) * _constant(data.x) - slope * prior[data.seen].mean(0)
    vectors = slope * prior + shift
    vectors[data.seen] = line.slope * fitted + line.shift
    longest = float(np.linalg.norm(vectors, axis=1).max())

    logits = line.logits(chosen.scores, data.x)
    cut = None
    if settings.keep is not None:
        cut = (calibrate.choose_threshold(logits.max(1), data.matched, settings.keep) - line.intercept) / longest
    root = described.space.root
    projection = Projection(single(root), single(slope * root @ projected.matrix / longest), single(shift / longest))
    facts = {
        "damping": chosen.damping,
        "penalty": chosen.penalty,
        "projection_penalty": projected.penalty,
        "out_of_fold": rounded(chosen.quality | {"ece": _error(data, logits)}),
        "unseen_tools": rounded(projected.quality),
    }
    return Selector(single(vectors / longest), projection, longest, line.intercept, cut, facts)


def single(array: Floats) -> Singles:
    """float32, C order."""
    return np.ascontiguousarray(array, np.float32)


def rounded(figures: dict[str, float]) -> dict[str, float]:
    return {key: round(value, 4) for key, value in figures.items()}
