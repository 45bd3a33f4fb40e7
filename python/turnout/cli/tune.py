"""``turnout tune``: the routing weight that meets a target, as a diff of the pool's file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from turnout.cli.output import console, print_json, print_table, say
from turnout.core import InputError
from turnout.evaluate.bootstrap import Interval
from turnout.outcomes import Outcomes, read
from turnout.pool_file import PoolFile
from turnout.router import Router
from turnout.schema import fail
from turnout.tune import GRID, HALVINGS, Target, Tuning, tune


def _train_split(queries: Path, outcomes: Path, columns: dict[str, str]) -> Outcomes:
    found = read(queries, outcomes, columns, min_llms=1).split("train")
    if found.queries == 0:
        raise fail(InputError, str(queries), "no query is of the split 'train'")
    return found


@contextmanager
def _progress() -> Iterator[Callable[[], None]]:
    out = console(stderr=True)
    bar = Progress(
        TextColumn("tuning"), BarColumn(), TimeElapsedColumn(), console=out, transient=True, disable=not out.is_terminal
    )
    with bar:
        task = bar.add_task("tuning", total=len(GRID) + 2 * HALVINGS)
        yield lambda: bar.advance(task)


def run_tune(
    router: Router,
    pool: Path,
    files: tuple[Path, Path],
    columns: dict[str, str],
    target: Target,
    options: dict[str, Any],
    write: bool,
    as_json: bool,
) -> None:
    """Tunes, prints what changes, and writes the pool's file only if asked."""
    source = PoolFile.read(pool)
    outcomes = _train_split(*files, columns)
    with _progress() as tried:
        found = tune(router, outcomes, target, options, tried)
    changed = source.set_value_usd(found.after.value_usd)
    diff = changed.diff()
    if write and diff:
        changed.write()
    if as_json:
        print_json({**_plain(found), "diff": diff, "written": write})
        return
    _say(found)
    say("")
    say(diff.rstrip("\n") if diff else f"{pool}: nothing changes")
    if diff:
        console(stderr=True).print(f"{pool}: written" if write else f"{pool}: not written; --write does it")


def _plain(found: Tuning) -> dict[str, Any]:
    means = {name: {key: each._asdict() for key, each in both.items()} for name, both in found.intervals().items()}
    for name, point in (("before", found.before), ("after", found.after)):
        means[name] |= {"value_usd": point.value_usd, "recorded": float(point.recorded.mean())}  # type: ignore[dict-item]
    return {"queries": found.queries, **means}


def _say(found: Tuning) -> None:
    say(f"{found.queries} queries of the train split, 95 % intervals")
    means = found.intervals()
    points = {"before": found.before, "after": found.after}
    rows = []
    for name, both in means.items():
        point = points.get(name)
        value = "" if point is None else f"{point.value_usd:g}"
        share = "" if point is None else f"recorded outcomes on {point.recorded.mean():.0%}, predictions on the others"
        rows.append([name, value, _shown(both["usd"], ".4g"), _shown(both["quality"], ".4f"), share])
    print_table(["", "value_usd", "USD a query", "quality", "by"], rows)


def _shown(found: Interval, digits: str) -> str:
    return f"{found.value:{digits}} ({found.low:{digits}} .. {found.high:{digits}})"
