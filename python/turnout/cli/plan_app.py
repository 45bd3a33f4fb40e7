"""The commands of ``turnout plan`` and their options; what they do lives in `turnout.cli.plan`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(help="Plans over time.", rich_markup_mode=None)


@app.callback()
def plan() -> None:
    """Plans over time."""


@app.command()
def show(
    query: Annotated[str | None, typer.Argument(help="The query whose plan is to be shown.")] = None,
    tasks: Annotated[
        Path | None,
        typer.Option(
            "--tasks",
            metavar="FILE",
            help='Instead: a DAG of tasks as JSON, {"write": {"seconds": 2, "inputs": ["read"]}}.',
        ),
    ] = None,
    bundle: Annotated[
        Path | None, typer.Option("--bundle", help="Folder of a bundle; default: the one that ships.")
    ] = None,
    pool: Annotated[
        Path | None, typer.Option("--pool", help="TOML file with your LLMs; default: the bundle's pool.")
    ] = None,
    value_usd: Annotated[
        float | None, typer.Option(help="What a correct answer is worth, in USD; default: the pool's.", min=0.0)
    ] = None,
    budget_usd: Annotated[float | None, typer.Option(help="Hard limit of the plan's USD.", min=0.0)] = None,
    max_seconds: Annotated[float | None, typer.Option(help="Hard limit of the plan's seconds.", min=0.0)] = None,
    max_calls: Annotated[int | None, typer.Option(help="Hard limit of the plan's LLM calls.", min=0)] = None,
    disable_operators: Annotated[
        list[str] | None, typer.Option(help="An operator that may not be used; repeat for more.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="Draw it: .svg or .png.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Show the plan of a query, or a DAG of tasks, as a Gantt chart: what runs when, and on what."""
    from turnout.cli.plan import show_plan, show_tasks
    from turnout.constraints import Constraints
    from turnout.router import Router

    if (query is None) == (tasks is None):
        raise typer.BadParameter("give a query or --tasks")
    if tasks is not None:
        show_tasks(tasks, max_seconds, out, json)
        return
    assert query is not None
    rules = Constraints(disable_operators=disable_operators) if disable_operators else None
    limits: dict[str, Any] = {"budget_usd": budget_usd, "max_seconds": max_seconds, "max_calls": max_calls}
    options: dict[str, Any] = {**limits, "value_usd": value_usd, "constraints": rules}
    show_plan(Router.load(bundle, pool=pool).route(query, **options), max_seconds, out, json)
