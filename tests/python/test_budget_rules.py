"""Pressure, pacing, turn limits, tools under a budget, selection: parity with the twins, and every refusal."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from turnout import _native, budget
from turnout.budget import Bands, Ledger, Pacer, Refusal, Reservation, TurnControl, TurnHistogram
from turnout.core import ConfigError, InputError
from turnout.reference import budget_rules as twin
from turnout.reference.budget import amount_units
from turnout.reference.core import Philox
from turnout.tool_budget import ToolBudget, ToolTracker, ToolUse

SHARES = st.floats(0, 1)
VALUES = st.lists(st.sampled_from([0.0, 1e-300, 1.0, 1e300]) | st.floats(0, 1e6), min_size=1, max_size=20)


# Pressure -------------------------------------------------------------------------------------------------------------


@given(value=st.floats(0, 1e6), pressure=SHARES, floor=st.floats(0.001, 1))
def test_prices_under_pressure_equal_the_twin(value: float, pressure: float, floor: float) -> None:
    assert budget.lambda_of(value, pressure, floor) == twin.lambda_of(value, pressure, floor)
    assert budget.effective_value(value, pressure, floor) == twin.effective_value(value, pressure, floor)
    assert budget.effective_value(value, 1.0) == value
    assert budget.effective_value(value, pressure) <= value


def test_pressure_feeds_the_value() -> None:
    run = Ledger().open("run", usd=1.0)
    run.reserve(usd=0.25).commit()
    assert budget.effective_value(0.04, run.pressure) == 0.03


@pytest.mark.parametrize(
    ("arguments", "path"), [((-1.0, 1.0, 0.1), "base"), ((1.0, 2.0, 0.1), "pressure"), ((1.0, 1.0, 0.0), "floor")]
)
def test_what_is_no_pressure_is_refused(arguments: tuple[float, float, float], path: str) -> None:
    with pytest.raises(InputError) as error:
        budget.lambda_of(*arguments)
    assert error.value.path == path


# Pacing ---------------------------------------------------------------------------------------------------------------


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_pacing_equals_the_twin(data: st.DataObject) -> None:
    steps = data.draw(st.lists(st.tuples(st.floats(0.1, 100), st.floats(0, 100)), min_size=1, max_size=5))
    plan = [tuple(float(x) for x in row) for row in np.cumsum(steps, axis=0)]
    clock = [data.draw(st.floats(-1e6, 1e6))]
    burst = data.draw(st.floats(0.1, 50))
    native: Any = Pacer(plan, burst=burst, clock=lambda: clock[0])  # type: ignore[arg-type]
    other = twin.Pacer(plan, burst, clock[0])  # type: ignore[arg-type]
    for step, amount, record in data.draw(
        st.lists(
            st.tuples(st.floats(-3, 30) | st.sampled_from([1e7, -1e7]), st.floats(0, 30), st.booleans()), max_size=20
        )
    ):
        clock[0] += step
        if record:
            native.record(amount)
            other.record(amount, clock[0])
        else:
            assert native.admit(amount) == other.admit(amount, clock[0])
        now = clock[0]
        assert (native.planned, native.spent, native.pace) == (other.planned(now), other.spent, other.pace(now))
        assert native.multiplier == other.multiplier(now) and native.credit == other.credit


def test_a_pacer_has_defaults_and_names_the_culprit() -> None:
    pacer = Pacer([(60.0, 10.0)], burst=2.0)  # from now on, by the steady clock
    assert pacer.admit(2.0) and not pacer.admit(1.9) and pacer.multiplier < 0.1
    assert Pacer([(60.0, 10.0)], burst=2.0, start=-1e9).planned == 10.0
    with pytest.raises(InputError) as error:
        Pacer([(60.0, 10.0), (50.0, 20.0)], burst=2.0)
    assert error.value.path == "plan[1].seconds"
    with pytest.raises(InputError, match="start: expected a number, got str"):
        Pacer([(60.0, 10.0)], burst=2.0, start="now")  # type: ignore[arg-type]


# Turns ----------------------------------------------------------------------------------------------------------------


@given(runs=st.lists(st.integers(1, 60) | st.integers(4000, 10**9), min_size=1), split=st.integers(0, 100), q=SHARES)
def test_turn_quantiles_equal_the_twin(runs: list[int], split: int, q: float) -> None:
    q = max(q, 1e-9)
    both, parts, other = TurnHistogram(), (TurnHistogram(), TurnHistogram()), twin.TurnHistogram()
    for i, turns in enumerate(runs):
        both.add(turns)
        parts[i < split].add(turns)
        other.add(turns)
    parts[0].merge(parts[1])
    assert both.quantile(q) == parts[0].quantile(q) == other.quantile(q) and len(both) == len(runs)
    # Nearest rank: a share q of the runs is within the limit, and with one turn less it would not be.
    capped = np.minimum(runs, _native.max_turns)
    assert np.mean(capped <= both.quantile(q)) >= q - 1e-12
    assert np.mean(capped < both.quantile(q)) < q + 1e-12


@given(
    limit=st.integers(1, 30), more=st.integers(0, 30), extension=st.integers(1, 9), calls=st.lists(st.integers(0, 4))
)
def test_turn_control_equals_the_twin(limit: int, more: int, extension: int, calls: list[int]) -> None:
    native = TurnControl(limit, hard_cap=limit + more, extension=extension)
    other = twin.TurnControl(limit, limit + more, extension)
    for call in calls:
        if call == 4:
            assert native.next() == other.next()
        else:
            flags = bool(call & 1), bool(call & 2)
            assert native.extend(requested=flags[0], affordable=flags[1]) == other.extend(*flags)
        assert (native.used, native.limit, native.extensions) == (other.used, other.limit, other.extensions)
        assert native.used <= native.limit <= native.hard_cap


def test_an_extension_asks_the_budget() -> None:
    run = Ledger().open("run", calls=4)
    turns = TurnControl(2, hard_cap=10, extension=2)
    taken = 0
    while True:
        answer = turns.next()
        if answer == "stop":
            if not turns.extend(requested=True, affordable=run.check(calls=2) is None):
                break
            continue
        run.reserve(calls=1).commit()
        taken += 1
    assert taken == 4 and turns.extensions == 1


# Tools ----------------------------------------------------------------------------------------------------------------


def test_tools_share_the_runs_budget() -> None:
    ledger = Ledger()
    run = ledger.open("acme/run", usd=1.0, calls=10)
    tracker = ToolTracker(
        run,
        {"search": ToolBudget(3, 0.1), "browse": ToolBudget(None, 0.2)},
        usd_per_mtok_in=1.0,
        usd_per_mtok_out=2.0,
    )
    for _ in range(3):
        call = tracker.try_call("search")
        assert isinstance(call, Reservation)
        call.commit()
    refusal = tracker.try_call("search")
    assert isinstance(refusal, Refusal) and refusal.account == "acme/run/search" and refusal.dimension == "calls"
    assert tracker.used("search") == ToolUse(3, 0, 0) and tracker.used("browse") == ToolUse(0, 0, 7)
    assert tracker.action("search") == "stop" and tracker.action() == "go_on"
    for _ in range(3):
        call = tracker.try_call("browse")
        assert isinstance(call, Reservation)
        call.commit()
    refusal = tracker.try_call("browse")  # 0.1 USD is left of the run's
    assert isinstance(refusal, Refusal) and refusal.account == "acme/run" and refusal.dimension == "usd"
    assert tracker.action() == "pivot" and run.spent.calls == 6
    assert tracker.cost(1e6, 5e5) == pytest.approx(1 + 1 + 0.3 + 0.6)
    assert tracker.describe().splitlines()[0] == "search: 3 used, 0 left"
    tracker.close()
    assert "acme/run/search" not in ledger and run.spent.usd == 0.9
    with pytest.raises(InputError, match="did you mean 'search'"):
        tracker.try_call("serch")


def test_a_refused_tracker_opens_nothing() -> None:
    ledger = Ledger()
    run = ledger.open("run")
    for tools, path in (
        ({"a": ToolBudget(1), "b/c": ToolBudget(1)}, "name"),
        ({"a": ToolBudget(1), "b": ToolBudget(-1)}, "limits.calls"),
        ({"a": ToolBudget(1), "b": ToolBudget(1, -0.1)}, "usd_per_call[1]"),
    ):
        with pytest.raises(InputError) as error:
            ToolTracker(run, tools)
        assert error.value.path == path and list(ledger) == ["run"]
    with pytest.raises(ConfigError):
        ToolTracker(run, {}, bands=Bands(0.1, 0.2, 0.3))


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_no_trace_exceeds_any_dimension(data: st.DataObject) -> None:
    """Random tool calls under random budgets: what was spent stays within every limit, and is the sum of the trace."""
    limits = {"usd": 0.5, "calls": 9}
    run = Ledger().open("run", **limits)
    tools = {name: ToolBudget(data.draw(st.integers(0, 6)), data.draw(st.floats(0, 0.2))) for name in "abc"}
    tracker = ToolTracker(run, tools)
    trace: list[tuple[str, int]] = []  # tool, nano-USD
    for name, share in data.draw(st.lists(st.tuples(st.sampled_from("abc"), SHARES), max_size=30)):
        call = tracker.try_call(name)
        if isinstance(call, Reservation):
            usd = share * tools[name].usd_per_call
            assert call.commit(usd=usd).counted
            trace.append((name, amount_units((usd, 0.0, 0.0, 0.0))[0]))
    for name, tool in tools.items():
        used = sum(n == name for n, _ in trace)
        assert tool.calls is not None and tracker.used(name).used == used <= tool.calls
    assert run.spent.calls == len(trace) <= 9 and run.spent.usd <= 0.5
    assert run.spent.usd == sum(nano for _, nano in trace) / 1e9


@given(share=SHARES, bands=st.lists(SHARES, min_size=3, max_size=3))
def test_decisions_equal_the_twin(share: float, bands: list[float]) -> None:
    falling = sorted(bands, reverse=True)
    assert budget.decide(share, Bands(*falling)) == twin.decide(share, *falling)


@given(calls=st.lists(st.tuples(st.floats(0, 1e3), st.floats(0, 10)), max_size=5), tokens=st.floats(0, 1e9))
def test_unified_cost_equals_the_twin(calls: list[tuple[float, float]], tokens: float) -> None:
    counts, prices = [c for c, _ in calls], [p for _, p in calls]
    got = budget.unified_cost(
        tokens_in=tokens, tokens_out=tokens / 3, usd_per_mtok_in=0.7, usd_per_mtok_out=3.1, calls=counts,
        usd_per_call=prices,
    )  # fmt: skip
    assert got == twin.unified_cost((tokens, tokens / 3), (0.7, 3.1), counts, prices)


# Selection ------------------------------------------------------------------------------------------------------------


@settings(max_examples=300)
@given(values=VALUES, r=SHARES | st.sampled_from([1e-6, 1e-300]), seed=st.integers(0, 2**64 - 1))
def test_selection_equals_the_twin(values: list[float], r: float, seed: int) -> None:
    array = np.array(values)
    got = budget.selection_probabilities(array, r)
    assert got.tolist() == twin.selection_probabilities(values, r)
    assert got.sum() == pytest.approx(1) and np.isfinite(got).all()
    native, python = _native.Philox(seed), Philox(seed)
    draws = [budget.select(array, r, native) for _ in range(5)]
    assert draws == [twin.select(values, r, python) for _ in range(5)]
    assert all(got[i] > 0 for i in draws)


def test_draws_are_proportional_at_one() -> None:
    values, rng = np.array([1.0, 2.0, 3.0, 4.0, 0.5]), _native.Philox(4)
    counts = np.bincount([budget.select(values, 1.0, rng) for _ in range(50_000)], minlength=5)
    assert stats.chisquare(counts, 50_000 * values / values.sum()).pvalue > 0.01


@given(values=st.lists(st.floats(1e-3, 1e3), min_size=2, max_size=12))
def test_entropy_does_not_rise_as_the_budget_falls(values: list[float]) -> None:
    entropies = [
        stats.entropy(budget.selection_probabilities(np.array(values), r)) for r in (1, 0.5, 0.1, 1e-2, 1e-6, 0)
    ]
    assert all(later <= earlier + 1e-9 for earlier, later in itertools.pairwise(entropies))
    last = budget.selection_probabilities(np.array(values), 0.0)
    assert set(np.flatnonzero(last)) == set(np.flatnonzero(np.array(values) == max(values)))


@given(p=st.floats(1e-6, 1), steps=st.floats(0, 1e6), eps=st.floats(1e-9, 0.999))
def test_the_terminal_bound_equals_the_twin(p: float, steps: float, eps: float) -> None:
    assert budget.terminal_bound(p, steps, eps) == twin.terminal_bound(p, steps, eps) >= steps


def test_what_is_no_frontier_is_refused() -> None:
    for values, r, path in (([], 1.0, "values"), ([1.0, math.nan], 1.0, "values[1]"), ([1.0], -0.1, "r")):
        with pytest.raises(InputError) as error:
            budget.selection_probabilities(np.array(values), r)
        assert error.value.path == path
    with pytest.raises(TypeError, match="float64"):
        budget.selection_probabilities(np.array([1], np.int64), 1.0)  # type: ignore[arg-type]
