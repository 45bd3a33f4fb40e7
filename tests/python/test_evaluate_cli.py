"""``turnout evaluate`` from files to tables, JSON, pictures and a page; and how it refuses."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import recorded
from commands import Run
from test_cli import one_line
from turnout.outcomes import Outcomes


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return recorded.write(tmp_path_factory.mktemp("logs"), recorded.outcomes(150))


def test_tables_name_every_policy(run: Run, small_bundle: Path, files: list[Path]) -> None:
    result = run("evaluate", small_bundle, *files, "--draws", 20)
    assert result.code == 0 and result.err == ""
    lines = result.out.splitlines()
    assert lines[0] == "bundle planted 1, test split, 20 bootstrap draws" and "logs/all" in lines
    ends = [line.split("  ")[-1] for line in lines]
    for name in ("turnout", "turnout_permuted", "soft_domain_table", "oracle (sees more)", "random", "mlp"):
        assert any(end.startswith(name) for end in ends), name
    assert "cheapest tiny, best giant" in result.out and "costs: measured 600" in result.out


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_everything_is_written(run: Run, small_bundle: Path, tmp_path: Path, kind: str) -> None:
    pytest.importorskip("matplotlib")
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    pair = recorded.write(tmp_path / "in", recorded.outcomes(120), kind)
    more = recorded.write(tmp_path / "in2", recorded.outcomes(120, seed=1, name="more"), kind)
    out = [tmp_path / "r.json", tmp_path / "r.html", tmp_path / "pictures" / "deep"]
    options = ["--json", out[0], "--html", out[1], "--plots", out[2], "--draws", 10, "--pool", "two=giant,tiny"]
    result = run("evaluate", small_bundle, *pair, *more, *options)
    assert result.code == 0, result.err
    report = json.loads(out[0].read_text())
    assert [task["name"] for task in report["tasks"]] == ["logs/two", "more/two"]
    assert out[1].read_text().startswith("<!DOCTYPE html>")
    pictures = ("cost-quality", "reliability", "shares-depths")
    expected = [f"{name}-two.{picture}.png" for name in ("logs", "more") for picture in pictures]
    assert sorted(p.name for p in out[2].iterdir()) == expected
    assert "APGR" in result.out


def test_json_to_standard_output_is_all_there_is(run: Run, small_bundle: Path, files: list[Path]) -> None:
    result = run("evaluate", small_bundle, *files, "--draws", 10, "--json", "-")
    assert result.code == 0 and json.loads(result.out)["format"] == "turnout-evaluation"


def test_pools_of_a_file(run: Run, small_bundle: Path, files: list[Path], tmp_path: Path) -> None:
    pools = tmp_path / "pools.json"
    pools.write_text(json.dumps({"logs": {"a": "*", "b": ["wee", "giant"]}, "another": {"c": "*"}}))
    named = [path.read_text().replace("tiny", "wee") for path in files]
    renamed = [tmp_path / path.name for path in files]
    for path, text in zip(renamed, named, strict=True):
        path.write_text(text)
    options = ["--pools", pools, "--alias", "wee=tiny", "--draws", 10, "--json", "-"]
    tasks = json.loads(run("evaluate", small_bundle, *renamed, *options).out)["tasks"]
    assert [task["name"] for task in tasks] == ["logs/a", "logs/b"] and tasks[1]["llms"] == ["tiny", "giant"]


def test_columns_may_be_called_otherwise(run: Run, small_bundle: Path, files: list[Path], tmp_path: Path) -> None:
    renamed = [tmp_path / path.name for path in files]
    for path, old, new in zip(renamed, files, [("text", "prompt"), ("score", "right")], strict=True):
        path.write_text(old.read_text().replace(*new, 1))
    columns = ["--columns", "text=prompt", "--columns", "score=right"]
    assert run("evaluate", small_bundle, *renamed, *columns, "--draws", 10).code == 0
    one_line(run("evaluate", small_bundle, *renamed, "--draws", 10).err, "logs.queries.csv", "no column 'text'")


def test_the_default_bundle_has_a_name(run: Run, files: list[Path]) -> None:
    result = run("evaluate", "default", *files, "--draws", 10)
    one_line(result.err, "default: the bundle does not know giant, large, small, tiny", "--known-only")
    assert result.code == 1


@pytest.mark.parametrize(
    ("options", "code", "parts"),
    [
        (["--pool", "giant,tiny"], 2, ["--pool", "expected name=value, got 'giant,tiny'"]),
        (["--pool", "x=giant,nobody"], 1, ["--pool", "no set has outcomes of all LLMs of 'x'", "nobody"]),
        (["--alias", "giant"], 2, ["--alias", "'giant'"]),
        (["--columns", "price=usd"], 1, ["columns.price", "expected one of query_id"]),
        (["--pools", "nowhere.json"], 1, ["nowhere.json", "cannot be read"]),
        (["--json", "nowhere/r.json"], 1, ["nowhere/r.json"]),
        (["--draws", "5"], 2, ["--draws"]),
        (["--seed", "-1"], 2, ["--seed"]),
    ],
)
def test_wrong_options(
    run: Run, small_bundle: Path, files: list[Path], options: list[Any], code: int, parts: list[str]
) -> None:
    result = run("evaluate", small_bundle, *files, "--draws", 10, *options)
    assert result.code == code and all(part in result.err for part in parts), result.err
    if code == 1:
        one_line(result.err, *parts)


def test_out_of_fold_trains_five_bundles(
    run: Run, small_bundle: Path, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []

    def train_bundle(outcomes: Outcomes, output: Path) -> None:
        sizes.append(outcomes.queries)
        shutil.copytree(small_bundle, output)

    monkeypatch.setitem(sys.modules, "turnout.train.run", SimpleNamespace(train_bundle=train_bundle))
    result = run("evaluate", small_bundle, *files, "--draws", 10, "--out-of-fold")
    assert result.code == 0 and "4 LLMs on 150 queries, each out of fold" in result.out
    assert len(sizes) == 5 and sum(sizes) == 4 * 150


def test_wrong_files(run: Run, small_bundle: Path, files: list[Path], tmp_path: Path) -> None:
    one_line(run("evaluate", small_bundle, files[0]).err, "expected pairs of files")
    one_line(run("evaluate", tmp_path / "none", *files, "--draws", 10).err, "none")
    assert run("evaluate", small_bundle).code == 2
    one_line(run("evaluate", small_bundle, files[1], files[0]).err, "logs.outcomes.csv", "no column 'text'")
    bad = tmp_path / "logs.outcomes.csv"
    bad.write_text(files[1].read_text().replace(",measured", ",", 1).replace("logs3,", "logs999,"))
    one_line(run("evaluate", small_bundle, files[0], bad).err, "row 12, column 'query_id'", "logs999")


def test_a_file_of_pools_is_checked(run: Run, small_bundle: Path, files: list[Path], tmp_path: Path) -> None:
    pools = tmp_path / "pools.json"
    pools.write_text('{"logs": ["giant"]}')
    one_line(run("evaluate", small_bundle, *files, "--pools", pools).err, "not a file of pools")
    pools.write_text('{"another": {"a": "*"}}')
    one_line(run("evaluate", small_bundle, *files, "--pools", pools).err, "no pool of logs")
