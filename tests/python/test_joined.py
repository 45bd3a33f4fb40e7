"""The router beside telemetry and a ledger, from Python."""

from __future__ import annotations

import asyncio
import functools
import gc
import math
import pickle
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import turnout
from test_parity import NEVER_COMPARED, assert_close
from turnout.budget import Ledger
from turnout.reference import budget as reference_budget
from turnout.reference import telemetry as reference_telemetry
from turnout.reference.joined import condition_of, route_on
from turnout.reference.router import ReferenceRouter
from turnout.telemetry import BreakerConfig, RateLimit, Telemetry

MATRIX = "prove the integral of a matrix"
QUERIES = [MATRIX, "what is the capital of a", "search web history war year", "find energy of photon"]
NOT_OF_THE_PLAN = {"ticket", "microseconds", "telemetry", "pressure", "budget_usd", "max_seconds"}


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@functools.cache
def twin_of(router: turnout.Router) -> ReferenceRouter:
    return ReferenceRouter(router.parts)


def plan_of(decision: turnout.Decision) -> dict[str, Any]:
    return {k: v for k, v in decision.to_dict().items() if k not in NOT_OF_THE_PLAN}


# Telemetry ------------------------------------------------------------------------------------------------------------


def test_telemetry_without_outcomes_changes_no_bit(small: turnout.Router) -> None:
    for options in ({}, {"budget_usd": 0.001, "value_usd": 0.3}, {"seed": 3}):
        plain = small.route(MATRIX, **options)
        assert plan_of(small.route(MATRIX, telemetry=Telemetry(small.llms), **options)) == plan_of(plain)


def test_an_llm_that_fails_is_left_out_until_its_breaker_lets_it_try(small: turnout.Router) -> None:
    clock = Clock()
    telemetry = Telemetry(small.llms, clock=clock, breaker=BreakerConfig(cool_down_seconds=30.0))
    first = small.route(MATRIX, value_usd=1.0, telemetry=telemetry)
    for _ in range(3):
        telemetry.record(first.llm, ok=False)
    second = small.route(MATRIX, value_usd=1.0, telemetry=telemetry)
    assert second.infeasible == {first.llm: "tripped"} and first.llm not in {n.llm for n in second.plan}
    clock.now += 31.0
    assert first.llm not in small.route(MATRIX, value_usd=1.0, telemetry=telemetry).infeasible  # half-open
    assert telemetry.try_acquire(first.llm)
    assert small.route(MATRIX, value_usd=1.0, telemetry=telemetry).infeasible == {first.llm: "tripped"}
    telemetry.record(first.llm, ok=True)
    assert small.route(MATRIX, value_usd=1.0, telemetry=telemetry).infeasible == {}


def test_health_comes_back_with_time(small: turnout.Router) -> None:
    clock = Clock()
    telemetry = Telemetry(small.llms, clock=clock, half_life=10.0, breaker=BreakerConfig(consecutive_failures=0))
    before = small.route(MATRIX, value_usd=1.0)
    for _ in range(20):
        telemetry.record("giant", ok=False)
    ill = small.route(MATRIX, value_usd=1.0, telemetry=telemetry)
    assert ill.telemetry["giant"]["health"] < 0.2 and ill.llm != before.llm == "giant"
    clock.now += 400.0
    assert small.route(MATRIX, value_usd=1.0, telemetry=telemetry).llm == "giant"


def test_expected_seconds_come_from_the_catalog_so_that_a_slowdown_does_not_feed_itself(small: turnout.Router) -> None:
    telemetry, true = Telemetry(["tiny"], prior_weight=0.01, half_life=1e9, clock=Clock()), 3.0
    rules = turnout.Constraints(allow=["tiny"])
    for _ in range(40):
        (node, *_) = small.route(MATRIX, constraints=rules, telemetry=telemetry).plan
        telemetry.record("tiny", ok=True, seconds=node.catalog_seconds * true, expected_seconds=node.catalog_seconds)
    assert node.seconds == pytest.approx(true * node.catalog_seconds, rel=0.01)


def test_load_and_rate_limits(small: turnout.Router) -> None:
    limits = {"large": RateLimit(requests=10, window_seconds=60.0)}
    telemetry = Telemetry(small.llms, clock=Clock(), capacity={"giant": 2}, limits=limits)
    telemetry.begin("giant")
    telemetry.report_rate_limit("large", remaining=0, limit=10, reset_seconds=20)
    decision = small.route(MATRIX, telemetry=telemetry)
    assert decision.telemetry["giant"]["slowdown"] == 2.0
    assert decision.infeasible["large"] == "rate_limited" and "llm_unavailable" in decision.reasons


