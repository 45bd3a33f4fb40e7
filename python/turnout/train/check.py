"""``python -m turnout.train.check DATA``: how well difficulty is predicted, beside ridge regression on a transformer.

Out of fold over all rows of each set: no query is judged by what was trained on it. The baseline's penalty is chosen on
the very predictions that are reported, so it is helped, not hindered.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from turnout.core import TurnoutError
from turnout.outcomes import Outcomes, folds
from turnout.train import crossfit, encoder, metrics, pipeline
from turnout.train.base import Base
from turnout.train.data import load
from turnout.train.vae import FloatArray, Settings

SETS = ("mmlupro29", "llmrouter9")


def _answered(outcomes: Outcomes) -> Outcomes:
    return outcomes.keep(np.bincount(outcomes.query, minlength=outcomes.queries) > 0)


def _teacher(outcomes: Outcomes, failure: FloatArray, cache: Path) -> FloatArray:
    """Ridge regression of the failure rate on MiniLM's vectors, out of fold."""
    x = encoder.cached_vectors(list(outcomes.texts), cache)
    return metrics.ridge_out_of_fold(x, failure, folds(outcomes.texts, crossfit.FOLDS))[0]


def check(outcomes: Outcomes, base: Base, cache: Path) -> dict[str, float]:
    """Rank correlations of one set's predicted difficulty with its failure rate.

    Returns
    -------
    dict
        ``turnout``, ``minilm``, their paired ``difference`` and its standard error ``se``; ``domains`` is the share of
        queries whose domain is inferred.
    """
    failure = 1.0 - np.nanmean(outcomes.matrix(), 1)
    trained = pipeline.train(outcomes, base, Settings(), progress=lambda _: None)
    teacher = _teacher(outcomes, failure, cache)
    difference, error = metrics.spearman_difference(trained.difficulty, teacher, failure)
    return {
        "turnout": metrics.spearman(trained.difficulty, failure),
        "minilm": metrics.spearman(teacher, failure),
        "difference": difference,
        "se": error,
        "domains": float((trained.views.posterior.argmax(1) == trained.domain).mean()),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; wrong input is one line on stderr and exit status 2."""
    parser = argparse.ArgumentParser(prog="python -m turnout.train.check", description=__doc__)
    parser.add_argument("data", type=Path, help="folder that holds outcomes/<set>.{queries,outcomes}.csv.gz")
    parser.add_argument("--sets", nargs="+", default=list(SETS))
    parser.add_argument("--cache", type=Path, required=True, help="keeps the transformer's vectors between runs")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            base = Base.load(None)
            for name in args.sets:
                outcomes = _answered(load(args.data, (name,), exclude=frozenset()))
                found = check(outcomes, base, args.cache)
                print(f"{name}: {outcomes.queries} queries, rank correlation of d with the failure rate, out of fold")
                print("  " + "  ".join(f"{key} {value:.4f}" for key, value in found.items()), flush=True)
    except TurnoutError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
