"""``python -m turnout.train DATA -o FOLDER``: trains a bundle from outcome sets."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import torch
from threadpoolctl import threadpool_limits

from turnout.core import TurnoutError
from turnout.train import bundle, pipeline
from turnout.train.data import SETS, load
from turnout.train.vae import Settings


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m turnout.train", description=__doc__)
    parser.add_argument("data", type=Path, help="folder that holds outcomes/<set>.{queries,outcomes}.csv.gz")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the bundle's folder; replaced as a whole")
    parser.add_argument("--sources", type=Path, default=Path("models/src"), help="operators, capabilities, pool (TOML)")
    parser.add_argument("--sets", nargs="+", default=list(SETS), help="outcome sets to train on")
    parser.add_argument("--name", default="default")
    parser.add_argument(
        "--date", help="`created` in the manifest; left out by default, so that equal data give equal bytes"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cache", type=Path, help="keeps the teacher's vectors between runs")
    return parser.parse_args(argv)


def _run(args: argparse.Namespace) -> None:
    start = time.perf_counter()

    def progress(message: str) -> None:
        print(f"[{time.perf_counter() - start:6.1f} s] {message}", file=sys.stderr, flush=True)

    sources = pipeline.Sources.load(args.sources)
    progress(f"reading {args.data}")
    outcomes = load(args.data, tuple(args.sets)).split("train")
    table, exact = pipeline.distilled(args.cache, progress)
    trained = pipeline.train(outcomes, table, Settings(seed=args.seed), progress)
    training = pipeline.facts(trained, pipeline.data_digest(outcomes))
    figures = pipeline.measured(trained, exact, sources)
    files = pipeline.files(trained, sources, training, figures, args.name)
    bundle.write(args.output, files, bundle.manifest(files, args.name, training, figures, args.date))
    for name, row in figures["out_of_fold"].items():
        progress(f"{name}: " + ", ".join(f"{key} {value}" for key, value in row.items()))
    progress(f"wrote {args.output}: {len(files) + 1} files, {sum(map(len, files.values())):,} bytes")


def main(argv: list[str] | None = None) -> int:
    """Runs the command; wrong input is one line on stderr and exit status 2."""
    args = _arguments(argv)
    torch.set_num_threads(1)  # one thread adds up in one order: equal data and seed give equal bytes
    try:
        with threadpool_limits(1):
            _run(args)
    except TurnoutError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
