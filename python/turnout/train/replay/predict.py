"""Predictions that policies may look at, nested: what a policy learns on was predicted as what it is judged on.

A policy is trained on predictions of the training queries and judged on others. Both must be out of fold, and those of
the training queries must not know the held queries' outcomes either: so each outer fold is cross-fitted for itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from turnout.train import crossfit, data, pipeline
from turnout.train.base import Base
from turnout.train.replay.recorded import Floats, Ints, Recorded
from turnout.train.vae import Settings


class Predicted(NamedTuple):
    """P(correct) [Q, M] and difficulty logit b [Q]."""

    p: Floats
    b: Floats


Predict = Callable[[data.Outcomes, data.Outcomes], tuple[Predicted, Predicted]]
"""Training outcomes, held ones (whose texts alone it may look at) -> predictions of the former (out of fold) and of the
latter."""


class Split(NamedTuple):
    """What a policy is trained on, and what it is judged on."""

    train: Recorded
    held: Recorded


def by_outcome_model(settings: Settings, progress: Callable[[str], None] = lambda _: None) -> Predict:
    """The outcome model that ships, trained as `turnout train` does."""

    def predict(train: data.Outcomes, held: data.Outcomes) -> tuple[Predicted, Predicted]:
        trained = pipeline.train(train, Base.load(None), settings, progress=progress)
        inside, outside = trained.views, trained.look(held.texts)
        return (
            Predicted(trained.model.predict(inside), trained.model.difficulty(inside)),
            Predicted(trained.model.predict(outside), trained.model.difficulty(outside)),
        )

    return predict


def cached(predict: Predict, folder: Path) -> Predict:
    """The same, kept in `folder` by what it was trained on and what it saw."""

    def look_up(train: data.Outcomes, held: data.Outcomes) -> tuple[Predicted, Predicted]:
        digest = hashlib.sha256("\0".join([*train.texts, "", *held.texts]).encode("utf-8", "replace"))
        for column in (train.query, train.llm, train.score):
            digest.update(column.tobytes())
        path = folder / f"predicted-{digest.hexdigest()[:16]}.npz"
        if path.is_file():
            with np.load(path) as kept:
                return Predicted(kept["p"], kept["b"]), Predicted(kept["held_p"], kept["held_b"])
        inside, outside = predict(train, held)
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(path, p=inside.p, b=inside.b, held_p=outside.p, held_b=outside.b)
        return inside, outside

    return look_up


def recorded(outcomes: data.Outcomes, letters: Ints, predicted: Predicted) -> Recorded:
    """Outcomes with their answers and predictions, of all LLMs."""
    usd = np.full((outcomes.queries, len(outcomes.llms)), np.nan)
    usd[outcomes.query, outcomes.llm] = outcomes.usd
    return Recorded(outcomes.llms, letters, outcomes.matrix(), usd, predicted.p, predicted.b)


def split(
    train: data.Outcomes,
    held: data.Outcomes,
    letters: tuple[Ints, Ints],
    predict: Predict,
) -> Split:
    """One training and one held part, of `letters` in this order."""
    of_train, of_held = predict(train, held)
    return Split(recorded(train, letters[0], of_train), recorded(held, letters[1], of_held))


def out_of_fold(outcomes: data.Outcomes, letters: Ints, predict: Predict, folds: int = crossfit.FOLDS) -> list[Split]:
    """One split a fold."""
    fold = data.folds(outcomes.texts, folds)
    out = []
    for k in range(folds):
        inside, held = fold != k, fold == k
        parts = letters[inside], letters[held]
        out.append(split(outcomes.keep(inside), outcomes.keep(held), parts, predict))
    return out
