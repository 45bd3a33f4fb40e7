"""The commands and their options; what they do lives in the files beside this one."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from turnout import __version__
from turnout.cli.errors import Commands
from turnout.cli.graph_app import app as graph_app
from turnout.cli.pairs import pairs
from turnout.cli.plan_app import app as plan_app
from turnout.cli.pool_app import Columns
from turnout.cli.pool_app import app as pool_app
from turnout.core import ConfigError
from turnout.router import DEFAULT_TOOLS, Router

app = typer.Typer(
    cls=Commands,
    add_completion=False,
    rich_markup_mode=None,  # plain help and usage errors: no boxes in logs, nothing that needs a wide terminal
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
app.add_typer(pool_app, name="pool")
app.add_typer(graph_app, name="graph")
app.add_typer(plan_app, name="plan")


class StatisticName(StrEnum):
    """The names of `turnout.router.STATISTICS`, for typer."""

    p90 = "p90"
    mean = "mean"
    cap = "cap"


Bundle = Annotated[Path | None, typer.Option("--bundle", help="Folder of a bundle; default: the one that ships.")]
PoolFile = Annotated[Path | None, typer.Option("--pool", help="TOML file with your LLMs; default: the bundle's pool.")]
ToolFile = Annotated[Path | None, typer.Option("--capabilities", help="TOML file with your tools and agents.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Value = Annotated[
    float | None,
    typer.Option(
        "--value-usd", help="What a correct answer is worth, in USD; default: the pool's, else 0.01.", min=0.0
    ),
]
Budget = Annotated[float | None, typer.Option("--budget-usd", help="Hard limit of a plan's USD.", min=0.0)]
MaxCalls = Annotated[int | None, typer.Option(help="Hard limit of a plan's LLM calls.", min=0, max=2**63 - 1)]
MaxTokens = Annotated[float | None, typer.Option(help="Hard limit of a plan's tokens, prompts and answers.", min=0.0)]
MaxSeconds = Annotated[float | None, typer.Option("--max-seconds", help="Hard limit of a plan's seconds.", min=0.0)]
Statistic = Annotated[StatisticName, typer.Option(help="Statistic that the limits bound.")]
P90 = StatisticName.p90
Seed = Annotated[
    int | None,
    typer.Option(help="Sample latent and operators with this seed; default: greedy.", min=0, max=2**64 - 1),
]
UsdPerSecond = Annotated[float, typer.Option("--usd-per-second", help="What a second costs, in USD.", min=0.0)]
InTokens = Annotated[
    int | None, typer.Option(help="A query's length in LLM tokens; default: counted.", min=0, max=2**31 - 1)
]
Tools = Annotated[int, typer.Option(help="How many tools and agents to propose.", min=0, max=8)]
Allow = Annotated[list[str] | None, typer.Option(help="An LLM that may be used; repeat for more. Default: all.")]
Deny = Annotated[list[str] | None, typer.Option(help="An LLM that may not be used; repeat for more.")]
Needs = Annotated[list[str] | None, typer.Option(help="A policy name that every LLM must offer; repeat for more.")]
DisableOperators = Annotated[list[str] | None, typer.Option(help="An operator that may not be used; repeat for more.")]
Kinds = Annotated[
    list[str] | None, typer.Option(help="A kind of capability that may be proposed; repeat for more. Default: all.")
]
Grants = Annotated[
    list[str] | None,
    typer.Option(help="A policy name that is granted to tools and agents; repeat for more. Default: all."),
]
CostBias = Annotated[float, typer.Option(help="Similarity lost per USD of a capability's call.", min=0.0)]

OPTIONS = (
    *("value_usd", "budget_usd", "max_seconds", "max_calls", "max_tokens", "statistic", "seed", "usd_per_second"),
    *("in_tokens", "tools"),
)
RULES = ("allow", "deny", "needs", "disable_operators", "kinds", "grants", "cost_bias")


def _options(given: dict[str, Any]) -> dict[str, Any]:
    """The options of `Router.route` from a command's, which have the same names."""
    from turnout.constraints import Constraints

    rules = {name: given[name] for name in RULES if given[name]}
    options = {name: given[name] for name in OPTIONS}
    return {**options, "constraints": Constraints(**rules) if rules else None}


