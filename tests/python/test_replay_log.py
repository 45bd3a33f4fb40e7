"""Logged decisions asked again: the same bits with the same state, and what another pool changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import turnout
from commands import Run
from turnout.bench.workload import built_in_queries
from turnout.learning import Learning, Outcome
from turnout.replay import Replayed, read, replay
from turnout.telemetry import Telemetry

QUERIES = built_in_queries()[:20]
OPTIONS: list[dict[str, Any]] = [
    {},
    {"value_usd": 0.05, "budget_usd": 0.002},
    {"seed": 7},
    {"constraints": turnout.Constraints(deny=["giant"]), "tools": 2, "usd_per_second": 1e-4},
    {"statistic": "cap", "max_calls": 3, "max_tokens": 5000, "max_seconds": 60},
]


def log_some(bundle: Path, folder: Path, log: str) -> list[turnout.Decision]:
    """Decisions and outcomes in turn, as a service makes them."""
    learning = Learning(epsilon=0.3, temperature=0.2, log=log)  # type: ignore[arg-type]
    router = turnout.Router.load(bundle, learning=learning, state=folder)
    assert router.learner is not None
    telemetry = Telemetry(router.llms, clock=lambda: 0.0)
    decisions = []
    with router.learner:
        for i, query in enumerate([*QUERIES, ""] * 5):
            d = router.route(query, telemetry=telemetry if i % 3 else None, **OPTIONS[i % len(OPTIONS)])
            decisions.append(d)
            if i % 4:
                telemetry.record(d.llm, ok=i % 5 > 0, seconds=1.0, expected_seconds=0.5)
                router.feedback(d, Outcome(score=0.0 if d.llm == "large" else 1.0, usd=2 * d.usd))
        vector = router.embed(QUERIES[0])
        decisions.append(router.route(vector, in_tokens=20))
        decisions.append(router.route(vector))
        decisions += list(router.route_batch(QUERIES, value_usd=0.05))
    return decisions


@pytest.mark.parametrize("log", ["vectors", "texts"])
def test_a_replay_gives_every_decision_to_the_last_bit(small_bundle: Path, tmp_path: Path, log: str) -> None:
    decisions = log_some(small_bundle, tmp_path / "state", log)
    found = list(replay(read(tmp_path / "state"), turnout.Router.load(small_bundle)))
    assert len(found) == len(decisions)
    by_ticket = {d.ticket: d for d in decisions}
    assert len(by_ticket) == len(decisions)
    for one in found:
        assert one.recorded.to_dict() == by_ticket[one.ticket].to_dict()
        assert one.identical, (one.recorded.to_dict(), one.again.to_dict())


def run_and_replay(bundle: Path, folder: Path, learning: Learning, queries: list[str]) -> list[Replayed]:
    router = turnout.Router.load(bundle, learning=learning, state=folder)
    assert router.learner is not None
    with router.learner:
        for i, query in enumerate(queries):
            d = router.route(query, value_usd=0.05)
            router.feedback(d, Outcome(score=0.0 if d.llm == "large" else 1.0, usd=2 * d.usd))
            if i % 10 == 9:
                router.learner.advance(i // 10 + 1)
    log = read(folder)
    found = list(replay(log, turnout.Router.load(bundle)))
    assert len(found) == log.decisions
    return found


@pytest.mark.parametrize(
    "learning",
    [
        Learning(log="vectors"),
        Learning(log="vectors", discount=0.5, epochs=2),
        Learning(log="vectors", epsilon=1.0, temperature=10.0, budget_share=0.2),
    ],
)
def test_every_setting_replays_to_the_last_bit(small_bundle: Path, tmp_path: Path, learning: Learning) -> None:
    found = run_and_replay(small_bundle, tmp_path / "state", learning, QUERIES * 3)
    assert all(one.identical for one in found)


def test_each_run_is_replayed_with_its_own_settings(small_bundle: Path, tmp_path: Path) -> None:
    for seed in (1, 2):
        learning = Learning(epsilon=0.8, temperature=1.0, log="texts", seed=seed)
        found = run_and_replay(small_bundle, tmp_path / "state", learning, QUERIES)
    assert len(found) == 2 * len(QUERIES) and all(one.identical for one in found)


def test_what_a_log_no_longer_leads_to_is_counted(run: Run, small_bundle: Path, tmp_path: Path) -> None:
    for _ in range(2):
        found = run_and_replay(small_bundle, tmp_path / "state", Learning(log="texts"), QUERIES)
    assert len(found) == 2 * len(QUERIES)
    min((tmp_path / "state").glob("log-*")).unlink()  # as history_bytes does
    log = read(tmp_path / "state")
    assert log.decisions == len(QUERIES) and list(replay(log, turnout.Router.load(small_bundle))) == []
    said = run("replay", tmp_path / "state", "--bundle", small_bundle, "--check")
    assert said.code == 1 and f"{len(QUERIES)} not asked again" in said.out


def test_a_bundle_of_other_vectors_is_an_error(small_bundle: Path, lexical: turnout.Router, tmp_path: Path) -> None:
    log_some(small_bundle, tmp_path / "state", "vectors")
    with pytest.raises(turnout.InputError, match="note: its vector has"):
        list(replay(read(tmp_path / "state"), lexical))


def test_another_pool_differs_and_says_where(run: Run, small_bundle: Path, tmp_path: Path) -> None:
    log_some(small_bundle, tmp_path / "state", "texts")
    same = run("replay", tmp_path / "state", "--bundle", small_bundle)
    assert same.code == 0 and "identical to the last bit" in same.out, same.err
    pool = tmp_path / "pool.toml"
    text = "".join(
        f'[[llms]]\nid = "{llm}"\nability = "{llm}"\nusd_per_mtok_in = {usd}\nusd_per_mtok_out = {usd}\n'
        "context_tokens = 8000\nmax_output_tokens = 1000\n"
        for llm, usd in (("tiny", 90.0), ("large", 0.1))
    )
    pool.write_text(text)
    assert run("replay", tmp_path / "state", "--bundle", small_bundle, "--pool", pool, "--check").code == 1
    other = run("replay", tmp_path / "state", "--bundle", small_bundle, "--pool", pool, "--json")
    assert other.code == 0, other.err
    report = json.loads(other.out)
    assert report["decisions"] > report["identical"]
    assert {"ticket", "same_plan", "recorded", "again"} == set(report["differing"][0])


def test_a_log_without_decisions_says_how_to_get_them(run: Run, small_bundle: Path, tmp_path: Path) -> None:
    log_some(small_bundle, tmp_path / "state", "outcomes")
    result = run("replay", tmp_path / "state", "--bundle", small_bundle)
    assert result.code == 1 and 'log="vectors"' in result.err


def test_a_missing_folder_is_named(run: Run, tmp_path: Path) -> None:
    result = run("replay", tmp_path / "nothing")
    assert result.code == 1 and "nothing" in result.err
