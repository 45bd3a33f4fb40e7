"""Predictions that policies may look at, nested: what a policy learns on was predicted as what it is judged on.

A policy is trained on predictions of the training queries and judged on others. Both must be out of fold, and those of
the training queries must not know the held queries' outcomes either: so each outer fold is trained for itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from turnout import _native
from turnout.embed import lexical_features
from turnout.outcomes import Outcomes, folds
from turnout.train import crossfit, lexical, outcome, pipeline
from turnout.train.base import Base
from turnout.train.replay.recorded import Floats, Ints, Recorded
from turnout.train.vae import Settings


class Predicted(NamedTuple):
    """P(correct) [Q, M] and difficulty logit b [Q]."""

    p: Floats
    b: Floats


Predict = Callable[[Outcomes, Outcomes], tuple[Predicted, Predicted]]
"""Training outcomes, held ones (their texts) -> predictions of the former (out of fold) and of the latter."""


class Split(NamedTuple):
    """What a policy is trained on, and what it is judged on."""

    train: Recorded
    held: Recorded


def by_network(base: Base, settings: Settings, progress: Callable[[str], None] = print) -> Predict:
    """The model that a bundle gets, trained by `turnout.train.pipeline` on the training outcomes."""

    def predict(train: Outcomes, held: Outcomes) -> tuple[Predicted, Predicted]:
        trained = pipeline.train(train, base, settings, progress=progress)
        return _predicted(trained.model, trained.views), _predicted(trained.model, _views(trained, held.texts))

    return predict


def _predicted(model: outcome.Model, views: outcome.Views) -> Predicted:
    return Predicted(model.predict(views), model.difficulty(views))


def _views(trained: pipeline.Trained, texts: Sequence[str]) -> outcome.Views:
    """What the network says of queries that it never saw, on the scale of its out-of-fold views."""
    table = trained.base.table
    tokenizer = _native.Tokenizer(("\n".join(table.vocabulary) + "\n").encode())
    features = lexical_features(tokenizer, texts, lexical.BITS, head=table.head, tail=table.tail)
    x = np.hstack([table.embed(table.ids(list(texts))), trained.block.table.score(features)])
    b, logits, _ = trained.network.assess(x)
    return outcome.Views(b / trained.model.slope, crossfit.softmax(logits))


def cached(predict: Predict, folder: Path) -> Predict:
    """The same, kept in `folder` by what it was trained on and what it saw."""

    def look_up(train: Outcomes, held: Outcomes) -> tuple[Predicted, Predicted]:
        digest = hashlib.sha256("\0".join([*train.query_ids, "", *held.query_ids]).encode())
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


def recorded(outcomes: Outcomes, letters: Ints, predicted: Predicted) -> Recorded:
    """Outcomes with their answers and predictions, of all LLMs."""
    return Recorded(outcomes.llms, letters, outcomes.matrix(), outcomes.matrix("usd"), predicted.p, predicted.b)


def split(train: Outcomes, held: Outcomes, letters: tuple[Ints, Ints], predict: Predict) -> Split:
    """One training and one held part, of `letters` in this order."""
    of_train, of_held = predict(train, held)
    return Split(recorded(train, letters[0], of_train), recorded(held, letters[1], of_held))


def out_of_fold(outcomes: Outcomes, letters: Ints, predict: Predict, count: int = crossfit.FOLDS) -> list[Split]:
    """One split a fold."""
    fold, out = folds(outcomes.texts, count), []
    for k in range(count):
        inside, held = fold != k, fold == k
        parts = letters[inside], letters[held]
        out.append(split(outcomes.keep(inside), outcomes.keep(held), parts, predict))
    return out
