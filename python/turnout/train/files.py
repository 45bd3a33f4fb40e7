"""The files of a bundle (docs/bundle-format.md) from what training found, and the figures in its manifest."""

from __future__ import annotations

import datetime
import hashlib
from typing import Any

import numpy as np

from turnout.evaluate import calibration
from turnout.train import abilities, bundle, capabilities, card, crossfit, export, metrics, pools, regions
from turnout.train.distil_table import StaticTable
from turnout.train.lexical import LexicalTable
from turnout.train.pipeline import Trained
from turnout.train.vae import Float32Array, FloatArray

QUANTILES = (25.0, 50.0, 75.0)


def embedder_name(table: StaticTable, block: LexicalTable) -> str:
    """The static table's, and a hash of the lexical block."""
    digest = hashlib.sha256()
    for array in (block.rows, block.weights, block.scale, block.marks):
        digest.update(array.tobytes())
    return f"{table.name}+{digest.hexdigest()[:8]}"


def _embed_files(table: StaticTable, block: LexicalTable) -> dict[str, bytes]:
    config = {
        "kind": "static",
        "name": embedder_name(table, block),
        "dim": table.rows.shape[1],
        "head": table.head,
        "tail": table.tail,
        "lexical": block.rows.shape[1],
    }
    return {
        "embed/config.json": bundle.to_json(config),
        "embed/vocab.txt": ("\n".join(table.vocabulary) + "\n").encode(),
        "embed/rows.npy": bundle.npy(table.rows),
        "embed/weights.npy": bundle.npy(table.weights),
        "embed/ngrams.npy": bundle.npy(block.rows),
        "embed/ngram_weights.npy": bundle.npy(block.weights),
        "embed/ngram_scale.npy": bundle.npy(block.scale),
        "embed/marks.npy": bundle.npy(block.marks),
    }


def _difficulty_files(trained: Trained, d: FloatArray, centres: Float32Array) -> dict[str, bytes]:
    config = {
        "domain_threshold": round(regions.threshold(trained.unit, centres), 6),
        "mean_difficulty": round(float(d.mean()), 6),
        "domains": len(trained.groups),
    }
    heads = np.zeros((1 + len(trained.groups), trained.network.latent), np.float32)
    heads[0] = difficulty_head(trained)  # a posterior is not linear in the latent: a sampled latent leaves it
    domains = np.stack([trained.model.domain_offset, trained.model.domain_floor])
    return {
        "difficulty/network.onnx": export.to_onnx(trained.network),
        "difficulty/heads.npy": bundle.npy(heads),
        "difficulty/domains.npy": bundle.npy(domains.astype(np.float32)),
        "difficulty/centroids.npy": bundle.npy(centres),
        "difficulty/config.json": bundle.to_json(config),
    }


def difficulty_head(trained: Trained) -> FloatArray:
    """How the bundle's b moves with the latent, [Z]: least squares over the training queries, since the domain's share
    of it is not linear.
    """
    x = np.hstack([trained.unit, trained.block.held])
    z = trained.network.encode(x)[0]
    b, logits, _ = trained.network.assess(x)
    posterior = crossfit.softmax(logits)
    total = b + posterior @ trained.model.domain_offset
    head, *_ = np.linalg.lstsq(z - z.mean(0), total - total.mean(), rcond=None)
    return np.asarray(head)


def _capability_files(trained: Trained, centres: Float32Array) -> dict[str, bytes]:
    source = trained.base.capabilities
    rows = capabilities.vectors(capabilities.read(source, "capabilities.toml"), trained.base.table, centres)
    return {
        "capability/capabilities.toml": source,
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


def measured(trained: Trained) -> dict[str, Any]:
    """Figures for the manifest, out of fold on the training split but for those of the latent."""
    outcomes, scores = trained.outcomes, trained.outcomes.matrix()
    p = trained.model.predict(trained.views)
    d = trained.difficulty
    step = np.exp(0.5 * trained.network.encode(np.hstack([trained.unit, trained.block.held]))[1])
    moved = step * difficulty_head(trained)
    return {
        "out_of_fold": {name: _of_set(outcomes.sets == k, scores, p, d) for k, name in enumerate(outcomes.set_names)},
        "domain_accuracy": round(float((trained.views.posterior.argmax(1) == trained.domain).mean()), 4),
        "active_units": trained.latent.active_units,
        "kl_nats": round(trained.latent.kl_nats, 3),
        "reconstruction_cosine": round(trained.latent.reconstruction_cosine, 4),
        "sampled_logit_sd": round(float(np.sqrt((moved**2).sum(1)).mean()), 4),
        "latent": trained.network.latent,
        "dim": trained.unit.shape[1],
        "lexical": trained.block.held.shape[1],
        "capabilities": len(capabilities.read(trained.base.capabilities, "capabilities.toml")),
    }


def _of_set(rows: Any, scores: FloatArray, p: FloatArray, d: FloatArray) -> dict[str, Any]:
    inside, chance = scores[rows], p[rows]
    seen = ~np.isnan(inside)
    llms = [m for m in range(seen.shape[1]) if seen[:, m].any()]
    each = [_calibration(chance[seen[:, m], m], inside[seen[:, m], m]) for m in llms]
    whole = _calibration(chance[seen], inside[seen])
    answered = seen.any(1)
    failure = 1.0 - np.nanmean(inside[answered], 1)
    return {
        "queries": int(rows.sum()),
        "spearman_d": round(metrics.spearman(d[rows][answered], failure), 4),
        "ece": round(whole.ece, 4),
        "brier": round(whole.brier, 4),
        "llms": len(llms),
        "llms_calibrated": sum(found.passes for found in each),
    }


def _calibration(p: FloatArray, score: FloatArray) -> calibration.Calibration:
    return calibration.calibrations(p[:, None], score[:, None])[0]


def render(
    trained: Trained, training: dict[str, Any], figures: dict[str, Any], name: str, date: datetime.date | None
) -> dict[str, bytes]:
    """Every file of the bundle but its manifest."""
    d = trained.difficulty
    pool = trained.base.pool or pools.render(trained, date)
    llms = abilities.ability_table(trained, pools.ids(pool))
    config = operators_config(d)
    centres = regions.centroids(trained.unit, seed=trained.settings.seed)
    return _embed_files(trained.base.table, trained.block.table) | {
        **_difficulty_files(trained, d, centres),
        **_capability_files(trained, centres),
        "operators/config.json": bundle.to_json(config),
        "operators/operators.toml": trained.base.operators,
        "llms.json": bundle.to_json(llms),
        "pool.toml": pool,
        "model_card.md": card.render(training, figures, llms, config, name).encode(),
    }
