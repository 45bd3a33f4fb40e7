"""``python -m turnout.train.check DATA --bundle FOLDER``: how good a bundle is, measured again from the data.

Out of fold on the training split (networks trained again with the bundle's settings) and, for the shipped network, on
the test split, on which nothing was chosen.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from threadpoolctl import threadpool_limits

from turnout.bundle import AbilityTable, Bundle
from turnout.core import ConfigError, TurnoutError
from turnout.train import crossfit, distil, encoder, metrics, response
from turnout.train.data import Outcomes, folds, load
from turnout.train.distil import StaticTable
from turnout.train.vae import Float32Array, FloatArray, Settings

BASELINE_SET = "mmlupro29"


@dataclass(frozen=True)
class Shipped:
    """The parts of a bundle that are measured."""

    bundle: Bundle
    table: StaticTable
    abilities: AbilityTable

    @staticmethod
    def load(path: Path) -> Shipped:
        bundle = Bundle.load(path)
        config = bundle.embed_config()
        if config.kind != "static":
            raise ConfigError(f"{bundle.where('embed/config.json')}: only a static embedder can be checked here")
        rows = bundle.array("embed/rows.npy", np.int8, (None, config.dim))
        weights = bundle.array("embed/weights.npy", np.int16, (len(rows),))
        vocabulary = bundle.bytes("embed/vocab.txt").decode().splitlines()
        table = StaticTable(config.name, vocabulary, rows, weights, config.head, config.tail)
        return Shipped(bundle, table, bundle.abilities())

    def assess(self, x: Float32Array) -> FloatArray:
        """The network's output [Q, 2 Z + 1 + S]."""
        session = onnxruntime.InferenceSession(self.bundle.bytes("difficulty/network.onnx"))
        return np.asarray(session.run(["assessment"], {"embedding": x})[0], np.float64)

    def latent(self) -> int:
        return int(self.bundle.array("difficulty/heads.npy", np.float32, (None, None)).shape[1])

    def settings(self) -> Settings:
        return Settings(**self.bundle.manifest.training["settings"])

    def embed(self, texts: list[str]) -> Float32Array:
        return self.table.embed(self.table.ids(texts))

    def probabilities(self, outcomes: Outcomes, out: FloatArray) -> FloatArray:
        """P(correct) of each outcome's cell, [N]."""
        z = self.latent()
        known = {llm.id: llm for llm in self.abilities.llms}
        ability = np.array([known[name].ability for name in outcomes.llms])
        skill = np.array([known[name].skill for name in outcomes.llms])
        b, s = out[outcomes.query, 2 * z], out[outcomes.query, 2 * z + 1 :]
        return response.sigmoid(ability[outcomes.llm] + (skill[outcomes.llm] * s).sum(1) - b)


def _line(name: str, values: dict[str, object]) -> None:
    print(f"  {name:24s}" + "  ".join(f"{key} {value}" for key, value in values.items()))


def _calibration(outcomes: Outcomes, p: FloatArray, d: FloatArray) -> None:
    failure = 1.0 - np.nanmean(outcomes.matrix(), 1)
    for k, name in enumerate(outcomes.set_names):
        cells, queries = outcomes.sets[outcomes.query] == k, outcomes.sets == k
        found = metrics.calibration(p[cells], outcomes.score[cells])
        rho = metrics.spearman(d[queries], failure[queries])
        _line(
            name,
            {
                "queries": int(queries.sum()),
                "Spearman(d, failure)": f"{rho:.4f}",
                "ECE": f"{found.ece:.4f}",
                "Brier": f"{found.brier:.4f}",
                "mean d": f"{d[queries].mean():.3f}",
            },
        )


def _depths(outcomes: Outcomes, d: FloatArray, cuts: list[float]) -> None:
    depth = np.searchsorted(np.array(cuts), d, side="right")
    for name, rows in [("all", np.ones(len(d), bool))] + [
        (name, outcomes.sets == k) for k, name in enumerate(outcomes.set_names)
    ]:
        share = np.bincount(depth[rows], minlength=len(cuts) + 1) / rows.sum()
        _line(name, {f"depth {i + 1}": f"{100 * value:.1f} %" for i, value in enumerate(share)})


def _baseline(train: Outcomes, d: FloatArray, x: Float32Array, teacher: Float32Array) -> float:
    """Prints d beside ridge regression; returns by how much the teacher's ridge ranks better."""
    rows = train.sets == train.set_names.index(BASELINE_SET)
    failure = (1.0 - np.nanmean(train.matrix(), 1))[rows]
    fold = folds(train.texts, crossfit.FOLDS)[rows]
    ridge, rho = metrics.ridge_out_of_fold(teacher, failure, fold)
    _, static = metrics.ridge_out_of_fold(x[rows], failure, fold)
    difference, error = metrics.spearman_difference(d[rows], ridge, failure)
    print(f"{BASELINE_SET}, Spearman with 1 - mean score, out of fold on train")
    _line("d of the network", {"rho": f"{metrics.spearman(d[rows], failure):.4f}"})
    _line("ridge on MiniLM", {"rho": f"{rho:.4f}"})
    _line("ridge on static rows", {"rho": f"{static:.4f}"})
    _line("d less ridge on MiniLM", {"difference": f"{difference:+.4f}", "se": f"{error:.4f}"})
    return -difference


