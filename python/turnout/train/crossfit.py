"""Out-of-fold predictions: every query is judged by regressions and a network that never saw it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from turnout.embed import LexicalFeatures
from turnout.train import lexical, response, vae
from turnout.train.lexical import LexicalTable
from turnout.train.vae import Data, Float32Array, FloatArray, IntArray, Settings

FOLDS = 5
Stage = Callable[[str, Callable[[], dict[str, Any]]], dict[str, Any]]
"""A named piece of work and what it makes, as arrays: done, or taken from where an earlier run left it."""


def run_now(name: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """A `Stage` that keeps nothing."""
    return work()


@dataclass(frozen=True)
class Targets:
    """What the lexical regressions predict: difficulty, domain, log length.

    Attributes
    ----------
    values : float64 [Q, 1 + K + 1]
        NaN where there is none.
    penalty : float64 [1 + K + 1]
    """

    values: FloatArray
    penalty: FloatArray


PENALTY = 2.0  # chosen on the training splits: rank correlation and accuracy are flat from 1 to 4


def targets(difficulty: FloatArray, domain: IntArray, domains: int, length: FloatArray) -> Targets:
    """Difficulty enters as a probability of failure: a few queries that all LLMs fail would rule a fit to logits."""
    difficulty = response.sigmoid(difficulty)
    values = np.hstack([difficulty[:, None], np.eye(domains)[domain], length[:, None]])
    return Targets(values, np.full(values.shape[1], PENALTY))


@dataclass(frozen=True)
class Lexical:
    """Lexical scores of the training queries, each by regressions without its fold, and the table that ships.

    Attributes
    ----------
    held : float32 [Q, R]
        On the table's scale: unit variance a column.
    linear : float64 [Q, T]
        The whole regressions' predictions without a query's fold, standardised.
    table : LexicalTable
    projection : float64 [T, D + R]
    intercept : float64 [T]
        The whole regressions, fitted on all queries, as linear functions of embedding and lexical scores, on the scale
        of `linear`.
    """

    held: Float32Array
    linear: FloatArray
    table: LexicalTable
    projection: FloatArray
    intercept: FloatArray


@dataclass(frozen=True)
class _Regressions:
    """Fitted on some of the queries.

    Attributes
    ----------
    weights : float64 [buckets + marks + D, T]
    level : float64 [T]
    idf : int16 [buckets]
    """

    weights: FloatArray
    level: FloatArray
    idf: Any

    @staticmethod
    def fit(features: LexicalFeatures, unit: Float32Array, goal: Targets, rows: IntArray) -> tuple[_Regressions, Any]:
        """With every query's design, for predictions."""
        idf = lexical.inverse_document_frequency(features, rows)
        x = lexical.design(features, idf, unit)
        weights, level = lexical.ridge(x[rows], goal.values[rows], goal.penalty)
        return _Regressions(weights, level, idf), x

    @property
    def own(self) -> int:
        """How many of the features are n-grams and marks."""
        return len(self.idf) + lexical.MARKS


def lexical_scores(
    features: LexicalFeatures, unit: Float32Array, goal: Targets, fold: IntArray, stage: Stage
) -> Lexical:
    """Cross-fits the regressions and fits them on all queries."""
    count, dim = goal.values.shape[1], unit.shape[1]
    columns = lexical.columns_for(count)
    held, whole = np.zeros((len(unit), count)), np.zeros((len(unit), count))

    def one(k: int) -> dict[str, Any]:
        found, x = _Regressions.fit(features, unit, goal, np.flatnonzero(fold != k))
        rows = x[np.flatnonzero(fold == k)]
        return {
            "lexical": rows[:, : found.own] @ found.weights[: found.own],
            "whole": rows @ found.weights + found.level,
        }

    for k in range(FOLDS):
        part = stage(f"lexical fold {k + 1} of {FOLDS}", lambda k=k: one(k))  # type: ignore[misc]
        held[fold == k], whole[fold == k] = part["lexical"], part["whole"]
    scale, centre, spread = np.maximum(held.std(0), 1e-6), whole.mean(0), np.maximum(whole.std(0), 1e-6)

    def final() -> dict[str, Any]:
        found, _ = _Regressions.fit(features, unit, goal, np.arange(len(unit)))
        table = lexical.quantise(found.weights / scale, found.idf, columns)
        static = lexical.STATIC_SHARE * found.weights[found.own :].T / spread[:, None]
        return {
            "rows": table.rows,
            "weights": table.weights,
            "scale": table.scale,
            "marks": table.marks,
            "projection": np.hstack([static, np.eye(count, columns) * (scale / spread)[:, None]]),
            "intercept": (found.level - centre) / spread,
        }

    out = np.zeros((len(unit), columns), np.float32)
    out[:, :count] = held / scale
    made = stage("lexical table", final)
    assert made["projection"].shape == (count, dim + columns)
    table = LexicalTable(made["rows"], made["weights"], made["scale"], made["marks"])
    return Lexical(out, (whole - centre) / spread, table, made["projection"], made["intercept"])


@dataclass(frozen=True)
class Views:
    """What networks said of queries that they were not trained on.

    Attributes
    ----------
    b, length : float64 [Q]
    logits : float64 [Q, K]
        Of the domain.
    """

    b: FloatArray
    logits: FloatArray
    length: FloatArray


def _rows(data: Data, rows: Any) -> Data:
    return replace(
        data,
        x=data.x[rows],
        scores=data.scores[rows],
        difficulty=data.difficulty[rows],
        difficulty_sd=data.difficulty_sd[rows],
        linear=data.linear[rows],
        domain=data.domain[rows],
        length=data.length[rows],
        weight=data.weight[rows],
    )


def cross_fit(data: Data, sets: IntArray, fold: IntArray, settings: Settings, stage: Stage) -> Views:
    """Trains one network a fold, item response included, and applies it to the fold it left out."""

    def one(k: int) -> dict[str, Any]:
        inside = _rows(data, fold != k)
        fitted = response.fit(inside.scores, compact(sets[fold != k]))
        inside = replace(inside, difficulty=fitted.difficulty, difficulty_sd=fitted.difficulty_sd)
        net = vae.train(inside, replace(settings, seed=settings.seed + 1 + k))
        b, logits, length = vae.assess(net, data.x[fold == k], data.linear[fold == k])
        return {"b": b, "logits": logits, "length": length}

    b, length = np.full(len(data.x), np.nan), np.full(len(data.x), np.nan)
    logits = np.full((len(data.x), data.domains), np.nan)
    for k in range(FOLDS):
        found = stage(f"network fold {k + 1} of {FOLDS}", lambda k=k: one(k))  # type: ignore[misc]
        b[fold == k], logits[fold == k], length[fold == k] = found["b"], found["logits"], found["length"]
    return Views(b, logits, length)


def compact(sets: IntArray) -> IntArray:
    """Sets numbered without gaps."""
    return np.asarray(np.unique(sets, return_inverse=True)[1], np.int64)


def temperature(logits: FloatArray, domain: IntArray) -> float:
    """What the domain's logits are multiplied by for calibrated posteriors (Guo et al. 2017, arXiv 1706.04599)."""
    best, best_loss = 1.0, np.inf
    for value in np.geomspace(0.25, 4.0, 65):
        z = value * logits
        z = z - z.max(1, keepdims=True)
        loss = float((np.log(np.exp(z).sum(1)) - z[np.arange(len(domain)), domain]).mean())
        if loss < best_loss:
            best, best_loss = float(value), loss
    return best


def softmax(logits: FloatArray) -> FloatArray:
    z = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(z / z.sum(1, keepdims=True))
