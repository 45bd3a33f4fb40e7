"""What ``turnout evaluate --log`` prints and writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import feedback
from turnout.cli.evaluate_log import run_log
from turnout.core import InputError


def test_the_table_names_every_policy(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    log, _ = feedback.log(feedback.World(), 400, 0)
    file = tmp_path / "report.json"
    run_log(log, {"draws": 50}, file)
    out = capsys.readouterr().out
    assert "400 decisions with outcomes, 400 of them drawn" in out
    lines = {line.split("  ")[-1].strip() for line in out.splitlines()}
    report = json.loads(file.read_text())
    names = {policy["name"] for policy in report["policies"]}
    assert names == {"as logged", "greedy", "uniform", *(f"always {arm}" for arm in feedback.ARMS)}
    assert names <= lines


def test_a_refusal_is_a_warning_without_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    log, _ = feedback.log(feedback.World(eps=0.0), 100, 0)
    run_log(log, {"draws": 50})
    lines = capsys.readouterr().out.splitlines()
    row = next(i for i, line in enumerate(lines) if line.endswith("greedy"))
    assert lines[row].split()[:6] == ["-"] * 6
    assert "WARNING: nothing was drawn" in lines[row + 1]


def test_json_goes_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    log, _ = feedback.log(feedback.World(), 50, 0)
    run_log(log, {"draws": 10}, Path("-"))
    assert json.loads(capsys.readouterr().out)["format"] == "turnout-off-policy"


def test_pictures(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    log, _ = feedback.log(feedback.World(), 200, 0)
    run_log(log, {"draws": 20}, folder=tmp_path / "plots")
    files = sorted((tmp_path / "plots").iterdir())
    assert [file.name for file in files] == ["off-policy.estimates.png", "off-policy.weights.png"]
    assert all(file.read_bytes()[:4] == b"\x89PNG" for file in files)


def test_a_file_that_cannot_be_written_is_said_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log, _ = feedback.log(feedback.World(), 50, 0)
    with pytest.raises(InputError, match="no such folder"):
        run_log(log, {}, tmp_path / "none" / "report.json")
    assert capsys.readouterr().out == ""
