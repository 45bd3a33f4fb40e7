"""``turnout simulate``: policies that learn, on recorded outcomes as a stream."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from turnout.cli.output import print_json, print_table, progress, say, write_file, write_pictures
from turnout.core import InputError
from turnout.evaluate.tables import interval, number
from turnout.evaluate.task import Task, require_rows, tasks
from turnout.outcomes import Outcomes
from turnout.schema import fail
from turnout.simulate import cases
from turnout.simulate.recorded import Recorded, recorded, router_at_log_prices
from turnout.simulate.run import DRAWS, FORMAT, SEEDS, VALUES_USD, simulate

HEADER = ["reward", "regret", "over offline", "turnout less it", "policy"]
LEGEND = (
    "in points, 100 for a correct answer that costs nothing; reward: score less USD / value; regret: against the best "
    "LLM of every query; over offline: reward less offline routing's; intervals 95 %, queries and orders resampled"
)
CASE_HEADER = ["regret after", "share before", "next 200", "from 50 on", "policy"]
CASE_LEGEND = (
    "regret after: points a round from the change on; share before, next 200, from 50 on: the LLM's share of the "
    "decisions before the change, in the 200 rounds after it, and in 200 rounds from the 50th after it"
)


def run_simulate(
    bundle: Path | None,
    outcomes: Outcomes,
    pools: Any = None,
    values_usd: Sequence[float] = VALUES_USD,
    seeds: int = SEEDS,
    draws: int = DRAWS,
    split: str = "test",
    with_cases: bool = True,
    json: Path | None = None,
    folder: Path | None = None,
) -> None:
    """Simulates, prints tables, and writes what was asked for.

    Parameters
    ----------
    bundle : Path or None
        None: the one that ships.
    pools : mapping, optional
        Set -> name -> LLMs or "*"; see `turnout.evaluate.task.tasks`.
    split : str
        The queries to replay; prices are always those of the split "train".
    with_cases : bool
        The scenarios, too.
    json : Path, optional
        File for the report, or ``-``: standard output instead of tables.
    folder : Path, optional
        For the pictures.
    """
    _check(values_usd, seeds, split, json)
    if folder is not None:
        from turnout.evaluate import plots

        plots.require()
    reports = [_task(task, bundle, values_usd, seeds, draws, split, with_cases) for task in tasks(outcomes, pools)]
    report = {"format": FORMAT, "format_version": 1, "split": split, "tasks": reports}
    if json == Path("-"):
        print_json(report)
    else:
        print_simulation(report)
        if json is not None:
            write_file(json, msgspec.json.format(msgspec.json.encode(report), indent=1))
    if folder is not None:
        _write_plots(folder, reports)


def _check(values_usd: Sequence[float], seeds: int, split: str, json: Path | None) -> None:
    if not values_usd or not all(0.0 < value < float("inf") for value in values_usd):
        raise fail(InputError, "values_usd", f"expected numbers > 0, got {list(values_usd)}")
    if seeds < 1:
        raise fail(InputError, "seeds", f"expected at least 1, got {seeds}")
    if split not in ("train", "test"):
        raise fail(InputError, "split", f"expected 'train' or 'test', got {split!r}")
    if json is not None and json != Path("-") and not json.parent.is_dir():
        raise fail(InputError, str(json), "cannot be written: no such folder")


def _task(
    task: Task, bundle: Path | None, values_usd: Sequence[float], seeds: int, draws: int, split: str, with_cases: bool
) -> dict[str, Any]:
    require_rows(task, task.train, "training")
    rows = task.train if split == "train" else ~task.train
    require_rows(task, rows, split)
    if task.cost is None:
        raise fail(InputError, task.name, "the pool has no costs: the reward needs them")
    data = recorded(task, router_at_log_prices(bundle, task)).keep(rows)
    report = simulate(data, values_usd, seeds, draws, progress=progress)
    return report | (_cases(data, seeds, draws) if with_cases else {})


def _cases(data: Recorded, seeds: int, draws: int) -> dict[str, Any]:
    return {
        "case_value_usd": cases.VALUE_USD,
        "cases": cases.cases(data, seeds=seeds, draws=draws, progress=progress),
        "gain": cases.gain(data),
        "replicas": cases.replicas(data, seeds=seeds),
        "false_alarms": cases.false_alarms(data, seeds=seeds),
    }


def _write_plots(folder: Path, reports: list[dict[str, Any]]) -> None:
    from turnout.simulate import plots

    for report in reports:
        cases = {case["case"]: plots.case(case) for case in report.get("cases", ())}
        write_pictures(folder, report["name"], {"regret": plots.regret(report), **cases})


def print_simulation(report: dict[str, Any]) -> None:
    """A table for each value of a correct answer, and one for each case."""
    for task in report["tasks"]:
        say(f"{task['name']}: {task['rounds']} rounds of the split {report['split']}, {task['seeds']} orders", "bold")
        for found in task["values"]:
            say("")
            say(f"value_usd {found['value_usd']:g}: reward = score - {found['lambda']:g} * USD")
            print_table(HEADER, [_row(policy) for policy in found["policies"]])
        say(LEGEND)
        for case in task.get("cases", ()):
            say("")
            say(f"{case['title']}: {case['arm']}" + (f", from round {case['at']} on" if case["at"] else ""))
            print_table(CASE_HEADER, [_case_row(policy) for policy in case["policies"]])
        if "cases" in task:
            say(CASE_LEGEND)
            _print_others(task)


def _row(policy: dict[str, Any]) -> list[str]:
    name = policy["name"] + (" (sees more)" if policy["sees_more"] else "")
    cells = [interval(policy["reward"]), interval(policy["regret"])]
    return [*cells, *(interval(policy.get(key), sign=True) for key in ("over_offline", "turnout_less_it")), name]


def _case_row(policy: dict[str, Any]) -> list[str]:
    shares = [f"{number(100.0 * policy[key], 1)} %" for key in ("share_before", "share_next", "share_later")]
    return [interval(policy["regret_after"]), *shares, policy["name"]]


def _print_others(task: dict[str, Any]) -> None:
    gain, replicas, alarms = task["gain"], task["replicas"], task["false_alarms"]
    say("")
    found = f"found within {gain['rounds']} rounds in {gain['seeds']} orders"
    say(f"{gain['arm']} is 30 points better than predicted; {found}:")
    print_table(["found", "policy"], [[f"{100.0 * share:.0f} %", name] for name, share in gain["found"].items()])
    shared = f"{replicas['every_8']:.2f} where they share every 8 decisions, {replicas['every_80']:.2f} every 80"
    say(f"8 replicas, regret in points: {shared} ({100.0 * (replicas['ratio'] - 1.0):+.1f} %)")
    say(f"false alarms of the test for dead LLMs: {alarms['suspensions']} in {alarms['decisions']} decisions")
