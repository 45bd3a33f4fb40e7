"""A tool graph with the path that was chosen, the one before it, and what is masked."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

import numpy as np

from turnout.draw.figure import FAILED, FAINT, OLD, STRONG, figure
from turnout.graph import Path, ToolGraph

MAX_DRAWN = 80
"""Nodes of one picture: those of the paths, what is masked, and their neighbours first."""

ROWS = 10
"""Nodes above and below the path before a column goes on to the right, by SHIFT."""
SHIFT = 0.55

Places = dict[int, tuple[float, float]]


def draw_graph(
    graph: ToolGraph, path: Path | None = None, *, before: Path | None = None, title: str | None = None
) -> Any:
    """Draws a tool graph.

    Parameters
    ----------
    graph : ToolGraph
        Masked nodes and edges are drawn in red.
    path : Path, optional
        The chosen one, in blue.
    before : Path, optional
        The one before the tools that are masked now failed, in orange dashes.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure
        `turnout.draw.save` writes it.
    """
    kept = _kept(graph, _ids(graph, path) + _ids(graph, before))
    places = _places(graph, kept, _ids(graph, path) or _ids(graph, before))
    spread = np.ptp(np.array(list(places.values())), axis=0)
    drawn = figure(min(2.6 + 2.0 * spread[0], 24.0), min(1.4 + 0.62 * spread[1], 24.0))
    axes = drawn.subplots()
    axes.set_axis_off()
    _edges(axes, graph, places, path, before)
    _nodes(axes, graph, places, path, before)
    _legend(axes, graph, path, before)
    hidden = len(graph) - len(kept)
    shown = f" ({len(kept)} of {len(graph)} tools)" if hidden else ""
    axes.set_title((title or "") + shown, fontsize=10, parse_math=False)
    return drawn


def _ids(graph: ToolGraph, path: Path | None) -> list[int]:
    return [] if path is None else [graph.node(name) for name in path.nodes]


def _kept(graph: ToolGraph, wanted: list[int]) -> list[int]:
    """All nodes of a small graph; of a large one the wanted, the masked, and who is near."""
    first = [*wanted, *(graph.node(name) for name in graph.masked_nodes)]
    near = _hops(graph, first or [0], both_ways=True)
    order = sorted(range(len(graph)), key=lambda i: (near[i], i))
    return sorted(order[:MAX_DRAWN])


def _hops(graph: ToolGraph, starts: Iterable[int], both_ways: bool = False) -> list[float]:
    """Edges from the nearest start, whatever is masked; infinity where there is no way."""
    near: list[list[int]] = [[] for _ in range(len(graph))]
    for a, b in zip(graph.sources.tolist(), graph.targets.tolist(), strict=True):
        near[a].append(b)
        if both_ways:
            near[b].append(a)
    hops = [float("inf")] * len(graph)
    queue = deque(dict.fromkeys(starts))
    for i in queue:
        hops[i] = 0.0
    while queue:
        i = queue.popleft()
        for j in near[i]:
            if hops[j] == float("inf"):
                hops[j] = hops[i] + 1
                queue.append(j)
    return hops


def _places(graph: ToolGraph, kept: list[int], spine: list[int]) -> Places:
    """Columns by distance from the start; the path lies along the middle. Without a path, a circle."""
    if not spine:
        angles = np.linspace(0, 2 * np.pi, len(kept), endpoint=False)
        return {i: (3 * float(np.cos(a)), 3 * float(np.sin(a))) for i, a in zip(kept, angles, strict=True)}
    hops = _hops(graph, spine[:1])
    far = 1 + max((hops[i] for i in kept if hops[i] < float("inf")), default=0)
    columns: dict[float, list[int]] = {}
    for i in kept:
        columns.setdefault(float(spine.index(i)) if i in spine else min(hops[i], far), []).append(i)
    places: Places = {}
    x = 0.0
    for column in sorted(columns):
        others = [i for i in columns[column] if i not in spine]
        places |= {i: (x, 0.0) for i in columns[column] if i in spine}
        places |= {i: _place(x, k) for k, i in enumerate(others)}
        x += 1 + SHIFT * max(0, (len(others) - 1) // ROWS)
    return places


def _place(x: float, k: int) -> tuple[float, float]:
    """Of a column's k-th node beside the path: below and above it in turn, a full column going on to the right."""
    row = k % ROWS
    height = (row // 2 + 1) * (1.0 if row % 2 else -1.0)
    shift = k // ROWS
    return x + SHIFT * shift, height + 0.5 * (shift % 2) * (1.0 if row % 2 else -1.0)


def _edges(axes: Any, graph: ToolGraph, places: Places, path: Path | None, before: Path | None) -> None:
    from matplotlib.collections import LineCollection

    chosen = set(path.edges) if path else set()
    old = (set(before.edges) if before else set()) - chosen
    closed = np.isinf(graph.costs)
    faint: list[tuple[tuple[float, float], tuple[float, float]]] = []
    ends = zip(graph.sources.tolist(), graph.targets.tolist(), strict=True)
    for e, (a, b) in enumerate(ends):
        if a not in places or b not in places:
            continue
        if e in chosen:
            _arrow(axes, places[a], places[b], STRONG, "-", 2.2, 3, bend=0.0)
        elif e in old:
            _arrow(axes, places[a], places[b], OLD, "--", 1.8, 2)
        elif closed[e]:
            _arrow(axes, places[a], places[b], FAILED, ":", 0.8, 1)
        else:
            faint.append((places[a], places[b]))
    axes.add_collection(LineCollection(faint, colors=FAINT, linewidths=0.4, alpha=0.6, zorder=0), autolim=False)


def _arrow(
    axes: Any,
    tail: tuple[float, float],
    head: tuple[float, float],
    colour: str,
    dashes: str,
    width: float,
    layer: int,
    bend: float | None = None,
) -> None:
    if bend is None:
        bend = 0.0 if abs(head[0] - tail[0]) <= 1 else 0.22
    axes.annotate(
        "",
        head,
        tail,
        arrowprops={
            "arrowstyle": "-|>",
            "color": colour,
            "linestyle": dashes,
            "linewidth": width,
            "shrinkA": 9,
            "shrinkB": 11,
            "connectionstyle": f"arc3,rad={bend}",
        },
        zorder=layer,
    )


def _legend(axes: Any, graph: ToolGraph, path: Path | None, before: Path | None) -> None:
    from matplotlib.lines import Line2D

    entries = []
    if path is not None:
        entries.append(Line2D([], [], color=STRONG, linewidth=2.2, label=f"path, cost {path.cost:g}"))
    if before is not None:
        entries.append(Line2D([], [], color=OLD, linestyle="--", linewidth=1.8, label=f"before, cost {before.cost:g}"))
    if graph.masked_nodes:
        entries.append(Line2D([], [], color=FAILED, linestyle="", marker="X", label="masked"))
    if entries:
        axes.legend(handles=entries, loc="upper left", fontsize=8, frameon=False)


def _nodes(axes: Any, graph: ToolGraph, places: Places, path: Path | None, before: Path | None) -> None:
    chosen = set(_ids(graph, path))
    old = set(_ids(graph, before))
    masked = {graph.node(name) for name in graph.masked_nodes}
    for i, (x, y) in places.items():
        colour = FAILED if i in masked else STRONG if i in chosen else OLD if i in old else FAINT
        axes.plot(x, y, "X" if i in masked else "o", color=colour, markersize=11, zorder=4)
        axes.annotate(
            graph.names[i],
            (x, y),
            (0, 11),
            textcoords="offset points",
            ha="center",
            fontsize=7,
            color="black" if i in chosen | old | masked else "#566573",
            zorder=5,
            parse_math=False,  # a $ in a name is a $
        )
