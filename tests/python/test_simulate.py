"""Simulations on small generated outcomes: policies, streams, the NumPy twin of learning, and the report."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import recorded as made
import turnout
from turnout.cli.simulate import run_simulate
from turnout.core import InputError
from turnout.evaluate.task import tasks
from turnout.simulate import cases, features, stream
from turnout.simulate.dead import DeadArms, DeadConfig
from turnout.simulate.linear import LinUCB, Ridge
from turnout.simulate.policies import EpsilonGreedy, Oracle, Random, Setting, best_fixed, offline
from turnout.simulate.recorded import Recorded, recorded, router_at_log_prices
from turnout.simulate.replicas import Replicas
from turnout.simulate.run import Draws, Played, play, play_all, simulate
from turnout.simulate.stream import shuffled
from turnout.simulate.twin import Costs, Learning, Turnout, believed

VALUE = 0.01


def world(queries: int = 1500, arms: int = 4, seed: int = 0, truth: Any = (0.7, 0.6, 0.5, 0.4)) -> Recorded:
    """Queries whose outcomes are as predicted: nothing to learn."""
    rng = np.random.default_rng(seed)
    p = np.tile(np.array(truth), (queries, 1))
    usd = np.tile(np.geomspace(1e-3, 1e-4, arms), (queries, 1))
    context = np.concatenate([np.ones((queries, 1)), 0.3 * rng.dirichlet(np.full(5, 0.1), queries)], 1)
    score = (rng.random(p.shape) < p).astype(float)
    vectors = rng.normal(size=(queries, 8))
    texts = [f"Query number {i} is here." for i in range(queries)]
    domains = [f"d{i % 3}" for i in range(queries)]
    llms = tuple(f"llm{m}" for m in range(arms))
    return Recorded(
        "world", llms, texts, domains, score, usd * rng.uniform(0.8, 1.2, p.shape), p, usd, context, vectors
    )


WORLD = world()


def setting(data: Recorded = WORLD, seed: int = 0) -> Setting:
    return Setting(data, VALUE, seed)


# Streams --------------------------------------------------------------------------------------------------------------


def test_a_stream_has_every_query_once() -> None:
    one, other = shuffled(WORLD, 1), shuffled(WORLD, 2)
    assert sorted(one.order) == list(range(len(WORLD))) and (one.order != other.order).any()
    assert (one.score == WORLD.score[one.order]).all()


def test_scenarios_change_one_arm_from_a_round_on() -> None:
    before = shuffled(WORLD, 0)
    for change in (stream.degrades(700), stream.costs(700), stream.fails(700)):
        after = change(before, 1)
        for name in ("score", "usd", "fails"):
            a, b = getattr(before, name), getattr(after, name)
            assert (a[:700] == b[:700]).all() and (np.delete(a, 1, 1) == np.delete(b, 1, 1)).all()
    assert (stream.degrades(700)(before, 1).score[700:, 1] == 0.5 * before.score[700:, 1]).all()
    assert (stream.costs(700)(before, 1).usd[700:, 1] == 4.0 * before.usd[700:, 1]).all()
    assert stream.fails(700)(before, 1).fails[700:, 1].all()
    assert not stream.joins(700)(before, 1).there[:700, 1].any()
    gained = stream.gains(0.3)(before, 1).score[:, 1].mean() - before.score[:, 1].mean()
    assert gained == pytest.approx(0.3, abs=0.05)


def test_nobody_chooses_an_arm_that_is_not_there() -> None:
    changed = stream.joins(500)(shuffled(WORLD, 0), 0)
    for make in (Turnout, EpsilonGreedy, LinUCB, Random, offline, best_fixed, Oracle):
        chosen = play(make(setting(), changed), changed)
        assert (chosen[:500] != 0).all(), make
        if make is not Random:
            assert (chosen[500:] == 0).any() or make in (EpsilonGreedy, LinUCB), make


# Policies -------------------------------------------------------------------------------------------------------------


def test_rank_one_updates_are_the_inverse() -> None:
    rng = np.random.default_rng(0)
    models = Ridge(2, 5, 0.7)
    a, b = np.eye(5) * 0.7, np.zeros(5)
    for _ in range(300):
        x, y = rng.normal(size=5), rng.random()
        models.update(1, x, y)
        a, b = a + np.outer(x, x), b + y * x
    x = rng.normal(size=5)
    assert models.predict(x)[1] == pytest.approx(x @ np.linalg.solve(a, b), rel=1e-9)
    assert models.deviation(x)[1] == pytest.approx(np.sqrt(x @ np.linalg.solve(a, x)), rel=1e-9)
    assert models.predict(x)[0] == 0.0


def test_learners_find_the_best_arm() -> None:
    data = world(truth=(0.3, 0.4, 0.9, 0.4)).cold()
    streams = [shuffled(data, seed) for seed in range(5)]
    for make in (EpsilonGreedy, LinUCB, partial(LinUCB, thompson=True), partial(Turnout, how=Learning(alpha=0.35))):
        assert (play_all(make, data, streams, VALUE).chosen[:, 750:] == 2).mean() > 0.85


def test_offline_never_learns_and_the_oracle_is_never_beaten() -> None:
    data, made_stream = WORLD, shuffled(WORLD, 0)
    chosen = play(offline(setting(), made_stream), made_stream)
    assert (chosen == (data.correct - data.expected_usd / VALUE).argmax(1)[made_stream.order]).all()
    reward = made_stream.reward(VALUE)
    assert (play(Oracle(setting(), made_stream), made_stream) == reward.argmax(1)).all()


def test_flesch_and_clusters() -> None:
    assert (
        features.flesch("The cat sat on the mat.") > 90.0 > features.flesch("Institutional accountability mechanisms.")
    )
    assert features.flesch("12 + 4") == 100.0
    vectors = np.repeat(np.eye(3), 50, 0)
    order = np.concatenate([[0, 50, 100], np.delete(np.arange(150), [0, 50, 100])])
    found = features.online_clusters(vectors, order)
    assert [len(set(found[k * 50 : k * 50 + 50].tolist())) for k in range(3)] == [1, 1, 1] and len(set(found)) == 3


# The twin -------------------------------------------------------------------------------------------------------------


def test_corrections_are_believed_as_far_as_they_exceed_their_uncertainty() -> None:
    how = Learning(noise=1.0, down=2.0, up=1.0)
    delta = np.array([-0.1, -0.2, -0.4, 0.05, 0.1, 0.2, 0.0])
    found = believed(delta, np.full(7, 0.1), how)
    assert found[:2] == pytest.approx([0.0, 0.0]) and found[2] == pytest.approx(-0.4 * 0.75)
    assert found[3:5] == pytest.approx([0.0, 0.0]) and found[5] == pytest.approx(0.2 * 0.75) and found[6] == 0.0


def test_costs_are_shrunk_towards_the_expected() -> None:
    costs = Costs(2, 20.0)
    for _ in range(20):
        costs.update(1, 0.03, 0.01)
    assert costs.ratio() == pytest.approx([1.0, 2.0])


def test_without_outcomes_it_is_offline_routing() -> None:
    policy = Turnout(setting(), shuffled(WORLD, 0), Learning(alpha=0.0))
    assert policy.utility(7) == pytest.approx(WORLD.correct[7] - WORLD.expected_usd[7] / VALUE)


def test_a_right_prior_costs_nothing() -> None:
    streams = [shuffled(WORLD, seed) for seed in range(10)]
    mine, theirs = (play_all(make, WORLD, streams, VALUE).reward.mean() for make in (Turnout, offline))
    assert mine > theirs - 0.01


def test_a_wrong_prior_is_unlearned() -> None:
    data = replace(WORLD, correct=WORLD.correct + np.array([0.0, 0.25, 0.0, 0.0]))
    streams = [shuffled(data, seed) for seed in range(5)]
    mine, theirs = (play_all(make, data, streams, VALUE) for make in (Turnout, offline))
    assert (theirs.chosen == 1).all() and (mine.chosen[:, 400:] == 1).mean() < 0.1
    assert mine.reward.mean() > theirs.reward.mean() + 0.03


def test_a_dead_arm_is_suspended_probed_and_taken_back() -> None:
    dead = DeadArms(2, DeadConfig(threshold=5.0, gap=10))
    there = np.ones(2, bool)
    while not dead.suspensions:
        assert dead.admitted(there)[1] == -1
        dead.learn(0, 0.7, 0.0, False)
    assert dead.now == 5  # log(0.98 / 0.3) = 1.18 an answer
    probes = []
    for _ in range(75):
        free, probe = dead.admitted(there)
        assert free.tolist() == [False, True]
        if probe == 0:
            probes.append(dead.now - 5)
            dead.learn(0, 0.7, 0.0, False)
    assert probes == [10, 30, 70]
    while dead.admitted(there)[1] != 0:
        pass
    dead.learn(0, 0.7, 1.0, False)
    assert dead.admitted(there)[0].tolist() == [True, True]


def test_errors_in_a_row_suspend_and_all_suspended_are_all_admitted() -> None:
    dead = DeadArms(1, DeadConfig(failures=3))
    for failed in (True, True, False, True, True):
        dead.admitted(np.ones(1, bool))
        dead.learn(0, 0.7, 0.0 if failed else 1.0, failed)
    assert not dead.suspensions
    dead.learn(0, 0.7, 0.0, True)
    assert len(dead.suspensions) == 1 and dead.admitted(np.ones(1, bool))[0].all()


@pytest.mark.parametrize("change", [stream.degrades(800, 0.0), stream.fails(800)])
def test_a_dead_favourite_loses_its_share(change: stream.Scenario) -> None:
    streams = [change(shuffled(WORLD, seed), 0) for seed in range(10)]
    with_test = play_all(Turnout, WORLD, streams, VALUE).chosen == 0
    without = play_all(partial(Turnout, how=Learning(dead=None)), WORLD, streams, VALUE).chosen == 0
    assert with_test[:, :800].mean() > 0.9 and with_test[:, 850:1050].mean() < 0.01
    assert without[:, 850:1050].mean() > 0.2  # what a linear correction alone keeps


def test_replicas_that_share_at_once_are_one() -> None:
    how = Learning(dead=None)
    made_stream = shuffled(WORLD.cold(), 0)
    together = play(Replicas(setting(WORLD.cold()), made_stream, 1, how=how), made_stream)
    assert (together == play(Turnout(setting(WORLD.cold()), made_stream, how), made_stream)).all()
    apart = play(Replicas(setting(WORLD.cold()), made_stream, 10**6, how=how), made_stream)
    assert (together != apart).any()


# Reports --------------------------------------------------------------------------------------------------------------


def test_intervals_resample_queries_and_orders() -> None:
    rng = np.random.default_rng(0)
    query = np.stack([rng.permutation(200) for _ in range(8)])
    by_query, by_seed = rng.normal(size=200), rng.normal(size=(8, 1))
    for values, spread in ((by_query[query], 1.0 / 200**0.5), (by_seed + np.zeros((8, 200)), by_seed.std() / 8**0.5)):
        found = Draws(8, 200, 2000).mean(Played(query, values, query), values)
        assert found.value == pytest.approx(values.mean())
        assert (found.high - found.low) / 3.92 == pytest.approx(spread, rel=0.2)


def test_a_report_says_what_was_played() -> None:
    data = WORLD.keep(np.arange(len(WORLD)) < 300)
    report = simulate(data, (0.001, 0.01), seeds=3, draws=50)
    for found in report["values"]:
        rows = {row["name"]: row for row in found["policies"]}
        assert rows["oracle"]["regret"] == [0.0, 0.0, 0.0]
        assert rows["offline routing"]["over_offline"] == [0.0, 0.0, 0.0] == rows["turnout"]["turnout_less_it"]
        for row in rows.values():
            total = row["reward"][0] + row["regret"][0]
            assert total == pytest.approx(rows["oracle"]["reward"][0]) and sum(row["shares"].values()) == pytest.approx(
                1
            )
            assert row["curve"]["mean"][-1] == pytest.approx(300 * row["regret"][0] / 100)
    json.dumps(report)


def test_every_case_is_reported() -> None:
    found = {case["case"]: case for case in cases.cases(WORLD, seeds=2, draws=20)}
    assert set(found) == set(cases.CASES)
    ours = {name: next(p for p in case["policies"] if p["name"] == "turnout") for name, case in found.items()}
    assert ours["new-arm"]["share_before"] == 0.0 and found["new-arm"]["arm"] == "llm0"
    assert ours["dead"]["share_before"] > 0.9 and ours["dead"]["share_later"] < 0.02
    assert cases.gain(WORLD, seeds=4)["found"].keys() >= {"turnout", "offline routing"}
    assert cases.replicas(WORLD, seeds=2)["ratio"] > 0.5
    assert cases.false_alarms(WORLD, seeds=2)["decisions"] == 2 * len(WORLD)


def test_recorded_outcomes_are_at_the_prices_of_the_log(small_bundle: Path) -> None:
    task = tasks(made.outcomes(240))[0]
    router = router_at_log_prices(small_bundle, task)
    data = recorded(task, router)
    assert task.cost is not None
    assert data.expected_usd[task.train].mean(0) == pytest.approx(task.cost[task.train].mean(0), rel=1e-5)
    assert data.correct == pytest.approx(router.predict(task.texts).correct)
    assert (data.context[:, 0] == 1.0).all() and data.keep(~task.train).score.shape == (80, 4)


def test_the_context_holds_the_domain_posterior(regions: turnout.Router) -> None:
    task = tasks(made.outcomes(60))[0]
    seen = regions.assess(task.texts)
    context = recorded(task, regions).context
    assert context.shape == (60, 1 + seen.domains) and context[:, 1:].sum(1) == pytest.approx(0.3, abs=1e-4)


def test_the_command_prints_and_writes(small_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    options: dict[str, Any] = {"values_usd": (0.01,), "seeds": 2, "draws": 20}
    outcomes = made.outcomes(1500)
    run_simulate(small_bundle, outcomes, **options, json=tmp_path / "r.json", folder=tmp_path / "plots")
    out = capsys.readouterr().out
    assert "logs/all: 500 rounds of the split test, 2 orders" in out
    for text in (
        "turnout, exploring",
        "best fixed arm (sees more)",
        "the favourite scores 0",
        "8 replicas",
        "false alarms",
    ):
        assert text in out
    files = {file.name for file in (tmp_path / "plots").iterdir()}
    assert files == {"logs-all.regret.png", *(f"logs-all.{name}.png" for name in cases.CASES)}
    run_simulate(small_bundle, outcomes, **options, with_cases=False, json=Path("-"))
    again = json.loads(capsys.readouterr().out)
    report = json.loads((tmp_path / "r.json").read_text())
    assert again["tasks"][0]["values"] == report["tasks"][0]["values"]  # the same seeds, the same numbers


@pytest.mark.parametrize(
    "options",
    [{"values_usd": ()}, {"values_usd": (0.0,)}, {"seeds": 0}, {"split": "all"}, {"json": Path("/none/r.json")}],
)
def test_wrong_options_are_refused(small_bundle: Path, options: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        run_simulate(small_bundle, made.outcomes(60), **options)
