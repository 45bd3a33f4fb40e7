"""The command line: what it prints, what it writes, and how it ends."""

from __future__ import annotations

import csv
import dataclasses
import gzip
import inspect
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import typer

import bundles
import turnout
from commands import Run
from turnout.cli.app import app
from turnout.cli.output import wrap
from turnout.cli.records import COLUMNS
from turnout.files import replacing

TEXTS = ["what is the capital of a", "prove the integral, of a matrix", 'two\nlines and a "quote"', "", "é 漢字"]
NO_FLAGS = {"constraints", "telemetry", "account", "ttl"}  # their fields are flags, or they live in a process
COMMANDS = ("demo", "route", "explain", "info", "bench", "evaluate")


@pytest.fixture
def bundled(run: Run, small_bundle: Path) -> Run:
    """`run` with the small planted bundle."""
    return lambda command, *arguments, **stdin: run(command, "--bundle", small_bundle, *arguments, **stdin)


def write_csv(path: Path, texts: list[str] = TEXTS, column: str = "text") -> Path:
    opener: Any = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", column])
        writer.writerows([[i, text] for i, text in enumerate(texts)])
    return path


def write_jsonl(path: Path) -> Path:
    opener: Any = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps({"text": text} if i % 2 else text) + "\n\n" for i, text in enumerate(TEXTS))
    return path


def write_parquet(path: Path, kind: str = "string") -> Path:
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    texts = pyarrow.array(TEXTS, pyarrow.string())
    columns = {"string": texts, "large_string": texts.cast(pyarrow.large_string()), "words": texts.dictionary_encode()}
    parquet.write_table(pyarrow.table({"text": columns[kind]}), path)
    return path


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def one_line(text: str, *parts: str) -> None:
    assert text.startswith("error: ") and text.endswith("\n") and text.count("\n") == 1
    assert all(part in text for part in parts), text


# Help and usage -------------------------------------------------------------------------------------------------------


def test_help_lists_the_commands(run: Run) -> None:
    for flag in ("--help", "-h"):
        result = run(flag)
        assert result.code == 0 and result.err == ""
        assert all(f"\n  {name} " in result.out for name in COMMANDS)


def test_without_arguments_help_is_an_error(run: Run) -> None:
    result = run()
    assert result.code == 2 and result.out == "" and all(name in result.err for name in COMMANDS)


def test_version(run: Run) -> None:
    assert run("--version") == (0, f"turnout {turnout.__version__}\n", "")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_json(run: Run, command: str) -> None:
    result = run(command, "--help")
    assert result.code == 0 and "--json" in result.out and f"turnout {command}" in result.out
    assert max(map(len, result.out.splitlines())) <= 100


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["nonsense"], "nonsense"),
        (["demo", "--bogus"], "--bogus"),
        (["route", "x", "--budget-usd", "-1"], "--budget-usd"),
        (["route", "x", "--max-seconds", "-0.5"], "--max-seconds"),
        (["route", "x", "--value-usd", "much"], "--value-usd"),
        (["route", "x", "--seed", "-1"], "--seed"),
        (["route", "x", "--seed", "99999999999999999999999"], "--seed"),
        (["explain", "x", "--seed", "18446744073709551616"], "--seed"),
        (["route", "x", "--tools", "9"], "--tools"),
        (["route", "x", "--in-tokens", "2147483648"], "--in-tokens"),
        (["explain", "x", "--usd-per-second", "-1"], "--usd-per-second"),
        (["bench", "--json"], "--json"),
        (["route", "x", "--statistic", "p99"], "--statistic"),
        (["explain", "x", "--statistic", "p99"], "--statistic"),
        (["route", "x", "y"], "y"),
        (["route", "x", "--file", "q.csv"], "not both"),
        (["route", "x", "--out", "d.csv"], "--file"),
        (["bench", "--data"], "--data"),
    ],
)
def test_wrong_usage_ends_with_2(run: Run, arguments: list[str], part: str) -> None:
    result = run(*arguments)
    assert result.code == 2 and result.out == "" and part in result.err and "Traceback" not in result.err


@pytest.mark.parametrize("command", ["route", "explain"])
def test_every_option_of_the_router_is_a_flag(command: str) -> None:
    options = {
        name for name, p in inspect.signature(turnout.Router.route).parameters.items() if p.kind is p.KEYWORD_ONLY
    }
    options |= {field.name for field in dataclasses.fields(turnout.Constraints)}
    group: Any = typer.main.get_command(app)
    flags = {flag for param in group.commands[command].params for flag in param.opts}
    assert {f"--{name.replace('_', '-')}" for name in options - NO_FLAGS} <= flags


