"""Outcomes -> everything a bundle is made of: regressions, item response, network, outcome model, lengths, prices.

Nothing is judged by what it was fitted on: the network sees regressions' predictions of queries that these left out,
and the outcome model and the lengths see a network's predictions of queries that it left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from turnout import _native
from turnout.embed import LexicalFeatures, lexical_features
from turnout.outcomes import Outcomes, folds
from turnout.train import crossfit, domains, lengths, lexical, outcome, prices, response, vae
from turnout.train.assessor import Assessor, from_network
from turnout.train.base import Base
from turnout.train.crossfit import Lexical, Stage
from turnout.train.distil_table import StaticTable
from turnout.train.lengths import Lengths
from turnout.train.prices import Price
from turnout.train.response import Response
from turnout.train.vae import Data, Float32Array, FloatArray, IntArray, Settings

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Trained:
    """Everything that training found.

    Attributes
    ----------
    base : Base
    outcomes : Outcomes
        What it was trained on.
    unit : float32 [Q, D]
        Static vectors.
    tokens : int64 [Q]
        Of each query.
    fitted : Response
    groups : list of str
        Names of the domains that are told apart.
    domain : int64 [Q]
    block : Lexical
    raw, network : Assessor
        On its own scale, and on the bundle's.
    latent : LatentFacts
    views : outcome.Views
        Out of fold, on the network's own scale.
    length : float64 [Q]
        Predicted log length, out of fold.
    temperature : float
        Of the domain's logits.
    model : outcome.Model
    lengths : Lengths
    prices : list of Price or None, one an LLM
    settings : Settings
    """

    base: Base
    outcomes: Outcomes
    unit: Float32Array
    tokens: IntArray
    fitted: Response
    groups: list[str]
    domain: IntArray
    block: Lexical
    raw: Assessor
    network: Assessor
    latent: vae.LatentFacts
    views: outcome.Views
    length: FloatArray
    temperature: float
    model: outcome.Model
    lengths: Lengths
    prices: list[Price | None]
    settings: Settings

    @property
    def difficulty(self) -> FloatArray:
        """d [Q], out of fold."""
        return response.sigmoid(self.model.difficulty(self.views))

    def look(self, texts: Sequence[str]) -> outcome.Views:
        """What the network that ships says of other texts, on its own scale."""
        unit = self.base.table.embed(self.base.table.ids(list(texts)))
        scores = self.block.table.score(_features(self.base.table, texts))
        b, logits, _ = self.raw.assess(np.hstack([unit, scores]))
        return outcome.Views(b, crossfit.softmax(self.temperature * logits))


def train(
    outcomes: Outcomes, base: Base, settings: Settings, stage: Stage = crossfit.run_now, progress: Progress = print
) -> Trained:
    """Fits everything on `outcomes`: give it the training split alone."""
    progress(f"reading {outcomes.queries} queries")
    unit = base.table.embed(base.table.ids(outcomes.texts))
    features = _features(base.table, outcomes.texts)
    fold, scores = folds(outcomes.texts, crossfit.FOLDS), outcomes.matrix()
    groups, domain = domains.group(outcomes.sets, outcomes.set_names, outcomes.domains, unit, settings.seed)
    progress("item response")
    fitted = response.fit(scores, crossfit.compact(outcomes.sets))
    out_tokens = lengths.usable(outcomes.matrix("out_tokens"))
    shared = lengths.shared(out_tokens)
    goal = crossfit.targets(fitted.difficulty, domain, len(groups), shared)
    block = crossfit.lexical_scores(features, unit, goal, fold, stage)
    data = Data(
        np.hstack([unit, block.held]),
        unit.shape[1],
        scores,
        fitted.difficulty,
        fitted.difficulty_sd,
        block.linear,
        domain,
        len(groups),
        shared,
        _weights(scores),
    )
    held = crossfit.cross_fit(data, outcomes.sets, fold, settings, stage)
    net = _final(data, settings, stage)
    temperature = crossfit.temperature(held.logits, domain)
    views = outcome.Views(held.b, crossfit.softmax(temperature * held.logits))
    progress("outcome model")
    model = outcome.fit(scores, views, domain, _llm_groups(outcomes), fold)
    found = lengths.fit(out_tokens, held.length, views.posterior)
    raw = from_network(net, block.projection, block.intercept)
    return Trained(
        base,
        outcomes,
        unit,
        features.tokens.astype(np.int64),
        fitted,
        groups,
        domain,
        block,
        raw,
        raw.scaled(model.slope, temperature, 1.0),
        vae.latent_facts(net, data),
        views,
        held.length,
        temperature,
        model,
        found,
        _prices(outcomes, features.tokens.astype(np.float64), out_tokens, found),
        settings,
    )


def _features(table: StaticTable, texts: Sequence[str]) -> LexicalFeatures:
    tokenizer = _native.Tokenizer(("\n".join(table.vocabulary) + "\n").encode())
    return lexical_features(tokenizer, texts, lexical.BITS, head=table.head, tail=table.tail)


def _weights(scores: FloatArray) -> FloatArray:
    answers = (~np.isnan(scores)).sum(1)
    return np.asarray(answers / (answers + outcome.ANSWERS_AT_HALF))


def _llm_groups(outcomes: Outcomes) -> IntArray:
    """The set that each LLM has most outcomes in, int64 [M]: LLMs of one set are shrunk alike."""
    cells = np.zeros((len(outcomes.llms), len(outcomes.set_names)))
    np.add.at(cells, (outcomes.llm, outcomes.sets[outcomes.query]), 1.0)
    return np.asarray(cells.argmax(1), np.int64)


def _final(data: Data, settings: Settings, stage: Stage) -> vae.Network:
    """The network that ships, trained on all queries."""

    def work() -> dict[str, Any]:
        return {name: value.numpy() for name, value in vae.train(data, settings).state_dict().items()}

    net = vae.Network(data, settings)
    net.load_state_dict({name: torch.tensor(value) for name, value in stage("network", work).items()})
    return net.eval()


def _prices(outcomes: Outcomes, tokens: FloatArray, out_tokens: FloatArray, found: Lengths) -> list[Price | None]:
    usd = outcomes.matrix("usd")
    return [prices.fit(usd[:, m], tokens, out_tokens[:, m], float(found.mean[m])) for m in range(len(outcomes.llms))]


def facts(trained: Trained, digest: str) -> dict[str, Any]:
    """What it was trained on, and how."""
    outcomes = trained.outcomes
    return {
        "sets": {name: int((outcomes.sets == k).sum()) for k, name in enumerate(outcomes.set_names)},
        "split": "train",
        "outcomes": len(outcomes.score),
        "llms": len(outcomes.llms),
        "costs": _kinds(outcomes),
        "data_sha256": digest,
        "base": trained.base.name,
        "teacher": trained.base.teacher,
        "embedder": trained.base.table.name,
        "folds": crossfit.FOLDS,
        "domains": trained.groups,
        "settings": asdict(trained.settings),
        "calibration": {
            "slope": round(trained.model.slope, 4),
            "temperature": round(trained.temperature, 4),
            "tau": [round(float(t), 4) for t in trained.model.tau],
            "spread": round(trained.model.spread, 4),
        },
    }


def _kinds(outcomes: Outcomes) -> dict[str, int]:
    """How the costs are known, and of how many outcomes."""
    names, count = np.unique(np.array(outcomes.usd_kind), return_counts=True)
    return dict(zip(names.tolist(), count.tolist(), strict=True))


def data_digest(outcomes: Outcomes) -> str:
    """A hash of the queries and outcomes that were used."""
    digest = hashlib.sha256(
        "\0".join(outcomes.query_ids + outcomes.texts + outcomes.domains).encode("utf-8", "replace")
    )
    for column in (outcomes.query, outcomes.llm, outcomes.score, outcomes.usd, outcomes.out_tokens):
        digest.update(column.tobytes())
    return digest.hexdigest()[:16]
