"""``turnout evaluate --log``: what other policies would have earned, from a log of decisions and outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from turnout.cli.output import print_json, print_table, say, write_file, write_pictures
from turnout.core import InputError
from turnout.evaluate.offpolicy import FeedbackColumns, evaluate_log
from turnout.evaluate.tables import interval, number
from turnout.schema import fail
from turnout.state import read_history
from turnout.state_log import FeedbackLog, read_log

HEADER = ["utility, 1e-3 USD", "score", "1e-3 USD", "by SNIPS", "by IPS", "effective", "no support", "policy"]
LEGEND = (
    "utility, score, USD: doubly robust, 95 % bootstrap by ticket; by SNIPS, by IPS: the utility; effective: sample "
    "size behind them; no support: share of its choices that the log could not have drawn"
)


def read_folders(folders: Sequence[Path]) -> FeedbackLog:
    """What the logs of state folders say, one after the other."""
    return read_log([b"".join(read_history(folder).log) for folder in folders])


def run_log(
    log: FeedbackColumns, options: dict[str, Any], json: Path | None = None, folder: Path | None = None
) -> None:
    """Evaluates a log, prints a table, and writes what was asked for.

    Parameters
    ----------
    log : FeedbackColumns
    options : dict
        Of `turnout.evaluate.offpolicy.evaluate_log`.
    json : Path, optional
        File for the report, or ``-``: standard output instead of the table.
    folder : Path, optional
        For the pictures.
    """
    if json is not None and json != Path("-") and not json.parent.is_dir():
        raise fail(InputError, str(json), "cannot be written: no such folder")
    if folder is not None:
        from turnout.evaluate import plots

        plots.require()
    report = evaluate_log(log, **options)
    if json == Path("-"):
        print_json(report)
    else:
        print_log_report(report)
        if json is not None:
            write_file(json, msgspec.json.format(msgspec.json.encode(report), indent=1))
    if folder is not None:
        _write_plots(folder, report)


def _write_plots(folder: Path, report: dict[str, Any]) -> None:
    from turnout.evaluate.offpolicy.plots import pictures

    write_pictures(folder, "off-policy", pictures(report))


def print_log_report(report: dict[str, Any]) -> None:
    """A row a policy; those without an estimate say why."""
    for fact in facts(report):
        say(fact)
    print_table(HEADER, [_row(policy) for policy in report["policies"]])
    say(LEGEND)


def facts(report: dict[str, Any]) -> list[str]:
    """What the table rests on, a sentence each."""
    found = report["decisions"]
    out = [f"{found['evaluated']} decisions with outcomes, {found['drawn']} of them drawn with eps > 0"]
    left = {"unanswered": "without an outcome", "unscored": "with an outcome without a score"}
    out += [f"left out: {found[key]} {text}" for key, text in left.items() if found[key]]
    if found["failed"]:
        out.append(f"{found['failed']} failed: score 0 where none was given")
    if found["assumed_usd"] or found["assumed_seconds"]:
        unknown = f"USD of {found['assumed_usd']}, seconds of {found['assumed_seconds']}"
        out.append(f"not known, taken as predicted: {unknown}")
    out.append(f"the least likely choice that was drawn had probability {found['least_probability']:.2g}")
    return out


def _row(policy: dict[str, Any]) -> list[str]:
    no_support = f"{100.0 * policy['unsupported']:.2g} %"
    if "estimates" not in policy:
        return ["-"] * 6 + [no_support, f"{policy['name']}\nWARNING: {policy['note']}"]
    of = policy["estimates"]
    cells = [
        _thousandths(of["utility"]["dr"]),
        interval(of["score"]["dr"], 3),
        _thousandths(of["usd"]["dr"]),
        _thousandths(of["utility"]["snips"]),
        _thousandths(of["utility"]["ips"]),
        number(policy["effective_sample_size"], 0),
        no_support,
    ]
    warning = f"\nWARNING: {policy['note']}" if policy["status"] == "warning" else ""
    return [*cells, policy["name"] + warning]


def _thousandths(values: list[float | None]) -> str:
    return interval([None if value is None else 1e3 * value for value in values], 3)
