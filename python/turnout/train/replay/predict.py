"""Predictions that policies may look at, nested: what a policy learns on was predicted as what it is judged on.

A policy is trained on predictions of the training queries and judged on others. Both must be out of fold, and those of
the training queries must not know the held queries' outcomes either: so each outer fold is cross-fitted for itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from turnout.train import crossfit, data, response
from turnout.train.replay.recorded import Floats, Ints, Recorded
from turnout.train.vae import Float32Array, Settings


class Predicted(NamedTuple):
    """P(correct) [Q, M] and difficulty logit b [Q]."""

    p: Floats
    b: Floats


Predict = Callable[[data.Outcomes, Float32Array, Float32Array], tuple[Predicted, Predicted]]
"""Training outcomes, their vectors, held vectors -> predictions of the former (out of fold) and of the latter."""


class Split(NamedTuple):
    """What a policy is trained on, and what it is judged on."""

    train: Recorded
    held: Recorded


def by_network(settings: Settings, progress: Callable[[str], None] | None = None) -> Predict:
    """The item-response network that ships, cross-fitted and calibrated as `turnout.train.pipeline` does."""

    def predict(train: data.Outcomes, x: Float32Array, held: Float32Array) -> tuple[Predicted, Predicted]:
        out_of_fold = crossfit.cross_fit(train, x, settings, progress)
        found = crossfit.calibrate(train, out_of_fold)
        fitted = response.fit(train.matrix(), train.sets)
        net = crossfit.fit(crossfit.problem(train, x, fitted), replace(settings, seed=settings.seed + 11))
        return (
            _calibrated(out_of_fold.b, out_of_fold.contrast, found),
            _calibrated(net.assess(held)[0], net.contrast(held), found),
        )

    return predict


def cached(predict: Predict, folder: Path) -> Predict:
    """The same, kept in `folder` by what it was trained on and what it saw."""

    def look_up(train: data.Outcomes, x: Float32Array, held: Float32Array) -> tuple[Predicted, Predicted]:
        digest = hashlib.sha256("\0".join(train.query_ids).encode())
        for column in (train.query, train.llm, train.score, x, held):
            digest.update(column.tobytes())
        path = folder / f"predicted-{digest.hexdigest()[:16]}.npz"
        if path.is_file():
            with np.load(path) as kept:
                return Predicted(kept["p"], kept["b"]), Predicted(kept["held_p"], kept["held_b"])
        inside, outside = predict(train, x, held)
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(path, p=inside.p, b=inside.b, held_p=outside.p, held_b=outside.b)
        return inside, outside

    return look_up


def _calibrated(b: Floats, contrast: Floats, found: crossfit.Calibration) -> Predicted:
    hard = found.slope * b + found.offset
    return Predicted(response.sigmoid(found.ability + found.contrast_slope * contrast - hard[:, None]), hard)


def recorded(outcomes: data.Outcomes, letters: Ints, predicted: Predicted) -> Recorded:
    """Outcomes with their answers and predictions, of all LLMs."""
    usd = np.full((outcomes.queries, len(outcomes.llms)), np.nan)
    usd[outcomes.query, outcomes.llm] = outcomes.usd
    return Recorded(outcomes.llms, letters, outcomes.matrix(), usd, predicted.p, predicted.b)


def split(
    train: data.Outcomes,
    held: data.Outcomes,
    x: tuple[Float32Array, Float32Array],
    letters: tuple[Ints, Ints],
    predict: Predict,
) -> Split:
    """One training and one held part, of `x` and `letters` in this order."""
    of_train, of_held = predict(train, x[0], x[1])
    return Split(recorded(train, letters[0], of_train), recorded(held, letters[1], of_held))


def out_of_fold(
    outcomes: data.Outcomes, x: Float32Array, letters: Ints, predict: Predict, folds: int = crossfit.FOLDS
) -> list[Split]:
    """One split a fold."""
    fold = data.folds(outcomes.texts, folds)
    out = []
    for k in range(folds):
        inside, held = fold != k, fold == k
        parts = (x[inside], x[held]), (letters[inside], letters[held])
        out.append(split(outcomes.keep(inside), outcomes.keep(held), *parts, predict))
    return out
