"""``python -m turnout.train.replay DATA``: what votes, cascades and learned policies are worth on recorded answers."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from turnout import operators
from turnout.catalog import PolicyNames, load_operators
from turnout.core import TurnoutError
from turnout.train import data, vae
from turnout.train.replay import policy, predict, recorded, report, table, write
from turnout.train.replay.ablation import ENSEMBLE, Core
from turnout.train.replay.predict import Split

SOURCES = Path("models/src/operators.toml")
CUT_POINTS = [0.3838, 0.5219, 0.6642]  # of the bundle that ships


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m turnout.train.replay", description=__doc__)
    parser.add_argument("data", type=Path, help="folder that holds outcomes/ and pools.json")
    parser.add_argument("--json", type=Path, help="writes every figure")
    parser.add_argument("--test", action="store_true", help="the held `test` split too: once, when all is chosen")
    parser.add_argument("--operators", type=Path, help="writes the fitted vote table into this operators.toml")
    parser.add_argument("--cache", type=Path, help="folder that keeps vectors and predictions between runs")
    parser.add_argument("--sources", type=Path, default=SOURCES, help="the operator table that the core runs")
    parser.add_argument("--draws", type=int, default=60, help="sets of voters that a vote table is fitted to")
    return parser.parse_args(argv)


def _splits(args: argparse.Namespace, progress: report.Progress) -> tuple[list[Split], Split]:
    """Five folds of the train split, and train against test."""
    outcomes = data.load(args.data, (recorded.SET,))
    letters = recorded.letters(args.data, outcomes)
    train = np.array([name == "train" for name in outcomes.splits])
    network = predict.by_outcome_model(vae.Settings())
    if args.cache is not None:
        network = predict.cached(network, args.cache)
    progress("predictions of the test split")
    parts = letters[train], letters[~train]
    test = predict.split(outcomes.keep(train), outcomes.keep(~train), parts, network)
    progress("predictions of five folds, each trained for itself")
    return predict.out_of_fold(outcomes.keep(train), letters[train], network), test


def _pools(args: argparse.Namespace) -> dict[str, list[str] | None]:
    named: dict[str, list[str]] = json.loads((args.data / "pools.json").read_text())[recorded.SET]
    return {**named, "every LLM": None}


def _of_pool(split: Split, llms: list[str] | None) -> Split:
    names = list(split.train.llms) if llms is None else [data.ALIASES.get(llm, llm) for llm in llms]
    return Split(split.train.pool(names), split.held.pool(names))


def _print_votes(rows: list[dict[str, Any]]) -> None:
    print("vote tables on queries that they were not fitted to: error of a set's mean quality, and of its gain")
    for row in rows:
        worst = max(abs(a - b) for a, b in row["gain_deciles"])
        print(
            f"  {row['voters']} voters, {row['table']:8} {row['quality_error']:.4f}  {row['gain_error']:.4f}  "
            f"worst tenth by predicted gain {worst:.4f}"
        )


def _print_cascades(rows: list[dict[str, Any]]) -> None:
    print("cascades: score at micro-USD; calls saved, wrong though agreed; the last LLM alone; always voting")
    for row in rows:
        last, vote = row["last_alone"], row["always_vote"]
        print(
            f"  {row['score']:.3f} at {1e6 * row['usd']:4.0f}; {row['stopped']:.2f}, {row['agreed_but_wrong']:.2f}; "
            f"{last[0]:.3f} at {1e6 * last[1]:4.0f}; {vote[0]:.3f} at {1e6 * vote[1]:4.0f}  {row['cascade']}"
        )


def _study(label: str, splits: list[Split], core: Core, draws: int) -> dict[str, Any]:
    """One pool on one protocol."""
    print(f"\n{label}: {sum(split.held.queries for split in splits)} queries")
    print(f"  {'policy':52} {'points over the hull':24} {'over one call':24} most at cost, cost at the best's score")
    found, fits = report.ablate(splits, core, policy.Settings(), draws, lambda line: print(line, flush=True))
    found["votes"] = report.judge_tables(fits)
    held = recorded.joined([split.held for split in splits])
    found["ties"] = {str(k): report.ties(held, k) for k in (3, 5)}
    found["cascades"] = report.cascades(splits[0].train, splits[0].held if len(splits) == 1 else held)
    _print_votes(found["votes"])
    for k, row in found["ties"].items():
        print(f"  ties of {k} voters: " + ", ".join(f"{rule} {value:.4f}" for rule, value in row.items()))
    _print_cascades(found["cascades"])
    return found


def _write_table(path: Path, split: Split, draws: int) -> None:
    every = _of_pool(split, None).train
    found = table.fit(every, 3, draws)
    said = write.source(found, every.queries, len(every.llms), "MMLU-Pro")
    path.write_text(write.into(path.read_text(encoding="utf-8"), ENSEMBLE, found, said), encoding="utf-8")
    print(f"wrote {ENSEMBLE} into {path}: weights {found.weights}")


def _run(args: argparse.Namespace) -> None:
    start = time.perf_counter()

    def progress(message: str) -> None:
        print(f"[{time.perf_counter() - start:6.1f} s] {message}", file=sys.stderr, flush=True)

    core = Core(
        operators.OperatorsConfig(cut_points=CUT_POINTS), load_operators(args.sources.read_bytes(), PolicyNames())
    )
    folds, test = _splits(args, progress)
    figures = {}
    for pool, llms in _pools(args).items():
        label = f"{recorded.SET}/{pool}, out of fold"
        figures[label] = _study(label, [_of_pool(split, llms) for split in folds], core, args.draws)
        if args.test:
            label = f"{recorded.SET}/{pool}, test"
            figures[label] = _study(label, [_of_pool(test, llms)], core, args.draws)
        progress(label)
    if args.operators is not None:
        _write_table(args.operators, test, args.draws)
    if args.json is not None:
        args.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def main(argv: list[str] | None = None) -> int:
    """Runs the command; wrong input is one line on stderr and exit status 2."""
    args = _arguments(argv)
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            _run(args)
    except TurnoutError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