def test_the_bench_says_that_json_takes_a_file(run: Run) -> None:
    assert "--json FILE" in run("bench", "--help").out


# One query ------------------------------------------------------------------------------------------------------------


def test_route_prints_the_sentence_and_the_calls(bundled: Run, small: turnout.Router) -> None:
    result = bundled("route", TEXTS[1])
    decision = small.route(TEXTS[1])
    lines = result.out.splitlines()
    assert (result.code, result.err) == (0, "") and lines[0] == str(decision)
    assert len(lines) == 1 + len(decision.plan) + 1 and lines[-1].startswith("reasons: ")
    for line, node in zip(lines[1:], decision.plan, strict=False):
        assert f"{node.operator}/{node.role}: {node.llm}" in line
    assert any(", after " in line for line in lines) == any(node.depends_on for node in decision.plan)


@pytest.mark.parametrize("arguments", [[], ["-"]])
def test_route_reads_standard_input(bundled: Run, arguments: list[str]) -> None:
    piped = bundled("route", *arguments, stdin=TEXTS[1].encode() + b"\n")
    assert piped == bundled("route", TEXTS[1])


def test_route_takes_bytes_that_are_not_utf8(bundled: Run) -> None:
    assert bundled("route", stdin=b"what is \xff\xfe the").code == 0