def _named(error: ConfigError, root: str, file: Path | None) -> ConfigError:
    """`error`, which also names the file if it lies within it."""
    inside = file is not None and error.path.startswith(root)
    return ConfigError(f"{file}: {error}") if inside else error


def _load(bundle: Path | None, pool: Path | None, capabilities: Path | None = None) -> Router:
    try:
        return Router.load(bundle, pool=pool, capabilities=capabilities)
    except ConfigError as error:
        raise _named(_named(error, "pool", pool), "capabilities", capabilities) from None


@app.callback(invoke_without_command=True)
def main(
    context: typer.Context, version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False
) -> None:
    """Routes queries to LLMs, tools and agents: a costed, explained plan in microseconds, on this machine."""
    if version:
        typer.echo(f"turnout {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(2)


@app.command()
def demo(bundle: Bundle = None, pool: PoolFile = None, json: Json = False) -> None:
    """Route queries of several domains and difficulties."""
    from turnout.cli.demo import run_demo

    run_demo(_load(bundle, pool), json)


@app.command()
def route(
    context: typer.Context,
    query: Annotated[str | None, typer.Argument(help="The query; '-' or nothing reads standard input.")] = None,
    file: Annotated[
        list[Path] | None,
        typer.Option(
            "--file", "-f", help="Route every row of a .csv, .csv.gz, .jsonl or .parquet file; repeat for more."
        ),
    ] = None,
    column: Annotated[str, typer.Option(help="The files' column that holds the queries.")] = "text",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Write the rows' decisions to a .csv, .jsonl or .parquet file; default: CSV to standard output.",
        ),
    ] = None,
    bundle: Bundle = None,
    pool: PoolFile = None,
    capabilities: ToolFile = None,
    value_usd: Value = None,
    budget_usd: Budget = None,
    max_seconds: MaxSeconds = None,
    max_calls: MaxCalls = None,
    max_tokens: MaxTokens = None,
    statistic: Statistic = P90,
    usd_per_second: UsdPerSecond = 0.0,
    in_tokens: InTokens = None,
    tools: Tools = DEFAULT_TOOLS,
    seed: Seed = None,
    allow: Allow = None,
    deny: Deny = None,
    needs: Needs = None,
    disable_operators: DisableOperators = None,
    kinds: Kinds = None,
    grants: Grants = None,
    cost_bias: CostBias = 0.0,
    json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Print JSON instead of text: the decision; with --file one decision a line, and the summary as JSON "
            "on standard error; with --out the summary.",
        ),
    ] = False,
) -> None:
    """Route a query, standard input, or files of queries."""
    from turnout.cli.route import route_files, route_one
    from turnout.files import same_file

    if file and query is not None:
        raise typer.BadParameter("give a query or --file, not both")
    if out is not None and not file:
        raise typer.BadParameter("--out writes the decisions of --file; with one query, use --json")
    if out is not None and any(same_file(out, each) for each in file or []):
        raise typer.BadParameter(f"--out {out} would overwrite a --file that is to be read")
    options = _options(context.params)
    text = "" if file else _text(query)
    router = _load(bundle, pool, capabilities)
    if file:
        route_files(router, file, column, out, options, json)
    else:
        route_one(router, text, options, json)


@app.command()
def explain(
    context: typer.Context,
    query: Annotated[str | None, typer.Argument(help="The query; '-' or nothing reads standard input.")] = None,
    bundle: Bundle = None,
    pool: PoolFile = None,
    capabilities: ToolFile = None,
    value_usd: Value = None,
    budget_usd: Budget = None,
    max_seconds: MaxSeconds = None,
    max_calls: MaxCalls = None,
    max_tokens: MaxTokens = None,
    statistic: Statistic = P90,
    usd_per_second: UsdPerSecond = 0.0,
    in_tokens: InTokens = None,
    tools: Tools = DEFAULT_TOOLS,
    seed: Seed = None,
    allow: Allow = None,
    deny: Deny = None,
    needs: Needs = None,
    disable_operators: DisableOperators = None,
    kinds: Kinds = None,
    grants: Grants = None,
    cost_bias: CostBias = 0.0,
    json: Json = False,
) -> None:
    """Show every stage, the plan and its alternatives."""
    from turnout.cli.explain import explain_one

    options = _options(context.params)
    text = _text(query)
    explain_one(_load(bundle, pool, capabilities), text, options, json)


