"""Runs the cases, prints the table, writes the JSON."""

from __future__ import annotations

import math
import os
import platform
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from rich.progress import Progress

from turnout.bench import room_rivals, targets
from turnout.bench.allocations import measure_allocations
from turnout.bench.bandit_case import bandit_rivals
from turnout.bench.cases import ROUTING_NAMES, Case, native_calls
from turnout.bench.learning import NAMES as LEARNING_NAMES
from turnout.bench.learning import learning_calls
from turnout.bench.rivals import RIVALS, missing
from turnout.bench.rooms import NAMES as ROOMS
from turnout.bench.rooms import room_calls
from turnout.bench.timing import Timing, measure
from turnout.bench.workload import Workload, make_workload
from turnout.cli.output import GAP, console, print_json, say
from turnout.core import InputError
from turnout.files import file_errors, replacing
from turnout.info import build_info
from turnout.schema import fail

HEADER = ("case", "batch", "p50 us", "p99 us", "a second", "allocs", "engines'", "agree", "x")


ROOM_NAMES = (*ROOMS, *LEARNING_NAMES)


class Row(msgspec.Struct):
    """One measurement; None where it was not, or could not be, measured."""

    name: str
    rival: str
    batch: int
    p50_us: float
    p99_us: float
    per_second: float
    allocations: float | None = None
    engine_allocations: float | None = None
    agreement: float | None = None


def _inside(micros: Any, runs: int) -> Timing:
    samples = [np.asarray(micros()) for _ in range(runs)]
    return Timing(
        float(min(np.median(s) for s in samples)),
        float(min(np.percentile(s, 99) for s in samples)),
        float(max(1e6 / s.mean() for s in samples)),
    )


def _measure(case: Case, runs: int) -> Timing:
    if case.native_us is not None:
        return _inside(case.native_us, min(case.runs, runs))
    return measure(case.call, case.inputs, batch=case.batch, runs=min(case.runs, runs), idle_s=case.idle_s)


def _row(case: Case, allocations: dict[str, list[float]], runs: int) -> Row:
    timing = _measure(case, runs)
    counted = allocations.get(case.key) if case.ours else None
    agreement = 1.0 if case.ours else (case.agreement() if case.agreement else None)
    if agreement != 1.0 and case.name in ROOM_NAMES:  # exact answers: fast and wrong cannot pass
        raise fail(InputError, case.name, f"{case.rival} gives another answer than native")
    ours, engines = counted if counted else (None, None)
    return Row(
        case.name, case.rival, case.batch, timing.p50_us, timing.p99_us, timing.per_second, ours, engines, agreement
    )


def _rival_cases(workload: Workload, notices: list[str]) -> list[Case]:
    cases: list[Case] = []
    for name, make, needs in RIVALS:
        absent = missing(*needs)
        if absent:
            notices.append(f"{name}: skipped, {', '.join(absent)} not installed")
        else:
            cases += make(workload)
    return cases


def _room_rivals(only: str | None, notices: list[str]) -> list[Case]:
    cases: list[Case] = []
    for case, rival, needs, make in room_rivals.RIVALS:
        if only is not None and only not in case:
            continue
        if absent := missing(*needs):
            notices.append(f"{case}: {rival} skipped, {', '.join(absent)} not installed")
        else:
            cases += make(case)
    return cases


def _bare_faiss(workload: Workload) -> Row:
    """The same FAISS symbol in a bare loop, measured beside our stage."""
    index = workload.index
    timing = _inside(lambda: index.time_search(workload.units, 4)[1], 5)
    return Row("capability_1000", "bare_faiss", 1, timing.p50_us, timing.p99_us, timing.per_second)


def _number(value: float | None, digits: int = 1) -> str:
    return "n/a" if value is None or math.isnan(value) else f"{value:,.{digits}f}"


def _digits(micros: float) -> int:
    """Nanoseconds where an operation takes few."""
    return 1 if micros >= 10 else 3 if micros < 1 else 2


def _short(value: float | None, digits: int = 1) -> str:
    """Large numbers without decimals."""
    return _number(value, digits if value is None or value < 100 else 0)


def _cells(row: Row, ours: float | None) -> tuple[str, ...]:
    ratio = row.p50_us / ours if ours and row.rival != "native" else None
    return (
        f"  {row.rival}",
        str(row.batch),
        _number(row.p50_us, _digits(row.p50_us)),
        _number(row.p99_us, _digits(row.p99_us)),
        _number(row.per_second, 0),
        _short(row.allocations),
        _short(row.engine_allocations),
        _number(row.agreement, 3),
        "" if ratio is None else _short(ratio),
    )


