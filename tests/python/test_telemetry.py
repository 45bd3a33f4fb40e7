from __future__ import annotations

import asyncio
import math
import pickle
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from turnout import _native, telemetry
from turnout.core import ConfigError, InputError
from turnout.reference import breaker as twin_breaker
from turnout.reference import sketch as twin_sketch
from turnout.reference import telemetry as twin
from turnout.telemetry import BreakerConfig, Drift, QuantileSketch, RateLimit, Telemetry

KINDS = ["error", "timeout", "rate_limited", "refused"]


class Hand:
    """A clock that is set by hand."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def two(clock: Hand, **options: Any) -> Telemetry:
    return Telemetry(["a", "b"], clock=clock, **options)


# One step: seconds since the last (negative: a clock that is set back), arm, what happens.
numbers = st.floats(0.001, 1000)
outcomes = st.builds(
    lambda error, seconds, expected, usd, tokens: twin.Outcome(error is None, seconds, expected, usd, tokens, error),
    st.one_of(st.none(), st.none(), st.sampled_from(KINDS)),
    st.one_of(st.just(0.0), numbers),
    st.one_of(st.just(0.0), numbers),
    numbers,
    numbers,
)
steps = st.lists(
    st.tuples(
        st.one_of(st.floats(0, 30), st.sampled_from([-0.5, -20.0, -1e6, 1e3])),
        st.integers(0, 1),
        st.one_of(outcomes, outcomes, st.sampled_from(["acquire", "begin", "report"])),
    ),
    max_size=40,
)
configs = st.sampled_from(
    [
        BreakerConfig(),
        BreakerConfig(consecutive_failures=2, probes=2, cool_down_seconds=5),
        BreakerConfig(consecutive_failures=0, failure_rate=0.5, min_calls=2, cool_down_seconds=20, backoff=3),
    ]
)


# The seconds of one outcome, forgotten while outcomes without seconds go on.
FORGOTTEN = [(0.0, 0, twin.Outcome(True, 1.0)), *[(1e3, 0, twin.Outcome(True))] * 3]


@settings(deadline=None, max_examples=150)
@example(FORGOTTEN, BreakerConfig())
@given(steps, configs)
def test_parity_with_the_twin(steps: list[tuple[float, int, Any]], config: BreakerConfig) -> None:
    clock, names = Hand(100.0), ("a", "b")
    limit = RateLimit(20, 5000, 60)
    ours = two(clock, half_life=40, breaker=config, capacity={"b": 3}, limits={"a": limit})
    theirs = twin.Telemetry(2, half_life=40, breaker=config, capacity=[0, 3], limits=[limit, RateLimit()])
    for seconds, arm, what in steps:
        clock.now += seconds
        name = names[arm]
        if what == "acquire":
            assert ours.try_acquire(name) == theirs.try_acquire(arm, clock.now)
        elif what == "begin":
            ours.begin(name)
            theirs.begin(arm, clock.now)
        elif what == "report":
            ours.report_rate_limit(name, remaining=3, limit=4, reset_seconds=50)
            theirs.report_rate_limit(arm, 0.25, 50, clock.now)
        else:
            ours.record(name, **what.__dict__)
            theirs.record(arm, what, clock.now)
    assert [(e.now, names.index(e.arm), (e.from_state, e.to_state, e.cause)) for e in ours.events()] == theirs.events
    for later in (0.0, 7.0, 100.0):
        clock.now += later
        for arm, name in enumerate(names):
            mine, expected = ours.state(name), theirs.state(arm, clock.now)
            for key, value in expected.items():
                close = value if isinstance(value, str) else pytest.approx(value, rel=1e-9, abs=1e-9)
                assert getattr(mine, key) == close, key
            assert ours.admits(name) == theirs.arms[arm].breaker.admits(theirs.timeline.at(clock.now))
    for arm, name in enumerate(names):
        assert ours.sketch(name).count == len(theirs.arms[arm].timed())
        if theirs.arms[arm].timed():
            assert ours.quantile(name, 0.9) == theirs.arms[arm].quantile(0.9)


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 40), st.sampled_from(["ok", "failed", "acquire"])), max_size=60), configs)
def test_breaker_parity(steps: list[tuple[float, str]], config: BreakerConfig) -> None:
    clock = Hand()
    ours, theirs = telemetry.Breaker(config, clock=clock), twin_breaker.CircuitBreaker(config)
    for seconds, what in steps:
        clock.now += seconds
        if what == "acquire":
            assert ours.try_acquire() == theirs.try_acquire(clock.now)[0]
        else:
            ours.record(ok=what == "ok")
            theirs.record(what == "ok", clock.now)
        assert (ours.state, ours.admits()) == (theirs.shown(clock.now), theirs.admits(clock.now))
        assert ours.retry_after == theirs.retry_after(clock.now)


values = st.one_of(st.floats(0, 2.0**28), st.floats(0, 10), st.integers(0, 300).map(float))


@settings(deadline=None)
@given(st.lists(values, min_size=1, max_size=80), st.floats(0, 1))
def test_sketch_parity_and_error(data: list[float], q: float) -> None:
    sketch = QuantileSketch()
    sketch.extend(np.array(data))
    assert sketch.quantile(q) == twin_sketch.quantile(data, q)
    exact = sorted(data)[max(1, math.ceil(q * len(data))) - 1]
    assert exact - 2.0**-20 <= sketch.quantile(q) <= exact * (1 + 1 / 128)
    if all(x == int(x) <= 256 for x in data):
        assert sketch.quantile(q) == exact


@given(values)
def test_buckets_are_the_twins(value: float) -> None:
    assert _native.sketch_index(value) == twin_sketch.index(value)
    assert _native.sketch_upper_edge(_native.sketch_index(value)) == twin_sketch.upper_edge(twin_sketch.index(value))


def test_quantiles_of_turns_have_an_exact_rank() -> None:
    turns = np.random.default_rng(0).negative_binomial(4, 0.1, 20000).astype(float)
    sketch = QuantileSketch()
    sketch.extend(turns)
    for q in (0.25, 0.5, 0.75, 0.99):
        assert sketch.quantile(q) == np.quantile(turns, q, method="inverted_cdf")


@pytest.mark.parametrize("sigma", [0.25, 0.5, 1.0])
def test_the_rank_error_of_lognormal_seconds_is_below_two_percent(sigma: float) -> None:
    seconds = np.random.default_rng(1).lognormal(1.0, sigma, 50000)
    sketch = QuantileSketch()
    sketch.extend(seconds)
    for q in (0.1, 0.5, 0.75, 0.9, 0.99):
        assert 0 <= (seconds <= sketch.quantile(q)).mean() - q <= 0.02


def test_sketches_merge_in_any_order_and_travel() -> None:
    parts = []
    for seed in range(3):
        parts.append(QuantileSketch())
        parts[-1].extend(np.random.default_rng(seed).exponential(3.0, 1000))
    one, other = QuantileSketch(), QuantileSketch()
    for i in (0, 1, 2):
        one.merge(parts[i])
    for i in (2, 0, 1):
        other.merge(QuantileSketch.load(parts[i].save()))
    assert one == other == pickle.loads(pickle.dumps(one)) and one.count == 3000
    assert one != parts[0]


def test_wrong_values_add_nothing() -> None:
    sketch = QuantileSketch()
    with pytest.raises(InputError, match=r"^values\[1\]: "):
        sketch.extend(np.array([1.0, math.nan]))
    with pytest.raises(TypeError, match="values"):
        sketch.extend(np.array([1, 2]))  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"^value: "):
        sketch.add(-1.0)
    assert sketch.count == 0


def test_an_arm_without_outcomes_reads_as_perfect() -> None:
    state = two(Hand(5.0)).state("a")
    assert (state.health, state.latency_ratio, state.seconds, state.load) == (1.0, 1.0, 0.0, 0.0)
    assert state.breaker == "closed" and state.idle_seconds == math.inf and state.updates == 0


def test_a_call_is_timed_by_the_clock() -> None:
    clock = Hand()
    tel = two(clock, capacity={"a": 2})
    with tel.call("a", expected_seconds=2.0) as call:
        assert tel.state("a").load == 0.5
        clock.now = 3.0
        call.usd, call.tokens = 0.5, 100
    state = tel.state("a")
    assert (state.seconds, state.usd, state.tokens, state.load, state.successes) == (3.0, 0.5, 100.0, 0.0, 1)
    assert state.latency_ratio == pytest.approx((1.5 + 2) / 3)


@pytest.mark.parametrize(("error", "kind"), [(ValueError, "error"), (TimeoutError, "timeout")])
def test_exceptions_count_as_failures_and_go_on(error: type[Exception], kind: telemetry.ErrorKind) -> None:
    tel = two(Hand())
    with pytest.raises(error), tel.call("a"):
        raise error
    assert tel.state("a").failures[kind] == 1 and tel.state("a").in_flight == 0


def test_a_cancelled_call_leaves_no_outcome() -> None:
    tel = two(Hand())
    with pytest.raises(asyncio.CancelledError), tel.call("a"):
        raise asyncio.CancelledError
    assert tel.state("a").in_flight == 0 and tel.state("a").idle_seconds == math.inf


def test_a_block_may_name_its_failure() -> None:
    tel = two(Hand())
    with tel.call("b") as call:
        call.error = "refused"
    assert tel.state("b").failures == {"error": 0, "timeout": 0, "rate_limited": 0, "refused": 1}


@pytest.mark.parametrize("step", [1e9, -1e9])
def test_a_clock_that_is_set_during_a_call_leaves_its_seconds_unknown(step: float) -> None:
    clock = Hand()
    tel = two(clock)
    with tel.call("a", expected_seconds=1.0):
        clock.now += step
    state = tel.state("a")
    assert (state.successes, state.in_flight, state.seconds, state.latency_ratio) == (1, 0, 0.0, 1.0)


def test_a_clock_that_fails_leaves_no_call_in_flight() -> None:
    for broken, error in (("no number", TypeError), (math.nan, InputError), (None, ZeroDivisionError)):
        times: list[Any] = [1.0, broken, 2.0]

        def clock(times: list[Any] = times) -> float:
            return times.pop(0) if times[0] is not None else 1 / 0 * times.pop(0)

        tel = Telemetry(["a"], clock=clock)
        with pytest.raises(error), tel.call("a"):
            pass
        times[:] = [2.0]
        assert tel.state("a").in_flight == 0


def test_a_failure_that_is_none_is_named() -> None:
    tel = two(Hand())
    with (
        pytest.raises(InputError, match=r"error: expected one of error, timeout, .* got 'timed out'"),
        tel.call("a") as c,
    ):
        c.error = "timed out"  # type: ignore[assignment]
    assert tel.state("a").in_flight == 0


def test_a_breaker_of_its_own_survives_clocks() -> None:
    clock = Hand(1e9)
    breaker = telemetry.Breaker(BreakerConfig(cool_down_seconds=10), clock=clock)
    for _ in range(3):
        breaker.record(ok=False)
    clock.now = 0.0  # set back by thirty years
    assert not breaker.admits() and breaker.retry_after == 10
    clock.now = math.nan
    with pytest.raises(InputError, match="now: expected a number"):
        breaker.record(ok=False)
    clock.now = 10.0
    assert breaker.admits() and breaker.state == "half_open"


def test_a_limit_that_is_no_number_is_refused() -> None:
    tel = two(Hand())
    for remaining, limit in ((5.0, math.inf), (0.0, 0.0), (3.0, 2.0), (-1.0, 2.0), (math.nan, 2.0)):
        with pytest.raises(InputError, match="remaining: expected 0 <= remaining <= limit"):
            tel.report_rate_limit("a", remaining=remaining, limit=limit, reset_seconds=5)
    assert tel.state("a").rate_limit_proximity == 0.0 and tel.version == 0


def test_events_tell_every_transition() -> None:
    clock = Hand()
    tel = two(clock, breaker=BreakerConfig(cool_down_seconds=10))
    for _ in range(3):
        tel.record("b", ok=False)
    assert not tel.admits("b") and tel.state("b").retry_after == 10
    clock.now = 10.0
    assert tel.try_acquire("b") and not tel.try_acquire("b")
    tel.record("b", ok=True)
    told = [(e.sequence, e.now, e.arm, e.from_state, e.to_state, e.cause) for e in tel.events()]
    assert told == [
        (1, 0.0, "b", "closed", "open", "consecutive_failures"),
        (2, 10.0, "b", "open", "half_open", "cooled_down"),
        (3, 10.0, "b", "half_open", "closed", "probes_succeeded"),
    ]
    assert [e.sequence for e in tel.events(after=2)] == [3]
    assert tel.state("b").transitions == {"closed": 1, "open": 1, "half_open": 1}


def test_the_steady_clock_is_the_default() -> None:
    tel = Telemetry(["a"])
    tel.record("a", ok=True)
    assert 0 <= tel.state("a").idle_seconds < 60


def test_snapshots_travel_to_another_clock() -> None:
    clock, other_clock = Hand(1e6), Hand(-3.0)
    tel, other = two(clock, half_life=50), two(other_clock, half_life=50)
    for i in range(30):
        clock.now += 1
        tel.record("a", ok=i % 4 != 0, seconds=0.1 * i, expected_seconds=1.0)
    other.restore(tel.snapshot())
    clock.now += 20
    other_clock.now += 20
    mine, theirs = tel.state("a"), other.state("a")
    assert mine.health == pytest.approx(theirs.health, rel=1e-12)
    assert (mine.idle_seconds, mine.successes, mine.updates) == (theirs.idle_seconds, theirs.successes, theirs.updates)
    assert tel.quantile("a", 0.5) == other.quantile("a", 0.5)


def test_snapshots_of_others_and_damaged_ones_are_refused() -> None:
    tel = two(Hand())
    tel.record("a", ok=True)
    data = tel.snapshot()
    stranger = Telemetry(["a", "c"], clock=Hand())
    before = stranger.snapshot()
    for bad in (data, data[:-1], b"", b"x" * 64, bytes([data[0] ^ 1]) + data[1:], data + b"\0"):
        with pytest.raises(InputError, match=r"^snapshot: "):
            stranger.restore(bad)
    assert stranger.snapshot() == before


def wrong() -> Iterator[tuple[str, dict[str, Any]]]:
    yield "telemetry.half_life", {"half_life": 0.0}
    yield "telemetry.prior_weight", {"prior_weight": math.nan}
    yield "telemetry.shards", {"shards": 65}
    yield "telemetry.capacity", {"capacity": {"c": 1}}
    yield "telemetry.arms[1].capacity", {"capacity": {"b": -1}}
    yield "telemetry.arms[0].limit.requests", {"limits": {"a": RateLimit(-1)}}
    yield "breaker.probes", {"breaker": BreakerConfig(probes=0)}
    yield "breaker.max_cool_down_seconds", {"breaker": BreakerConfig(max_cool_down_seconds=1)}


@pytest.mark.parametrize(("path", "options"), list(wrong()))
def test_wrong_configurations_are_named(path: str, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as error:
        two(Hand(), **options)
    assert error.value.path == path


@pytest.mark.parametrize(
    ("arms", "path"), [([], "telemetry.arms"), (["a", "a"], "telemetry.arms[1]"), ([""], "telemetry.arms[0]")]
)
def test_wrong_arms_are_named(arms: list[str], path: str) -> None:
    with pytest.raises(ConfigError) as error:
        Telemetry(arms)
    assert error.value.path == path


@pytest.mark.parametrize(
    ("path", "options"),
    [
        ("seconds", {"seconds": -1.0}),
        ("seconds", {"seconds": math.inf}),
        ("tokens", {"tokens": math.nan}),
        ("error", {"error": "boom"}),
        ("kind", {"error": "timeout"}),
    ],
)
def test_wrong_outcomes_change_nothing(path: str, options: dict[str, Any]) -> None:
    tel = two(Hand())
    before = tel.snapshot()
    with pytest.raises(InputError) as error:
        tel.record("a", ok=True, **options)
    assert error.value.path == path and tel.snapshot() == before


def test_unknown_arms_are_named_with_a_guess() -> None:
    with pytest.raises(InputError, match=r"^arm: there is no arm 'gpt-4'; did you mean 'gpt-4o'"):
        Telemetry(["gpt-4o"]).record("gpt-4", ok=True)


def test_ending_what_did_not_begin_is_refused() -> None:
    with pytest.raises(InputError, match=r"^arm: no call is in flight"):
        two(Hand()).end("a")


def test_threads_lose_no_update() -> None:
    tel = Telemetry(["a"])

    def work() -> None:
        for _ in range(2000):
            with tel.call("a"):
                pass

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    state = tel.state("a")
    assert (state.successes, state.in_flight, state.updates, tel.version) == (16000, 0, 48000, 48000)


counts = st.lists(st.integers(0, 50).map(float), min_size=2, max_size=6)


@given(counts, st.randoms(use_true_random=False), st.sampled_from([0.0, 0.5, 1.0]))
def test_jensen_shannon_parity_and_bounds(p: list[float], random: Any, smoothing: float) -> None:
    q = [float(random.randint(0, 50)) for _ in p]
    if smoothing == 0 and (sum(p) == 0 or sum(q) == 0):
        return
    got = telemetry.jensen_shannon(p, q, smoothing)
    assert 0 <= got <= 1 and got == telemetry.jensen_shannon(q, p, smoothing)
    assert got == pytest.approx(twin.jensen_shannon(p, q, smoothing), abs=1e-12)


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 4), st.integers(0, 1), st.integers(0, 2)), max_size=60))
def test_drift_parity(steps: list[tuple[float, int, int]]) -> None:
    clock = Hand()
    ours = Drift(["x", "y", "z"], ["north", "south"], window_seconds=10, min_count=3, clock=clock)
    theirs = twin.Drift(3, 10, 0.5, 3)
    for seconds, cluster, arm in steps:
        clock.now += seconds
        ours.record(["north", "south"][cluster], "xyz"[arm])
        theirs.record(cluster, arm, clock.now)
        for i, name in enumerate(["north", "south"]):
            got, (divergence, before, after) = ours.read(name), theirs.read(i, clock.now)
            assert (got.before, got.after) == (before, after)
            assert got.divergence == (None if divergence is None else pytest.approx(divergence, abs=1e-12))


def test_drift_says_what_is_unknown() -> None:
    drift = Drift(["x", "y"], 2)
    with pytest.raises(InputError, match=r"^cluster: there is no cluster 2"):
        drift.record(2, "x")
    with pytest.raises(InputError, match=r"^arm: there is no arm 'z'"):
        drift.record(0, "z")
    assert drift.report()[1] == telemetry.DriftReport(None, 0, 0)
