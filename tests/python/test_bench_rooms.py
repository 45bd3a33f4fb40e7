"""The benchmark of the rooms beside the decision: cases measure, rivals give our answer, targets are judged.

No figure is tested: how fast it is, `turnout bench` says.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import turnout
from turnout.bench import graphs, run, targets
from turnout.bench.cases import ROUTING_NAMES, native_calls
from turnout.bench.learning import NAMES as LEARNING
from turnout.bench.room_rivals import RIVALS
from turnout.bench.rooms import NAMES, looped, room_calls
from turnout.bench.workload import Workload
from turnout.cli.app import app
from turnout.core import InputError

SMALL = [name for name in NAMES if "0k" not in name]


@pytest.mark.parametrize("name", SMALL)
def test_a_case_measures_and_its_answer_is_right(name: str) -> None:
    cases = [case for case in room_calls(True, name) if case.name == name]
    assert cases[0].rival == "native" and len({case.key for case in cases}) == len(cases)
    for case in cases:
        assert case.ours
        if case.native_us is None:
            case.call(case.inputs[0])
        else:
            micros = case.native_us()
            assert len(micros) >= 10 and np.isfinite(micros).all() and (micros > 0).all()


def test_the_cases_are_those_that_are_named() -> None:
    named = [name for name in SMALL if name in {case.name for case in room_calls(True, name)}]
    assert named == SMALL


def test_a_wrong_answer_stops_the_benchmark() -> None:
    case = looped("x", "native", lambda: (np.ones(3), 0, 41), 1, (42).__eq__)
    assert case.native_us is not None and case.counted is not None and case.counted() == 0
    with pytest.raises(AssertionError, match="x: the answer is wrong: 41"):
        case.native_us()


@pytest.mark.parametrize(
    ("name", "rival", "needs", "make"),
    [rival for rival in RIVALS if "100k" not in rival[0]],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_rival_gives_our_answer(name: str, rival: str, needs: tuple[str, ...], make: Any) -> None:
    if any(importlib.util.find_spec(package) is None for package in needs):
        pytest.skip(f"{rival} is not installed")
    for case in make(name):
        assert case.name == name and not case.ours
        case.call(case.inputs[0])
        assert case.agreement is not None and case.agreement() == 1.0


def test_the_graphs_have_the_sizes_that_are_said() -> None:
    assert (graphs.tools_1k().nodes, len(graphs.tools_1k().sources)) == (1002, 4850)
    assert (graphs.tools_100k().nodes, len(graphs.tools_100k().sources)) == (100_002, 500_000)
    for tasks, edges in ((graphs.tasks(1000, 5000), 5000), (graphs.tasks(20_000, 100_000), 100_000)):
        assert len(np.unique(tasks.edges, axis=0)) == len(tasks.edges) == edges


def row(name: str, rival: str = "native", **values: Any) -> run.Row:
    return run.Row(name, rival, 1, **{"p50_us": 1.0, "p99_us": 1.0, "per_second": 1.0, **values})


def test_targets_are_judged_where_their_rows_were_measured() -> None:
    rows = [
        row("graph_dijkstra_100k", p50_us=70_000.0),
        row("graph_dijkstra_100k", "igraph_c", p50_us=50_000.0),
        row("budget_reserve_commit", "native_2_threads", per_second=3e6),
        row("telemetry_update", p50_us=0.05, allocations=0.0),
    ]
    met = {(t["case"], t["statistic"], t["limit"]): (t["measured"], t["met"]) for t in targets.judged(rows)}
    assert met == {
        ("graph_dijkstra_100k", "p50_us", 60_000): (70_000.0, False),
        ("graph_dijkstra_100k", "p50_us", 1.5): (1.4, True),
        ("budget_reserve_commit", "per_second", 2e6): (3e6, True),
        ("telemetry_update", "p50_us", 0.1): (0.05, True),
        ("telemetry_update", "allocations", 0): (0.0, True),
    }
    lines = [targets.line(t) for t in targets.judged(rows)]
    assert lines[0] == "target MISSED: graph_dijkstra_100k (native) p50_us 7e+04, at most 60000"
    assert lines[1].startswith("target met") and "1.4 of graph_dijkstra_100k/igraph_c, at most 1.5" in lines[1]
    assert targets.judged([]) == []


def test_targets_name_cases_that_exist() -> None:
    rivals = {(name, rival) for name, rival, *_ in RIVALS} | {("graph_dijkstra_100k", "igraph_c")}
    ours = {(name, way) for name in (*NAMES, *LEARNING) for way in ("native", "native_python", "native_2_threads")}
    assert {(t.case, t.rival) for t in targets.TARGETS} <= ours
    assert {t.over for t in targets.TARGETS if t.over} <= ours | rivals


@pytest.fixture
def bench(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    def call(only: str) -> Any:
        with pytest.raises(SystemExit) as ended:
            app(args=["bench", "--quick", "--only", only, "--json", "-"], prog_name="turnout")
        captured = capsys.readouterr()
        assert not ended.value.code, captured.err
        return json.loads(captured.out)

    monkeypatch.setattr(run, "make_workload", lambda *_: pytest.fail("no decision was asked for"))
    return call


def test_the_command_measures_a_room_without_making_decisions(bench: Any) -> None:
    data = bench("telemetry_update")
    ways = {case["rival"]: case for case in data["cases"]}
    assert set(ways) == {"native", "native_python", "python"} and data["queries"] is None
    assert ways["native"]["allocations"] == 0.0
    assert {t["statistic"] for t in data["targets"]} == {"p50_us", "allocations"}


def test_a_rival_that_is_not_installed_is_said(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "missing", lambda *packages: list(packages))
    data = bench("plan_metrics_1k")
    assert data["notices"] == ["plan_metrics_1k: networkx skipped, networkx not installed"]
    assert {case["rival"] for case in data["cases"]} == {"native", "native_python", "python"}


def test_a_rival_with_another_answer_stops_it(monkeypatch: pytest.MonkeyPatch) -> None:
    (case,) = (c for c in RIVALS[0][3]("graph_dijkstra_1k"))
    wrong = case.__class__(case.name, case.rival, case.call, case.inputs[:1], runs=1, agreement=lambda: 0.5)
    with pytest.raises(InputError, match="graph_dijkstra_1k: python gives another answer"):
        run._row(wrong, {}, 1)


def test_the_names_of_routing_cases_are_known(small: turnout.Router, small_bundle: Path) -> None:
    from turnout.bench.workload import make_workload

    workload: Workload = make_workload(small_bundle, None, True)
    assert {case.name for case in native_calls(workload)} <= set(ROUTING_NAMES)
