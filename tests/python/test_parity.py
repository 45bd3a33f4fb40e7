"""The whole decision: native == pure-Python twin, on the small bundle and on the default one."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import bundles
import turnout
from turnout.bench.workload import built_in_queries
from turnout.live import Condition
from turnout.reference.router import ReferenceRouter

WORDS = "what is the capital of a prove matrix energy search web run code law court war plus two ! ? x".split()
NEVER_COMPARED = {"ticket", "microseconds", "bundle", "bundle_version", "state_version", "labels", "gap"}


def assert_close(native: Any, twin: Any, path: str = "decision", rel: float = 1e-4) -> None:
    """Equal, floats to 1e-5 (a float32 network against a float64 one)."""
    if isinstance(native, dict):
        assert set(native) == set(twin), path
        for key in native:
            assert_close(native[key], twin[key], f"{path}.{key}", rel)
    elif isinstance(native, list):
        assert len(native) == len(twin), (path, native, twin)
        for i, (a, b) in enumerate(zip(native, twin, strict=True)):
            assert_close(a, b, f"{path}[{i}]", rel)
    elif isinstance(native, float) and isinstance(twin, float):
        assert math.isclose(native, twin, rel_tol=rel, abs_tol=1e-5), (path, native, twin)
    else:
        assert native == twin, (path, native, twin)


def compare(router: turnout.Router, twin: ReferenceRouter, query: str, **options: Any) -> None:
    native = {k: v for k, v in router.route(query, **options).to_dict().items() if k not in NEVER_COMPARED}
    given = options.pop("telemetry", None)
    if given is not None:
        options["conditions"] = [given.get(llm, Condition()) for llm in router.llms]
    assert_close(native, twin.route(query, **options))


@pytest.fixture(scope="module")
def small_twin(small: turnout.Router) -> ReferenceRouter:
    return ReferenceRouter(small.parts)


@pytest.fixture(scope="module")
def guessing(tmp_path_factory: pytest.TempPathFactory) -> turnout.Router:
    """With a guess floor, and an output scale that float32 and float64 give alike: costs stay equal to the bit."""
    return turnout.Router.load(bundles.make(tmp_path_factory.mktemp("guessing"), answers=(0.1, 0.0)))


@pytest.fixture(scope="module")
def guessing_twin(guessing: turnout.Router) -> ReferenceRouter:
    return ReferenceRouter(guessing.parts)


@pytest.fixture(scope="module")
def sharp(tmp_path_factory: pytest.TempPathFactory) -> turnout.Router:
    """With domains whose posterior is 0 or 1, and LLMs with a discrimination and a length of their own: as above."""
    options = {"answers": (0.1, 0.0), "domains": (4, 1e6), "response": True}
    return turnout.Router.load(bundles.make(tmp_path_factory.mktemp("sharp"), **options))


@pytest.fixture(scope="module")
def sharp_twin(sharp: turnout.Router) -> ReferenceRouter:
    return ReferenceRouter(sharp.parts)


def test_the_output_scale_of_a_query(guessing: turnout.Router, guessing_twin: ReferenceRouter) -> None:
    assert guessing.route("prove it").output_scale == guessing_twin.assess("prove it").output_scale > 1.4


CONSTRAINTS = [
    None,
    turnout.Constraints(deny=["giant"]),
    turnout.Constraints(allow=["tiny", "large"], grants=["network"]),
    turnout.Constraints(needs=["vision"], kinds=["agent", "code"], cost_bias=5.0),
    turnout.Constraints(disable_operators=["ensemble", "cot"]),
    turnout.Constraints(allow=[]),
    turnout.Constraints(disable_operators=["direct", "cot", "ensemble", "react", "review", "early_stop"]),
]


CONDITIONS = st.builds(
    Condition,
    health=st.sampled_from([1.0, 1.0, 0.97, 0.5, 0.0]),
    slowdown=st.sampled_from([1.0, 1.0, 0.5, 1.75, 40.0]),
    rule=st.sampled_from(["none", "none", "none", "tripped", "rate_limited"]),
)


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    words=st.lists(st.sampled_from(WORDS), max_size=45),
    value=st.sampled_from([0.0, 0.001, 0.01, 0.3]),
    budget=st.sampled_from([None, 0.0, 2e-5, 3e-4, 0.004]),
    seconds=st.sampled_from([None, 0.5, 6.0, 25.0]),
    constraints=st.sampled_from(CONSTRAINTS),
    seed=st.sampled_from([None, None, 0, 7, 2**63]),
    in_tokens=st.sampled_from([None, None, 1500, 20000, 10**6]),
    statistic=st.sampled_from(["p90", "mean", "cap"]),
    tools=st.sampled_from([0, 2, 8]),
    rate=st.sampled_from([0.0, 1e-4]),
    max_calls=st.sampled_from([None, None, 0, 1, 2, 3, 5, 9]),
    max_tokens=st.sampled_from([None, None, 0.0, 900.0, 4000.0, 30000.0]),
    telemetry=st.none() | st.dictionaries(st.sampled_from(["tiny", "small", "large", "giant"]), CONDITIONS),
    kind=st.sampled_from(["small", "guessing", "sharp"]),
)
def test_the_small_bundle(
    small: turnout.Router,
    small_twin: ReferenceRouter,
    guessing: turnout.Router,
    guessing_twin: ReferenceRouter,
    sharp: turnout.Router,
    sharp_twin: ReferenceRouter,
    words: list[str],
    kind: str,
    **kwargs: Any,
) -> None:
    options = {
        "value_usd": kwargs["value"],
        "budget_usd": kwargs["budget"],
        "max_seconds": kwargs["seconds"],
        "constraints": kwargs["constraints"],
        "seed": kwargs["seed"],
        "in_tokens": kwargs["in_tokens"],
        "statistic": kwargs["statistic"],
        "tools": kwargs["tools"],
        "usd_per_second": kwargs["rate"],
        "max_calls": kwargs["max_calls"],
        "max_tokens": kwargs["max_tokens"],
        "telemetry": kwargs["telemetry"],
    }
    routers = {"small": (small, small_twin), "guessing": (guessing, guessing_twin), "sharp": (sharp, sharp_twin)}
    compare(*routers[kind], " ".join(words), **options)


@pytest.mark.parametrize(
    "options", [{}, {"budget_usd": 0.001, "value_usd": 0.05}, {"max_seconds": 8.0, "statistic": "cap"}]
)
def test_the_default_bundle(router: turnout.Router, options: dict[str, Any]) -> None:
    twin = ReferenceRouter(router.parts)
    for query in built_in_queries()[:40:5]:
        compare(router, twin, query, **options)
