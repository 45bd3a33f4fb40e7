"""``turnout graph show``: reads a tool graph, finds a path, lets tools fail, prints and draws."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from turnout.cli.output import print_json, say
from turnout.core import InputError
from turnout.files import file_errors
from turnout.graph import Path as ToolPath
from turnout.graph import ToolGraph
from turnout.schema import fail


def read_graph(file: Path) -> ToolGraph:
    """A TaskBench graph or an MCP tool list, told apart by their keys.

    Raises
    ------
    InputError
        The file cannot be read, is no JSON, or is neither; names the file and the field.
    """
    with file_errors(file, "read"):
        data = file.read_bytes()
    try:
        parsed: Any = msgspec.json.decode(data)
    except msgspec.DecodeError as error:
        raise fail(InputError, str(file), f"is no JSON: {error}") from None
    except RecursionError:
        raise fail(InputError, str(file), "is nested too deeply") from None
    bench = isinstance(parsed, dict) and {"nodes", "links"} <= set(parsed)
    try:
        return ToolGraph.from_taskbench(parsed) if bench else ToolGraph.from_mcp(parsed)
    except InputError as error:
        raise InputError(f"{file}: {error}") from None


def show_graph(
    file: Path, start: str | None, goal: str | None, mask: list[str], failed: list[str], out: Path | None, json: bool
) -> None:
    """Prints the path, and after each failure the next one; draws the last."""
    graph = read_graph(file)
    for name in mask:
        graph.mask_node(name)
    paths: list[ToolPath | None] = []
    if start is not None and goal is not None:
        paths = _paths(graph, start, goal, failed)
    if json:
        print_json(_record(graph, paths, mask, failed))
    else:
        _print(file, graph, paths, mask, failed)
    if out is not None:
        _draw(graph, file, paths, out)
        if not json:
            say(f"drawn      {out}")


def _paths(graph: ToolGraph, start: str, goal: str, failed: list[str]) -> list[ToolPath | None]:
    """The first path, and the one after each failure."""
    planner = graph.replanner(start, goal)
    paths = [planner.replan()]
    for name in failed:
        graph.mask_node(name)
        paths.append(planner.replan())
    return paths


def _print(file: Path, graph: ToolGraph, paths: list[ToolPath | None], mask: list[str], failed: list[str]) -> None:
    say(f"{file.name}: {len(graph)} tools, {graph.edge_count} edges")
    if mask:
        say(f"masked     {', '.join(mask)}")
    for before, (name, path) in enumerate(zip(["", *failed], paths, strict=False)):
        if name:
            used = paths[before - 1]
            on_path = used is not None and name in used.nodes
            say(f"fails      {name}" + ("" if on_path else " (not on the path)"), "red")
        say(
            f"{'reroute' if name else 'path':11}{path}" if path else "escalate   no path is left",
            None if path else "red",
        )


def _record(graph: ToolGraph, paths: list[ToolPath | None], mask: list[str], failed: list[str]) -> dict[str, Any]:
    return {
        "tools": len(graph),
        "edges": graph.edge_count,
        "masked": mask,
        "failed": failed,
        "paths": [None if p is None else {"nodes": p.nodes, "costs": p.costs, "cost": p.cost} for p in paths],
    }


def _draw(graph: ToolGraph, file: Path, paths: list[ToolPath | None], out: Path) -> None:
    from turnout.draw import draw_graph, save

    last = paths[-1] if paths else None
    before = next((p for p in reversed(paths[:-1]) if p is not None and p != last), None)
    save(draw_graph(graph, last, before=before, title=file.stem), out)
