"""``python -m turnout.train.tools TOOLS QUERIES -o BUNDLE``: trains the tools and agents of a bundle."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from turnout.core import InputError, TurnoutError
from turnout.schema import fail
from turnout.train.tools import Settings, train_tools


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m turnout.train.tools", description=__doc__)
    parser.add_argument("tools", type=Path, help="capabilities.toml, or a table of tool_id, text")
    parser.add_argument("queries", type=Path, help="a table of query_id, text, relevant and where known split")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the new bundle's folder")
    parser.add_argument("--bundle", type=Path, help="the base; default: the bundle that ships")
    parser.add_argument("--columns", nargs="*", default=[], metavar="OURS=THEIRS", help="names of columns in the files")
    parser.add_argument("--keep", type=float, default=Settings.keep, help="share of queries that keep their proposals")
    parser.add_argument("--no-threshold", action="store_true", help="always propose the best")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(argv)


def _settings(args: argparse.Namespace) -> Settings:
    if not 0.0 < args.keep <= 1.0:
        raise fail(InputError, "--keep", f"expected a number above 0 and at most 1, got {args.keep}")
    if args.seed < 0:
        raise fail(InputError, "--seed", f"expected a number >= 0, got {args.seed}")
    return Settings(seed=args.seed, keep=None if args.no_threshold else args.keep)


def _columns(pairs: list[str]) -> dict[str, str]:
    for pair in pairs:
        if "=" not in pair:
            raise fail(InputError, "--columns", f"expected OURS=THEIRS, got {pair!r}")
    return dict(pair.split("=", 1) for pair in pairs)


def _run(args: argparse.Namespace) -> None:
    start = time.perf_counter()

    def progress(message: str) -> None:
        print(f"[{time.perf_counter() - start:6.1f} s] {message}", file=sys.stderr, flush=True)

    columns = _columns(args.columns)
    figures = train_tools(args.tools, args.queries, args.bundle, args.output, _settings(args), progress, columns)
    for name, row in figures.items():
        progress(f"{name}: " + ", ".join(f"{key} {value}" for key, value in row.items()))
    progress(f"wrote {args.output}")


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