def _print_rows(rows: list[Row]) -> None:
    """A block a case: ours first, then its rivals. Columns are as wide as their widest cell."""
    ours = {(r.name, r.batch): r.p50_us for r in rows if r.rival == "native"}
    rows = sorted(rows, key=lambda r: (r.name, r.batch, r.rival != "native", r.p50_us))
    table = [HEADER, *(_cells(row, ours.get((row.name, row.batch))) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [GAP.join([first.ljust(widths[0]), *map(str.rjust, cells, widths[1:])]).rstrip() for first, *cells in table]
    say(lines[0], style="bold")
    name = ""
    for row, line in zip(rows, lines[1:], strict=True):
        if row.name != name:
            say(name := row.name, style="bold")
        say(line)


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    model = "unknown"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        names = [
            line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name")
        ]
        model = names[0] if names else model
    return {"cpu": model, "cores": os.cpu_count(), "system": platform.platform(), "load": os.getloadavg()[0]}


def _measure_all(cases: list[Case], allocations: dict[str, list[float]], runs: int) -> list[Row]:
    rows = []
    out = console(stderr=True)
    with Progress(console=out, transient=True, disable=not out.is_terminal) as progress:
        task = progress.add_task("measuring", total=len(cases))
        for case in cases:
            progress.update(task, description=f"{case.name} ({case.rival})")
            rows.append(_row(case, allocations, runs))
            progress.advance(task)
    return rows


def _print_all(rows: list[Row], notices: list[str], judged: list[dict[str, Any]], runs: int) -> None:
    _print_rows(rows)
    for notice in notices:
        say(notice)
    for target in judged:
        say(targets.line(target))
    say(f"best of {runs} runs; allocs: heap allocations of a call, ours and the engines';")
    say("agree: share of inputs decided as native does; x: the rival's p50 over ours;")
    say("n/a: not measured or not comparable")


def run_bench(
    bundle: Path | None, out: Path | None, data: Path | None, quick: bool, only: str | None, as_json: bool = False
) -> None:
    """Measures and prints, as text or as JSON; also writes the JSON to `out` if given.

    Raises
    ------
    InputError
        No case's name contains `only`; `out` cannot be written, asked before the work is done.
    """
    runs = 2 if quick else 5
    if out is None:
        result = _measured(bundle, data, quick, only, runs)
    else:
        with replacing(out) as target:
            result = _measured(bundle, data, quick, only, runs)
            with file_errors(out, "written"):
                target.write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=1) + b"\n")
    if as_json:
        print_json(result)
    else:
        _print_all(result["cases"], result["notices"], result["targets"], runs)


def _asks_for(only: str | None, names: tuple[str, ...]) -> bool:
    return only is None or any(only in name for name in names)


def _measured(bundle: Path | None, data: Path | None, quick: bool, only: str | None, runs: int) -> dict[str, Any]:
    """Decisions need a workload, which takes seconds to make; it is made where a case asks for it."""
    only = only or None
    routing, rooms = _asks_for(only, ROUTING_NAMES), _asks_for(only, ROOM_NAMES)
    if not (routing or rooms):
        raise fail(InputError, "--only", f"no case's name contains {only!r}")
    notices: list[str] = []
    workload = make_workload(bundle, data, quick) if routing else None
    cases: list[Case] = []
    if workload is not None:
        cases += [c for c in (*native_calls(workload), *_rival_cases(workload, notices)) if not only or only in c.name]
    if rooms:
        cases += [*room_calls(quick, only), *_room_rivals(only, notices), *learning_calls(quick, only)]
        cases += bandit_rivals(quick) if _asks_for(only, ("bandit_64x32",)) else []
    counted = measure_allocations(bundle, routing=routing, rooms=rooms, only=only)
    rows = _measure_all(cases, counted, runs)
    if workload is not None and (not only or only in "capability_1000"):
        rows.append(_bare_faiss(workload))
    return {
        "build": build_info(),
        "machine": machine(),
        "queries": None if workload is None else {"source": workload.source, "count": len(workload.texts)},
        "notices": notices,
        "targets": targets.judged(rows),
        "cases": rows,
    }