@app.command()
def info(bundle: Bundle = None, pool: PoolFile = None, json: Json = False) -> None:
    """Show versions, engines, costs of load, the bundle."""
    from turnout.cli.info import show_info

    show_info(_load(bundle, pool), bundle, json)


@app.command()
def bench(
    json: Annotated[
        Path | None,
        typer.Option(
            "--json", metavar="FILE", help="Write the measurements to this JSON file too; '-' prints JSON, no table."
        ),
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder with outcomes/*.queries.csv.gz; default: built-in queries.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer repetitions: a smoke test, not a measurement.")] = False,
    only: Annotated[str | None, typer.Option(help="Only cases whose name contains this.")] = None,
    bundle: Bundle = None,
) -> None:
    """Measure every stage against rivals on this machine."""
    from turnout.bench.run import run_bench

    printed = json == Path("-")
    run_bench(bundle, None if printed else json, data, quick, only, printed)


@app.command()
def tune(
    pool: Annotated[Path, typer.Argument(metavar="POOL", help="TOML file with your LLMs.")],
    queries: Annotated[Path, typer.Argument(metavar="QUERIES", help="File of queries: .csv, .jsonl or .parquet.")],
    outcomes: Annotated[Path, typer.Argument(metavar="OUTCOMES", help="File of what LLMs did on them.")],
    target_cost: Annotated[
        float | None, typer.Option("--target-cost", metavar="USD", help="At most this a query, on the mean.", min=0.0)
    ] = None,
    target_quality: Annotated[
        float | None,
        typer.Option("--target-quality", metavar="SHARE", help="At least this mean score.", min=0.0, max=1.0),
    ] = None,
    columns: Columns = None,
    bundle: Bundle = None,
    budget_usd: Budget = None,
    max_seconds: MaxSeconds = None,
    disable_operators: DisableOperators = None,
    write: Annotated[bool, typer.Option("--write", help="Write the change; default: only show it.")] = False,
    json: Json = False,
) -> None:
    """Find the worth of a correct answer that meets a target of cost or quality, as a diff of the pool's file.

    Only queries of the split 'train' count. Give the limits and rules that you route with.
    """
    from turnout.cli.tune import run_tune
    from turnout.constraints import Constraints
    from turnout.tune import Target

    if (target_cost is None) == (target_quality is None):
        raise typer.BadParameter("give one of --target-cost and --target-quality")
    rules = Constraints(disable_operators=disable_operators) if disable_operators else None
    options = {"budget_usd": budget_usd, "max_seconds": max_seconds, "constraints": rules}
    target, files = Target(target_cost, target_quality), (queries, outcomes)
    run_tune(_load(bundle, pool), pool, files, pairs(columns, "--columns"), target, options, write, json)


@app.command("train")
def train_command(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="QUERIES OUTCOMES, and more such pairs: .csv, .jsonl (.gz) or .parquet. With --tools: TOOLS QUERIES."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The bundle's folder; replaced as a whole.")],
    tools: Annotated[
        bool, typer.Option("--tools", help="Train the selection of tools and agents, on a copy of --base.")
    ] = False,
    base: Annotated[
        Path | None,
        typer.Option(help="Bundle whose token table, operators and tools are taken over; default: the one that ships."),
    ] = None,
    pool: Annotated[
        Path | None,
        typer.Option("--pool", help="TOML file of the bundle's own pool; default: all LLMs with recorded costs."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the bundle; default: the sets'.")] = None,
    columns: Columns = None,
    alias: Annotated[
        list[str] | None,
        typer.Option("--alias", metavar="THEIRS=OURS", help="What an LLM of the files is to be called; repeat."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of everything that is drawn.", min=0, max=2**32 - 1)] = 0,
    resume: Annotated[
        bool, typer.Option("--resume/--no-resume", help="Keep finished stages, and go on from those of a stopped run.")
    ] = True,
    threshold: Annotated[
        bool, typer.Option("--threshold/--no-threshold", help="With --tools: propose none where none is relevant.")
    ] = True,
    json: Json = False,
) -> None:
    """Train a bundle on recorded outcomes (turnout[train])."""
    from turnout.cli.evaluate import read_all
    from turnout.cli.train import run_train, run_train_tools

    if tools:
        if len(files) != 2:
            raise typer.BadParameter("with --tools give two files: TOOLS QUERIES")
        chosen: dict[str, Any] = {"seed": seed, "json": json} | ({} if threshold else {"keep": None})
        run_train_tools(files[0], files[1], base, output, pairs(columns, "--columns"), chosen)
        return
    outcomes = read_all(files, pairs(columns, "--columns"), pairs(alias, "--alias"))
    run_train(outcomes, output, seed, resume, json, {"base": base, "pool": pool, "name": name})


@app.command("evaluate")
def evaluate_command(
    bundle: Annotated[
        str | None, typer.Argument(help="Folder of a bundle; 'default' is the one that ships. Not with --log.")
    ] = None,
    files: Annotated[
        list[Path] | None, typer.Argument(help="QUERIES OUTCOMES, and more such pairs: .csv, .jsonl (.gz) or .parquet.")
    ] = None,
    log: Annotated[
        list[Path] | None,
        typer.Option("--log", metavar="FOLDER", help="Instead: the state folder of a router that explored; repeat."),
    ] = None,
    values_usd: Annotated[
        list[float] | None,
        typer.Option("--value-usd", help="With --log: what if a correct answer were worth this; repeat."),
    ] = None,
    json: Annotated[
        Path | None,
        typer.Option("--json", metavar="FILE", help="Write the report to this JSON file; '-' prints JSON, no tables."),
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write one self-contained HTML file with pictures.")
    ] = None,
    plots: Annotated[
        Path | None, typer.Option("--plots", metavar="FOLDER", help="Write the pictures as PNG into this folder.")
    ] = None,
    pool: Annotated[
        list[str] | None,
        typer.Option(
            "--pool",
            metavar="NAME=LLM,LLM",
            help="LLMs to choose from, '*' for all; repeat for more pools. "
            "Default: all LLMs of a set with enough scores and costs.",
        ),
    ] = None,
    pools: Annotated[
        Path | None,
        typer.Option("--pools", metavar="FILE", help='JSON file of pools: {"set": {"name": ["llm"]}}.'),
    ] = None,
    out_of_fold: Annotated[
        bool, typer.Option("--out-of-fold", help="Train a bundle for each of 5 folds of all queries (turnout[train]).")
    ] = False,
    known_only: Annotated[
        bool, typer.Option("--known-only", help="Leave out LLMs that the bundle does not know.")
    ] = False,
    columns: Annotated[
        list[str] | None,
        typer.Option("--columns", metavar="OURS=THEIRS", help="What a column is called in the files; repeat for more."),
    ] = None,
    alias: Annotated[
        list[str] | None,
        typer.Option("--alias", metavar="THEIRS=OURS", help="What the bundle calls an LLM of the files; repeat."),
    ] = None,
    draws: Annotated[int, typer.Option(help="Draws of the bootstrap.", min=10, max=100_000)] = 1000,
    seed: Annotated[int, typer.Option(help="Of everything that is drawn.", min=0, max=2**32 - 1)] = 0,
) -> None:
    """Evaluate a bundle beside baselines on recorded outcomes."""
    from turnout.cli.evaluate import read_all, read_pools, run_evaluate

    if log:
        from turnout.cli.evaluate_log import read_folders, run_log

        if bundle is not None:
            raise typer.BadParameter("--log stands alone: without BUNDLE and FILES")
        run_log(read_folders(log), {"values_usd": tuple(values_usd or ()), "draws": draws, "seed": seed}, json, plots)
        return
    if bundle is None or not files:
        raise typer.BadParameter("give BUNDLE QUERIES OUTCOMES, or --log FOLDER")
    aliases = pairs(alias, "--alias")
    outcomes = read_all(files, pairs(columns, "--columns"), aliases)
    options = {"draws": draws, "seed": seed, "known_only": known_only}
    wanted = read_pools(pools, pool or [], outcomes, aliases)
    path = None if bundle == "default" else Path(bundle)
    run_evaluate(path, outcomes, wanted, out_of_fold, options, json, html, plots)


@app.command("simulate")
def simulate_command(
    bundle: Annotated[str, typer.Argument(help="Folder of a bundle; 'default' is the one that ships.")],
    files: Annotated[
        list[Path], typer.Argument(help="QUERIES OUTCOMES, and more such pairs: .csv, .jsonl (.gz) or .parquet.")
    ],
    json: Annotated[
        Path | None,
        typer.Option("--json", metavar="FILE", help="Write the report to this JSON file; '-' prints JSON, no tables."),
    ] = None,
    plots: Annotated[
        Path | None, typer.Option("--plots", metavar="FOLDER", help="Write the pictures as PNG into this folder.")
    ] = None,
    pool: Annotated[
        list[str] | None, typer.Option("--pool", metavar="NAME=LLM,LLM", help="LLMs to choose from; repeat.")
    ] = None,
    pools: Annotated[Path | None, typer.Option("--pools", metavar="FILE", help="JSON file of pools.")] = None,
    alias: Annotated[
        list[str] | None,
        typer.Option("--alias", metavar="THEIRS=OURS", help="What the bundle calls an LLM of the files; repeat."),
    ] = None,
    values_usd: Annotated[
        list[float] | None, typer.Option("--value-usd", help="What a correct answer is worth; repeat.")
    ] = None,
    seeds: Annotated[int, typer.Option(help="Orders of the queries.", min=1, max=10_000)] = 20,
    draws: Annotated[int, typer.Option(help="Draws of the bootstrap.", min=10, max=100_000)] = 1000,
    split: Annotated[str, typer.Option(help="Queries to replay: test or train.")] = "test",
    cases: Annotated[bool, typer.Option("--cases/--no-cases", help="New, dearer, degrading and dead LLMs.")] = True,
) -> None:
    """Learn on recorded outcomes as a stream, beside bandits that start from nothing."""
    from turnout.cli.evaluate import read_all, read_pools
    from turnout.cli.simulate import run_simulate
    from turnout.simulate.run import VALUES_USD

    aliases = pairs(alias, "--alias")
    outcomes = read_all(files, {}, aliases)
    run_simulate(
        None if bundle == "default" else Path(bundle),
        outcomes,
        read_pools(pools, pool or [], outcomes, aliases),
        tuple(values_usd or VALUES_USD),
        seeds,
        draws,
        split,
        cases,
        json,
        plots,
    )


@app.command("replay")
def replay_command(
    log: Annotated[Path, typer.Argument(help="State folder of a router that learned with log='vectors' or 'texts'.")],
    bundle: Annotated[Path | None, typer.Option(help="Folder of a bundle; default: the one that ships.")] = None,
    pool: Annotated[Path | None, typer.Option("--pool", help="TOML file of LLMs; default: the bundle's own.")] = None,
    show: Annotated[int, typer.Option(help="How many differing decisions to list.", min=0)] = 10,
    check: Annotated[bool, typer.Option("--check", help="Exit with 1 where a decision differs.")] = False,
    json: Json = False,
) -> None:
    """Ask logged decisions again, bit for bit, or over another bundle or pool."""
    from turnout.cli.replay import run_replay

    if not run_replay(log, bundle, pool, show, json) and check:
        raise typer.Exit(1)


def _text(query: str | None) -> str:
    if query is not None and query != "-":
        return query
    if sys.stdin is None or sys.stdin.isatty():
        raise typer.BadParameter("give a query, or pipe one to standard input")
    return sys.stdin.buffer.read().decode("utf-8", "replace")
