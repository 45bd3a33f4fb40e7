"""``turnout evaluate --log`` on the log of a router that explored, and of one that did not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import turnout
from commands import Run
from turnout.bench.workload import built_in_queries
from turnout.learning import Learning, Outcome

QUERIES = built_in_queries()[:20]


def log_some(bundle: Path, folder: Path, epsilon: float) -> tuple[float, int]:
    """The mean score, and how many decisions were drawn."""
    router = turnout.Router.load(bundle, learning=Learning(epsilon=epsilon, temperature=0.3), state=folder)
    assert router.learner is not None
    scores, drawn = [], 0
    with router.learner:
        for i in range(400):
            d = router.route(QUERIES[i % len(QUERIES)], value_usd=0.05)
            drawn += "explored" in d.reasons
            scores.append(float(d.llm == "large" or i % 3 == 0))
            router.feedback(d, Outcome(score=scores[-1], usd=d.usd, seconds=1.0))
    return sum(scores) / len(scores), drawn


def test_what_was_logged_is_what_is_evaluated(run: Run, small_bundle: Path, tmp_path: Path) -> None:
    mean, drawn = log_some(small_bundle, tmp_path / "state", 0.5)
    assert drawn > 20
    result = run("evaluate", "--log", tmp_path / "state", "--json", "-", "--draws", 20, "--value-usd", 0.01)
    assert result.code == 0, result.err
    report = json.loads(result.out)
    assert report["decisions"]["evaluated"] == 400
    logged = next(p for p in report["policies"] if p["name"] == "as logged")
    assert logged["estimates"]["score"]["ips"][0] == pytest.approx(mean, abs=1e-9)
    table = run("evaluate", "--log", tmp_path / "state", "--draws", 20)
    assert table.code == 0 and "greedy" in table.out and "always large" in table.out


def test_without_draws_only_what_was_done_has_an_estimate(run: Run, small_bundle: Path, tmp_path: Path) -> None:
    log_some(small_bundle, tmp_path / "state", 0.0)
    report = json.loads(run("evaluate", "--log", tmp_path / "state", "--json", "-", "--draws", 20).out)
    for policy in report["policies"]:
        assert (policy.get("estimates") is not None) == (policy["name"] == "as logged"), policy


def test_a_log_stands_alone(run: Run, tmp_path: Path) -> None:
    assert run("evaluate", "default", "--log", tmp_path).code == 2
    assert run("evaluate").code == 2
    missing = run("evaluate", "--log", tmp_path / "nothing")
    assert missing.code == 1 and "nothing" in missing.err
