"""`Router.next`: what to do after an answer, with the numbers of the decision that led to it."""

from __future__ import annotations

from pathlib import Path

import pytest

import turnout
from turnout.belief import Answer, Observation, next_step
from turnout.budget import Ledger
from turnout.second_thoughts import options_of

QUERY = "prove that the matrix energy is two"


def test_without_an_answer_it_asks_and_a_confident_one_stops(small: turnout.Router) -> None:
    decision = small.route(QUERY, value_usd=0.05)
    first = small.next(decision, Observation())
    assert first.action == "probe" and first.llm in small.llms and first.reason == "unanswered"
    answers = [Answer("B", "giant"), Answer("B", "large"), Answer("B", "tiny")]
    last = small.next(decision, Observation(answers))
    assert last.action == "stop" and last.answer == "B" and last.posterior > decision.p_correct


def test_it_is_next_step_with_the_decision_s_numbers(small: turnout.Router) -> None:
    decision = small.route(QUERY, value_usd=0.05, usd_per_second=1e-4, budget_usd=0.02, max_seconds=100, max_calls=4)
    seen = Observation([Answer("A", "tiny", usd=0.0001), Answer("B", "large", usd=0.001)])
    limits = {"max_usd": 0.02, "max_seconds": 100.0, "max_calls": 4}
    expected = next_step(options_of(decision), seen, value_usd=0.05, usd_per_second=1e-4, **limits)
    assert small.next(decision, seen) == expected


def test_a_failed_call_is_retried_elsewhere(small: turnout.Router) -> None:
    decision = small.route(QUERY, value_usd=0.05)
    assert decision.llm is not None
    step = small.next(decision, Observation([Answer(None, decision.llm, failed="timeout")]))
    assert step.action == "retry" and step.llm != decision.llm and step.reason == "call_failed"


def test_excluded_llms_are_not_asked(small: turnout.Router) -> None:
    rules = turnout.Constraints(deny=["giant", "large"])
    decision = small.route(QUERY, value_usd=10.0, constraints=rules)
    for seen in (Observation(), Observation([Answer("A", "tiny")])):
        assert small.next(decision, seen).llm not in ("giant", "large")


def test_it_never_goes_beyond_the_budget_or_the_account(small: turnout.Router) -> None:
    answers = [Answer("A", "tiny"), Answer("B", "large")]
    free = small.next(small.route(QUERY, value_usd=10.0), Observation(answers))
    assert free.action != "stop"
    decision = small.route(QUERY, value_usd=10.0, budget_usd=0.001)
    step = small.next(decision, Observation(answers, spent_usd=0.001))
    assert step.action == "stop"
    account = Ledger().open("a", usd=1e-7)
    assert small.next(small.route(QUERY, value_usd=10.0), Observation(answers), account=account).action == "stop"


def test_what_was_learned_enters(small_bundle: Path) -> None:
    router = turnout.Router.load(small_bundle, learning=turnout.Learning(suspend=False))
    rules = turnout.Constraints(allow=["giant"])
    before = {o.llm: o.p_correct for o in options_of(router.route(QUERY, value_usd=1.0, constraints=rules))}
    for _ in range(60):
        d = router.route(QUERY, constraints=rules, value_usd=1.0)
        for node in range(len(d.plan)):
            router.feedback(d, 0.0, node=node)
    after = {o.llm: o.p_correct for o in options_of(router.route(QUERY, value_usd=1.0, constraints=rules))}
    assert after["giant"] < before["giant"]


def test_an_unknown_llm_is_named(small: turnout.Router) -> None:
    with pytest.raises(turnout.InputError, match=r"answers\[0\].llm"):
        small.next(small.route(QUERY), Observation([Answer("A", "nobody")]))