def test_arms_that_are_no_llms_and_llms_that_are_no_arms(small: turnout.Router) -> None:
    telemetry = Telemetry(["a_tool", "giant"], clock=Clock())
    for _ in range(3):
        telemetry.record("giant", ok=False)
        telemetry.record("a_tool", ok=False)
    decision = small.route(MATRIX, telemetry=telemetry)
    assert decision.infeasible == {"giant": "tripped"}
    assert "version 3: " in decision.trace  # of what was read: other arms are not looked at


def test_a_batch_sees_one_moment(small: turnout.Router) -> None:
    telemetry = Telemetry(small.llms, clock=Clock())
    telemetry.record("giant", ok=False)
    batch = small.route_batch([MATRIX] * 200, telemetry=telemetry, threads=4)
    assert set(batch) == {small.route(MATRIX, telemetry=telemetry)}


@pytest.mark.parametrize("wrong", [5, "giant", [("giant", 1)]])
def test_what_is_no_telemetry(small: turnout.Router, wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"telemetry: expected turnout\.telemetry\.Telemetry or a mapping of LLM id"):
        small.route(MATRIX, telemetry=wrong)


def test_a_limit_that_was_just_used_up_stays_so_until_a_little_is_free(small: turnout.Router) -> None:
    clock = Clock()
    telemetry, twin = Telemetry(small.llms, clock=clock), reference_telemetry.Telemetry(4)
    telemetry.report_rate_limit("large", remaining=0, limit=10, reset_seconds=20)
    twin.report_rate_limit(2, 1.0, 20.0, clock.now)
    for wait, rule in ((0.1, "rate_limited"), (0.15, "none")):
        clock.now += wait
        assert small.route(MATRIX, telemetry=telemetry).infeasible.get("large", "none") == rule
        assert condition_of(twin, 2, clock.now).rule == rule


def test_a_router_keeps_no_telemetry_alive(small: turnout.Router) -> None:
    class Host:
        def __init__(self) -> None:
            self.telemetry = Telemetry(small.llms, clock=self.clock)

        def clock(self) -> float:
            return 5.0

    host = Host()
    small.route(MATRIX, telemetry=host.telemetry)
    gone = weakref.ref(host.telemetry)
    del host
    gc.collect()
    assert gone() is None


def test_a_clock_that_gives_no_number(small: turnout.Router) -> None:
    wrong: Any = lambda: "noon"  # noqa: E731
    with pytest.raises(TypeError, match="must be real number, not str"):
        small.route(MATRIX, telemetry=Telemetry(small.llms, clock=wrong))
    with pytest.raises(turnout.InputError, match="now: expected a number"):
        small.route(MATRIX, telemetry=Telemetry(small.llms, clock=lambda: math.nan))


# Accounts -------------------------------------------------------------------------------------------------------------


def test_a_decision_carries_its_reservation(small: turnout.Router) -> None:
    run = Ledger(clock=Clock()).open("acme/search/run-17", usd=0.5, calls=40)
    decision = small.route(MATRIX, value_usd=1.0, account=run)
    held = decision.reservation
    assert decision.feasible and decision.pressure == 1.0 and held is not None
    calls = sum(node.calls for node in decision.plan)
    assert (held.amount.usd, held.amount.seconds, held.amount.calls) == (
        decision.usd_bound,
        decision.seconds_bound,
        calls,
    )
    assert run.held.usd == pytest.approx(decision.usd_bound, abs=1e-9) and run.remaining.calls == 40 - calls
    held.commit(usd=decision.usd / 2, calls=calls)
    assert run.spent.usd == pytest.approx(decision.usd / 2, abs=1e-9) and run.held.usd == 0
    assert f"reserved ${decision.usd_bound:.4f}" in decision.trace.replace("$0.0", "$0.0")
    assert pickle.loads(pickle.dumps(decision)) == decision and pickle.loads(pickle.dumps(decision)).reservation is None


def test_what_is_left_limits_the_plan_and_lowers_the_value(small: turnout.Router) -> None:
    run = Ledger(clock=Clock()).open("run", usd=0.2)
    values, decision = [], small.route(MATRIX, value_usd=1.0, account=run)
    while decision.feasible:
        assert decision.to_dict()["budget_usd"] == pytest.approx(0.2 * decision.pressure, rel=1e-9)
        assert decision.to_dict()["value_usd"] == decision.pressure
        values.append(decision.pressure)
        decision.reservation.commit()
        decision = small.route(MATRIX, value_usd=1.0, account=run)
    assert len(values) > 5 and values == sorted(values, reverse=True)
    assert decision.reservation is None and "budget_infeasible" in decision.reasons
    assert run.spent.usd <= 0.2


