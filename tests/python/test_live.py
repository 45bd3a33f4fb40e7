"""What is known of the LLMs right now, and limits on calls and tokens: how they enter a decision, and that they leave
it alone where they say nothing."""

from __future__ import annotations

import json
import math
import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import turnout
from turnout.live import Condition, live_of

MATRIX = "prove the integral of a matrix"
QUERIES = [MATRIX, "what is the capital of a", "search web history war year", "find energy of photon or chemistry", ""]
NOT_OF_THE_PLAN = {"ticket", "microseconds", "telemetry", "max_calls", "max_tokens"}


def plan_of(decision: turnout.Decision) -> dict[str, Any]:
    return {k: v for k, v in decision.to_dict().items() if k not in NOT_OF_THE_PLAN}


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("options", [{}, {"budget_usd": 0.001, "value_usd": 0.3}, {"max_seconds": 9.0, "seed": 5}])
def test_what_says_nothing_changes_no_bit(small: turnout.Router, query: str, options: dict[str, Any]) -> None:
    plain = small.route(query, **options)
    neutral = {llm: Condition() for llm in small.llms}
    for given_now in ({"telemetry": {}}, {"telemetry": neutral}, {"max_calls": 10**6, "max_tokens": 1e12}):
        assert plan_of(small.route(query, **options, **given_now)) == plan_of(plain)
    assert plain.telemetry is None and plain == small.route(query, **options)


def test_a_tripped_llm_is_left_out(small: turnout.Router) -> None:
    chosen = small.route(MATRIX, value_usd=1.0).llm
    for rule in ("tripped", "rate_limited"):
        decision = small.route(MATRIX, value_usd=1.0, telemetry={chosen: Condition(rule=rule)})
        assert chosen not in {node.llm for node in decision.plan}
        assert decision.infeasible[chosen] == rule and "llm_unavailable" in decision.reasons
        assert f"{chosen} {rule}" in decision.trace


def test_where_all_are_tripped_there_is_no_plan(small: turnout.Router) -> None:
    decision = small.route(MATRIX, telemetry={llm: Condition(rule="tripped") for llm in small.llms})
    assert not decision.plan and not decision.feasible
    assert {"llm_unavailable", "no_llm_allowed"} <= set(decision.reasons)


def test_a_long_prompt_does_not_bring_back_a_tripped_llm(small: turnout.Router) -> None:
    decision = small.route(MATRIX, in_tokens=10**6, telemetry={"giant": Condition(rule="tripped")})
    assert "context_exceeded" in decision.reasons and "giant" not in {node.llm for node in decision.plan}


@pytest.mark.parametrize("health", [0.0, 0.25, 0.9])
def test_health_multiplies_p_correct(small: turnout.Router, health: float) -> None:
    rules = turnout.Constraints(allow=["giant"], disable_operators=["cot", "react", "ensemble", "review"])
    only = {"constraints": rules, "value_usd": 1.0}
    (plain,) = small.route(MATRIX, **only).plan
    (now,) = small.route(MATRIX, **only, telemetry={"giant": Condition(health=health)}).plan
    assert now.p_correct == plain.p_correct * health and now.usd == plain.usd


def test_an_ill_llm_loses_the_call(small: turnout.Router) -> None:
    healths = [small.route(MATRIX, value_usd=1.0, telemetry={"giant": Condition(health=h)}) for h in (1.0, 0.7, 0.2)]
    assert healths[0].llm == "giant" and healths[-1].llm != "giant"
    assert [d.utility for d in healths] == sorted((d.utility for d in healths), reverse=True)


def test_slowdown_multiplies_seconds(small: turnout.Router) -> None:
    plain = {a.llm: a.seconds for a in small.route(MATRIX).alternatives}
    slow = {a.llm: a.seconds for a in small.route(MATRIX, telemetry={"tiny": Condition(slowdown=8.0)}).alternatives}
    assert slow["tiny"] == 8.0 * plain["tiny"] and all(slow[m] == plain[m] for m in plain if m != "tiny")


def test_a_slow_llm_does_not_meet_a_limit_on_seconds(small: turnout.Router) -> None:
    limit = 1.5 * min(a.seconds for a in small.route(MATRIX, statistic="mean").alternatives)
    free = small.route(MATRIX, max_seconds=limit, statistic="mean", value_usd=1.0)
    assert free.feasible
    slow = {llm: Condition(slowdown=10.0) for llm in {n.llm for n in free.plan}}
    now = small.route(MATRIX, max_seconds=limit, statistic="mean", value_usd=1.0, telemetry=slow)
    assert not now.feasible or not {n.llm for n in now.plan} & set(slow)


@settings(max_examples=150, deadline=None)
@given(
    max_calls=st.none() | st.integers(0, 12),
    max_tokens=st.none() | st.floats(0, 60_000),
    seed=st.none() | st.integers(0, 50),
    value=st.sampled_from([0.01, 0.3, 2.0]),
    query=st.sampled_from(QUERIES),
)
def test_limits_on_calls_and_tokens_hold_or_are_said_to_be_broken(small: turnout.Router, **kwargs: Any) -> None:
    limits = {"max_calls": kwargs["max_calls"], "max_tokens": kwargs["max_tokens"]}
    decision = small.route(kwargs["query"], seed=kwargs["seed"], value_usd=kwargs["value"], **limits)
    calls = sum(node.calls for node in decision.plan)
    tokens = sum(node.calls * (node.max_input_tokens + node.max_output_tokens) for node in decision.plan)
    over_calls = calls > (math.inf if limits["max_calls"] is None else limits["max_calls"])
    over_tokens = tokens > (math.inf if limits["max_tokens"] is None else limits["max_tokens"])
    assert ("calls_infeasible" in decision.reasons) == over_calls
    assert ("tokens_infeasible" in decision.reasons) == over_tokens
    assert decision.feasible == (not over_calls and not over_tokens)
    if over_calls:
        assert calls == 1  # nothing makes fewer