def _teacher(outcomes: Outcomes, cache: Path | None) -> Float32Array:
    """MiniLM's sentence vectors of the baseline set's queries."""
    texts = [
        t for t, k in zip(outcomes.texts, outcomes.sets.tolist(), strict=True) if outcomes.set_names[k] == BASELINE_SET
    ]
    if cache is not None:
        return encoder.cached_vectors(texts, cache)
    return encoder.encode(encoder.Encoder.load(), encoder.load_tokenizer(), texts)


def _embedding_facts(shipped: Shipped, train: Outcomes, x: Float32Array, cache: Path | None) -> float:
    """Prints how exact the shipped table is; returns the least cosine."""
    table, exact = distil.distil(*distil.cached_token_vectors(cache), dim=shipped.table.rows.shape[1])
    same = np.array_equal(table.rows, shipped.table.rows) and np.array_equal(table.weights, shipped.table.weights)
    ids = shipped.table.ids(train.texts)
    cosine = (distil.exact_vectors(exact, ids) * x).sum(1)
    print("embedding")
    _line(
        "int8 to exact table",
        {"min cosine": f"{cosine.min():.6f}", "mean": f"{cosine.mean():.6f}", "distilled again": same},
    )
    _line("queries", {"mean tokens kept": f"{np.mean([len(row) for row in ids]):.1f}"})
    return float(cosine.min())


def _test_split(shipped: Shipped, test: Outcomes) -> None:
    x = shipped.embed(test.texts)
    out = shipped.assess(x)
    centroids = shipped.bundle.array("difficulty/centroids.npy", np.float32, (None, x.shape[1]))
    far = (x @ centroids.T).max(1) < shipped.bundle.difficulty_config().domain_threshold
    d = response.sigmoid(out[:, 2 * shipped.latent()])
    print("shipped network on the test split (reported only)")
    _calibration(test, shipped.probabilities(test, out), d)
    _line("out of domain", {"share": f"{100 * far.mean():.2f} %"})
    _depths(test, d, shipped.bundle.operators_config().cut_points)


def check(data: Path, path: Path, cache: Path | None = None) -> dict[str, Any]:
    """Prints the figures; returns the ones that a release is held to."""
    shipped = Shipped.load(path)
    everything = load(data, tuple(shipped.bundle.manifest.training["sets"]))
    train, test = everything.split("train"), everything.split("test")
    x = shipped.embed(train.texts)
    held = crossfit.cross_fit(train, x, shipped.settings())
    found = crossfit.calibrate(train, held)
    d = crossfit.difficulty(held, found)
    print("left out:", ", ".join(shipped.bundle.manifest.training["excluded"]) or "nothing")
    print("out of fold on the training split")
    _calibration(train, crossfit.probabilities(train, held, found), d)
    _depths(train, d, shipped.bundle.operators_config().cut_points)
    worse = float("nan")
    if BASELINE_SET in train.set_names:
        rows = [
            s == "train"
            for s, k in zip(everything.splits, everything.sets.tolist(), strict=True)
            if k == everything.set_names.index(BASELINE_SET)
        ]
        worse = _baseline(train, d, x, _teacher(everything, cache)[np.array(rows)])
    active = int((shipped.assess(x)[:, : shipped.latent()].var(0) > 0.01).sum())
    print("latent")
    _line("active units", {"units": f"{active} of {shipped.latent()}"})
    cosine = _embedding_facts(shipped, train, x, cache)
    _test_split(shipped, test)
    depth = np.searchsorted(np.array(shipped.bundle.operators_config().cut_points), d, side="right")
    return {
        "active_units": active,
        "least_depth_share": float(np.bincount(depth, minlength=4).min() / len(d)),
        "int8_cosine_min": cosine,
        "less_than_teacher": worse,
    }


def main(argv: list[str] | None = None) -> int:
    """Runs the command; wrong input is one line on stderr and exit status 2."""
    parser = argparse.ArgumentParser(prog="python -m turnout.train.check", description=__doc__)
    parser.add_argument("data", type=Path, help="folder that holds outcomes/<set>.{queries,outcomes}.csv.gz")
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--cache", type=Path, help="where the teacher's sentence vectors are kept")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            check(args.data, args.bundle, args.cache)
    except TurnoutError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
