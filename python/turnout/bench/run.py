"""Runs the cases, prints the table, writes the JSON."""

from __future__ import annotations

import math
import os
import platform
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from turnout.bench.allocations import measure_allocations
from turnout.bench.cases import Case, native_calls
from turnout.bench.rivals import RIVALS, missing
from turnout.bench.timing import Timing, measure
from turnout.bench.workload import Workload, make_workload
from turnout.info import build_info


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
    counted = allocations.get(case.key) if case.rival == "native" else None
    agreement = 1.0 if case.rival == "native" else (case.agreement() if case.agreement else None)
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


def _bare_faiss(workload: Workload) -> Row:
    """The same FAISS symbol in a bare loop, measured beside our stage."""
    index = workload.index
    timing = _inside(lambda: index.time_search(workload.vectors, 4)[1], 5)
    return Row("capability_1000", "bare_faiss", 1, timing.p50_us, timing.p99_us, timing.per_second)


def _number(value: float | None, digits: int = 1) -> str:
    return "n/a" if value is None or math.isnan(value) else f"{value:,.{digits}f}"


def _table(rows: list[Row]) -> Table:
    ours = {(r.name, r.batch): r.p50_us for r in rows if r.rival == "native"}
    table = Table(header_style="bold", pad_edge=False)
    for name in (
        "case",
        "rival",
        "batch",
        "p50 us",
        "p99 us",
        "per second",
        "allocations",
        "engines'",
        "agreement",
        "x",
    ):
        table.add_column(name, justify="left" if name in ("case", "rival") else "right")
    for r in sorted(rows, key=lambda r: (r.name, r.batch, r.rival != "native", r.p50_us)):
        base = ours.get((r.name, r.batch))
        ratio = f"{r.p50_us / base:.1f}" if base and r.rival != "native" else ""
        counts = (_number(r.allocations, 2), _number(r.engine_allocations, 2), _number(r.agreement, 3))
        style = "bold" if r.rival == "native" else ""
        table.add_row(
            r.name,
            r.rival,
            str(r.batch),
            _number(r.p50_us),
            _number(r.p99_us),
            _number(r.per_second, 0),
            *counts,
            ratio,
            style=style,
        )
    return table


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


def run_bench(bundle: Path | None, json: Path | None, data: Path | None, quick: bool, only: str | None) -> None:
    """Measures, prints, and writes `json` if given."""
    console = Console()
    workload = make_workload(bundle, data, quick)
    notices: list[str] = []
    cases = [c for c in (*native_calls(workload), *_rival_cases(workload, notices)) if not only or only in c.name]
    allocations = measure_allocations(bundle)
    rows = []
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("measuring", total=len(cases))
        for case in cases:
            progress.update(task, description=f"{case.name} ({case.rival})")
            rows.append(_row(case, allocations, 2 if quick else 5))
            progress.advance(task)
    if not only or only in "capability_1000":
        rows.append(_bare_faiss(workload))
    console.print(_table(rows))
    for notice in notices:
        console.print(notice, highlight=False)
    console.print(
        "best of five runs; x: the rival's p50 over ours; n/a: not measured or not comparable", highlight=False
    )
    if json is not None:
        result = {
            "build": build_info(),
            "machine": machine(),
            "queries": {"source": workload.source, "count": len(workload.texts)},
            "notices": notices,
            "cases": rows,
        }
        json.write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=1) + b"\n")
