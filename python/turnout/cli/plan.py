"""``turnout plan show``: a plan's calls over time, as text and as a picture."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from turnout import _native
from turnout.cli.output import print_json, say
from turnout.draw.gantt import Bar, bars_of, draw_gantt

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
    if out is not None:
        from turnout.draw import save

        save(draw_gantt(bars, title=str(decision), limit=limit), out)
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
