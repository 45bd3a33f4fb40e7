"""Baselines find what is planted, treat arms alike, and never see what they predict."""

from __future__ import annotations

import numpy as np
import pytest

from turnout.evaluate import networks
from turnout.evaluate.baselines import BASELINES, Examples, Predictor, Queries, cluster_table, domain_table, out_of_fold

ARMS = 3
HAVE = BASELINES | (networks.NETWORKS if networks.available() else {})
LEARNERS = sorted(set(HAVE) - {"means"})


def planted(queries: int = 600, seed: int = 0) -> Examples:
    """Three kinds of query, of each of which another arm is right nine times in ten, the others one in five."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, ARMS, queries)
    x = 3.0 * np.eye(ARMS, 8)[kind] + rng.normal(0.0, 0.3, (queries, 8))
    p = np.where(kind[:, None] == np.arange(ARMS), 0.9, 0.2)
    score = (rng.random((queries, ARMS)) < p).astype(float)
    return Examples(x / np.linalg.norm(x, axis=1, keepdims=True), score, [f"kind {k}" for k in kind])


@pytest.mark.parametrize("name", LEARNERS)
def test_the_best_arm_of_each_kind_is_found(name: str) -> None:
    new = planted(seed=1)
    found = HAVE[name](planted(), Queries(new.x, new.domain)).argmax(1)
    expected = np.array([int(d[-1]) for d in new.domain])
    assert (found == expected).mean() > 0.98


@pytest.mark.parametrize("name", sorted(HAVE))
def test_the_order_of_arms_does_not_matter(name: str) -> None:
    train, new, order = planted(), planted(50, seed=1), np.array([2, 0, 1])
    other = Examples(train.x, train.score[:, order], train.domain)
    queries = Queries(new.x, new.domain)
    assert HAVE[name](other, queries) == pytest.approx(HAVE[name](train, queries)[:, order], abs=1e-12)


@pytest.mark.parametrize("name", sorted(BASELINES))
def test_predictions_do_not_see_their_own_fold(name: str) -> None:
    outcomes = planted(200)
    fold = np.arange(200) % 5
    honest = out_of_fold(BASELINES[name], outcomes, fold)
    turned = outcomes.score.copy()
    turned[fold == 2] = 1.0 - turned[fold == 2]
    other = out_of_fold(BASELINES[name], Examples(outcomes.x, turned, outcomes.domain), fold)
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


def test_a_soft_table_knows_the_domain_from_the_text() -> None:
    train, new = planted(), planted(80, seed=1)
    blind = BASELINES["soft_domain_table"](train, Queries(new.x, ["never seen"] * 80))
    seen = BASELINES["domain_table"](train, Queries(new.x, new.domain))
    assert np.abs(blind - seen).mean() < 0.05  # the kinds are far apart: the mixture is almost the table


def test_one_domain_is_a_table_of_means() -> None:
    train = planted()
    one = Examples(train.x, train.score, [""] * len(train.domain))
    found = BASELINES["soft_domain_table"](one, Queries(train.x[:5], [""] * 5))
    assert found == pytest.approx(np.tile(train.score.mean(0), (5, 1)))


@pytest.mark.skipif(not networks.available(), reason="needs the extra turnout[train]")
@pytest.mark.parametrize("name", sorted(networks.NETWORKS))
def test_networks_repeat_themselves_and_leave_the_generator_alone(name: str) -> None:
    import torch

    train, new = planted(100), planted(5, seed=1)
    torch.manual_seed(5)
    first = networks.NETWORKS[name](train, Queries(new.x, new.domain))
    after = torch.rand(1)
    torch.manual_seed(5)
    assert torch.rand(1) == after
    assert (networks.NETWORKS[name](train, Queries(new.x, new.domain)) == first).all()
    assert ((first > 0.0) & (first < 1.0)).all()
