"""A Gantt chart: what runs when, on which LLM, tool or device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from turnout import _native
from turnout.core import InputError
from turnout.draw.figure import FAILED, FAINT, STRONG, figure
from turnout.schema import fail

MAX_BARS = 500


@dataclass(frozen=True)
class Bar:
    """One node of a plan.

    Attributes
    ----------
    name, lane : str
        What runs, and on what.
    start, end : float
        Seconds since the plan's start.
    critical : bool
        Whether the plan's end waits for it.
    """

    name: str
    lane: str
    start: float
    end: float
    critical: bool = False


def bars_of(decision: _native.Decision) -> list[Bar]:
    """The nodes of a Decision's plan, each as early as what it depends on allows."""
    seconds = [node.seconds for node in decision.plan]
    depends = [node.depends_on for node in decision.plan]
    start: list[float] = []
    for before in depends:
        start.append(max((start[j] + seconds[j] for j in before), default=0.0))
    critical = _critical(depends, start, seconds)
    return [
        Bar(f"{i}: {node.operator}/{node.role}", node.llm, start[i], start[i] + seconds[i], i in critical)
        for i, node in enumerate(decision.plan)
    ]


def _critical(depends: Sequence[Sequence[int]], start: Sequence[float], seconds: Sequence[float]) -> set[int]:
    """One chain of nodes that reaches the end: of several, the lowest numbers."""
    if not depends:
        return set()
    end = [s + t for s, t in zip(start, seconds, strict=True)]
    at = end.index(max(end))
    chain = {at}
    while depends[at]:
        at = next(j for j in depends[at] if end[j] == start[at])
        chain.add(at)
    return chain


def draw_gantt(bars: Sequence[Bar], *, title: str | None = None, limit: float | None = None) -> Any:
    """Draws bars in a row each, coloured by lane; `limit` is a hard limit on seconds.

    Returns
    -------
    matplotlib.figure.Figure
        `turnout.draw.save` writes it.

    Raises
    ------
    InputError
        More than 500 bars, or one that ends before it starts.
    """
    if len(bars) > MAX_BARS:
        raise fail(InputError, "bars", f"expected at most {MAX_BARS}, got {len(bars)}")
    for i, bar in enumerate(bars):
        if not 0 <= bar.start <= bar.end < float("inf"):
            raise fail(InputError, f"bars[{i}]", f"expected 0 <= start <= end, got {bar.start} and {bar.end}")
    drawn = figure(9.0, min(1.4 + 0.34 * len(bars), 40.0))
    axes = drawn.subplots()
    colours = _colours([bar.lane for bar in bars])
    for row, bar in enumerate(bars):
        edge = {"edgecolor": "black", "linewidth": 1.6} if bar.critical else {"edgecolor": "white", "linewidth": 0.5}
        axes.barh(row, bar.end - bar.start, left=bar.start, color=colours[bar.lane], height=0.7, **edge)
        text = {"va": "center", "fontsize": 7, "parse_math": False}
        axes.annotate(bar.lane, (bar.start, row), (4, 0), textcoords="offset points", **text)
    axes.set_yticks(range(len(bars)), [bar.name for bar in bars], fontsize=8, parse_math=False)
    axes.set_ylim(len(bars) - 0.4, -0.6)
    axes.set_xlim(left=0)
    axes.set_xlabel("seconds since the start; outlined: the critical path")
    if limit is not None:
        axes.axvline(limit, color=FAILED, linestyle="--", label=f"limit {limit:g} s")
        axes.legend(loc="lower right", fontsize=8)
    axes.set_title(title or "", fontsize=10, wrap=True, parse_math=False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return drawn


def _colours(lanes: Sequence[str]) -> dict[str, str]:
    palette = ("#85c1e9", "#a9dfbf", "#f9e79f", "#d7bde2", "#f5cba7", "#aeb6bf", STRONG, FAINT)
    return {lane: palette[i % len(palette)] for i, lane in enumerate(dict.fromkeys(lanes))}
