"""assign: native == twin == every plan tried, over every rule; arguments that are refused; twin at router size."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from turnout import assign
from turnout.assign import IDENTITY_CURVE, Stage
from turnout.core import InputError
from turnout.reference import assign as twin

MAJORITY_CURVE = tuple(c * c * (3 - 2 * c) for c in IDENTITY_CURVE)
STEP_CURVE = tuple(0.25 if c < 0.5 else 0.75 for c in IDENTITY_CURVE)


def check(arguments: dict[str, Any], brute: bool = True) -> assign.Solution:
    """Native, twin and, where it is small, brute force agree to the bit; returns the answer."""
    native = assign.solve(**arguments)
    assert replace(native, labels=0) == twin.solve(**arguments)
    if brute:
        assert replace(native, labels=0) == twin.brute_force(twin.problem_of(**arguments))
    return native


@st.composite
def problems(draw: st.DrawFn, values: st.SearchStrategy[float]) -> dict[str, Any]:
    """At most 4 LLMs and 5 slots in 3 stages; `values` are shares in [0, 1]."""
    llms = draw(st.integers(1, 4))
    stages: list[Stage] = []
    for _ in range(draw(st.integers(1, 3))):
        slots = draw(st.integers(1, min(3, 5 - sum(len(s.weights) for s in stages))))
        raw = [draw(st.sampled_from([1.0, 1.0, 3.0])) for _ in range(slots)]
        stages.append(
            Stage(
                weights=tuple(w / sum(raw) for w in raw),
                fix=draw(values),
                break_=draw(values),
                curve=draw(st.sampled_from([IDENTITY_CURVE, MAJORITY_CURVE, STEP_CURVE])),
                optional=draw(st.booleans()),
                parallel=draw(st.booleans()),
                distinct=draw(st.booleans()),
            )
        )
        if sum(len(s.weights) for s in stages) == 5:
            break
    shape = (sum(len(s.weights) for s in stages), llms)

    def matrix(scale: float) -> np.ndarray[Any, Any]:
        base = np.array([draw(values) for _ in range(llms)])
        rows = [base * draw(st.sampled_from([1.0, 1.0, 2.0])) for _ in range(shape[0])]
        return np.array(rows) * scale

    usd, seconds = matrix(0.1), matrix(4.0)
    usd_bound, seconds_bound = usd * draw(st.sampled_from([1.0, 1.5])) + matrix(0.05), seconds + matrix(2.0)
    limits = st.one_of(st.none(), values)
    budget, max_seconds = draw(limits), draw(limits)
    return {
        "stages": stages,
        "quality": np.array([draw(values) for _ in range(llms)]),
        "usd": usd,
        "usd_bound": usd_bound,
        "seconds": seconds,
        "seconds_bound": seconds_bound,
        "allowed": np.array([[draw(st.integers(0, 9)) > 0 for _ in range(llms)] for _ in range(shape[0])]),
        "value_usd": draw(values) * draw(st.sampled_from([1.0, 1.0, 1e-9])),
        "usd_per_second": draw(st.sampled_from([0.0, 0.015625, 0.1])),
        "budget": None if budget is None else budget * float(usd_bound.max(axis=1).sum()),
        "max_seconds": None if max_seconds is None else max_seconds * float(seconds_bound.max(axis=1).sum()),
    }


FEW = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])  # ties everywhere
MANY = st.floats(0, 1, allow_subnormal=False)
RELAXED = settings(deadline=None, max_examples=400, suppress_health_check=list(HealthCheck))


@RELAXED
@given(problems(FEW))
def test_equals_twin_and_every_plan_with_ties(arguments: dict[str, Any]) -> None:
    check(arguments)


@RELAXED
@given(problems(MANY))
def test_equals_twin_and_every_plan(arguments: dict[str, Any]) -> None:
    check(arguments)


def random_plan(seed: int, slots: int = 12, llms: int = 16) -> dict[str, Any]:
    """A plan as a router makes it: better LLMs are dearer, with noise; p90 goes with the mean, not in proportion."""
    rng = np.random.default_rng(seed)
    stages = [Stage()]
    while (left := slots - sum(len(s.weights) for s in stages)) > 0:
        n = min(left, int(rng.integers(1, 4)))
        stages.append(
            Stage(
                weights=(1 / n,) * n,
                fix=float(rng.uniform(0.2, 0.6)),
                break_=float(rng.uniform(0.02, 0.15)),
                curve=MAJORITY_CURVE if n == 3 else IDENTITY_CURVE,
                optional=True,
                parallel=bool(rng.random() < 0.5),
                distinct=bool(rng.random() < 0.3),
            )
        )
    strength = rng.normal(size=llms)
    price = 10 ** (-4 + 0.45 * strength + 0.45 * rng.normal(size=llms))
    tokens = np.repeat(rng.uniform(0.5, 2, size=(len(stages), 1)), [len(s.weights) for s in stages], axis=0)
    seconds = rng.uniform(0.5, 5, size=llms) * tokens
    return {
        "stages": stages,
        "quality": 0.2 + 0.7 / (1 + np.exp(-strength - 0.5 * rng.normal(size=llms))),
        "usd": price * tokens,
        "usd_bound": price * rng.uniform(1.4, 2.6, size=llms) * tokens,
        "seconds": seconds,
        "seconds_bound": seconds * rng.uniform(1.4, 2.6, size=llms),
        "allowed": np.ones((slots, llms), bool),
        "value_usd": float(10 ** rng.uniform(-2, 0)),
        "usd_per_second": 0.0,
    }


def bound(arguments: dict[str, Any], share: float) -> dict[str, Any]:
    """With a budget between the cheapest plan's and the best plan's."""
    best = assign.solve(**arguments).usd_bound
    least = assign.solve(**arguments, budget=0.0).usd_bound
    return {**arguments, "budget": least + share * (best - least)}


def test_router_sized_plans_equal_the_twin() -> None:
    statuses: Counter[str] = Counter()
    for seed in range(6):
        arguments = random_plan(seed)
        statuses[check(arguments, brute=False).status] += 1
        statuses[check(bound(arguments, 0.4), brute=False).status] += 1
    assert statuses["unlimited_best"] == 6
    assert statuses["exact"] == 6


def small(**changes: Any) -> dict[str, Any]:
    """One slot, two LLMs."""
    arguments: dict[str, Any] = {
        "stages": [Stage()],
        "quality": np.array([0.5, 0.75]),
        "usd": np.array([[0.01, 0.02]]),
        "usd_bound": np.array([[0.02, 0.04]]),
        "seconds": np.array([[1.0, 2.0]]),
        "seconds_bound": np.array([[2.0, 4.0]]),
        "allowed": np.ones((1, 2), bool),
        "value_usd": 1.0,
    }
    return arguments | changes


def test_a_solution_says_what_it_is() -> None:
    solution = assign.solve(**small(budget=0.03))
    assert (solution.status, solution.llms, solution.skipped, solution.gap) == ("exact", (0,), (False,), 0)
    totals = (
        solution.quality,
        solution.usd,
        solution.usd_bound,
        solution.seconds,
        solution.seconds_bound,
        solution.utility,
    )
    assert totals == pytest.approx((0.5, 0.01, 0.02, 1.0, 2.0, 0.49), rel=1e-12)
    assert assign.solve(**small()).status == "unlimited_best"
    assert assign.solve(**small(budget=0.01)).status == "infeasible"
    nothing = assign.solve(**small(allowed=np.zeros((1, 2), bool)))
    assert (nothing.status, nothing.llms, nothing.skipped) == ("no_candidate", (-1,), (True,))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"quality": np.array([0.5, 1.5])}, r"quality\[1\]: expected a number in \[0, 1\], got 1.5"),
        ({"usd": np.array([[0.01, -1.0]])}, r"usd\[0, 1\]: expected a finite number >= 0, got -1"),
        (
            {"seconds_bound": np.array([[np.nan, 1.0]])},
            r"seconds_bound\[0, 0\]: expected a finite number >= 0, got nan",
        ),
        ({"usd_bound": np.ones((2, 2))}, r"usd_bound: expected shape \[1, 2\] .*, got \(2, 2\)"),
        ({"allowed": np.ones((1, 3), bool)}, r"allowed: expected shape \[1, 2\]"),
        ({"stages": []}, r"stages: expected 1 to 16 stages, got 0"),
        ({"stages": [Stage(weights=(0.5, 0.25))]}, r"stages\[0\].weights: expected weights that sum to 1, got 0.75"),
        ({"stages": [Stage(weights=())]}, r"stages\[0\].weights: expected one weight a slot, got none"),
        ({"stages": [Stage(fix=1.5)]}, r"stages\[0\].fix: expected a number in \[0, 1\], got 1.5"),
        ({"stages": [Stage(curve=(0.0, 1.0))]}, r"stages\[0\].curve: expected 65 values, got 2"),
        (
            {"stages": [Stage(curve=IDENTITY_CURVE[::-1])]},
            r"stages\[0\].curve\[1\]: expected at least the value before it",
        ),
        ({"stages": [Stage(weights=(1 / 33,) * 33)]}, r"stages: expected at most 32 slots in all, got 33"),
        ({"value_usd": -1.0}, r"value_usd: expected a finite number >= 0, got -1"),
        ({"usd_per_second": float("inf")}, r"usd_per_second: expected a finite number >= 0, got inf"),
        ({"budget": float("nan")}, r"budget: expected a number >= 0 or None, got nan"),
        ({"max_seconds": -0.5}, r"max_seconds: expected a number >= 0 or None, got -0.5"),
    ],
)
def test_wrong_arguments_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as refusal:
        assign.solve(**small(**changes))
    assert str(refusal.value).startswith(refusal.value.path)


@pytest.mark.parametrize(
    "changes", [{"usd": np.ones((1, 2), np.float32)}, {"quality": [0.5, 0.75]}, {"allowed": np.ones((1, 2))}]
)
def test_other_types_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        assign.solve(**small(**changes))
