"""What second thoughts cost and reach on recorded answers.

    python -m turnout.evaluate.thoughts DATA [--fit] [--train] [--json FILE] [--plots FOLDER] [--draws N]

DATA is a folder with ``pools.json`` and ``outcomes/mmlupro29.*.csv.gz``, whose column ``answer`` holds what each LLM
answered. Predictions are those of the bundle that ships, which was trained on the train split. Judged is the test
split; ``--train`` judges train rows, ``--fit`` prints the grid of answer models on them.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from turnout.evaluate.thoughts import answers, report


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m turnout.evaluate.thoughts", description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--fit", action="store_true", help="answer models on train rows; nothing is judged")
    parser.add_argument("--train", action="store_true", help="judge train rows instead of the test split")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--plots", type=Path, metavar="FOLDER")
    parser.add_argument("--draws", type=int, default=1000, help="of the bootstrap (default: 1000)")
    return parser


def _interval(found: list[float]) -> str:
    return "{:+.2f} [{:+.2f}, {:+.2f}]".format(*found)


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


COLUMNS = ("policy", "points over the hull", "over one call", "most quality", "x cost", "calls", "< 3 calls", "agreed")


def _print(task: dict[str, Any]) -> None:
    best = task["best_llm"]
    print(f"\n## {task['pool']}, {task['queries']['held']} queries")
    print(f"{best['llm']} alone: {best['score']:.4f} at USD {best['usd']:.6f}\n")
    print(f"| {' | '.join(COLUMNS)} | of them wrong |\n|{'---|' * (len(COLUMNS) + 1)}")
    for row in task["policies"]:
        print(f"| {' | '.join(_cells(row, best['usd']))} |")


def _cells(row: dict[str, Any], usd: float) -> list[str]:
    top = row["best"]
    points = [_interval(row[key]) if key in row else "" for key in ("points", "over_one_call")]
    numbers = [f"{top['score']:.4f}", f"{top['usd'] / usd:.2f}", f"{top['calls']:.2f}"]
    shares = [_share(top[key]) for key in ("fewer_than_3_calls", "agreed", "agree_but_wrong")]
    return [row["name"], *points, *numbers, *shares]


def _print_fit(pool: str, rows: list[dict[str, Any]]) -> None:
    print(f"\n## {pool}: next_step on train rows, by answer model")
    for row in sorted(rows, key=lambda r: -r["points"]):
        model = ", ".join(f"{key} {row[key]:g}" for key in ("common", "common_gain", "spread"))
        print(f"{model}: {row['points']:+.2f} points, most quality {row['best_score']:.4f}")


def main() -> None:
    """Prints a table a pool."""
    options = _parser().parse_args()
    found = answers.read(options.data, answers.pools(options.data))
    if options.fit:
        for name, (train, _) in found.items():
            _print_fit(name, report.fit(train))
        return
    tasks = [report.judge(train, train if options.train else held, options.draws) for train, held in found.values()]
    for task in tasks:
        _print(task)
    if options.json:
        options.json.write_text(json.dumps(tasks, indent=1), "utf-8")
    if options.plots:
        from turnout.evaluate.thoughts import plots

        plots.write(options.plots, tasks)


if __name__ == "__main__":
    main()
