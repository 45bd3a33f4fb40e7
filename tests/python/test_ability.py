"""Abilities from outcomes: what was planted is found, in any order and in any parts, and never with false certainty."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bundles
import turnout
from turnout.ability import (
    AbilityEstimate,
    Evidence,
    around,
    chances,
    estimate_ability,
    evidence,
    fit_population,
    given_ability,
    population,
    update,
)
from turnout.bundle import Ability, AbilityTable, Bundle
from turnout.core import BundleError, InputError

THETA = np.array([0.8, 1.2, -0.7])
WIDE = AbilityEstimate(np.zeros(3), np.diag([1.0, 2.0, 2.0]))


def asked(count: int, seed: int = 0, theta: np.ndarray = THETA, floor: float = 0.0) -> Evidence:
    """Outcomes of an LLM of this theta."""
    rng = np.random.default_rng(seed)
    design = np.hstack([np.ones((count, 1)), rng.normal(0, 0.7, (count, len(theta) - 1))])
    seen = Evidence(design, rng.normal(0, 1.2, count), np.full(count, floor), np.zeros(count))
    score = (rng.random(count) < chances(theta, seen)).astype(float)
    return Evidence(design, seen.offset, seen.floor, score)


def part(seen: Evidence, rows: Any) -> Evidence:
    return Evidence(seen.design[rows], seen.offset[rows], seen.floor[rows], seen.score[rows])


def objective(theta: np.ndarray, prior: AbilityEstimate, seen: Evidence) -> float:
    p = chances(theta, seen)
    away = theta - prior.mean
    fit = (seen.score * np.log(p) + (1 - seen.score) * np.log(1 - p)).sum()
    return float(fit - 0.5 * away @ np.linalg.inv(prior.covariance) @ away)


def curvature(theta: np.ndarray, prior: AbilityEstimate, seen: Evidence, step: float = 1e-4) -> np.ndarray:
    """Minus the Hessian, by differences."""
    size, unit = len(theta), step * np.eye(len(theta))
    out = np.empty((size, size))
    for i in range(size):
        for j in range(size):
            corners = [(1, 1), (1, -1), (-1, 1), (-1, -1)]
            values = [objective(theta + a * unit[i] + b * unit[j], prior, seen) * a * b for a, b in corners]
            out[i, j] = -sum(values) / (4 * step * step)
    return out


@pytest.mark.parametrize("floor", [0.0, 0.25])
def test_update_is_the_maximum_of_the_posterior(floor: float) -> None:
    seen = asked(150, floor=floor)
    found = update(WIDE, seen)
    best = objective(found.mean, WIDE, seen)
    for i in range(3):
        for sign in (1, -1):
            assert objective(found.mean + sign * 1e-3 * np.eye(3)[i], WIDE, seen) < best
    assert found.n == 150


def test_covariance_is_laplaces() -> None:
    seen = asked(150)
    found = update(WIDE, seen)
    np.testing.assert_allclose(np.linalg.inv(found.covariance), curvature(found.mean, WIDE, seen), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("floor", [0.0, 0.2])
def test_a_planted_ability_is_found(floor: float) -> None:
    found = update(WIDE, asked(20_000, floor=floor))
    np.testing.assert_allclose(found.mean, THETA, atol=0.1)
    assert found.ability_se < 0.03


def test_intervals_hold_what_was_planted() -> None:
    inside = 0
    for seed in range(200):
        low, high = update(WIDE, asked(60, seed)).interval()
        inside += low <= THETA[0] <= high
    assert 180 <= inside <= 199


def test_order_does_not_matter() -> None:
    seen = asked(120)
    found, turned = update(WIDE, seen), update(WIDE, part(seen, np.random.default_rng(1).permutation(120)))
    np.testing.assert_allclose(turned.mean, found.mean, atol=1e-8)
    np.testing.assert_allclose(turned.covariance, found.covariance, atol=1e-8)


@pytest.mark.parametrize("cuts", [[60], [10, 40, 80], list(range(20, 120, 20))])
def test_updates_in_parts_agree_with_one(cuts: list[int]) -> None:
    seen = asked(120)
    one, many = update(WIDE, seen), WIDE
    for rows in np.split(np.arange(120), cuts):
        many = update(many, part(seen, rows))
    spread = np.sqrt(np.diag(one.covariance))
    assert many.n == one.n == 120
    assert (np.abs(many.mean - one.mean) < 0.25 * spread).all()
    np.testing.assert_allclose(np.sqrt(np.diag(many.covariance)), spread, rtol=0.1)


def test_fractional_scores_count_as_their_parts() -> None:
    seen = asked(80)
    halves = Evidence(seen.design, seen.offset, seen.floor, np.full(80, 0.5))
    twice = Evidence(
        *(np.concatenate([x, x]) for x in (seen.design, seen.offset, seen.floor)), np.repeat([0.0, 1.0], 80)
    )
    tight = AbilityEstimate(WIDE.mean, WIDE.covariance / 2)  # twice the outcomes against twice the precision
    np.testing.assert_allclose(update(tight, twice).mean, update(WIDE, halves).mean, atol=1e-7)


def test_without_outcomes_the_prior_stays() -> None:
    assert update(WIDE, part(asked(5), slice(0, 0))) is WIDE


@pytest.mark.parametrize("score", [0.0, 1.0])
def test_all_right_and_all_wrong_stay_finite(score: float) -> None:
    seen = asked(500, floor=0.25)
    found = update(WIDE, Evidence(seen.design, seen.offset, seen.floor, np.full(500, score)))
    assert np.isfinite(found.mean).all() and abs(found.ability) < 10
    assert np.linalg.eigvalsh(found.covariance).min() > 0


def test_label_noise_widens_nothing_and_moves_smoothly() -> None:
    seen = asked(2000)
    flip = np.random.default_rng(5).random(2000)
    abilities = [
        update(WIDE, Evidence(seen.design, seen.offset, seen.floor, np.where(flip < rate, 1 - seen.score, seen.score)))
        for rate in (0.0, 0.1, 0.2, 0.3, 0.4)
    ]
    means = [each.ability for each in abilities]
    assert all(a > b > -0.1 for a, b in itertools.pairwise(means))


# Before outcomes ------------------------------------------------------------------------------------------------------


def table(theta: np.ndarray, se: float = 0.0) -> AbilityTable:
    return AbilityTable(
        theta.shape[1] - 1, [Ability(f"m{i}", row[0], se, row[1:].tolist(), 1.0, 1.0) for i, row in enumerate(theta)]
    )


def test_population_has_the_mean_and_shrunk_correlations() -> None:
    rng = np.random.default_rng(2)
    truth = np.array([[1.0, 0.6, 0.0], [0.6, 1.0, 0.0], [0.0, 0.0, 4.0]])
    theta = rng.multivariate_normal([0.5, -1.0, 2.0], truth, 40)
    found = population(table(theta))
    np.testing.assert_allclose(found.mean, theta.mean(0))
    np.testing.assert_allclose(np.diag(found.covariance), theta.var(0, ddof=1))
    raw = np.cov(theta.T)
    assert 0 < found.covariance[0, 1] < raw[0, 1] and abs(found.covariance[1, 2]) < abs(raw[1, 2])


def test_standard_errors_come_off_the_spread() -> None:
    theta = np.random.default_rng(2).normal(size=(30, 3))
    assert population(table(theta, 0.5)).covariance[0, 0] == pytest.approx(theta[:, 0].var(ddof=1) - 0.25)
    assert population(table(theta, 5.0)).covariance[0, 0] == pytest.approx(0.1 * theta[:, 0].var(ddof=1))


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_few_llms_still_give_a_covariance(count: int) -> None:
    found = population(table(np.random.default_rng(3).normal(size=(count, 3))))
    assert np.linalg.eigvalsh(found.covariance).min() > 0


def test_given_ability_is_the_regression_of_the_skills() -> None:
    covariance = np.array([[1.0, 0.8, -0.4], [0.8, 2.0, 0.1], [-0.4, 0.1, 3.0]])
    found = given_ability(AbilityEstimate(np.array([0.0, 1.0, 2.0]), covariance), 0.5, 0.2)
    np.testing.assert_allclose(found.mean, [0.5, 1.4, 1.8])
    assert found.ability_se == pytest.approx(0.2)
    # Var(skill) = residual + slope^2 se^2.
    assert found.covariance[1, 1] == pytest.approx(2.0 - 0.64 + 0.64 * 0.04)
    same = given_ability(AbilityEstimate(np.array([0.0, 1.0, 2.0]), covariance), 0.0, 1.0)
    np.testing.assert_allclose(same.covariance, covariance)


def test_around_keeps_the_theta() -> None:
    found = around(WIDE, THETA, 0.5)
    np.testing.assert_allclose(found.mean, THETA)
    assert found.ability_se == pytest.approx(0.5)


def test_population_is_recovered_from_outcomes() -> None:
    rng = np.random.default_rng(4)
    truth = np.array([[0.6, 0.4, 0.0], [0.4, 1.0, 0.0], [0.0, 0.0, 0.5]])
    theta = rng.multivariate_normal([0.3, 0.5, -0.5], truth, 60)
    found, each = fit_population([asked(400, i, row) for i, row in enumerate(theta)], WIDE)
    np.testing.assert_allclose(found.mean, theta.mean(0), atol=0.1)
    np.testing.assert_allclose(found.covariance, np.cov(theta.T), atol=0.25)
    away = np.mean([(e.mean - row) ** 2 for e, row in zip(each, theta, strict=True)])
    alone = np.mean(
        [
            (update(AbilityEstimate(np.zeros(3), 1e4 * np.eye(3)), asked(400, i, row)).mean - row) ** 2
            for i, row in enumerate(theta)
        ]
    )
    assert len(each) == 60 and away < alone


# The router and the bundle --------------------------------------------------------------------------------------------


def test_estimate_from_texts(small: turnout.Router) -> None:
    texts = [" ".join(np.random.default_rng(i).choice(bundles.WORDS, 5)) for i in range(3000)]
    assessed = small.assess(texts)
    theta = np.array([0.9, 0.5, -0.5])
    p = chances(theta, evidence(assessed, np.zeros(3000)))
    scores = (np.random.default_rng(0).random(3000) < p).astype(float)
    found = estimate_ability(small, texts, scores)
    assert found.n == 3000 and abs(found.ability - 0.9) < 3.5 * found.ability_se
    again = estimate_ability(small, texts[1500:], scores[1500:], estimate_ability(small, texts[:1500], scores[:1500]))
    assert abs(again.ability - found.ability) < 0.3 * found.ability_se


@pytest.mark.parametrize(
    ("scores", "path", "part"),
    [
        ([0.5], "scores", "expected 2 numbers"),
        ([0.5, 1.5], "scores[1]", "0 to 1"),
        ([float("nan"), 1], "scores[0]", "nan"),
    ],
)
def test_wrong_scores(small: turnout.Router, scores: list[float], path: str, part: str) -> None:
    with pytest.raises(InputError, match=part) as error:
        estimate_ability(small, ["a", "b"], scores)
    assert error.value.path == path


def with_prior(folder: Path, prior: dict[str, Any]) -> Path:
    files = bundles.files()
    files["llms.json"] = json.dumps(json.loads(files["llms.json"]) | {"prior": prior}).encode()
    return bundles.write(folder, files)


def test_a_prior_in_the_bundle_counts(tmp_path: Path) -> None:
    covariance = [[0.5, 0.1, 0], [0.1, 1, 0], [0, 0, 1]]
    found = population(
        Bundle.load(with_prior(tmp_path, {"mean": [0.1, 0.2, 0.3], "covariance": covariance})).abilities()
    )
    np.testing.assert_allclose(found.mean, [0.1, 0.2, 0.3])
    np.testing.assert_allclose(found.covariance, covariance)


@pytest.mark.parametrize(
    ("mean", "covariance", "path"),
    [
        ([0, 0], [[1, 0], [0, 1]], "prior.mean"),
        ([0, 0, 0], [[1, 0, 0], [0, 1, 0]], "prior.covariance"),
        ([0, 0, 0], [[1, 0, 0], [0, 1, 0], [0, 0, -1]], "prior.covariance"),
        ([0, 0, 0], [[1, 0.5, 0], [0, 1, 0], [0, 0, 1]], "prior.covariance"),
    ],
)
def test_a_wrong_prior_is_refused(tmp_path: Path, mean: list[float], covariance: list[Any], path: str) -> None:
    with pytest.raises(BundleError) as error:
        turnout.Router.load(with_prior(tmp_path, {"mean": mean, "covariance": covariance}))
    assert error.value.path.endswith(path)