def test_an_account_without_limits_changes_no_bit(small: turnout.Router) -> None:
    account = Ledger(clock=Clock()).open("free")
    for options in ({}, {"budget_usd": 0.001, "value_usd": 0.3}, {"seed": 3, "max_calls": 2}):
        plain, on = small.route(MATRIX, **options), small.route(MATRIX, account=account, **options)
        assert {k: v for k, v in plan_of(on).items()} == plan_of(plain) and on.pressure == 1.0
        assert plain.pressure is None and plain.reservation is None


def test_calls_and_tokens_of_an_account(small: turnout.Router) -> None:
    ledger = Ledger(clock=Clock())
    free = small.route("what is the capital of a", value_usd=2.0)
    calls = sum(node.calls for node in free.plan)
    few = small.route("what is the capital of a", value_usd=2.0, account=ledger.open("few", calls=calls - 1))
    assert few.feasible and sum(node.calls for node in few.plan) < calls
    none = small.route(MATRIX, account=ledger.open("none", calls=0))
    assert not none.feasible and "calls_infeasible" in none.reasons and none.reservation is None
    dry = small.route(MATRIX, account=ledger.open("dry", tokens=10))
    assert not dry.feasible and "tokens_infeasible" in dry.reasons and ledger.account("dry").held.tokens == 0


def test_a_reservation_that_nobody_settles_is_given_back(small: turnout.Router) -> None:
    clock = Clock()
    run = Ledger(clock=clock).open("run", usd=0.5)
    decision = small.route(MATRIX, value_usd=1.0, account=run, ttl=20.0)
    assert run.held.usd > 0
    clock.now += 21.0
    assert run.held.usd == 0 and run.pressure == 1.0
    assert decision.reservation.commit(usd=0.01).late and run.spent.usd == 0.01


def test_threads_never_overspend(small: turnout.Router) -> None:
    run = Ledger().open("acme/run", usd=0.3)

    def work(i: int) -> float:
        decision = small.route(MATRIX, value_usd=0.05, account=run)
        if decision.reservation is None:
            return 0.0
        usd = decision.usd_bound if i % 2 else decision.usd_bound / 2
        decision.reservation.commit(usd=usd)
        return math.ceil(round(usd * 1e9, 3))

    with ThreadPoolExecutor(16) as pool:
        spent = sum(pool.map(work, range(600)))
    assert run.held.usd == 0 and 0.25 < run.spent.usd <= 0.3
    assert run.spent.usd == pytest.approx(spent / 1e9, abs=1e-6)


def test_a_clock_that_routes_changes_no_other_decision(small: turnout.Router, router: turnout.Router) -> None:
    outer, others = Telemetry(small.llms, clock=Clock()), [Telemetry(r.llms, clock=Clock()) for r in (router, small)]
    for telemetry, arms in ((outer, ["giant"]), (others[0], router.llms), (others[1], small.llms)):
        for arm in arms * 3:
            telemetry.record(arm, ok=False)

    def clock() -> float:
        for other, telemetry in zip((router, small), others, strict=True):
            assert not other.route(MATRIX, telemetry=telemetry).plan
        return 5.0

    ttl: Any = type("Ttl", (), {"__float__": lambda self: clock() + 55.0})()
    run = Ledger(clock=clock).open("run", usd=0.5)
    assert small.route(MATRIX, telemetry=outer, account=run).infeasible == {"giant": "tripped"}
    assert small.route(MATRIX, telemetry=outer, ttl=ttl).infeasible == {"giant": "tripped"}
    assert small.route(MATRIX, telemetry=Telemetry(small.llms, clock=clock), account=run).infeasible == {}


def test_a_vector_on_an_account_needs_its_length(small: turnout.Router) -> None:
    vector, run = small.embed(MATRIX), Ledger(clock=Clock()).open("run", usd=0.5)
    for options in ({"account": run}, {"max_tokens": 1e5}, {"budget_usd": 0.5}):
        with pytest.raises(turnout.InputError, match="in_tokens: "):
            small.route(vector, **options)
    assert run.held.usd == 0 and small.route(vector).feasible
    text = small.route(MATRIX, account=run)
    text.reservation.release()
    assert small.route(vector, account=run, in_tokens=text.in_tokens).usd_bound == text.usd_bound


