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


def _design(outcomes: Outcomes, held: OutOfFold) -> tuple[FloatArray, FloatArray]:
    """The two slopes' columns [N, 2] and the weight [N] of each cell: queries weigh as in training, shared by their cells."""
    columns = np.stack([-held.b[outcomes.query], held.contrast[outcomes.query, outcomes.llm]], 1)
    answers = np.bincount(outcomes.query, minlength=outcomes.queries)
    return columns, 1.0 / (answers + ANSWERS_AT_HALF)[outcomes.query]


def calibrate(outcomes: Outcomes, held: OutOfFold, steps: int = 30) -> Calibration:
    """Weighted logistic regression of the outcomes on the out-of-fold b and contrast, with an ability for each LLM.

    Newton's method; the abilities' block of the Hessian is diagonal, so a step solves a 2 x 2 system.
    """
    columns, weight = _design(outcomes, held)
    llm, llms = outcomes.llm, len(outcomes.llms)
    ability, slopes = np.zeros(llms), np.ones(2)
    for _ in range(steps):
        p = response.sigmoid(ability[llm] + columns @ slopes)
        residual, curvature = weight * (outcomes.score - p), weight * p * (1.0 - p)
        diagonal = np.maximum(np.bincount(llm, curvature, llms), 1e-9)
        border = np.stack([np.bincount(llm, curvature * c, llms) for c in columns.T], 1)
        gradient = np.bincount(llm, residual, llms)
        corner = (columns * curvature[:, None]).T @ columns + 1e-9 * np.eye(2)
        schur = corner - border.T @ (border / diagonal[:, None])
        step = np.linalg.solve(schur, columns.T @ residual - border.T @ (gradient / diagonal))
        slopes = slopes + step
        ability = ability + (gradient - border @ step) / diagonal
        if np.abs(step).max() < 1e-10:
            break
    present = np.bincount(llm, minlength=llms) > 0
    mean = float(ability[present].mean())
    return Calibration(np.where(present, ability - mean, np.nan), float(slopes[0]), -mean, float(slopes[1]))


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
