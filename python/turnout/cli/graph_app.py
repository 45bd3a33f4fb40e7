"""The commands of ``turnout graph`` and their options; what they do lives in `turnout.cli.graph`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Tool graphs: paths, and what happens when tools fail.", rich_markup_mode=None)


@app.callback()
def graph() -> None:
    """Tool graphs: paths, and what happens when tools fail."""


@app.command()
def show(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A TaskBench graph, or what an MCP server's tools/list gives."),
    ],
    start: Annotated[str | None, typer.Option("--from", metavar="TOOL", help="Where the path begins.")] = None,
    goal: Annotated[str | None, typer.Option("--to", metavar="TOOL", help="Where it ends.")] = None,
    mask: Annotated[
        list[str] | None, typer.Option("--mask", metavar="TOOL", help="A tool that may not be used; repeat for more.")
    ] = None,
    failed: Annotated[
        list[str] | None,
        typer.Option("--fail", metavar="TOOL", help="A tool that fails then, in this order; repeat for more."),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="Draw it: .svg or .png.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Show a tool graph, the cheapest path through it, and the path after tools fail."""
    from turnout.cli.graph import show_graph

    if (start is None) != (goal is None):
        raise typer.BadParameter("give both --from and --to, or neither")
    if failed and start is None:
        raise typer.BadParameter("--fail needs --from and --to")
    show_graph(file, start, goal, mask or [], failed or [], out, json)
