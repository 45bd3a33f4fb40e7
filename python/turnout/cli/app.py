"""The commands and their options; what they do lives in the files beside this one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from turnout.cli.output import console, print_json
from turnout.core import TurnoutError
from turnout.router import DEFAULT_VALUE_USD, Router

app = typer.Typer(
    help="Routes queries to LLMs, tools and agents: a costed, explained plan in microseconds, on this machine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Bundle = Annotated[Path | None, typer.Option("--bundle", help="Folder of a bundle; default: the one that ships.")]
PoolFile = Annotated[Path | None, typer.Option("--pool", help="TOML file with your LLMs; default: the bundle's pool.")]
ToolFile = Annotated[Path | None, typer.Option("--capabilities", help="TOML file with your tools and agents.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Value = Annotated[float, typer.Option("--value-usd", help="What a correct answer is worth, in USD.", min=0.0)]
Budget = Annotated[float | None, typer.Option("--budget-usd", help="Hard limit of a plan's USD.", min=0.0)]
MaxSeconds = Annotated[float | None, typer.Option("--max-seconds", help="Hard limit of a plan's seconds.", min=0.0)]
Statistic = Annotated[str, typer.Option(help="Statistic that the limits bound: p90, mean or cap.")]
Seed = Annotated[int | None, typer.Option(help="Sample latent and operators with this seed; default: greedy.", min=0)]
Deny = Annotated[list[str] | None, typer.Option(help="An LLM that may not be used; repeat for more.")]
Allow = Annotated[list[str] | None, typer.Option(help="An LLM that may be used; repeat for more. Default: all.")]


def _options(
    value_usd: float,
    budget_usd: float | None,
    max_seconds: float | None,
    statistic: str,
    seed: int | None,
    allow: list[str] | None,
    deny: list[str] | None,
) -> dict[str, Any]:
    from turnout.constraints import Constraints

    constraints = Constraints(allow=allow, deny=deny or ()) if allow or deny else None
    return {
        "value_usd": value_usd,
        "budget_usd": budget_usd,
        "max_seconds": max_seconds,
        "statistic": statistic,
        "seed": seed,
        "constraints": constraints,
    }


@app.command()
def demo(bundle: Bundle = None, pool: PoolFile = None, json: Json = False) -> None:
    """Route real queries of several domains and difficulties, and show what was decided."""
    from turnout.cli.demo import run_demo

    run_demo(Router.load(bundle, pool=pool), json)


@app.command()
def route(
    query: Annotated[str | None, typer.Argument(help="The query; '-' or nothing reads standard input.")] = None,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="Route every row of a .csv, .csv.gz, .jsonl or .parquet file.")
    ] = None,
    column: Annotated[str, typer.Option(help="The file's column that holds the queries.")] = "text",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write decisions to a .csv, .jsonl or .parquet file.")
    ] = None,
    bundle: Bundle = None,
    pool: PoolFile = None,
    capabilities: ToolFile = None,
    value_usd: Value = DEFAULT_VALUE_USD,
    budget_usd: Budget = None,
    max_seconds: MaxSeconds = None,
    statistic: Statistic = "p90",
    seed: Seed = None,
    allow: Allow = None,
    deny: Deny = None,
    json: Json = False,
) -> None:
    """Route a query, standard input, or a file of queries."""
    from turnout.cli.route import route_file, route_one

    options = _options(value_usd, budget_usd, max_seconds, statistic, seed, allow, deny)
    router = Router.load(bundle, pool=pool, capabilities=capabilities)
    if file is not None:
        if query is not None:
            raise typer.BadParameter("give a query or --file, not both")
        route_file(router, file, column, out, options, json)
    else:
        route_one(router, _text(query), options, json)


@app.command()
def explain(
    query: Annotated[str | None, typer.Argument(help="The query; '-' or nothing reads standard input.")] = None,
    bundle: Bundle = None,
    pool: PoolFile = None,
    capabilities: ToolFile = None,
    value_usd: Value = DEFAULT_VALUE_USD,
    budget_usd: Budget = None,
    max_seconds: MaxSeconds = None,
    statistic: Statistic = "p90",
    seed: Seed = None,
    allow: Allow = None,
    deny: Deny = None,
    json: Json = False,
) -> None:
    """Show how a query is decided: every stage in a line, the plan, and what else was considered."""
    from turnout.cli.explain import explain_one

    options = _options(value_usd, budget_usd, max_seconds, statistic, seed, allow, deny)
    explain_one(Router.load(bundle, pool=pool, capabilities=capabilities), _text(query), options, json)


@app.command()
def info(bundle: Bundle = None, pool: PoolFile = None, json: Json = False) -> None:
    """Show versions, engines, what import and load cost here, and what the bundle holds."""
    from turnout.cli.info import show_info

    show_info(bundle, pool, json)


@app.command()
def bench(
    json: Annotated[Path | None, typer.Option("--json", help="Write the measurements to this file.")] = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder with outcomes/*.queries.csv.gz; default: built-in queries.")
    ] = None,
    quick: Annotated[bool, typer.Option(help="Fewer repetitions: a smoke test, not a measurement.")] = False,
    only: Annotated[str | None, typer.Option(help="Only cases whose name contains this.")] = None,
    bundle: Bundle = None,
) -> None:
    """Measure every stage and the whole against rivals, in one run on this machine."""
    from turnout.bench.run import run_bench

    run_bench(bundle, json, data, quick, only)


def _text(query: str | None) -> str:
    if query is not None and query != "-":
        return query
    if sys.stdin.isatty():
        raise typer.BadParameter("give a query, or pipe one to standard input")
    return sys.stdin.buffer.read().decode("utf-8", "replace")


def run() -> None:
    """Runs the command line; an error of turnout's is one line on standard error and exit code 1."""
    try:
        app()
    except TurnoutError as error:
        console(stderr=True).print(f"[bold red]error:[/] {_plain(error)}", highlight=False, soft_wrap=True)
        raise SystemExit(1) from None
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(1) from None


def _plain(error: Exception) -> str:
    from rich.markup import escape

    return escape(str(error))


__all__ = ["app", "print_json", "run"]