def test_aroute_takes_both(small: turnout.Router) -> None:
    run, telemetry = Ledger(clock=Clock()).open("run", usd=0.5), Telemetry(small.llms, clock=Clock())
    decision = asyncio.run(small.aroute(MATRIX, account=run, telemetry=telemetry))
    assert decision.reservation is not None and decision.telemetry is not None


def test_wrong_accounts(small: turnout.Router) -> None:
    run = Ledger(clock=Clock()).open("run", usd=0.5)
    with pytest.raises(TypeError, match=r"account: expected an account of turnout\.budget\.Ledger or None, got str"):
        small.route(MATRIX, account="run")
    with pytest.raises(turnout.InputError, match="ttl: expected"):
        small.route(MATRIX, account=run, ttl=0.0)
    with pytest.raises(turnout.InputError, match="ttl: expected"):
        small.route(MATRIX, account=run, ttl=-1.0, max_calls=0)  # also where nothing would be reserved
    with pytest.raises(TypeError, match="ttl: expected a number, got str"):
        small.route(MATRIX, account=run, ttl="long")
    run.close()
    with pytest.raises(turnout.InputError, match="account: "):
        small.route(MATRIX, account=run)
    assert run.is_open is False


# The twin -------------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    limits=st.tuples(
        st.sampled_from([math.inf, 0.4, 0.05, 0.003]),
        st.sampled_from([math.inf, 60_000.0, 6_000.0]),
        st.sampled_from([math.inf, 90.0, 15.0]),
        st.sampled_from([math.inf, 12.0, 3.0]),
    ),
    steps=st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from([0.0, 0.4, 1.0, 1.5]), st.sampled_from([None, 2, 0.002])),
        min_size=1,
        max_size=5,
    ),
)
def test_on_an_account_native_equals_the_twin(small: turnout.Router, limits: Any, steps: Any) -> None:
    clock, ours, router = Clock(), reference_budget.Ledger(4096), twin_of(small)
    usd, tokens, seconds, calls = (None if math.isinf(x) else x for x in limits)
    run = Ledger(clock=clock).open("a/run", usd=usd, tokens=tokens, seconds=seconds, calls=calls)
    ours.open("a", (math.inf,) * 4, clock.now)
    ours.open("a/run", limits, clock.now)
    for query, share, extra in steps:
        clock.now += 1.0
        options: dict[str, Any] = {"value_usd": 0.5}
        if extra is not None:
            options["max_calls" if extra == 2 else "budget_usd"] = extra
        native = small.route(QUERIES[query], account=run, ttl=2.5, **options)
        twin, serial = route_on(router, ours, "a/run", clock.now, QUERIES[query], ttl=2.5, **options)
        assert_close({k: v for k, v in native.to_dict().items() if k not in NEVER_COMPARED}, twin)
        assert (native.reservation is None) == (serial is None)
        if serial is not None and share > 0:
            spent = share * native.usd_bound, 10.0, 0.5, 1.0
            native.reservation.commit(usd=spent[0], tokens=10.0, seconds=0.5, calls=1.0)
            ours.commit(serial, spent, clock.now)
        assert run.pressure == pytest.approx(ours.pressure("a/run", clock.now), abs=1e-8)


OUTCOMES = st.tuples(st.integers(0, 3), st.booleans(), st.sampled_from([0.0, 0.5, 2.0, 9.0]), st.floats(0, 40))


@settings(max_examples=60, deadline=None)
@given(outcomes=st.lists(OUTCOMES, max_size=12), begun=st.lists(st.integers(0, 3), max_size=4))
def test_with_telemetry_native_equals_the_twin(small: turnout.Router, outcomes: Any, begun: list[int]) -> None:
    clock = Clock()
    native = Telemetry(small.llms, clock=clock, capacity=dict.fromkeys(small.llms, 3))
    twin = reference_telemetry.Telemetry(4, capacity=[3] * 4)
    for arm, ok, seconds, wait in outcomes:
        clock.now += wait
        native.record(small.llms[arm], ok=ok, seconds=seconds, expected_seconds=1.0)
        error = None if ok else "error"
        twin.record(arm, reference_telemetry.Outcome(ok, seconds, 1.0, error=error), clock.now)
    for arm in begun:
        native.begin(small.llms[arm])
        twin.begin(arm, clock.now)
    conditions = [condition_of(twin, arm, clock.now) for arm in range(4)]
    decision = {k: v for k, v in small.route(MATRIX, telemetry=native).to_dict().items() if k not in NEVER_COMPARED}
    assert_close(decision, twin_of(small).route(MATRIX, conditions=conditions))
