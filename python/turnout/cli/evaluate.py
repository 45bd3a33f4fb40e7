"""``turnout evaluate``: a bundle beside the baselines, on recorded outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from turnout.cli.output import print_json, print_table, progress, say, write_file, write_pictures
from turnout.cli.pairs import pairs
from turnout.core import InputError
from turnout.evaluate import tables
from turnout.evaluate.run import evaluate, trainer
from turnout.files import file_errors
from turnout.outcomes import Outcomes, concat, read, set_name
from turnout.schema import fail


def read_all(files: Sequence[Path], columns: dict[str, str], aliases: dict[str, str]) -> Outcomes:
    """The sets of files in pairs: queries, outcomes, queries, outcomes, ..."""
    if len(files) % 2 or not files:
        raise fail(InputError, "files", "expected pairs of files: QUERIES OUTCOMES [QUERIES OUTCOMES ...]")
    parts: list[Outcomes] = []
    for queries, outcomes in zip(files[::2], files[1::2], strict=True):
        name = set_name(queries)
        if any(name in part.set_names for part in parts):
            name = f"{queries.resolve().parent.name}/{name}"
        parts.append(read(queries, outcomes, columns, name, aliases))
    return concat(parts)


def read_pools(file: Path | None, given: Sequence[str], outcomes: Outcomes, aliases: dict[str, str]) -> Any:
    """The pools of a JSON file (of the sets that are there) and of ``NAME=llm1,llm2`` options; None: the default."""
    pools: dict[str, dict[str, list[str] | str]] = {}
    if file is not None:
        with file_errors(file, "read"):
            data = file.read_bytes()
        try:
            pools = msgspec.json.decode(data, type=dict[str, dict[str, list[str] | str]])
        except msgspec.DecodeError as error:
            raise fail(InputError, str(file), f"not a file of pools: {error}") from None
        pools = {name: pools[name] for name in outcomes.set_names if name in pools}
    for name, text in pairs(given, "--pool").items():
        llms: list[str] | str = "*" if text == "*" else text.split(",")
        _add(pools, name, llms, outcomes, aliases)
    if file is None and not given:
        return None
    if not pools:
        raise fail(InputError, str(file), f"no pool of {', '.join(outcomes.set_names)}")
    return {
        name: {pool: llms if isinstance(llms, str) else [aliases.get(x, x) for x in llms] for pool, llms in of.items()}
        for name, of in pools.items()
    }


def _add(pools: dict[str, Any], name: str, llms: list[str] | str, outcomes: Outcomes, aliases: dict[str, str]) -> None:
    """A pool goes to every set that has all of its LLMs."""
    wanted = set() if isinstance(llms, str) else {aliases.get(llm, llm) for llm in llms}
    fits = []
    for k, set_ in enumerate(outcomes.set_names):
        of_set = (outcomes.sets == k)[outcomes.query]
        if wanted <= {outcomes.llms[m] for m in set(outcomes.llm[of_set].tolist())}:
            fits.append(set_)
    if not fits:
        raise fail(InputError, "--pool", f"no set has outcomes of all LLMs of {name!r}: {', '.join(sorted(wanted))}")
    for set_ in fits:
        pools.setdefault(set_, {})[name] = llms


def run_evaluate(
    bundle: Path | None,
    outcomes: Outcomes,
    pools: Any,
    out_of_fold: bool,
    options: dict[str, Any],
    json: Path | None,
    html: Path | None,
    folder: Path | None,
) -> None:
    """Evaluates, prints tables, and writes what was asked for."""
    for path in (json, html):
        if path is not None and not path.parent.is_dir():
            raise fail(InputError, str(path), "cannot be written: no such folder")
    train = trainer() if out_of_fold else None
    if html is not None or folder is not None:
        from turnout.evaluate import plots

        plots.require()
    report = evaluate(bundle, outcomes, pools=pools, train=train, progress=progress, **options)
    if json == Path("-"):
        print_json(report)
    else:
        print_report(report)
        if json is not None:
            write_file(json, msgspec.json.format(msgspec.json.encode(report), indent=1))
    if html is not None:
        from turnout.evaluate.html import page

        write_file(html, page(report).encode())
    if folder is not None:
        _write_plots(folder, report)


def _write_plots(folder: Path, report: dict[str, Any]) -> None:
    from turnout.evaluate.plots import pictures

    for task in report["tasks"]:
        write_pictures(folder, task["name"], pictures(task))


def print_report(report: dict[str, Any]) -> None:
    """Two tables a task: money, and predictions."""
    bundle = report["bundle"]
    held = "test split" if report["mode"] == "test" else "out of fold"
    say(f"bundle {bundle['name']} {bundle['version']}, {held}, {report['draws']} bootstrap draws", style="bold")
    if report["unknown_llms_left_out"]:
        say(f"LLMs that the bundle does not know are left out: {', '.join(report['unknown_llms_left_out'])}")
    for task in report["tasks"]:
        say("")
        say(task["name"], style="bold")
        for fact in tables.facts(task, report["mode"]):
            say(f"  {fact}")
        for columns in (tables.frontier_columns(task), tables.quality_columns(task)):
            say("")
            print_table([column.title for column in columns], tables.rows(task, columns))
            say("; ".join(tables.legend(columns)))