def test_calls_that_are_left_are_used(small: turnout.Router) -> None:
    free = small.route(QUERIES[1], value_usd=2.0)
    calls = sum(node.calls for node in free.plan)
    assert calls > 3 and len({node.operator for node in free.plan}) > 1
    fewer = [small.route(QUERIES[1], value_usd=2.0, max_calls=n) for n in range(1, calls + 1)]
    assert all(d.feasible and sum(n.calls for n in d.plan) <= i for i, d in enumerate(fewer, 1))
    assert [d.utility for d in fewer] == sorted(d.utility for d in fewer) and fewer[-1].utility == free.utility
    assert f"calls <= {calls - 1}" in fewer[-2].trace
    assert {"limits_bind", "operators_skipped"} <= set(fewer[-2].reasons)


def test_a_batch_reads_the_present_once(small: turnout.Router) -> None:
    now = {"large": Condition(health=0.6, slowdown=2.0), "giant": Condition(rule="tripped")}
    batch = small.route_batch(QUERIES, telemetry=now, max_calls=3, max_tokens=9000.0, threads=2)
    assert list(batch) == [small.route(q, telemetry=now, max_calls=3, max_tokens=9000.0) for q in QUERIES]


def test_the_record_says_what_entered_it(small: turnout.Router) -> None:
    now = {"large": Condition(health=0.5, slowdown=2.0), "giant": Condition(rule="tripped")}
    decision = small.route(MATRIX, telemetry=now, max_calls=4)
    assert decision.telemetry == {
        "tiny": {"health": 1.0, "slowdown": 1.0, "rule": "none"},
        "small": {"health": 1.0, "slowdown": 1.0, "rule": "none"},
        "large": {"health": 0.5, "slowdown": 2.0, "rule": "none"},
        "giant": {"health": 1.0, "slowdown": 1.0, "rule": "tripped"},
    }
    assert pickle.loads(pickle.dumps(decision)) == decision
    assert json.loads(json.dumps(decision.to_dict()))["telemetry"] == decision.telemetry
    assert decision != small.route(MATRIX, max_calls=4)
    assert "large health 0.500, slowdown 2.00; giant tripped" in decision.trace


@pytest.mark.parametrize(
    ("now", "error", "message"),
    [
        ({"none": Condition()}, turnout.InputError, "telemetry['none']: there is no such LLM in the pool"),
        ({"tiny": 0.5}, TypeError, "telemetry['tiny']: expected turnout.live.Condition, got float"),
        (
            {"tiny": Condition(health=1.5)},
            turnout.InputError,
            "telemetry['tiny'].health: expected a number from 0 to 1",
        ),
        (
            {"tiny": Condition(health=math.nan)},
            turnout.InputError,
            "telemetry['tiny'].health: expected a number from 0",
        ),
        ({"tiny": Condition(slowdown=0.0)}, turnout.InputError, "telemetry['tiny'].slowdown: expected a number"),
        (
            {"tiny": Condition(slowdown=2000.0)},
            turnout.InputError,
            "telemetry['tiny'].slowdown: expected a number from",
        ),
        ({"tiny": Condition(rule="budget")}, turnout.InputError, "telemetry['tiny'].rule: expected one of ['none',"),
        ({"tiny": Condition(health="x")}, TypeError, "telemetry['tiny'].health: expected a number, got str"),
    ],
)
def test_bad_conditions(small: turnout.Router, now: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        small.route(MATRIX, telemetry=now)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"max_calls": -1}, turnout.InputError, "max_calls: expected"),
        ({"max_calls": 1.5}, TypeError, "max_calls: expected an int or None, got float 1.5"),
        ({"max_calls": 2**63}, turnout.InputError, "max_calls: expected 0 to 9223372036854775807"),
        ({"max_tokens": -1.0}, turnout.InputError, "max_tokens: expected a number >= 0, got -1"),
        ({"max_tokens": math.nan}, turnout.InputError, "max_tokens: expected a number >= 0, got nan"),
        ({"max_tokens": "many"}, TypeError, "max_tokens: expected a number or None, got str 'many'"),
    ],
)
def test_bad_limits(small: turnout.Router, options: Any, error: type[Exception], message: str) -> None:
    for call in (lambda: small.route(MATRIX, **options), lambda: small.route_batch([MATRIX], **options)):
        with pytest.raises(error) as caught:
            call()
        assert message in str(caught.value)


def test_conditions_of_another_pool_are_refused(small: turnout.Router) -> None:
    live = live_of({}, ["a", "b"])
    options = (0.01, None, None, None, 0, None, None, 4, 0.0, None, None, live, None, 60.0, None)
    with pytest.raises(turnout.InputError, match="conditions: expected 4 of them, as the router has LLMs, got 2"):
        small.parts.native.route(MATRIX, options)


def test_alternatives_know_the_limits_on_calls_and_tokens(small: turnout.Router) -> None:
    free = small.route(MATRIX, value_usd=1.0, max_calls=1)
    assert all(a.feasible for a in free.alternatives)
    none = small.route(MATRIX, max_calls=0)
    assert {a.rule for a in none.alternatives} == {"calls"} and not any(a.feasible for a in none.alternatives)
    few = small.route(MATRIX, max_tokens=20.0)
    assert {a.rule for a in few.alternatives} == {"tokens"}
