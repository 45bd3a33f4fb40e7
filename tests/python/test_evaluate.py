"""Metrics against what they are by definition, on cases that can be worked out by hand."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turnout.evaluate import bootstrap, choice, frontier, two_arms
from turnout.evaluate.frontier import Curve

Floats = np.ndarray


def points(draw_cost: list[float], draw_score: list[float]) -> Curve:
    return Curve(np.array(draw_cost), np.array(draw_score))


GRID = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=8)


def best_mixture(curve: Curve, cost: float) -> float:
    """The highest score that a mixture of two points, or a point, has at most at this cost."""
    pairs = itertools.product(zip(curve.cost, curve.score, strict=True), repeat=2)
    best = -math.inf
    for (a, p), (b, q) in pairs:
        for share in [0.0, 1.0] if a == b else [0.0, 1.0, (cost - a) / (b - a)]:
            if 0.0 <= share <= 1.0 and a + share * (b - a) <= cost + 1e-12:
                best = max(best, p + share * (q - p))
    return best


@settings(deadline=None)
@given(GRID, st.floats(0, 20))
def test_the_hull_is_what_mixtures_reach(pairs: list[tuple[int, int]], cost: float) -> None:
    curve = points([float(x) for x, _ in pairs], [float(y) for _, y in pairs])
    (height,) = frontier.height(curve, np.array([cost]))
    expected = best_mixture(curve, cost)
    assert math.isnan(height) if expected == -math.inf else height == pytest.approx(expected, abs=1e-9)


@settings(deadline=None)
@given(GRID)
def test_the_hull_rises_and_its_slope_falls(pairs: list[tuple[int, int]]) -> None:
    h = frontier.hull(points([float(x) for x, _ in pairs], [float(y) for _, y in pairs]))
    assert (np.diff(h.cost) > 0).all() and (np.diff(h.score) > 0).all()
    assert (np.diff(np.diff(h.score) / np.diff(h.cost)) < 0).all()


def test_aiq_is_a_mean_score() -> None:
    triangle = points([0.0, 2.0], [0.2, 0.8])
    assert frontier.aiq(triangle, 0.0, 2.0) == pytest.approx(0.5)
    assert frontier.aiq(triangle, 0.0, 4.0) == pytest.approx(0.65)  # flat to the right
    assert frontier.aiq(triangle, -2.0, 2.0) == pytest.approx(0.35)  # never cheaper than its cheapest
    assert frontier.aiq(points([1.0, 0.0, 2.0], [0.1, 0.2, 0.8]), 0.0, 2.0) == pytest.approx(0.5)
    assert math.isnan(frontier.aiq(triangle, 1.0, 1.0))


def test_cost_at_a_score() -> None:
    curve = points([1.0, 3.0], [0.2, 0.6])
    assert frontier.cost_at(curve, 0.4) == pytest.approx(2.0)
    assert frontier.cost_at(curve, 0.1) == 1.0
    assert frontier.cost_at(curve, 0.7) == math.inf


def outcomes(queries: int = 400, arms: int = 4, seed: int = 0) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    p = np.sort(rng.uniform(0.2, 0.9, (queries, arms)), axis=1)
    return (rng.random(p.shape) < p).astype(float), np.geomspace(1e-4, 1e-2, arms) * rng.uniform(0.5, 2.0, p.shape)


def test_weights_go_from_best_to_cheapest() -> None:
    score, cost = outcomes()
    arms = frontier.single_arms(score, cost)
    assert (arms.cheapest, arms.best) == (0, 3)
    mean = np.broadcast_to(score.mean(0), score.shape)
    chosen = frontier.choices(mean, np.broadcast_to(cost.mean(0), cost.shape), arms.scale)
    assert (chosen[0] == arms.best).all() and (chosen[-1] == arms.cheapest).all()
    assert len(frontier.WEIGHTS) == 61 and frontier.WEIGHTS[0] == 0.0
    assert (frontier.WEIGHTS[1], frontier.WEIGHTS[-1]) == (pytest.approx(1e-3), pytest.approx(1e2))
    walk = frontier.curve(chosen, score, cost)
    assert (np.diff(walk.cost) <= 1e-15).all()


def test_an_oracle_beats_every_policy() -> None:
    score, cost = outcomes()
    arms = frontier.single_arms(score, cost)
    low, high = cost[:, arms.cheapest].mean(), cost[:, arms.best].mean()
    oracle = frontier.aiq(frontier.curve(frontier.choices(score, cost, arms.scale), score, cost), low, high)
    singles = frontier.aiq(Curve(cost.mean(0), score.mean(0)), low, high)
    assert oracle > singles


def test_equal_costs_are_no_reason() -> None:
    predicted = np.array([[0.1, 0.9], [0.8, 0.3]])
    chosen = frontier.choices(predicted, np.ones((2, 2)), 0.0)
    assert (chosen == [1, 0]).all()


# Two arms -----------------------------------------------------------------------------------------------------------


def test_a_random_policy_recovers_half() -> None:
    weak, strong = np.zeros(1000), np.ones(1000)
    same = np.zeros(1000)  # no preference: all ties
    assert two_arms.apgr(same, weak, strong) == pytest.approx(0.5)
    assert two_arms.cpt(same, weak, strong, 0.5) == pytest.approx(0.5)
    assert two_arms.cpt(same, weak, strong, 0.8) == pytest.approx(0.8)


def test_a_policy_that_knows_recovers_all_at_once() -> None:
    strong, weak = np.ones(10), np.array([1.0] * 8 + [0.0] * 2)  # two queries need the strong arm
    assert two_arms.cpt(strong - weak, weak, strong, 1.0) == pytest.approx(0.2)
    assert two_arms.apgr(strong - weak, weak, strong) == pytest.approx(0.9)
    assert two_arms.apgr(weak - strong, weak, strong) == pytest.approx(0.1)


def test_no_gap_is_no_number() -> None:
    assert math.isnan(two_arms.apgr(np.arange(3.0), np.ones(3), np.zeros(3)))
    assert math.isnan(two_arms.cpt(np.arange(3.0), np.ones(3), np.zeros(3), 0.5))


# Single policies ----------------------------------------------------------------------------------------------------


def test_cost_of_pass() -> None:
    assert choice.cost_of_pass(np.array([1.0, 3.0]), np.array([1.0, 0.0])) == 4.0
    assert choice.cost_of_pass(np.ones(2), np.zeros(2)) == math.inf


def test_regret_and_gap() -> None:
    score, cost = np.array([[0.0, 1.0], [1.0, 1.0]]), np.array([[0.1, 0.3], [0.1, 0.3]])
    chosen = np.array([0, 1])
    assert choice.regret(chosen, score, cost, 1.0) == pytest.approx([0.8, 0.2])
    assert choice.oracle_gap(chosen, score) == 0.5


def test_shares_and_entropy() -> None:
    assert choice.shares(np.array([0, 0, 2, 2]), 4).tolist() == [0.5, 0.0, 0.5, 0.0]
    assert choice.entropy(np.array([0.5, 0.0, 0.5])) == 1.0
    assert choice.entropy(np.array([0.0, 1.0])) == 0.0


def test_abstention_answers_the_sure_first() -> None:
    found = choice.abstention(np.array([0.9, 0.1, 0.5, 0.5]), np.array([1.0, 0.0, 1.0, 0.0]))
    assert found.answered.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert found.score == pytest.approx([1.0, 0.75, 2 / 3, 0.5])


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=12))
def test_auc_counts_pairs(rows: list[tuple[int, bool]]) -> None:
    confidence, positive = np.array([float(c) for c, _ in rows]), np.array([p for _, p in rows])
    pairs = [(a > b) + 0.5 * (a == b) for a in confidence[positive] for b in confidence[~positive]]
    expected = float(np.mean(pairs)) if pairs else math.nan
    assert choice.auc(confidence, positive) == pytest.approx(expected, nan_ok=True)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(1)
    held = 0
    for i in range(200):
        sample = rng.normal(3.0, 1.0, 60)
        found = bootstrap.interval(lambda rows, x=sample: float(x[rows].mean()), 60, draws=300, seed=i)
        assert found.low <= found.value <= found.high
        held += found.low <= 3.0 <= found.high
    assert 178 <= held <= 199  # 95 % of 200, less what small samples cost


def test_paired_differences_are_narrower() -> None:
    rng = np.random.default_rng(2)
    a = rng.normal(0.0, 5.0, 300)
    b = a + 0.5 + rng.normal(0.0, 0.1, 300)
    found = bootstrap.interval(lambda rows: float((b[rows] - a[rows]).mean()), 300)
    assert 0.45 < found.low < found.value < found.high < 0.55
