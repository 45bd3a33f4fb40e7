"""Off-policy estimates against the truth of simulated logs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import feedback
from feedback import ARMS, VALUE, World
from turnout.core import InputError
from turnout.evaluate.offpolicy import estimators, evaluate_log
from turnout.evaluate.offpolicy.estimators import Draws, effective_sample_size, empirical_bernstein, estimates, terms
from turnout.evaluate.offpolicy.logged import read_columns
from turnout.evaluate.offpolicy.targets import Predicted

WORLD = World()
LOGS, ROWS = 500, 400


def policy(report: dict[str, Any], name: str) -> dict[str, Any]:
    return next(found for found in report["policies"] if found["name"] == name)


def utility(name: str, report: dict[str, Any]) -> dict[str, Any]:
    return dict(policy(report, name)["estimates"]["utility"])


@pytest.fixture(scope="module")
def many() -> list[dict[str, Any]]:
    """Of 500 logs: the report of each."""
    return [evaluate_log(feedback.log(WORLD, ROWS, seed)[0], draws=200, seed=seed) for seed in range(LOGS)]


TARGETS = {"always small": np.eye(4)[[2, 2]], "always large": np.eye(4)[[1, 1]], "uniform": np.full((2, 4), 0.25)}


@pytest.mark.parametrize("name", TARGETS)
def test_ips_and_dr_are_unbiased_and_snips_is_near(many: list[dict[str, Any]], name: str) -> None:
    truth = WORLD.value(TARGETS[name])
    for estimator in ("ips", "dr", "snips"):
        found = np.array([utility(name, report)[estimator][0] for report in many])
        error = found.std(ddof=1) / LOGS**0.5
        slack = 2.0 * VALUE / ROWS if estimator == "snips" else 0.0  # a ratio's bias is of the order 1 / n
        assert abs(found.mean() - truth) < 3.0 * error + slack, estimator
    model = np.array([utility(name, report)["model"][0] for report in many])
    if name == "uniform":  # the planted error of the outcome model must be seen, or DR's correction is not tested
        assert abs(model.mean() - truth) > 10.0 * model.std(ddof=1) / LOGS**0.5


@pytest.mark.parametrize("name", TARGETS)
def test_dr_varies_less_than_ips(many: list[dict[str, Any]], name: str) -> None:
    spread = {k: np.std([utility(name, report)[k][0] for report in many]) for k in ("ips", "dr")}
    assert spread["dr"] < 0.95 * spread["ips"]


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("estimator", ["ips", "snips", "dr"])
def test_the_intervals_cover(many: list[dict[str, Any]], name: str, estimator: str) -> None:
    truth = WORLD.value(TARGETS[name])
    for found in (
        [utility(name, report)[estimator] for report in many],
        [utility(name, report)["normal"][estimator] for report in many],
    ):
        assert np.mean([low <= truth <= high for _, low, high in found]) >= 0.92


def test_snips_is_consistent() -> None:
    truth, errors = WORLD.value(TARGETS["always small"]), []
    for rows in (200, 20000):
        found = [
            utility("always small", evaluate_log(feedback.log(WORLD, rows, seed)[0], draws=0))["snips"][0]
            for seed in range(10)
        ]
        errors.append(np.abs(np.array(found) - truth).mean())
    assert errors[1] < 0.3 * errors[0]


def test_on_policy_is_the_mean_of_the_log() -> None:
    log, _ = feedback.log(WORLD, 300, 1)
    found = utility("as logged", evaluate_log(log))
    mean = float((VALUE * log.score - log.usd).mean())
    for estimator in ("ips", "snips"):
        assert found[estimator][0] == pytest.approx(mean, rel=1e-12)
    low, high = found["dr"][1:]
    assert low < mean < high


def test_greedy_is_the_largest_predicted_utility() -> None:
    log, _ = feedback.log(WORLD, 2000, 2)
    report = evaluate_log(log, values_usd=(1e-4,), temperatures=(0.3,))
    best = np.eye(4)[(VALUE * WORLD.predicted() - feedback.USD).argmax(1)]
    assert utility("greedy", report)["dr"][1] < WORLD.value(best) < utility("greedy", report)["dr"][2]
    # at a value of 1e-4 USD the cheapest is the best of all candidates
    assert policy(report, "greedy at value_usd 0.0001")["estimates"] == policy(report, "always tiny")["estimates"]
    odds = np.exp((VALUE * WORLD.predicted() - feedback.USD) / (0.3 * VALUE))
    low, high = utility("softmax at 0.3", report)["dr"][1:]
    assert low < WORLD.value(odds / odds.sum(1, keepdims=True)) < high


def test_other_predictions_and_choices_are_policies() -> None:
    log, _ = feedback.log(WORLD, 500, 3)
    alike = Predicted(np.full_like(log.predicted_quality, 0.5), log.predicted_usd, log.predicted_seconds)
    report = evaluate_log(log, predicted={"bundle 2": alike}, choices={"replayed": np.full(500, 3)})
    expected = policy(report, "always tiny")["estimates"]
    assert policy(report, "bundle 2")["estimates"] == expected  # the cheapest, where all are as good
    assert policy(report, "replayed")["estimates"] == expected
    assert policy(report, "greedy")["estimates"] != expected


def test_a_log_that_was_not_drawn_is_refused() -> None:
    log, _ = feedback.log(World(eps=0.0), 100, 0)
    report = evaluate_log(log)
    for found in report["policies"]:
        if found["name"] == "as logged":
            assert found["status"] == "ok"
        else:
            assert found["status"] == "refused" and "estimates" not in found
            assert "eps > 0" in found["note"]


def test_missing_support_has_no_number() -> None:
    log, _ = feedback.log(WORLD, 1000, 4)
    probability = log.probabilities.copy()
    rows = np.flatnonzero(log.chosen != 2)
    rows = rows[: len(rows) // 2]
    probability[rows, 0] += probability[rows, 2]
    probability[rows, 2] = 0.0
    report = evaluate_log(replace(log, probabilities=probability))
    small = policy(report, "always small")
    assert small["status"] == "refused" and "estimates" not in small
    assert small["unsupported"] == pytest.approx(len(rows) / 1000)
    assert f"{len(rows) / 10:.1f} %" in small["note"]
    assert policy(report, "always large")["status"] == "ok"


def test_a_little_missing_support_is_said() -> None:
    log, _ = feedback.log(WORLD, 1000, 5)
    probability = log.probabilities.copy()
    rows = np.flatnonzero(log.chosen != 2)[:5]
    probability[rows, 0] += probability[rows, 2]
    probability[rows, 2] = 0.0
    found = policy(evaluate_log(replace(log, probabilities=probability)), "always small")
    assert found["status"] == "warning" and "0.5 %" in found["note"] and "estimates" in found


def test_an_arm_that_is_no_candidate_has_no_support() -> None:
    log, _ = feedback.log(WORLD, 200, 6)
    rows = log.chosen != 3
    count = np.where(rows, 3, 4).astype(np.int32)
    probability = np.where(np.arange(feedback.K) < count[:, None], log.probabilities, 0.0)
    probability /= probability.sum(1, keepdims=True)
    report = evaluate_log(replace(log, candidate_count=count, probabilities=probability))
    assert policy(report, "always tiny")["unsupported"] == pytest.approx(rows.mean())


def test_failures_score_nothing_and_unknown_scores_are_left_out() -> None:
    log, _ = feedback.log(WORLD, 50, 7)
    score, failure, usd = log.score.copy(), log.failure.copy(), log.usd.copy()
    score[:10], failure[:4], usd[20:25] = np.nan, 2, np.nan
    report = evaluate_log(replace(log, score=score, failure=failure, usd=usd))
    facts = report["decisions"]
    assert (facts["evaluated"], facts["unscored"], facts["failed"], facts["assumed_usd"]) == (44, 6, 4, 5)
    expected = np.concatenate([np.zeros(4), log.score[10:]]).mean()
    assert policy(report, "as logged")["estimates"]["score"]["ips"][0] == pytest.approx(expected)


def test_clipping_bounds_the_weights() -> None:
    log, _ = feedback.log(WORLD, 500, 8)
    free, cut = evaluate_log(log), evaluate_log(log, clip=2.0)
    assert policy(free, "always giant")["weights"]["largest"] > 2.0
    assert policy(cut, "always giant")["weights"]["clipped"] > 0
    assert policy(cut, "always giant")["effective_sample_size"] > policy(free, "always giant")["effective_sample_size"]


def test_wrong_probabilities_are_noticed() -> None:
    log, _ = feedback.log(WORLD, 5000, 9)
    flat = np.where(np.arange(feedback.K) < 4, 0.25, 0.0) * np.ones((5000, 1))
    found = policy(evaluate_log(replace(log, probabilities=flat)), "always giant")
    assert found["status"] == "warning" and "not 1" in found["note"]


def test_effective_sample_size() -> None:
    assert effective_sample_size(np.ones(7)) == pytest.approx(7.0)
    assert effective_sample_size(np.array([4.0, 0.0, 0.0, 0.0])) == pytest.approx(1.0)
    assert effective_sample_size(np.zeros(3)) == 0.0


def test_empirical_bernstein_holds_and_is_wider() -> None:
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(200):
        values = rng.random(200) < 0.1
        found = empirical_bernstein(values.astype(float), 1.0)
        held += found.low <= 0.1 <= found.high
    assert held >= 190


def test_draws_are_the_same_whether_they_are_kept_or_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = np.random.default_rng(0).random((50, 3))
    kept = Draws(50, 100, 1)
    first = kept.means(columns)
    monkeypatch.setattr(estimators, "KEPT", 0)
    assert (first == kept.means(columns)).all() and (first == Draws(50, 100, 1).means(columns)).all()


def test_estimates_by_hand() -> None:
    weights, reward = np.array([2.0, 0.0]), np.array([1.0, 5.0])
    target = np.array([[1.0, 0.0], [1.0, 0.0]])
    modelled = np.array([[0.5, 9.0], [0.25, 9.0]])
    found = estimates(terms(weights, reward, target, modelled, np.array([0.5, 9.0])), Draws(2, 0, 0))
    assert found["ips"].value == 1.0 and found["snips"].value == 1.0
    assert found["model"].value == 0.375 and found["dr"].value == (0.5 + 2.0 * 0.5 + 0.25) / 2


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"chosen": np.full(30, 9, np.int32)}, r"log\.chosen\[0\]"),
        ({"candidate_count": np.full(30, 18, np.int32)}, r"log\.candidate_count\[0\]"),
        ({"ticket": np.zeros(30, np.uint64)}, r"log\.ticket"),
        ({"probabilities": np.full((30, 17), 0.5)}, r"log\.probabilities\[0\]"),
        ({"predicted_quality": np.full((30, 17), np.nan)}, r"log\.predicted_quality\[0\]"),
        ({"predicted_usd": np.full((30, 17), np.inf)}, r"log\.predicted_usd\[0\]"),
        ({"score": np.ones(29)}, r"log\.score"),
        ({"score": np.full(30, np.nan)}, "log: expected at least 2"),
    ],
)
def test_wrong_logs_are_refused(change: dict[str, Any], path: str) -> None:
    log, _ = feedback.log(WORLD, 30, 0)
    with pytest.raises(InputError, match=path):
        read_columns(replace(log, **change))


def test_wrong_arguments_are_refused() -> None:
    log, _ = feedback.log(WORLD, 30, 0)
    for kwargs in (
        {"clip": 0.0},
        {"draws": -1},
        {"temperatures": (0.0,)},
        {"choices": {"x": np.full(30, 4)}},
        {"choices": {"x": np.zeros(3, np.int64)}},
        {"choices": {f"always {ARMS[0]}": np.zeros(30, np.int64)}},
        {"predicted": {"x": Predicted(*[np.zeros((30, 4))] * 3)}},
    ):
        with pytest.raises(InputError):
            evaluate_log(log, **kwargs)  # type: ignore[arg-type]
