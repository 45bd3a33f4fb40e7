"""``turnout plan show``: a plan's calls over time, as text and as a picture."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, TypedDict

import msgspec

from turnout import _native
from turnout.cli.output import print_json, say
from turnout.core import InputError
from turnout.dag import TaskDag
from turnout.draw.gantt import Bar, bars_of, draw_gantt
from turnout.files import file_errors
from turnout.schema import from_json

COLUMNS = 40
"""Characters of the chart in a terminal."""


def show_plan(decision: _native.Decision, limit: float | None, out: Path | None, json: bool) -> None:
    """Prints a decision's Gantt chart, and draws it."""
    bars = bars_of(decision)
    if json:
        record = [dataclasses.asdict(bar) for bar in bars]
        print_json({"plan": record, "critical_path_seconds": decision.critical_path_seconds, "width": decision.width})
    else:
        say(str(decision))
        for line in chart(bars):
            say(line)
    _draw(bars, str(decision), limit, out, json)


def show_tasks(file: Path, limit: float | None, out: Path | None, json: bool) -> None:
    """Prints the shape of a DAG of tasks and its Gantt chart, each task as early as its inputs allow.

    Raises
    ------
    InputError
        The file cannot be read, or holds no DAG; names the file and the field.
    """
    dag = _read(file)
    shape, topology = dag.metrics(), dag.topology()
    bars = [Bar(*bar, critical=bar[0] in shape.critical_nodes) for bar in dag.schedule().bars()]
    if json:
        measures = {k: v for k, v in shape._asdict().items() if k != "slack"}
        record = {"tasks": [dataclasses.asdict(bar) for bar in bars], "metrics": measures}
        print_json({**record, "topology": topology._asdict()})
    else:
        say(
            f"{file.name}: {shape.nodes} tasks, {shape.edges} edges, width {shape.width}, depth {shape.depth}, "
            f"critical path {shape.critical_path:.2f} s of {shape.work:.2f} s of work"
        )
        say(f"topology: {topology.topology} ({topology.reason})")
        for line in chart(bars):
            say(line)
    _draw(bars, file.stem, limit, out, json)


class _Task(TypedDict, total=False):
    """What a task may say; its names `TaskDag.from_dict` checks."""

    operator: str
    device_class: str
    seconds: float
    cost: float
    priority: int
    skills: int
    inputs: list[str] | dict[str, float]


def _read(file: Path) -> TaskDag:
    with file_errors(file, "read"):
        data = file.read_bytes()
    try:
        tasks = from_json(data, dict[str, dict[str, Any]], "tasks", InputError)
        msgspec.convert(tasks, dict[str, _Task])
        if not tasks:
            raise InputError("holds no task")
        return TaskDag.from_dict(tasks)
    except (msgspec.DecodeError, InputError, TypeError) as error:
        raise InputError(f"{file}: {error}") from None


def _draw(bars: list[Bar], title: str, limit: float | None, out: Path | None, json: bool) -> None:
    if out is None:
        return
    from turnout.draw import save

    save(draw_gantt(bars, title=title, limit=limit), out)
    if not json:
        say(f"drawn {out}")


def chart(bars: list[Bar]) -> list[str]:
    """A line a bar; '=' is the critical path."""
    end = max((bar.end for bar in bars), default=0.0)
    names, lanes = (max((len(text) for text in texts), default=0) for texts in _texts(bars))
    return [
        f"{bar.name:{names}}  {bar.lane:{lanes}}  |{_line(bar, end)}|  {bar.start:.2f} to {bar.end:.2f} s"
        for bar in bars
    ]


def _texts(bars: list[Bar]) -> tuple[list[str], list[str]]:
    return [bar.name for bar in bars], [bar.lane for bar in bars]


def _line(bar: Bar, end: float) -> str:
    if end == 0:
        return " " * COLUMNS
    first = min(round(bar.start / end * COLUMNS), COLUMNS - 1)
    last = max(round(bar.end / end * COLUMNS), first + 1)
    return (" " * first + ("=" if bar.critical else "-") * (last - first)).ljust(COLUMNS)