def test_route_needs_a_query_on_a_terminal(
    run: Run, small_bundle: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = io.TextIOWrapper(io.BytesIO(b""))
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stdin", terminal)
    with pytest.raises(SystemExit) as ended:
        app(args=["route", "--bundle", str(small_bundle)], prog_name="turnout")
    assert ended.value.code == 2 and "standard input" in capsys.readouterr().err


def test_options_reach_the_router(bundled: Run, small: turnout.Router) -> None:
    arguments = [
        "--value-usd",
        "0.5",
        "--budget-usd",
        "0.01",
        "--max-seconds",
        "30",
        "--statistic",
        "cap",
        "--seed",
        "3",
    ]
    rules = ["--allow", "small", "--allow", "large", "--allow", "giant", "--deny", "giant"]
    result = bundled("route", TEXTS[1], *arguments, *rules, "--json")
    expected = small.route(
        TEXTS[1],
        value_usd=0.5,
        budget_usd=0.01,
        max_seconds=30.0,
        statistic="cap",
        seed=3,
        constraints=turnout.Constraints(allow=["small", "large", "giant"], deny=["giant"]),
    ).to_dict()
    printed = json.loads(result.out)
    for unlike in ("ticket", "microseconds"):
        printed.pop(unlike), expected.pop(unlike)
    assert printed == expected
    assert printed["infeasible"] == {"tiny": "not_allowed", "giant": "denied"}


@pytest.mark.parametrize("command", ["route", "explain"])
def test_rules_reach_the_router(bundled: Run, small: turnout.Router, command: str) -> None:
    rules = ["--needs", "json", "--needs", "tools", "--disable-operators", "cot", "--kinds", "tool", "--kinds", "agent"]
    more = ["--grants", "network", "--cost-bias", "2", "--usd-per-second", "0.0001", "--in-tokens", "700"]
    text = "search the web for the court"
    printed = json.loads(bundled(command, text, *rules, *more, "--tools", "2", "--seed", str(2**64 - 1), "--json").out)
    constraints = turnout.Constraints(
        needs=["json", "tools"],
        disable_operators=["cot"],
        kinds=["tool", "agent"],
        grants=["network"],
        cost_bias=2.0,
    )
    options: dict[str, Any] = {"usd_per_second": 0.0001, "in_tokens": 700, "tools": 2, "seed": 2**64 - 1}
    expected = small.route(text, constraints=constraints, **options).to_dict()
    for unlike in ("ticket", "microseconds", "trace"):
        printed.pop(unlike, None), expected.pop(unlike, None)
    assert printed == expected
    assert printed["tools"] and printed["infeasible"] == {"tiny": "policy", "giant": "policy"}


@pytest.mark.parametrize("command", ["route", "explain"])
@pytest.mark.parametrize("flag", ["needs", "grants", "kinds", "disable-operators"])
def test_unknown_names_of_rules(bundled: Run, command: str, flag: str) -> None:
    result = bundled(command, "x", f"--{flag}", "nonsense")
    assert (result.code, result.out) == (1, "")
    one_line(result.err, f"constraints.{flag.replace('-', '_')}: 'nonsense'")


def test_pool_and_capabilities_come_from_files(run: Run, small_bundle: Path, tmp_path: Path) -> None:
    pool, tools = tmp_path / "pool.toml", tmp_path / "tools.toml"
    pool.write_text((small_bundle / "pool.toml").read_text().replace('id = "large"', 'id = "mine"'))
    tools.write_text('[[capabilities]]\nid = "my_tool"\nkind = "tool"\ndescription = "search the web"\n')
    paths = ["--bundle", small_bundle, "--pool", pool, "--capabilities", tools]
    decision = json.loads(run("route", "search the web", *paths, "--json").out)
    assert [name for name, _ in decision["tools"]] == ["my_tool"]
    assert {a["llm"] for a in decision["alternatives"]} == {"tiny", "small", "mine", "giant"}


def test_a_plan_that_is_not_there_is_said(bundled: Run) -> None:
    result = bundled("route", TEXTS[0], "--allow", "large", "--deny", "large")
    assert result.code == 0 and result.out.startswith("No plan") and "no_llm_allowed" in result.out


def test_explain_shows_stages_plan_and_alternatives(bundled: Run, small: turnout.Router) -> None:
    result = bundled("explain", TEXTS[1], "--deny", "giant")
    assert result.code == 0 and result.err == ""
    for stage in "embed difficulty capability operators assign plan reasons".split():
        assert f"\n{stage} " in result.out
    assert "giant [denied]" in result.out and result.out.count(" us]") == 6
    assert all(name in result.out for name in small.llms)


def test_explain_without_a_plan(bundled: Run) -> None:
    result = bundled("explain", TEXTS[0], "--allow", "large", "--deny", "large")
    assert result.code == 0 and "No plan" in result.out and "large [denied]" in result.out


def test_explain_json(bundled: Run) -> None:
    decision = json.loads(bundled("explain", TEXTS[1], "--json").out)
    assert len(decision["trace"]) == 7 and decision["alternatives"] and decision["plan"]


# Files ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["q.csv", "q.csv.gz", "q.jsonl", "q.jsonl.gz", "q.parquet"])
def test_every_kind_of_file_is_routed_alike(bundled: Run, small: turnout.Router, tmp_path: Path, name: str) -> None:
    kinds = {"csv": write_csv, "jsonl": write_jsonl, "parquet": write_parquet}
    path = kinds[name.split(".")[1]](tmp_path / name)
    result = bundled("route", "--file", path)
    assert result.code == 0 and "5 queries" in result.err and "\r" not in result.out
    rows = rows_of(result.out)
    assert [row["row"] for row in rows] == ["0", "1", "2", "3", "4"] and {row["file"] for row in rows} == {str(path)}
    for row, text in zip(rows, TEXTS, strict=True):
        decision = small.route(text)
        assert row["llm"] == decision.llm and row["reasons"] == ", ".join(decision.reasons)
        assert row["operators"].split(" > ") == list(dict.fromkeys(node.operator for node in decision.plan))
        assert row["tool"] == (decision.tools[0][0] if decision.tools else "")
        assert float(row["usd_bound"]) == pytest.approx(decision.usd_bound, rel=1e-8)
        assert float(row["difficulty"]) == pytest.approx(decision.difficulty, rel=1e-8)
        assert row["feasible"] == "true" and int(row["calls"]) == sum(node.calls for node in decision.plan)


@pytest.mark.parametrize("kind", ["large_string", "words"])
def test_parquet_strings_of_other_types(bundled: Run, tmp_path: Path, kind: str) -> None:
    plain, other = write_parquet(tmp_path / "a.parquet"), write_parquet(tmp_path / "b.parquet", kind)
    expected = bundled("route", "--file", plain).out.replace("a.parquet", "b.parquet")
    assert bundled("route", "--file", other).out == expected


def test_outputs_hold_the_same(bundled: Run, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    path = write_csv(tmp_path / "q.csv")
    printed = bundled("route", "--file", path, "--budget-usd", "0.00001").out
    tables = {}
    for name in ("d.csv", "d.csv.gz", "d.jsonl", "d.jsonl.gz", "d.parquet"):
        result = bundled("route", "--file", path, "--budget-usd", "0.00001", "--out", tmp_path / name)
        assert (result.code, result.out) == (0, "") and "5 queries" in result.err
        tables[name] = tmp_path / name
    assert tables["d.csv"].read_text() == printed == gzip.decompress(tables["d.csv.gz"].read_bytes()).decode()
    records = [json.loads(line) for line in tables["d.jsonl"].read_text().splitlines()]
    assert gzip.decompress(tables["d.jsonl.gz"].read_bytes()) == tables["d.jsonl"].read_bytes()
    assert parquet.read_table(tables["d.parquet"]).to_pylist() == records
    assert tuple(records[0]) == COLUMNS == tuple(rows_of(printed)[0])
    assert {row["feasible"] for row in rows_of(printed)} == {str(r["feasible"]).lower() for r in records}
    assert any("budget_infeasible" in r["reasons"] for r in records)


def test_several_files_and_another_column(bundled: Run, tmp_path: Path) -> None:
    a = write_csv(tmp_path / "a.csv", TEXTS, column="question")
    b = write_csv(tmp_path / "b.csv", TEXTS[:2], column="question")
    result = bundled("route", "-f", a, "-f", b, "--column", "question")
    assert [(r["file"], r["row"]) for r in rows_of(result.out)] == [
        *((str(a), str(i)) for i in range(5)),
        *((str(b), str(i)) for i in range(2)),
    ]
    assert "7 queries of 2 files" in result.err


def test_json_prints_a_decision_a_line_and_the_summary_beside(bundled: Run, tmp_path: Path) -> None:
    path, out = write_csv(tmp_path / "q.csv"), tmp_path / "d.jsonl"
    result = bundled("route", "--file", path, "--json")
    assert result.code == 0 and bundled("route", "--file", path, "--out", out).code == 0
    assert result.out == out.read_text() and result.out.count("\n") == 5
    assert result.err.count("\n") == 1 and json.loads(result.err)["queries"] == 5


def test_the_summary_is_json(bundled: Run, small: turnout.Router, tmp_path: Path) -> None:
    result = bundled("route", "--file", write_csv(tmp_path / "q.csv"), "--out", tmp_path / "d.csv", "--json")
    summary = json.loads(result.out)
    decisions = [small.route(text) for text in TEXTS]
    assert result.err == "" and (summary["files"], summary["queries"], summary["infeasible"]) == (1, 5, 0)
    assert summary["expected_usd"] == pytest.approx(sum(d.usd for d in decisions))
    assert summary["first_llm"] == {name: n for name, n in summary["first_llm"].items() if n}
    assert sum(summary["first_llm"].values()) == sum(summary["depth"].values()) == 5


def test_more_rows_than_a_chunk(bundled: Run, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "many.csv", [TEXTS[i % 5] for i in range(2500)])
    rows = rows_of(bundled("route", "--file", path).out)
    assert [int(row["row"]) for row in rows] == list(range(2500))
    assert all(row["usd"] == rows[i % 5]["usd"] for i, row in enumerate(rows))


@pytest.mark.parametrize("out", [None, "d.csv", "d.jsonl", "d.parquet"])
def test_a_file_without_rows(bundled: Run, tmp_path: Path, out: str | None) -> None:
    path = write_csv(tmp_path / "none.csv", [])
    result = bundled("route", "--file", path, *(["--out", tmp_path / out] if out else []))
    assert result.code == 0 and "0 queries" in result.err
    if out is None:
        assert result.out == ",".join(COLUMNS) + "\n"
    elif out == "d.parquet":
        table = pytest.importorskip("pyarrow.parquet").read_table(tmp_path / out)
        assert table.num_rows == 0 and tuple(table.column_names) == COLUMNS


def test_suffixes_in_upper_case(bundled: Run, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    plain = write_csv(tmp_path / "q.csv")
    printed = rows_of(bundled("route", "--file", plain).out)
    for name in ("Q.CSV", "Q.Csv.GZ", "Q.JSONL", "Q.PARQUET"):
        out = tmp_path / name
        assert bundled("route", "--file", plain, "--out", out, "--column", "text").code == 0
        again = bundled("route", "--file", out, "--column", "llm")
        assert again.code == 0 and len(rows_of(again.out)) == len(printed) == 5
    assert gzip.decompress((tmp_path / "Q.Csv.GZ").read_bytes()) == (tmp_path / "Q.CSV").read_bytes()


def test_pools_and_capabilities_with_a_byte_order_mark(bundled: Run, small_bundle: Path, tmp_path: Path) -> None:
    pool, tools = tmp_path / "pool.toml", tmp_path / "tools.toml"
    pool.write_bytes(b"\xef\xbb\xbf" + (small_bundle / "pool.toml").read_bytes())
    tools.write_bytes(b'\xef\xbb\xbf[[capabilities]]\nid = "a"\nkind = "tool"\ndescription = "the web"\n')
    result = bundled("route", "x", "--pool", pool, "--capabilities", tools, "--json")
    assert (result.code, result.err) == (0, "") and [name for name, _ in json.loads(result.out)["tools"]] == ["a"]


def test_spreadsheets_and_short_rows(bundled: Run, tmp_path: Path) -> None:
    path = tmp_path / "excel.csv"
    path.write_bytes('\ufefftext,note\r\nwhat is the capital,\r\n\r\n"two,three"\r\n'.encode())
    assert len(rows_of(bundled("route", "--file", path).out)) == 2


# Errors ---------------------------------------------------------------------------------------------------------------


def broken_files(folder: Path) -> dict[str, tuple[Path, str]]:
    folder.mkdir()
    whole = write_csv(folder / "whole.csv.gz", TEXTS * 50).read_bytes()
    contents = {
        "short.csv.gz": (whole[:-20], "too early"),
        "noise.csv.gz": (b"\x00\x01\x02" * 9, "cannot be read"),
        "flipped.csv.gz": (whole[:40] + bytes([whole[40] ^ 0xFF]) + whole[41:], "cannot be read"),
        "empty.csv": (b"", "empty"),
        "other.csv": (b"id,query\n1,x\n", "no column 'text'; it has id, query"),
        "huge.csv": (b"text\nok\n" + b"a" * (1 << 20) + b"b\n", "row 1: expected at most 1048576 bytes, got 1048577"),
        "wide.csv": (b"text\n" + b"a" * (1 << 25) + b"\n", "field larger"),
        "bad.jsonl": (b'"fine"\n{"text": \n', "bad.jsonl:2: not JSON"),
        "number.jsonl": (b'{"text": 3}\n', "number.jsonl:1"),
        "noise.parquet": (b"PAR1 but not really", "cannot be read"),
        "query.xlsx": (b"x", ".csv, .jsonl, .parquet, got '.xlsx'"),
        "query": (b"x", "got ''"),
    }
    for name, (data, _) in contents.items():
        (folder / name).write_bytes(data)
    (folder / "folder.csv").mkdir()
    more = {"missing.csv": "No such file", "missing.parquet": "No such file", "folder.csv": "Is a directory"}
    return {name: (folder / name, part) for name, part in more.items()} | {
        name: (folder / name, part) for name, (_, part) in contents.items()
    }


def test_files_that_cannot_be_read(bundled: Run, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    for path, part in broken_files(tmp_path / "broken").values():
        result = bundled("route", "--file", path)
        assert (result.code, result.out) == (1, ""), path
        one_line(result.err, str(path), part)


def test_parquet_columns_that_hold_no_text(bundled: Run, tmp_path: Path) -> None:
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "lists.parquet"
    parquet.write_table(pyarrow.table({"text": [["a", "b"]], "id": [1]}), path)
    result = bundled("route", "--file", path)
    assert result.code == 1
    one_line(result.err, str(path))
    one_line(bundled("route", "--file", path, "--column", "question").err, "no column 'question'; it has text, id")


@pytest.mark.parametrize(
    ("name", "part"), [("d.xlsx", "got '.xlsx'"), ("no/such/d.csv", "no such folder"), ("d.parquet.gz", "d.parquet.gz")]
)
def test_outputs_that_cannot_be_written(bundled: Run, tmp_path: Path, name: str, part: str) -> None:
    result = bundled("route", "--file", write_csv(tmp_path / "q.csv"), "--out", tmp_path / name)
    assert (result.code, result.out) == (1, "")
    one_line(result.err, str(tmp_path / name), part)


def test_an_output_that_is_a_folder(bundled: Run, tmp_path: Path) -> None:
    (tmp_path / "d.csv").mkdir()
    result = bundled("route", "--file", write_csv(tmp_path / "q.csv"), "--out", tmp_path / "d.csv")
    assert result.code == 1
    one_line(result.err, str(tmp_path / "d.csv"), "cannot be written: Is a directory")


@pytest.mark.parametrize("way", ["same", "relative", "link", "hard link"])
def test_the_input_is_not_overwritten(bundled: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    other, path = write_csv(tmp_path / "other.csv"), write_csv(tmp_path / "q.csv")
    out = path if way == "same" else tmp_path / "out.csv"
    monkeypatch.chdir(tmp_path)
    if way == "relative":
        out = Path("q.csv")
    elif way == "link":
        out.symlink_to(path)
    elif way == "hard link":
        out.hardlink_to(path)
    before = path.read_bytes()
    result = bundled("route", "--file", other, "--file", path, "--out", out)
    assert (result.code, result.out) == (2, "") and f"--out {out} would overwrite" in result.err
    assert path.read_bytes() == before


def test_an_output_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text("old")
    path.chmod(0o640)
    for error in (KeyboardInterrupt, RuntimeError):
        with pytest.raises(error), replacing(path) as part:
            part.write_text("half")
            raise error
        assert path.read_text() == "old" and os.listdir(tmp_path) == ["d.csv"]
    with replacing(path) as part:
        part.write_text("new")
    assert path.read_text() == "new" and os.listdir(tmp_path) == ["d.csv"] and path.stat().st_mode & 0o777 == 0o640


def test_an_output_that_is_a_link_stays_one(bundled: Run, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    link, target = tmp_path / "d.csv", tmp_path / "there/real.csv"
    link.symlink_to(target)
    result = bundled("route", "--file", write_csv(tmp_path / "q.csv"), "--out", link)
    assert result.code == 0 and link.is_symlink() and len(rows_of(target.read_text())) == 5


@pytest.mark.parametrize("command", ["route", "explain"])
def test_unknown_llms(bundled: Run, command: str) -> None:
    result = bundled(command, "x", "--deny", "larg")
    assert (result.code, result.out) == (1, "")
    one_line(result.err, "constraints.deny: 'larg'", "did you mean 'large'")
    one_line(bundled(command, "x", "--allow", "nobody").err, "constraints.allow: 'nobody'")


def test_pools_and_capabilities_that_do_not_hold_together(bundled: Run, tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    for text, part in (
        ("llms = 3", "pool.llms: expected array"),
        ("llms = [", "not a TOML file"),
        ('[[llms]]\nid = "a"\n', "pool.llms[0]"),
        ("", "llms"),
    ):
        path.write_text(text)
        for command in (["demo"], ["route", "x"], ["explain", "x"], ["info"]):
            result = bundled(*command, "--pool", path)
            assert (result.code, result.out) == (1, "")
            one_line(result.err, f"{path}: ", part)
    path.write_text('[[capabilities]]\nid = "a"\nkind = "robot"\ndescription = "x"\n')
    one_line(bundled("route", "x", "--capabilities", path).err, f"{path}: capabilities")
    for option in ("--pool", "--capabilities"):
        one_line(bundled("route", "x", option, tmp_path / "no.toml").err, "no.toml: cannot be read: No such file")


@pytest.mark.parametrize("command", [["demo"], ["route", "x"], ["explain", "x"], ["info"], ["bench", "--quick"]])
def test_broken_bundles(run: Run, tmp_path: Path, command: list[str]) -> None:
    result = run(*command, "--bundle", tmp_path)
    assert (result.code, result.out) == (1, "")
    one_line(result.err, str(tmp_path / "manifest.json"), "no such file")


def test_a_corrupt_bundle_names_its_file(run: Run, tmp_path: Path) -> None:
    bundle = bundles.make(tmp_path)
    data = bytearray((bundle / "difficulty/network.onnx").read_bytes())
    data[99] ^= 1
    (bundle / "difficulty/network.onnx").write_bytes(data)
    one_line(run("route", "x", "--bundle", bundle).err, "difficulty/network.onnx", "sha256")


def test_a_text_over_a_mebibyte(bundled: Run) -> None:
    one_line(bundled("route", stdin=b"a" * ((1 << 20) + 1)).err, "query: expected at most 1048576 bytes")


# demo, info, bench ----------------------------------------------------------------------------------------------------


def test_the_demo_shows_easy_and_hard_queries_different_plans_and_llms(run: Run) -> None:
    """With the default bundle. After training another one, choose QUERIES in turnout/cli/demo.py anew."""
    rows = json.loads(run("demo", "--json").out)
    difficulties = [row["decision"]["difficulty"] for row in rows]
    assert difficulties == sorted(difficulties) and difficulties[0] < 0.3 and difficulties[-1] > 0.7
    plans = {tuple(dict.fromkeys(node["operator"] for node in row["decision"]["plan"])) for row in rows}
    assert len(plans) >= 3 and len({row["decision"]["llm"] for row in rows}) >= 3
    assert len({row["domain"] for row in rows}) >= 6
    assert not any("out_of_domain" in row["decision"]["reasons"] for row in rows)


def test_the_demo_explains_its_columns(bundled: Run) -> None:
    result = bundled("demo")
    assert (result.code, result.err) == (0, "")
    header, *_ = result.out.splitlines()
    assert header.split()[:4] == ["d", "P", "USD", "us"]
    for name in ("d: difficulty", "P: probability", "USD: ", "us: "):
        assert name in result.out
    assert "Why, for the hardest:" in result.out and "\nreasons " in result.out


def test_info_says_what_a_bug_report_needs(bundled: Run, small_bundle: Path) -> None:
    result = bundled("info")
    lines = dict(line.split(maxsplit=1) for line in result.out.splitlines())
    assert (result.code, result.err) == (0, "")
    assert lines["turnout"] == turnout.__version__ and str(small_bundle) in lines["bundle"]
    assert {"simd", "onnxruntime", "faiss", "import_ms", "load_ms", "resident_mib", "embedder"} <= set(lines)
    assert lines["LLMs"] == "tiny, small, large, giant" and lines["capabilities"] == "5"


def test_info_json(bundled: Run) -> None:
    data = json.loads(bundled("info", "--json").out)
    assert data["costs"].keys() == data["limits"].keys() and min(data["costs"].values()) > 0
    assert data["contents"]["operators"][0] == "direct" and "embed/vocab.txt" in data["contents"]["files"]


def test_bench_prints_and_writes_json(bundled: Run, tmp_path: Path) -> None:
    result = bundled("bench", "--quick", "--only", "difficulty", "--json", tmp_path / "bench.json")
    data = json.loads((tmp_path / "bench.json").read_text())
    assert result.code == 0 and "difficulty" in result.out
    native = next(case for case in data["cases"] if case["rival"] == "native")
    assert native["name"] == "difficulty" and native["per_second"] > 0 and native["allocations"] is not None
    assert data["machine"]["cores"] >= 1 and data["queries"]["count"] == 300


def test_the_bench_mixes_assignment_problems(router: turnout.Router, monkeypatch: pytest.MonkeyPatch) -> None:
    from turnout import _native
    from turnout.bench.cases import mixed_times, repeated_times
    from turnout.bench.workload import assignment_problems

    problems = assignment_problems(router, 3, True)
    timed, solved = _native.assign_time, []

    def recorded(*, repeats: int, **problem: Any) -> Any:
        solved.append((next(i for i, p in enumerate(problems) if p["usd"] is problem["usd"]), repeats))
        return timed(**problem, repeats=repeats)

    monkeypatch.setattr(_native, "assign_time", recorded)
    assert mixed_times(problems, passes=2).shape == (3,) and solved == [(0, 1), (1, 1), (2, 1)] * 2
    solved.clear()
    assert min(repeated_times(problems)) > 0 and solved == [(0, 9), (1, 9), (2, 9)]


def test_the_bench_has_the_mixed_case(bundled: Run) -> None:
    (case,) = json.loads(bundled("bench", "--quick", "--only", "constrained_mixed", "--json", "-").out)["cases"]
    assert (case["name"], case["rival"], case["batch"]) == ("assign_constrained_mixed", "native", 1)
    assert 0 < case["p50_us"] <= case["p99_us"]


def test_bench_names_what_it_cannot_do(bundled: Run, tmp_path: Path) -> None:
    one_line(bundled("bench", "--quick", "--only", "nonsense").err, "--only", "'nonsense'")
    one_line(bundled("bench", "--quick", "--data", tmp_path).err, str(tmp_path), "queries.csv.gz")


def test_the_bench_knows_before_it_measures_that_it_cannot_write(
    bundled: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("turnout.bench.run.make_workload", lambda *_: pytest.fail("it measures"))
    for path, part in ((tmp_path / "no/x.json", "No such file"), (tmp_path, "Is a directory")):
        result = bundled("bench", "--quick", "--json", path)
        assert (result.code, result.out) == (1, "")
        one_line(result.err, f"{path}: cannot be written: {part}")


def test_columns_of_the_bench_never_touch(capsys: pytest.CaptureFixture[str]) -> None:
    from turnout.bench.run import HEADER, Row, _print_rows

    slow = Row("route_text", "python", 1, 1234567.8, 12345678.9, 37265.0, 1172.0, 123456.7, 0.5)
    _print_rows([Row("route_text", "native", 1, 36.4, 73.9, 27472.0, 3.0, 22.0, 1.0), slow])
    header, name, *rows = capsys.readouterr().out.splitlines()
    assert re.split(r"\s{2,}", header) == list(HEADER) and name == "route_text"
    assert rows[0].split() == ["native", "1", "36.4", "73.9", "27,472", "3.0", "22.0", "1.000"]
    assert rows[1].split() == [
        *("python", "1", "1,234,567.8", "12,345,678.9", "37,265", "1,172", "123,457", "0.500", "33,917")
    ]
    assert len({len(rows[1]), len(header)}) == 1  # right-justified to the same last column


# Widths ---------------------------------------------------------------------------------------------------------------


def test_wrap_fits_terminals_and_leaves_pipes_alone() -> None:
    text = " ".join(["multi_llm_ensemble on llama-3.1-nemotron-51b-instruct,"] * 3)
    assert wrap("0.36  ", text, None) == ["0.36  " + text]
    lines = wrap("0.36  ", text, 50)
    assert max(map(len, lines)) <= 50 and lines[0].startswith("0.36  ") and lines[1].startswith("      ")
    assert " ".join(" ".join(lines).split()) == "0.36 " + text


@pytest.mark.parametrize("command", [["demo"], ["explain", "prove the integral"], ["info"]])
def test_terminals_get_lines_of_80_columns(
    bundled: Run, monkeypatch: pytest.MonkeyPatch, command: list[str], small_bundle: Path
) -> None:
    from turnout.cli import output

    monkeypatch.setattr(output, "width", lambda: 80)
    monkeypatch.setattr("turnout.cli.demo.width", lambda: 80)
    monkeypatch.setattr("turnout.cli.info.width", lambda: 80)
    lines = [line for line in bundled(*command).out.splitlines() if str(small_bundle) not in line]
    sentence = lines.pop(0) if command[0] == "explain" else ""  # left to the terminal, so that it can be copied whole
    assert max(map(len, lines)) <= 80 and len(sentence) < 200


# Processes ------------------------------------------------------------------------------------------------------------


def start(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "turnout", *map(str, arguments)], stderr=subprocess.PIPE, **options)


def test_python_m_turnout(small_bundle: Path) -> None:
    command = [sys.executable, "-m", "turnout", "route", "hi", "--bundle", str(small_bundle)]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0 and "P(correct)" in done.stdout and done.stderr == ""


@pytest.mark.parametrize("command", ["route", "demo"])
def test_nobody_reads(small_bundle: Path, tmp_path: Path, command: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    rows = ["--file", write_csv(tmp_path / "q.csv", TEXTS * 500)] if command == "route" else []
    with start(command, "--bundle", small_bundle, *rows, stdout=writer) as process:
        os.close(writer)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 141 and b"Traceback" not in err and b"Exception" not in err


CLOSED = {
    "route": (["route", "hi"], 141),
    "json": (["route", "--json", "hi"], 141),
    "demo": (["demo"], 141),
    "out": (["route", "--file", "q.csv", "--out", "d.csv"], 0),
}


@pytest.mark.parametrize("name", CLOSED)
def test_closed_standard_output(small_bundle: Path, tmp_path: Path, name: str) -> None:
    arguments, code = CLOSED[name]
    write_csv(tmp_path / "q.csv")
    command = [sys.executable, "-m", "turnout", *arguments, "--bundle", str(small_bundle)]
    line = ["sh", "-c", 'exec "$@" >&-', "sh", *command]
    done = subprocess.run(line, cwd=tmp_path, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == code and b"Traceback" not in done.stderr and b"Exception" not in done.stderr
    assert (tmp_path / "d.csv").exists() == (code == 0)


@pytest.mark.parametrize(("closing", "code"), [("<&-", 2), ("2>&-", 1)])
def test_other_closed_streams(tmp_path: Path, closing: str, code: int) -> None:
    command = [sys.executable, "-m", "turnout", "route", *(["x", "--bundle", str(tmp_path)] if code == 1 else [])]
    done = subprocess.run(["sh", "-c", f'exec "$@" {closing}', "sh", *command], capture_output=True, timeout=60)
    assert done.returncode == code and done.stdout == b"" and b"Traceback" not in done.stderr


def test_a_full_disk(small_bundle: Path) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    with open("/dev/full", "wb") as full, start("demo", "--bundle", small_bundle, stdout=full) as process:
        _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    one_line(err.decode(), "No space left on device")


def interruptible() -> None:
    """In a child: a shell that runs tests in the background makes its children ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


BY_SIGINT = (130, -signal.SIGINT)  # the second while Python still imports; a shell says 130 of both


def test_an_interruption_leaves_nothing_behind(small_bundle: Path, tmp_path: Path) -> None:
    path, folder = write_csv(tmp_path / "q.csv", TEXTS * 20_000), tmp_path / "out"
    folder.mkdir()
    arguments = ["route", "--bundle", small_bundle, "--file", path, "--out", folder / "d.csv"]
    with start(*arguments, stdin=subprocess.DEVNULL, preexec_fn=interruptible) as process:
        while process.poll() is None and not os.listdir(folder):
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode in BY_SIGINT and b"Traceback" not in err and os.listdir(folder) == []


def test_interrupted(small_bundle: Path) -> None:
    options: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "preexec_fn": interruptible}
    with start("bench", "--bundle", small_bundle, **options) as process:
        assert process.stderr is not None
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(3)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert process.returncode in BY_SIGINT and out == b""
