"""The commands of ``turnout pool`` and their options; what they do lives in `turnout.cli.pool`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from turnout.cli.pairs import pairs
from turnout.core import ConfigError

app = typer.Typer(help="Change and show a pool's file: LLMs, prices, abilities.", rich_markup_mode=None)

PoolPath = Annotated[Path, typer.Argument(metavar="FILE", help="The pool's TOML file.")]
Id = Annotated[str, typer.Option("--id", help="What you call the LLM.")]
Bundle = Annotated[Path | None, typer.Option("--bundle", help="Folder of a bundle; default: the one that ships.")]
QueryFile = Annotated[
    Path | None, typer.Option("--queries", help="File of queries (query_id, text): .csv, .jsonl or .parquet.")
]
OutcomeFile = Annotated[
    Path | None, typer.Option("--outcomes", help="File of outcomes (query_id, model, score) of these queries.")
]
Columns = Annotated[
    list[str] | None, typer.Option("--columns", metavar="OURS=THEIRS", help="What a column is called; repeat for more.")
]
Model = Annotated[str | None, typer.Option("--model", help="What the outcomes call the LLM; default: its id.")]
Write = Annotated[bool, typer.Option("--write", help="Write the change; default: only show it.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Scores = Annotated[
    list[str] | None, typer.Option("--score", metavar="NAME=SHARE", help="A public score in (0, 1); repeat for more.")
]
Like = Annotated[str | None, typer.Option("--like", help="An LLM of the bundle that is about as able.")]
Ability = Annotated[str | None, typer.Option("--ability", help="The id of this LLM in the bundle.")]
Policy = Annotated[list[str] | None, typer.Option("--policy", help="What it offers, as in json; repeat for more.")]

FIELDS = (
    *("usd_per_mtok_in", "usd_per_mtok_out", "usd_per_call", "price_date", "context_tokens", "max_output_tokens"),
    *("tokens_per_second", "seconds_to_first_token", "ability", "like", "policy"),
)


def _scores(texts: list[str] | None) -> dict[str, float]:
    try:
        return {name: float(value) for name, value in pairs(texts, "--score").items()}
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--score") from None


def _files(queries: Path | None, outcomes: Path | None, columns: list[str] | None, model: str | None) -> Any:
    from turnout.cli.pool import OutcomeFiles

    if queries is None and outcomes is None:
        return None
    if queries is None or outcomes is None:
        raise typer.BadParameter("give both --queries and --outcomes, or neither")
    return OutcomeFiles(queries, outcomes, pairs(columns, "--columns"), model)


def _named(file: Path, error: ConfigError) -> ConfigError:
    """`error`, which also names the file if it lies within it."""
    return ConfigError(f"{file}: {error}") if error.path.startswith("pool.") else error


@app.command()
def add(
    context: typer.Context,
    file: PoolPath,
    id: Id,
    usd_per_mtok_in: Annotated[float | None, typer.Option(help="USD per million prompt tokens.")] = None,
    usd_per_mtok_out: Annotated[float | None, typer.Option(help="USD per million output tokens.")] = None,
    usd_per_call: Annotated[float | None, typer.Option(help="USD for each call.")] = None,
    price_date: Annotated[str | None, typer.Option(help="When the prices were read; default: today.")] = None,
    score: Scores = None,
    like: Like = None,
    ability: Ability = None,
    queries: QueryFile = None,
    outcomes: OutcomeFile = None,
    columns: Columns = None,
    model: Model = None,
    context_tokens: Annotated[int | None, typer.Option(help="Prompt and output together; default: 128000.")] = None,
    max_output_tokens: Annotated[int | None, typer.Option(help="Output alone; default: 4096.")] = None,
    tokens_per_second: Annotated[float | None, typer.Option(help="Output tokens a second; default: 50.")] = None,
    seconds_to_first_token: Annotated[float | None, typer.Option(help="Default: 0.5.")] = None,
    policy: Policy = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="The LLM is in the pool: change it, and learn it afresh.")
    ] = False,
    bundle: Bundle = None,
    write: Write = False,
    json: Json = False,
) -> None:
    """Add an LLM: prices, public scores, and what outcomes of yours say of it."""
    from turnout.cli.pool import add as run
    from turnout.cli.pool import finish

    if not replace and (usd_per_mtok_in is None or usd_per_mtok_out is None):
        raise typer.BadParameter("a new LLM needs --usd-per-mtok-in and --usd-per-mtok-out")
    given = {name: context.params[name] for name in FIELDS if context.params[name] not in (None, [])}
    given |= {"scores": _scores(score)} if score else {}
    files = _files(queries, outcomes, columns, model)
    try:
        change = run(file, id, given, files, bundle, replace)
    except ConfigError as error:
        raise _named(file, error) from None
    finish(change, write, json)


@app.command()
def update(
    file: PoolPath,
    id: Id,
    queries: Annotated[Path, typer.Option("--queries", help="File of queries: .csv, .jsonl or .parquet.")],
    outcomes: Annotated[
        Path, typer.Option("--outcomes", help="File of outcomes that the LLM has not learned from before.")
    ],
    columns: Columns = None,
    model: Model = None,
    bundle: Bundle = None,
    write: Write = False,
    json: Json = False,
) -> None:
    """Learn an LLM's ability from more outcomes, on top of those before."""
    from turnout.cli.pool import finish
    from turnout.cli.pool import update as run

    try:
        change = run(file, id, _files(queries, outcomes, columns, model), bundle)
    except ConfigError as error:
        raise _named(file, error) from None
    finish(change, write, json)


@app.command()
def show(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="The pool's TOML file; default: the bundle's pool.")
    ] = None,
    bundle: Bundle = None,
    json: Json = False,
) -> None:
    """Show every LLM: ability with its interval, prices, and where the ability comes from."""
    from turnout.cli.pool import show as run

    try:
        run(file, bundle, json)
    except ConfigError as error:
        raise error if file is None else _named(file, error) from None
