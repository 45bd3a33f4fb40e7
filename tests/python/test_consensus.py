"""Votes, pools and agreement: parity with the twin, what keys may be, and every refusal."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnout import consensus
from turnout.core import InputError
from turnout.reference import consensus as twin

ANSWERS = st.lists(st.sampled_from(["A", "B", "C", None]), min_size=1, max_size=9)
WEIGHTS = st.sampled_from([0.0, 0.5, 1.0, 2.0]) | st.floats(0, 10)


def columns(data: st.DataObject, n: int) -> tuple[list[float], list[float]]:
    weights = data.draw(st.lists(WEIGHTS, min_size=n, max_size=n))
    abilities = data.draw(st.lists(st.sampled_from([0.2, 0.5, 0.8]), min_size=n, max_size=n))
    return weights, abilities


def distributions(data: st.DataObject) -> tuple[list[list[float]], list[float]]:
    n, classes = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 4))
    cells = st.lists(st.floats(0.01, 1), min_size=classes, max_size=classes)
    rows = [[x / math.fsum(row) for x in row] for row in data.draw(st.lists(cells, min_size=n, max_size=n))]
    return rows, data.draw(st.lists(st.floats(0.1, 5), min_size=n, max_size=n))


@given(answers=ANSWERS, data=st.data())
def test_votes_equal_the_twin(answers: list[str | None], data: st.DataObject) -> None:
    weights, abilities = columns(data, len(answers))
    found = consensus.weighted(answers, weights, abilities=abilities)
    assert tuple(found) == twin.vote(answers, weights, abilities)
    alike = [1.0] * len(answers)
    assert tuple(consensus.plurality(answers)) == twin.vote(answers, alike, alike)


@given(data=st.data())
def test_quadratic_votes_equal_the_twin(data: st.DataObject) -> None:
    answers = data.draw(ANSWERS)
    n = len(answers)
    credits = data.draw(st.lists(st.floats(0, 100), min_size=n, max_size=n))
    voters = data.draw(st.lists(st.sampled_from("xyz"), min_size=n, max_size=n))
    authors = {"A": "x", "B": "y"}
    weights = twin.quadratic(credits, voters, [authors.get(a) if a else None for a in answers])
    found = consensus.quadratic(answers, credits, voters=voters, authors=authors)
    assert tuple(found) == twin.vote(answers, weights, [0.0] * n)


@given(data=st.data())
def test_pools_and_fusion_equal_the_twin(data: st.DataObject) -> None:
    rows, weights = distributions(data)
    assert consensus.linear_pool(rows, weights).tolist() == twin.linear_pool(rows, weights)
    assert consensus.log_pool(rows, weights).tolist() == twin.log_pool(rows, weights)
    top = data.draw(st.integers(1, len(rows)))
    fusion = consensus.fuse(rows, weights, top=top)
    assert (fusion.weights.tolist(), fusion.scores.tolist()) == twin.fuse(rows, weights, top)
    assert math.isclose(fusion.weights.sum(), 1.0, rel_tol=1e-15)
    assert consensus.fuse(rows, weights, top=1).winner == int(np.argmax(rows[int(np.argmax(weights))]))


@given(values=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=9), trim=st.floats(0, 0.49))
def test_robust_means_equal_the_twin(values: list[float], trim: float) -> None:
    assert consensus.trimmed_mean(values, trim) == twin.trimmed_mean(values, trim)
    assert consensus.median(values) == twin.median(values)
    assert min(values) <= consensus.median(values) <= max(values)


@given(answers=st.lists(st.sampled_from(["A", "B", "C", None]), max_size=9))
def test_agreement_equals_the_twin(answers: list[str | None]) -> None:
    assert tuple(consensus.agreement(answers)) == pytest.approx(twin.agreement(answers), abs=1e-14)


@given(sources=st.lists(st.tuples(st.sampled_from("xy"), st.sampled_from([1, 2, "1", None])), max_size=9))
def test_provenance_equals_the_twin(sources: list[tuple[str, Any]]) -> None:
    llms, samples = [s[0] for s in sources], [s[1] for s in sources]
    assert consensus.distinct(llms, samples) == twin.distinct(sources)
    rho = {"x": 0.5}
    expected = twin.independence(llms, [rho.get(llm, 0.0) for llm in llms])
    assert consensus.independence(llms, rho).tolist() == expected


def test_a_reused_sample_cannot_win_a_vote() -> None:
    answers, llms, samples = ["B", "B", "B", "C", "C"], ["x", "x", "x", "y", "z"], [7, 7, 7, 1, 1]
    assert consensus.plurality(answers).answer == "B"
    kept = consensus.distinct(llms, samples)
    assert kept == [0, 3, 4]
    assert consensus.plurality([answers[i] for i in kept]).answer == "C"


def test_samples_of_one_llm_weigh_less_than_as_many_llms() -> None:
    answers, llms = ["B", "B", "B", "C", "C"], ["x", "x", "x", "y", "z"]
    assert consensus.weighted(answers, consensus.independence(llms, 0.0)).answer == "B"
    assert consensus.weighted(answers, consensus.independence(llms, 0.5)).answer == "C"


def test_any_hashable_is_an_answer() -> None:
    assert consensus.plurality([(1, "a"), 2.5, (1, "a")]).answer == (1, "a")
    assert consensus.plurality([None, None]).answer is None
    assert consensus.plurality([]).answer is None


@pytest.mark.parametrize(
    ("call", "path"),
    [
        (lambda: consensus.weighted(["A"], [-1.0]), "weights[0]"),
        (lambda: consensus.weighted(["A"], [math.nan]), "weights[0]"),
        (lambda: consensus.weighted(["A"], [1.0, 2.0]), "weights"),
        (lambda: consensus.weighted(["A"], ["x"]), "weights"),  # type: ignore[list-item]
        (lambda: consensus.weighted([["A"]]), "answers[0]"),  # type: ignore[list-item, type-var]
        (lambda: consensus.plurality(["A"], abilities=[math.inf]), "abilities[0]"),
        (lambda: consensus.plurality(["A"] * 1025), "answers"),
        (lambda: consensus.quadratic(["A"], [1.0], authors={"A": "x"}), "voters"),
        (lambda: consensus.quadratic(["A"], [-1.0]), "credits[0]"),
        (lambda: consensus.quadratic(["A"], [1.0, 1.0]), "voters"),
        (lambda: consensus.distinct(["x"], []), "samples"),
        (lambda: consensus.distinct(["x"] * 1025, [1] * 1025), "llms"),
        (lambda: consensus.independence(["x"], 1.5), "rho[0]"),
        (lambda: consensus.effective_votes(math.inf, 0.0), "n"),
        (lambda: consensus.trimmed_mean([1.0], 0.5), "trim"),
        (lambda: consensus.median([]), "values"),
        (lambda: consensus.median([1.0, math.nan]), "values[1]"),
        (lambda: consensus.linear_pool([[0.5, 0.4]]), "opinions[0]"),
        (lambda: consensus.linear_pool([[0.5, 0.5], [1.0]]), "opinions"),
        (lambda: consensus.log_pool([[1.0, 0.0], [0.0, 1.0]]), "opinions"),
        (lambda: consensus.fuse([[1.0]], [0.0]), "weights"),
        (lambda: consensus.fuse([[1.0]], [1.0], top=0), "top"),
    ],
)
def test_what_is_no_vote_is_refused(call: Any, path: str) -> None:
    with pytest.raises(InputError) as error:
        call()
    assert error.value.path == path
