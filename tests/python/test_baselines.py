"""Baselines find what is planted, treat arms alike, and never see what they predict."""

from __future__ import annotations

import numpy as np
import pytest

from turnout.evaluate.baselines import BASELINES, Outcomes, Predictor, Queries, cluster_table, domain_table, out_of_fold

ARMS = 3
LEARNERS = sorted(set(BASELINES) - {"means"})


def planted(queries: int = 600, seed: int = 0) -> Outcomes:
    """Three kinds of query, of each of which another arm is right nine times in ten, the others one in five."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, ARMS, queries)
    x = 3.0 * np.eye(ARMS, 8)[kind] + rng.normal(0.0, 0.3, (queries, 8))
    p = np.where(kind[:, None] == np.arange(ARMS), 0.9, 0.2)
    score = (rng.random((queries, ARMS)) < p).astype(float)
    return Outcomes(x / np.linalg.norm(x, axis=1, keepdims=True), score, [f"kind {k}" for k in kind])


@pytest.mark.parametrize("name", LEARNERS)
def test_the_best_arm_of_each_kind_is_found(name: str) -> None:
    new = planted(seed=1)
    found = BASELINES[name](planted(), Queries(new.x, new.domain)).argmax(1)
    expected = np.array([int(d[-1]) for d in new.domain])
    assert (found == expected).mean() > 0.98


@pytest.mark.parametrize("name", sorted(BASELINES))
def test_the_order_of_arms_does_not_matter(name: str) -> None:
    train, new, order = planted(), planted(50, seed=1), np.array([2, 0, 1])
    other = Outcomes(train.x, train.score[:, order], train.domain)
    queries = Queries(new.x, new.domain)
    assert BASELINES[name](other, queries) == pytest.approx(BASELINES[name](train, queries)[:, order], abs=1e-12)


@pytest.mark.parametrize("name", sorted(BASELINES))
def test_predictions_do_not_see_their_own_fold(name: str) -> None:
    outcomes = planted(200)
    fold = np.arange(200) % 5
    honest = out_of_fold(BASELINES[name], outcomes, fold)
    turned = outcomes.score.copy()
    turned[fold == 2] = 1.0 - turned[fold == 2]
    other = out_of_fold(BASELINES[name], Outcomes(outcomes.x, turned, outcomes.domain), fold)
    assert other[fold == 2] == pytest.approx(honest[fold == 2], abs=0)
    assert not np.allclose(other[fold != 2], honest[fold != 2])


def test_means_are_the_means() -> None:
    train = planted()
    assert (BASELINES["means"](train, Queries(train.x[:4], train.domain[:4])) == train.score.mean(0)).all()


def test_an_unknown_domain_gets_the_means() -> None:
    train = planted()
    row = domain_table()(train, Queries(train.x[:1], ["never seen"]))[0]
    assert row == pytest.approx(train.score.mean(0))


def test_shrinkage_goes_from_the_table_to_the_means() -> None:
    train = planted()
    queries = Queries(train.x[:1], ["kind 1"])
    own = train.score[np.array(train.domain) == "kind 1"].mean(0)
    assert domain_table(0.0)(train, queries)[0] == pytest.approx(own)
    assert domain_table(1e9)(train, queries)[0] == pytest.approx(train.score.mean(0), abs=1e-6)


@pytest.mark.parametrize("predictor", [cluster_table(clusters=500, top=9), BASELINES["knn40"]])
def test_few_queries_are_enough(predictor: Predictor) -> None:
    train = planted(7)
    out = predictor(train, Queries(train.x, train.domain))
    assert out.shape == (7, ARMS) and np.isfinite(out).all()
