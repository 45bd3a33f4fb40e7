"""``turnout train``: recorded outcomes -> a bundle; with --tools the tools and agents of one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from turnout.cli.output import console, print_json, print_table, say
from turnout.core import ConfigError
from turnout.outcomes import Outcomes
from turnout.schema import fail

Train = Callable[..., dict[str, Any]]


def trainer() -> tuple[Train, Any]:
    """`turnout.train.run.train_bundle` and its settings.

    Raises
    ------
    ConfigError
        The extra is not installed.
    """
    try:
        from turnout.train.run import train_bundle
        from turnout.train.vae import Settings
    except ImportError as error:
        raise fail(ConfigError, "train", f"needs the extra: pip install 'turnout[train]' ({error})") from None
    return train_bundle, Settings


def run_train(outcomes: Outcomes, output: Path, seed: int, resume: bool, json: bool, options: dict[str, Any]) -> None:
    """Trains, with a bar on standard error, and prints how good the bundle is out of fold."""
    train_bundle, settings = trainer()
    work = output.resolve().parent / f".{output.resolve().name}-training" if resume else None
    with _bar() as tell:
        header = train_bundle(
            outcomes, output, settings=settings(seed=seed), checkpoints=work, progress=tell, **options
        )
    if json:
        print_json(header)
    else:
        print_figures(output, header)


@contextmanager
def _bar() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on standard error; where that is no terminal, a line a stage."""
    out = console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as progress:
        task = progress.add_task("training", total=None)

        def tell(message: str, done: int, total: int) -> None:
            if out.is_terminal:
                progress.update(task, description=message, completed=done, total=total)
            else:
                out.print(f"[{done}/{total}] {message}")

        yield tell


def print_figures(output: Path, header: dict[str, Any]) -> None:
    """What was trained on, and the figures out of fold."""
    training, metrics = header["training"], header["metrics"]
    rows = [
        [name, str(row["queries"]), f"{row['llms_calibrated']} of {row['llms']}"]
        + [f"{row[key]:.4f}" for key in ("spearman_d", "ece", "brier")]
        for name, row in metrics["out_of_fold"].items()
    ]
    say("Out of fold: every query is judged by what never saw it", style="bold")
    print_table(["set", "queries", "LLMs calibrated", "rank correlation of d", "ECE", "Brier"], rows)
    costs = ", ".join(f"{count} {kind}" for kind, count in training["costs"].items())
    say(f"{training['outcomes']} outcomes of {training['llms']} LLMs; costs: {costs}")
    say(f"wrote {output}: bundle {header['name']!r}, version {header['version']}; model card: {output}/model_card.md")


def run_train_tools(
    tools: Path, queries: Path, base: Path | None, output: Path, columns: dict[str, str], options: dict[str, Any]
) -> None:
    """Trains the tools and agents of a bundle."""
    try:
        from turnout.train.tools import Settings, train_tools
    except ImportError as error:
        raise fail(ConfigError, "train", f"needs the extra: pip install 'turnout[train]' ({error})") from None
    out = console(stderr=True)

    def tell(message: str) -> None:
        out.print(message)

    json = options.pop("json")
    figures = train_tools(tools, queries, base, output, Settings(**options), tell, columns)
    if json:
        print(msgspec.json.encode(figures).decode())
        return
    for name, row in figures.items():
        say(f"{name}: " + ", ".join(f"{key} {value}" for key, value in row.items()))
    say(f"wrote {output}")
