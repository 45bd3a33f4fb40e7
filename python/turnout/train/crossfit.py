"""Out-of-fold predictions and the calibration that they allow: every query is judged by a network that never saw it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from turnout.train import response, vae
from turnout.train.assessor import Assessor, from_network
from turnout.train.data import Outcomes, folds
from turnout.train.vae import Data, Float32Array, FloatArray, IntArray, Settings

FOLDS = 5
# A query's weight in the loss by the number of LLMs that answered it: n / (n + this). One bit of outcome says less.
ANSWERS_AT_HALF = 2.0
Progress = Callable[[str], None]


@dataclass(frozen=True)
class OutOfFold:
    """What networks said of queries that they were not trained on.

    Attributes
    ----------
    b : float64 [Q]
        Difficulty logit.
    contrast : float64 [Q, M]
        skill . s(q) of each LLM.
    """

    b: FloatArray
    contrast: FloatArray


@dataclass(frozen=True)
class Calibration:
    """``logit P = ability + contrast_slope * contrast - (slope * b + offset)``, fitted to out-of-fold predictions."""

    ability: FloatArray
    slope: float
    offset: float
    contrast_slope: float


def problem(outcomes: Outcomes, x: Float32Array, fitted: response.Response) -> Data:
    """What the network is trained on."""
    scores = outcomes.matrix()
    answers = (~np.isnan(scores)).sum(1)
    weight = answers / (answers + ANSWERS_AT_HALF)
    return Data(x, scores, fitted.difficulty, fitted.difficulty_sd, weight)


def fit(data: Data, settings: Settings) -> Assessor:
    """One network on all of `data`."""
    return from_network(vae.train(data, settings), data.x)


def cross_fit(outcomes: Outcomes, x: Float32Array, settings: Settings, progress: Progress | None = None) -> OutOfFold:
    """Trains one network a fold, item response included, and applies it to the fold it left out."""
    fold = folds(outcomes.texts, FOLDS)
    b = np.full(len(x), np.nan)
    contrast = np.full((len(x), len(outcomes.llms)), np.nan)
    for k in range(FOLDS):
        inside = outcomes.keep(fold != k)
        data = problem(inside, x[fold != k], response.fit(inside.matrix(), inside.sets))
        net = fit(data, replace(settings, seed=settings.seed + 1 + k))
        held = x[fold == k]
        b[fold == k], contrast[fold == k] = net.assess(held)[0], net.contrast(held)
        if progress is not None:
            progress(f"fold {k + 1} of {FOLDS}")
    return OutOfFold(b, contrast)


def _regress(outcomes: Outcomes, column: FloatArray, offset: FloatArray, steps: int = 50) -> tuple[FloatArray, float]:
    """Logistic regression of the outcomes on an ability for each LLM and one `column` [N], given an `offset` [N].

    Queries weigh as in training, shared by their cells. Newton's method; the abilities' block of the Hessian is
    diagonal.
    """
    answers = np.bincount(outcomes.query, minlength=outcomes.queries)
    weight = 1.0 / (answers + ANSWERS_AT_HALF)[outcomes.query]
    llm, llms = outcomes.llm, len(outcomes.llms)
    ability, slope = np.zeros(llms), 1.0
    for _ in range(steps):
        p = response.sigmoid(ability[llm] + slope * column + offset)
        residual, curvature = weight * (outcomes.score - p), weight * p * (1.0 - p)
        diagonal = np.maximum(np.bincount(llm, curvature, llms), 1e-9)
        border = np.bincount(llm, curvature * column, llms)
        gradient = np.bincount(llm, residual, llms)
        corner = (curvature * column**2).sum() - (border**2 / diagonal).sum() + 1e-9
        step = float((column @ residual - border @ (gradient / diagonal)) / corner)
        slope += step
        ability = ability + (gradient - border * step) / diagonal
        if abs(step) < 1e-10:
            break
    return ability, slope


def calibrate(outcomes: Outcomes, held: OutOfFold) -> Calibration:
    """First what LLMs share: a slope and offset of b that make P(correct) calibrated without skills. Then, b fixed,
    how much of the contrasts holds out of fold, and each LLM's ability beside them.
    """
    present = np.bincount(outcomes.llm, minlength=len(outcomes.llms)) > 0
    ability, slope = _regress(outcomes, -held.b[outcomes.query], np.zeros(len(outcomes.score)))
    offset = -float(ability[present].mean())
    contrast = held.contrast[outcomes.query, outcomes.llm]
    ability, gain = _regress(outcomes, contrast, -(slope * held.b[outcomes.query] + offset))
    return Calibration(np.where(present, ability, np.nan), slope, offset, gain)


def probabilities(outcomes: Outcomes, held: OutOfFold, found: Calibration) -> FloatArray:
    """P(correct) of each outcome's cell, [N], by calibrated predictions."""
    b = found.slope * held.b[outcomes.query] + found.offset
    gain = found.contrast_slope * held.contrast[outcomes.query, outcomes.llm]
    return response.sigmoid(found.ability[outcomes.llm] + gain - b)


def difficulty(held: OutOfFold, found: Calibration) -> FloatArray:
    """Calibrated d [Q]: P(the reference LLM fails)."""
    return response.sigmoid(found.slope * held.b + found.offset)


def by_set(outcomes: Outcomes) -> IntArray:
    """The set of each outcome, [N]."""
    return outcomes.sets[outcomes.query]
