"""``turnout route``: one query, or every row of a file."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from turnout import _native
from turnout.cli.files import read_column, write_batches
from turnout.cli.output import console, print_json
from turnout.router import Router

CHUNK = 2048


def route_one(router: Router, text: str, options: dict[str, Any], as_json: bool) -> None:
    """Routes one text and prints the Decision, as a sentence or as JSON."""
    decision = router.route(text, **options)
    if as_json:
        print_json(decision.to_dict())
    else:
        console().print(str(decision), highlight=False, markup=False, soft_wrap=True)


def _route_all(router: Router, texts: list[str], options: dict[str, Any]) -> list[_native.DecisionBatch]:
    columns = (TextColumn("routing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    batches = []
    with Progress(*columns, console=console(stderr=True), transient=True) as progress:
        task = progress.add_task("routing", total=len(texts))
        for start in range(0, len(texts), CHUNK):
            batches.append(router.route_batch(texts[start : start + CHUNK], **options))
            progress.advance(task, len(batches[-1]))
    return batches


def _summary(batches: list[_native.DecisionBatch], router: Router, seconds: float) -> dict[str, Any]:
    rows = sum(len(batch) for batch in batches)
    counts: dict[str, int] = {}
    for batch in batches:
        for index in batch.llm_index.tolist():
            name = router.llms[index] if index >= 0 else "none"
            counts[name] = counts.get(name, 0) + 1
    usd = sum(float(batch.usd.sum()) for batch in batches)
    depths = [int(sum((batch.depth == d).sum() for batch in batches)) for d in range(1, 9)]
    return {
        "queries": rows,
        "seconds": seconds,
        "per_second": rows / seconds if seconds > 0 else 0.0,
        "expected_usd": usd,
        "infeasible": int(sum((batch.feasible == 0).sum() for batch in batches)),
        "first_llm": dict(sorted(counts.items(), key=lambda item: -item[1])),
        "depth": {str(d + 1): n for d, n in enumerate(depths) if n},
    }


def _print_rows(batches: list[_native.DecisionBatch], router: Router) -> None:
    writer = csv.writer(sys.stdout)
    writer.writerow(["row", "llm", "difficulty", "depth", "p_correct", "usd", "usd_bound", "seconds", "feasible"])
    row = 0
    for batch in batches:
        for i in range(len(batch)):
            llm = int(batch.llm_index[i])
            numbers = (f"{c[i]:.6g}" for c in (batch.p_correct, batch.usd, batch.usd_bound, batch.seconds))
            writer.writerow(
                [row, router.llms[llm] if llm >= 0 else "", f"{batch.difficulty[i]:.4f}", int(batch.depth[i])]
                + [*numbers, bool(batch.feasible[i])]
            )
            row += 1


def route_file(
    router: Router, file: Path, column: str, out: Path | None, options: dict[str, Any], as_json: bool
) -> None:
    """Routes the texts of a file's column; writes decisions to `out`, or as CSV to standard output."""
    texts = read_column(file, column)
    start = perf_counter()
    batches = _route_all(router, texts, options)
    summary = _summary(batches, router, perf_counter() - start)
    if out is not None:
        write_batches(out, batches)
    if as_json:
        print_json(summary)
    elif out is None:
        _print_rows(batches, router)
    if not as_json:
        rate, usd = summary["per_second"], summary["expected_usd"]
        console(stderr=True).print(
            f"{summary['queries']} queries in {summary['seconds']:.2f} s ({rate:,.0f} a second), expected ${usd:.4f}, "
            f"{summary['infeasible']} infeasible",
            highlight=False,
        )
