"""Pictures: what is in them, that the same drawing gives the same bytes, and the commands that make them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

import turnout
from commands import Run
from turnout.cli.plan import COLUMNS, chart
from turnout.draw import Bar, bars_of, draw_gantt, draw_graph, save
from turnout.draw.graph import MAX_DRAWN
from turnout.graph import ToolGraph
from turnout.reference import plan

TOOLS = ("fetch", "read", "scan", "summarise", "store")


def small_graph() -> ToolGraph:
    sources, targets = np.array([0, 0, 1, 2, 3], np.int32), np.array([1, 2, 3, 3, 4], np.int32)
    return ToolGraph.from_arrays(sources, targets, np.array([1.0, 2.0, 1.0, 2.0, 1.0]), names=TOOLS)


def texts(svg: Path) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg.read_text())


def test_a_graph_with_what_failed(tmp_path: Path) -> None:
    graph = small_graph()
    before = graph.shortest_path("fetch", "store")
    graph.mask_node("read")
    path = graph.shortest_path("fetch", "store")
    save(draw_graph(graph, path, before=before, title="a failure"), tmp_path / "graph.svg")
    found = texts(tmp_path / "graph.svg")
    assert set(TOOLS) <= set(found) and "a failure" in found
    assert {"path, cost 5", "before, cost 3", "masked"} <= set(found)


@pytest.mark.parametrize("name", ["graph.svg", "graph.png"])
def test_the_same_drawing_gives_the_same_bytes(tmp_path: Path, name: str) -> None:
    graph = small_graph()
    files = [tmp_path / "a" / name, tmp_path / "b" / name]
    for file in files:
        file.parent.mkdir()
        save(draw_graph(graph, graph.shortest_path("fetch", "store")), file)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_a_large_graph_shows_what_is_near_the_path(tmp_path: Path) -> None:
    n = 500
    chain = np.arange(n - 1, dtype=np.int32)
    graph = ToolGraph.from_arrays(chain, chain + 1, np.ones(n - 1))
    save(draw_graph(graph, graph.shortest_path("250", "255"), title="chain"), tmp_path / "g.svg")
    found = texts(tmp_path / "g.svg")
    assert f"chain ({MAX_DRAWN} of {n} tools)" in found
    assert {"250", "255", "240"} <= set(found) and "0" not in found


def test_without_a_path_and_without_edges(tmp_path: Path) -> None:
    alone = ToolGraph.from_arrays(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0), names=["only"])
    save(draw_graph(alone), tmp_path / "one.png")
    save(draw_graph(small_graph()), tmp_path / "all.png")
    assert (tmp_path / "one.png").read_bytes()[:4] == b"\x89PNG" == (tmp_path / "all.png").read_bytes()[:4]


def test_a_dollar_in_a_name_is_a_dollar(tmp_path: Path) -> None:
    names = ["cost_$5_$", "$\\nothing$"]
    ends = np.array([[0], [1]], np.int32)
    graph = ToolGraph.from_arrays(ends[0], ends[1], np.ones(1), names=names)
    save(draw_graph(graph, graph.shortest_path(*names), title="$\\title$"), tmp_path / "graph.svg")
    assert {*names, "$\\title$"} <= set(texts(tmp_path / "graph.svg"))
    save(draw_gantt([Bar(names[0], names[1], 0.0, 1.0)], title="$\\title$"), tmp_path / "gantt.svg")
    assert {*names, "$\\title$"} <= set(texts(tmp_path / "gantt.svg"))


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(turnout.ConfigError, match=r"expected a name that ends in \.svg or \.png"):
        save(draw_graph(small_graph()), tmp_path / "graph.jpg")
    assert not list(tmp_path.iterdir())


def test_bars_are_the_plan_over_time(small: turnout.Router) -> None:
    rules = turnout.Constraints(disable_operators=["direct", "cot"])
    decision = small.route("what is the capital of a", value_usd=2.0, seed=4, constraints=rules)
    bars = bars_of(decision)
    assert len(bars) == len(decision.plan) > 4
    for bar, node in zip(bars, decision.plan, strict=True):
        assert bar.lane == node.llm and bar.end == bar.start + node.seconds
        assert all(bars[j].end <= bar.start for j in node.depends_on)
    assert max(bar.end for bar in bars) == decision.critical_path_seconds
    dag = plan.metrics([frozenset(n.depends_on) for n in decision.plan], [n.seconds for n in decision.plan])
    assert sum(bar.end - bar.start for bar in bars if bar.critical) == pytest.approx(dag.critical_path)


def test_a_gantt_chart(tmp_path: Path) -> None:
    bars = [Bar("a", "gpu", 0.0, 2.0, True), Bar("b", "cpu", 0.0, 1.0), Bar("c", "gpu", 2.0, 4.0, True)]
    save(draw_gantt(bars, title="three", limit=3.5), tmp_path / "g.svg")
    assert {"a", "b", "c", "gpu", "cpu", "three", "limit 3.5 s"} <= set(texts(tmp_path / "g.svg"))
    lines = chart(bars)
    assert lines[0].count("=") == COLUMNS // 2 == lines[2].count("=") and lines[1].count("-") == COLUMNS // 4
    assert chart([]) == [] and chart([Bar("a", "x", 0.0, 0.0)])[0].count(" ") > COLUMNS


@pytest.mark.parametrize("bar", [Bar("a", "x", 2.0, 1.0), Bar("a", "x", -1.0, 1.0), Bar("a", "x", 0.0, float("inf"))])
def test_bad_bars(bar: Bar) -> None:
    with pytest.raises(turnout.InputError, match=r"bars\[1\]: expected 0 <= start <= end"):
        draw_gantt([Bar("a", "x", 0.0, 1.0), bar])
    with pytest.raises(turnout.InputError, match="bars: expected at most 500, got 501"):
        draw_gantt([bar] * 501)


# The commands ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def bench_file(tmp_path: Path) -> Path:
    nodes = [{"id": tool, "desc": "", "input-type": ["text"], "output-type": ["text"]} for tool in TOOLS]
    ends = [("fetch", "read"), ("fetch", "scan"), ("read", "summarise"), ("scan", "summarise"), ("summarise", "store")]
    links = [{"source": a, "target": b, "type": "text"} for a, b in ends]
    file = tmp_path / "tools.json"
    file.write_text(json.dumps({"nodes": nodes, "links": links}))
    return file


def test_show_a_failure(run: Run, bench_file: Path) -> None:
    out = bench_file.with_name("g.svg")
    asked = ("graph", "show", bench_file, "--from", "fetch", "--to", "store", "--fail", "read")
    result = run(*asked, "-o", out)
    assert result.code == 0 and result.out.splitlines()[:4] == [
        "tools.json: 5 tools, 5 edges",
        "path       fetch -> read -> summarise -> store (cost 3)",
        "fails      read",
        "reroute    fetch -> scan -> summarise -> store (cost 3)",
    ]
    assert {"path, cost 3", "before, cost 3", "masked"} <= set(texts(out))
    record = json.loads(run(*asked, "--fail", "scan", "--json", "-o", out).out)
    assert [p and p["cost"] for p in record["paths"]] == [3.0, 3.0, None]
    assert "escalate   no path is left" in run(*asked, "--fail", "scan").out
    assert json.loads(run(*asked, "--json", "-o", out).out)["failed"] == ["read"]


def test_show_an_mcp_list(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "mcp.json"
    city = {"type": "object", "properties": {"city": {"type": "string"}}}
    tools = [
        {"name": "locate", "inputSchema": {"type": "object", "properties": {}}, "outputSchema": city},
        {"name": "weather", "inputSchema": {**city, "required": ["city"]}},
    ]
    file.write_text(json.dumps({"tools": tools}))
    result = run("graph", "show", file, "--from", "locate", "--to", "weather", "--mask", "locate")
    assert result.out.splitlines() == [
        "mcp.json: 2 tools, 1 edges",
        "masked     locate",
        "escalate   no path is left",
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--from", "fetch"], 2, "give both --from and --to"),
        (["--fail", "read"], 2, "--fail needs --from and --to"),
        (["--from", "fetch", "--to", "stor"], 1, "there is no node 'stor'"),
        (["--mask", "none"], 1, "there is no node 'none'"),
        (["-o", "g.gif"], 1, "expected a name that ends in .svg or .png"),
    ],
)
def test_wrong_calls(run: Run, bench_file: Path, arguments: list[str], code: int, message: str) -> None:
    result = run("graph", "show", bench_file, *arguments)
    assert result.code == code and message in result.err


def test_files_that_are_none(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{")
    (tmp_path / "b.json").write_text('{"nodes": [{"id": 1}], "links": []}')
    (tmp_path / "d.json").write_text("[" * 100_000)
    errors = {"a": "is no JSON", "b": "graph.nodes[0].id", "c": "cannot be read", "d": "is nested too deeply"}
    for name, message in ((f"{stem}.json", message) for stem, message in errors.items()):
        result = run("graph", "show", tmp_path / name)
        assert result.code == 1 and name in result.err and message in result.err


def test_show_tasks(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    tasks = {"read": {"seconds": 2.0}, "look": {"seconds": 1.0}, "write": {"seconds": 3.0, "inputs": ["read", "look"]}}
    file.write_text(json.dumps(tasks))
    result = run("plan", "show", "--tasks", file, "-o", tmp_path / "t.svg", "--max-seconds", "4")
    assert result.code == 0, result.err
    shape, topology, *lines, drawn = result.out.splitlines()
    assert shape == "report.json: 3 tasks, 2 edges, width 2, depth 2, critical path 5.00 s of 6.00 s of work"
    assert topology.startswith("topology: ") and drawn.endswith("t.svg")
    assert ["=" in line for line in lines] == [name in ("read", "write") for name in (ln.split()[0] for ln in lines)]
    assert {"read", "look", "write", "limit 4 s"} <= set(texts(tmp_path / "t.svg"))
    record = json.loads(run("plan", "show", "--tasks", file, "--json").out)
    assert record["metrics"]["critical_path"] == 5.0 and record["metrics"]["critical_nodes"] == ["read", "write"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1]", "expected object, got array"),
        ('{"a": {"x": ' + "[" * 100_000, "nested too deeply"),
        ('{"a": {"inputs": ["b"]}}', "tasks.a.inputs: there is no task 'b'"),
        ('{"a": {"inputs": ["b"]}, "b": {"inputs": ["a"]}}', "'a' -> 'b' -> 'a'"),
        ('{"a": {"secods": 1}}', "tasks.a.secods"),
        ('{"a": {"seconds": -1}}', "seconds"),
        ('{"a": {"seconds": "long"}}', "seconds"),
        ('{"a": {"inputs": 3}}', "inputs"),
        ("{}", "holds no task"),
    ],
)
def test_tasks_that_are_no_dag(run: Run, tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "bad.json"
    file.write_text(text)
    result = run("plan", "show", "--tasks", file)
    assert result.code == 1 and "bad.json" in result.err and message in result.err
    assert run("plan", "show").code == 2 == run("plan", "show", "a query", "--tasks", file).code


def test_show_a_plan(run: Run, small_bundle: Path, tmp_path: Path) -> None:
    asked = ("plan", "show", "what is the capital of a", "--bundle", small_bundle, "--value-usd", "2")
    result = run(*asked, "-o", tmp_path / "p.svg", "--max-seconds", "60")
    assert result.code == 0 and "=" in result.out and result.out.rstrip().endswith("p.svg")
    assert "limit 60 s" in texts(tmp_path / "p.svg")
    record = json.loads(run(*asked, "--json", "--max-calls", "1").out)
    assert len(record["plan"]) == 1 and record["width"] == 1
