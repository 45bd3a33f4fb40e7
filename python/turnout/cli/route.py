"""``turnout route``: one query, or every row of files."""

from __future__ import annotations

import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import msgspec
import numpy as np
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from turnout import _native
from turnout.cli.output import call_of, console, print_json, say, usd
from turnout.cli.records import Part, check_kind, write_csv, write_jsonl, write_parts
from turnout.files import file_errors, read_column, replacing
from turnout.router import Router

CHUNK = 2048


def print_decision(decision: _native.Decision) -> None:
    """The decision in a sentence, the calls to make, and what to know beside them."""
    say(str(decision))
    for i, node in enumerate(decision.plan):
        after = f", after {', '.join(map(str, node.depends_on))}" if node.depends_on else ""
        say(f"  {i}  {call_of(node)}{after}")
    if decision.reasons:
        say(f"reasons: {', '.join(decision.reasons)}")


def route_one(router: Router, text: str, options: dict[str, Any], as_json: bool) -> None:
    """Routes one text and prints the Decision."""
    decision = router.route(text, **options)
    if as_json:
        print_json(decision.to_dict())
    else:
        print_decision(decision)


def _route_all(router: Router, sources: list[tuple[str, list[str]]], options: dict[str, Any]) -> list[Part]:
    bar = (TextColumn("routing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    out = console(stderr=True)
    parts = []
    with Progress(*bar, console=out, transient=True, disable=not out.is_terminal) as progress:
        task = progress.add_task("routing", total=sum(len(texts) for _, texts in sources))
        for file, texts in sources:
            for start in range(0, max(len(texts), 1), CHUNK):  # of an empty file too: its columns are written
                parts.append(Part(file, start, router.route_batch(texts[start : start + CHUNK], **options)))
                progress.advance(task, len(parts[-1].batch))
    return parts


def _column(parts: list[Part], name: str) -> Any:
    return np.concatenate([getattr(part.batch, name) for part in parts])


def _first_llms(parts: list[Part], names: list[str]) -> dict[str, int]:
    counts = np.bincount(_column(parts, "llm_index") + 1, minlength=len(names) + 1).tolist()
    named = dict(zip(["none", *names], counts, strict=True))
    return {name: n for name, n in sorted(named.items(), key=lambda item: -item[1]) if n}


def _summary(parts: list[Part], router: Router, files: int, read: float, seconds: float) -> dict[str, Any]:
    rows = sum(len(part.batch) for part in parts)
    depths, counts = np.unique(_column(parts, "depth"), return_counts=True)
    return {
        "files": files,
        "queries": rows,
        "read_seconds": read,
        "seconds": seconds,
        "per_second": rows / seconds if seconds > 0 else 0.0,
        "expected_usd": float(_column(parts, "usd").sum()),
        "infeasible": int((_column(parts, "feasible") == 0).sum()),
        "first_llm": _first_llms(parts, router.llms),
        "depth": {str(d): n for d, n in zip(depths.tolist(), counts.tolist(), strict=True)},
    }


def _sentence(summary: dict[str, Any]) -> str:
    s = summary
    files = f" of {s['files']} files" if s["files"] > 1 else ""
    return (
        f"{s['queries']} queries{files}: read in {s['read_seconds']:.2f} s, routed in {s['seconds']:.2f} s "
        f"({s['per_second']:,.0f} a second), expected {usd(s['expected_usd'])}, {s['infeasible']} infeasible"
    )


def _print_summary(summary: dict[str, Any], as_json: bool, beside: bool) -> None:
    """The summary; on standard error if it is text, or if it stands `beside` decisions on standard output."""
    if not as_json:
        console(stderr=True).print(_sentence(summary))
    elif beside:
        print(msgspec.json.encode(summary).decode(), file=sys.stderr)
    else:
        print_json(summary)


def _routed(
    router: Router, files: list[Path], column: str, options: dict[str, Any]
) -> tuple[list[Part], dict[str, Any]]:
    begin = perf_counter()
    sources = [(str(file), read_column(file, column)) for file in files]
    start = perf_counter()
    parts = _route_all(router, sources, options)
    return parts, _summary(parts, router, len(sources), start - begin, perf_counter() - start)


def route_files(
    router: Router, files: list[Path], column: str, out: Path | None, options: dict[str, Any], as_json: bool
) -> None:
    """Routes the texts of a column of every file; writes decisions to `out`, or as CSV or JSON to standard output."""
    if out is None:
        parts, summary = _routed(router, files, column, options)
        (write_jsonl if as_json else write_csv)(sys.stdout, parts)
    else:
        check_kind(out)
        with replacing(out) as target:
            parts, summary = _routed(router, files, column, options)
            with file_errors(out, "written"):
                write_parts(target, parts)
    _print_summary(summary, as_json, beside=out is None)
