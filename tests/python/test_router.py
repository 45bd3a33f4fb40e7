"""The whole: determinism, limits, reasons, wrong calls."""

from __future__ import annotations

import asyncio
import pickle
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bundles
import turnout

QUERIES = [
    "what is the capital of a",
    "prove the integral of a matrix",
    "find energy of photon or chemistry reaction",
    "run python code and test function",
    "search web history war year",
    "two plus three minus a",
    "x" * 300,
    "court law contract " * 30,
    "",
    " \n\t ",
    "\U0001f600 é ß 漢字",
]


# Determinism --------------------------------------------------------------------------------------------------------


def test_the_same_call_gives_an_equal_decision_with_another_ticket(small: turnout.Router) -> None:
    a, b = small.route(QUERIES[0]), small.route(QUERIES[0])
    assert a == b and hash(a) == hash(b) and a.ticket != b.ticket
    assert small.route(QUERIES[1]) != a


@pytest.mark.parametrize(
    "options",
    [{}, {"seed": 5}, {"budget_usd": 0.0004}, {"max_seconds": 3.0}, {"statistic": "cap", "budget_usd": 0.001}],
)
def test_batch_single_and_vector_agree(small: turnout.Router, options: dict[str, Any]) -> None:
    queries = QUERIES * 60  # several chunks of the engines
    singles = [small.route(q, **options) for q in queries]
    for threads in (1, 2, 8):
        batch = small.route_batch(queries, threads=threads, **options)
        assert len(batch) == len(queries)
        assert [batch[i] for i in range(len(batch))] == singles
    vectors = np.stack([small.embed(q) for q in QUERIES[:8]])
    by_vector = small.route_batch(vectors, in_tokens=9, **options)
    assert [by_vector[i] for i in range(8)] == [small.route(v, in_tokens=9, **options) for v in vectors]


def test_a_vector_gives_the_plan_of_its_text(small: turnout.Router) -> None:
    for query in QUERIES[:8]:
        by_text = small.route(query)
        by_vector = small.route(small.embed(query), in_tokens=by_text.in_tokens)
        assert [n.to_dict() for n in by_vector.plan] == [n.to_dict() for n in by_text.plan]
        assert by_vector.difficulty == by_text.difficulty and by_vector.tools == by_text.tools


def test_seeds_repeat_and_differ(small: turnout.Router) -> None:
    draws = {seed: small.route(QUERIES[2], seed=seed) for seed in range(30)}
    assert all(small.route(QUERIES[2], seed=seed) == d for seed, d in draws.items())
    assert len({tuple(n.operator for n in d.plan) for d in draws.values()}) > 1
    assert len({d.difficulty for d in draws.values()}) == 30
    assert all("sampled" in d.reasons and d.seed == seed for seed, d in draws.items())
    assert small.route(QUERIES[2]).seed is None


def test_many_threads_share_a_router(small: turnout.Router) -> None:
    expected = {q: small.route(q, budget_usd=0.002) for q in QUERIES}
    failures: list[str] = []

    def work() -> None:
        for _ in range(60):
            for query in QUERIES:
                if small.route(query, budget_usd=0.002) != expected[query]:
                    failures.append(query)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_aroute_equals_route(small: turnout.Router) -> None:
    async def all_of() -> list[turnout.Decision]:
        long = "court " * 20000
        return await asyncio.gather(*(small.aroute(q, value_usd=0.02) for q in [*QUERIES, long]))

    assert asyncio.run(all_of()) == [small.route(q, value_usd=0.02) for q in [*QUERIES, "court " * 20000]]


# The Decision -------------------------------------------------------------------------------------------------------


def test_a_decision_is_frozen_picklable_and_json_able(small: turnout.Router) -> None:
    import json

    for query in QUERIES:
        decision = small.route(query, budget_usd=0.002)
        again = pickle.loads(pickle.dumps(decision))
        assert again == decision and again.trace == decision.trace and str(again) == str(decision)
        assert again.to_dict() == decision.to_dict()
        json.dumps(decision.to_dict(), allow_nan=False)
        with pytest.raises(AttributeError):
            decision.usd = 0.0  # type: ignore[misc]


def test_the_plan_is_a_dag_whose_costs_add_up(small: turnout.Router) -> None:
    for query in QUERIES:
        decision = small.route(query, value_usd=1.0)
        assert decision.usd == pytest.approx(sum(n.usd for n in decision.plan))
        assert decision.usd_bound == pytest.approx(sum(n.usd_bound for n in decision.plan))
        for i, node in enumerate(decision.plan):
            assert all(d < i for d in node.depends_on)
        assert decision.utility == pytest.approx(decision.p_correct - decision.usd)
        assert 1 <= decision.depth <= 4


def test_alternatives_are_ranked_feasible_first(small: turnout.Router) -> None:
    alternatives = small.route(QUERIES[1], constraints=turnout.Constraints(deny=["giant"])).alternatives
    assert [a.llm for a in alternatives][-1] == "giant" and alternatives[-1].rule == "denied"
    utilities = [a.utility for a in alternatives if a.feasible]
    assert utilities == sorted(utilities, reverse=True) and len(utilities) == 3


def test_the_trace_has_one_line_a_stage(small: turnout.Router) -> None:
    lines = small.route(QUERIES[1], budget_usd=0.01).trace.splitlines()
    assert [line.split()[0] for line in lines] == "embed difficulty capability operators assign plan reasons".split()
    assert "us]" in small.route(QUERIES[1]).explain()


# Limits and rules ---------------------------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(
    query=st.sampled_from(QUERIES),
    budget=st.floats(0, 0.05),
    seconds=st.floats(0, 60),
    statistic=st.sampled_from(["p90", "mean", "cap"]),
    value=st.floats(0, 10),
)
def test_limits_hold_or_the_decision_says_so(
    small: turnout.Router, query: str, budget: float, seconds: float, statistic: str, value: float
) -> None:
    d = small.route(query, budget_usd=budget, max_seconds=seconds, statistic=statistic, value_usd=value)
    over_budget, over_time = d.usd_bound > budget, d.seconds_bound > seconds
    assert ("budget_infeasible" in d.reasons) == over_budget
    assert ("time_infeasible" in d.reasons) == over_time
    assert d.feasible == (not over_budget and not over_time)
    assert d.status in ("unlimited_best", "exact", "label_cap", "infeasible")


def test_more_budget_is_never_worse(small: turnout.Router) -> None:
    for query in QUERIES:
        utilities = [small.route(query, budget_usd=b, value_usd=0.5) for b in np.geomspace(1e-6, 1.0, 40)]
        feasible = [d.utility for d in utilities if d.feasible]
        assert feasible == sorted(feasible) and feasible


def test_cap_bounds_what_calls_may_cost(small: turnout.Router) -> None:
    for query in QUERIES:
        d = small.route(query, budget_usd=0.01, statistic="cap", value_usd=1.0)
        prices = {e.id: e for e in (llm.entry for llm in small.parts.pool)}
        worst = sum(
            n.calls
            * (
                n.max_input_tokens * prices[n.llm].usd_per_mtok_in
                + n.max_output_tokens * prices[n.llm].usd_per_mtok_out
            )
            / 1e6
            for n in d.plan
        )
        assert worst <= 0.01 + 1e-12 and d.feasible


def test_constraints_are_hard(small: turnout.Router) -> None:
    for query in QUERIES:
        only = small.route(
            query, value_usd=100.0, constraints=turnout.Constraints(allow=["tiny", "small"], deny=["tiny"])
        )
        assert {n.llm for n in only.plan} == {"small"}
        assert only.infeasible == {"tiny": "denied", "large": "not_allowed", "giant": "not_allowed"}
        needs = small.route(query, value_usd=100.0, constraints=turnout.Constraints(needs=["vision"]))
        assert {n.llm for n in needs.plan} == {"large"}
        plain = small.route(
            query,
            value_usd=100.0,
            constraints=turnout.Constraints(disable_operators=["cot", "ensemble", "react", "review"]),
        )
        assert {n.operator for n in plain.plan} == {"direct"} and "operators_masked" in plain.reasons


def test_nothing_allowed_gives_no_plan_and_says_so(small: turnout.Router) -> None:
    d = small.route(QUERIES[0], constraints=turnout.Constraints(allow=[]))
    assert d.plan == () and d.llm is None and not d.feasible and d.usd == 0.0
    assert "no_llm_allowed" in d.reasons and d.status == "no_candidate"
    assert set(d.infeasible.values()) == {"not_allowed"}
    every = turnout.Constraints(disable_operators=small.operators)
    assert "no_operator" in small.route(QUERIES[0], constraints=every).reasons


def test_tools_respect_grants_kinds_and_count(small: turnout.Router) -> None:
    def names(**kwargs: Any) -> set[str]:
        return {
            name for name, _ in small.route("search the web", tools=8, constraints=turnout.Constraints(**kwargs)).tools
        }

    assert names() == {c[0] for c in bundles.CAPABILITIES}
    assert names(grants=[]) == {"law_agent", "lab_agent"}
    assert names(grants=["network"]) == {"law_agent", "lab_agent", "web_search"}
    assert names(kinds=["agent"]) == {"law_agent", "lab_agent"}
    assert len(small.route("search the web", tools=2).tools) == 2
    assert small.route("search the web", tools=0).tools == ()


def test_a_context_that_is_too_small_excludes_an_llm(small: turnout.Router) -> None:
    d = small.route(QUERIES[0], in_tokens=10_000)
    assert d.infeasible == {"tiny": "context", "small": "context"}
    beyond = small.route(QUERIES[0], in_tokens=1_000_000)
    assert "context_exceeded" in beyond.reasons and not beyond.feasible
    assert {n.llm for n in beyond.plan} == {"giant"}


# Texts --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", " ", "\n\t", b""])
def test_empty_text_routes_at_the_mean_difficulty(small: turnout.Router, text: str) -> None:
    d = small.route(text)
    assert d.difficulty == pytest.approx(0.45) and "no_text" in d.reasons and d.tools == () and d.plan


def test_long_text_is_cut_head_and_tail(small: turnout.Router) -> None:
    words = " ".join(["law"] * 8 + ["war"] * 1000 + ["code"] * 24)
    d = small.route(words)
    assert (d.in_tokens, d.kept_tokens) == (1032, 32) and "truncated" in d.reasons
    assert d.difficulty == small.route(" ".join(["law"] * 8 + ["code"] * 24)).difficulty


def test_text_over_a_mebibyte_is_refused_and_just_under_is_not(small: turnout.Router) -> None:
    assert "truncated" in small.route("a " * (1 << 19)).reasons
    with pytest.raises(turnout.InputError, match="at most 1048576 bytes, got 1048577") as error:
        small.route("a" * ((1 << 20) + 1))
    assert error.value.path == "query"


def test_invalid_bytes_are_replaced(small: turnout.Router) -> None:
    broken = b"what is \xff\xfe the"
    assert small.route(broken) == small.route(broken.decode("utf-8", "replace"))
    assert small.route("lone \ud800 surrogate").plan


def test_text_unlike_the_training_data_says_so(tmp_path: Any) -> None:
    files = bundles.files() | {"difficulty/config.json": b'{"domain_threshold": 0.999, "mean_difficulty": 0.45}'}
    router = turnout.Router.load(bundles.write(tmp_path, files))
    assert "out_of_domain" in router.route("find the energy").reasons


# Wrong calls --------------------------------------------------------------------------------------------------------

GOOD = np.full(bundles.DIM, bundles.DIM**-0.5, np.float32)


def bad_vector(value: float) -> np.ndarray:
    x = GOOD.copy()
    x[3] = value
    return x


WRONG = [
    (None, {}, TypeError, "query: expected str"),
    (3, {}, TypeError, "query: expected str"),
    (GOOD.astype(np.float64), {}, TypeError, "float64"),
    (GOOD.tolist(), {}, TypeError, "query"),
    (np.ones((1, bundles.DIM), np.float32), {}, turnout.InputError, "as 'planted' gives"),
    (np.ones(31, np.float32), {}, turnout.InputError, r"float32\[32\], as 'planted' gives, got shape \(31,\)"),
    (np.ones(64, np.float32)[::2], {}, TypeError, "C-contiguous"),
    (bad_vector(float("nan")), {}, turnout.InputError, r"query\[3\]"),
    (bad_vector(float("inf")), {}, turnout.InputError, r"query\[3\]"),
    (GOOD, {"budget_usd": 0.1}, turnout.InputError, "in_tokens"),
    (GOOD * np.float32(10), {}, turnout.InputError, "query: expected a vector of norm 1, as .* got one of norm 10"),
    (GOOD * np.float32(1e30), {}, turnout.InputError, "norm 1"),
    ("x", {"value_usd": -1.0}, turnout.InputError, "value_usd: expected a number from 0 to 1e6, got -1"),
    ("x", {"value_usd": 1e308}, turnout.InputError, "value_usd"),
    ("x", {"usd_per_second": 1e300}, turnout.InputError, "usd_per_second: expected a number from 0 to 1e6, got 1e"),
    ("x", {"value_usd": float("nan")}, turnout.InputError, "value_usd"),
    ("x", {"budget_usd": -0.1}, turnout.InputError, "budget_usd"),
    ("x", {"budget_usd": float("nan")}, turnout.InputError, "budget_usd"),
    ("x", {"max_seconds": -1.0}, turnout.InputError, "max_seconds"),
    ("x", {"usd_per_second": -1.0}, turnout.InputError, "usd_per_second"),
    ("x", {"value_usd": "much"}, TypeError, "value_usd: expected a number, got str 'much'"),
    ("x", {"budget_usd": "1"}, TypeError, "budget_usd: expected a number or None, got str '1'"),
    ("x", {"seed": -1}, turnout.InputError, "seed: expected 0 to 18446744073709551615, got -1"),
    ("x", {"seed": 2**64}, turnout.InputError, "seed: expected 0 to"),
    ("x", {"seed": 1.5}, TypeError, "seed: expected an int or None, got float 1.5"),
    ("x", {"in_tokens": 2**31}, turnout.InputError, "in_tokens: expected 0 to 2147483647"),
    ("x", {"tools": 2**40}, turnout.InputError, "tools: expected 0 to 8"),
    ("x", {"constraints": "a"}, TypeError, "constraints: expected turnout.Constraints, got str"),
    ("x", {"constraints": {}}, TypeError, "constraints: expected turnout.Constraints, got dict"),
    ("x", {"in_tokens": -5}, turnout.InputError, "in_tokens"),
    ("x", {"tools": 9}, turnout.InputError, "tools: expected 0 to 8, got 9"),
    ("x", {"tools": -1}, turnout.InputError, "tools"),
    ("x", {"statistic": "p99"}, turnout.InputError, "statistic"),
    (
        "x",
        {"constraints": turnout.Constraints(deny=["nobody"])},
        turnout.InputError,
        "constraints.deny: 'nobody' is not",
    ),
    ("x", {"constraints": turnout.Constraints(allow=["smal"])}, turnout.InputError, "did you mean 'small'"),
    ("x", {"constraints": turnout.Constraints(needs=["sight"])}, turnout.InputError, "constraints.needs"),
    ("x", {"constraints": turnout.Constraints(grants=["root"])}, turnout.InputError, "constraints.grants"),
    ("x", {"constraints": turnout.Constraints(kinds=["robot"])}, turnout.InputError, "constraints.kinds"),
    ("x", {"constraints": turnout.Constraints(disable_operators=["guess"])}, turnout.InputError, "disable_operators"),
    ("x", {"constraints": turnout.Constraints(cost_bias=-1.0)}, turnout.InputError, "cost_bias"),
]


@pytest.mark.parametrize(("query", "options", "error", "message"), WRONG)
def test_wrong_calls_are_clear_errors(
    small: turnout.Router, query: Any, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        small.route(query, **options)
    assert small.route("still alive").plan


def test_a_string_is_not_a_list_of_names() -> None:
    with pytest.raises(TypeError, match=r"constraints\.deny"):
        turnout.Constraints(deny="large")


@pytest.mark.parametrize(
    ("queries", "error", "message"),
    [
        ("one", TypeError, "use route"),
        (["a", 3], TypeError, r"queries\[1\]"),
        (np.ones((2, 31), np.float32), turnout.InputError, r"float32\[N, 32\]"),
        (np.ones(32, np.float32), turnout.InputError, "2 dimensions"),
        (np.ones((2, 32)), TypeError, "float64"),
        (np.stack([GOOD, bad_vector(float("nan"))]), turnout.InputError, r"queries\[1\]\[3\]: expected a finite"),
        (np.stack([GOOD] * 130 + [2 * GOOD]), turnout.InputError, r"queries\[130\]: expected a vector of norm 1"),
        (["a", "b" * ((1 << 20) + 1)], turnout.InputError, r"queries\[1\]: expected at most 1048576 bytes"),
        ({"a"}, TypeError, "queries: expected a list of queries"),
    ],
)
def test_wrong_batches_are_clear_errors(
    small: turnout.Router, queries: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        small.route_batch(queries)


@pytest.mark.parametrize("threads", [0, -1, 2**40])
def test_a_batch_needs_a_thread(small: turnout.Router, threads: int) -> None:
    with pytest.raises(turnout.InputError, match="threads: expected 1 to"):
        small.route_batch(["a"], threads=threads)


def test_more_threads_than_rows_or_machine(small: turnout.Router) -> None:
    rows = np.tile(GOOD, (5000, 1))
    many = small.route_batch(rows, in_tokens=9, threads=2200)
    assert len(many) == 5000 and many[4999] == small.route(GOOD, in_tokens=9)


def test_texts_that_nobody_else_holds(small: turnout.Router) -> None:
    class Fresh(Sequence[str]):
        """Makes each text when it is asked for."""

        def __len__(self) -> int:
            return 200

        def __getitem__(self, i: Any) -> str:
            if i >= 200:
                raise IndexError
            return QUERIES[i % 5] + " " + "law " * (i % 7)

    batch = small.route_batch(Fresh())
    assert all(batch[i] == small.route(Fresh()[i]) for i in range(200))


@pytest.mark.parametrize(
    ("value", "error"), [(-1, ValueError), (float("nan"), ValueError), (2e6, ValueError), ("x", TypeError)]
)
def test_the_default_value_is_checked(small_bundle: Any, value: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="value_usd: expected a number"):
        turnout.Router.load(small_bundle, value_usd=value)


def test_none_is_no_rule() -> None:
    free: Any = None
    assert turnout.Constraints(needs=free, deny=free, disable_operators=free) == turnout.Constraints()
    with pytest.raises(TypeError, match=r"constraints\.cost_bias: expected a number"):
        turnout.Constraints(cost_bias=free)


def test_a_vector_without_its_length_says_so(small: turnout.Router) -> None:
    assert "no_in_tokens" in small.route(GOOD).reasons
    assert "no_in_tokens" not in small.route(GOOD, in_tokens=0).reasons


def test_a_plan_that_is_not_worth_its_cost_says_so(small: turnout.Router) -> None:
    dear = small.route("what is a court", value_usd=0.0)
    assert dear.feasible and dear.utility < 0 and "negative_utility" in dear.reasons
    assert "negative_utility" not in small.route("what is a court", value_usd=1.0).reasons


def priced(usd: float, **more: Any) -> dict[str, Any]:
    base = {"price_date": "2026-01-01", "context_tokens": 8192, "max_output_tokens": 256}
    return {"id": f"at {usd}", "ability": "small", "usd_per_mtok_in": usd, "usd_per_mtok_out": usd, **base, **more}


@pytest.mark.parametrize("deny", [[], ["at 100000.0"]])
def test_a_dear_llm_does_not_blur_the_cost_of_others(small_bundle: Any, deny: list[str]) -> None:
    """Sums are exact on a grid that the dearest allowed LLM sets."""
    router = turnout.Router.load(small_bundle, pool={"llms": [priced(0.1), priced(1e5)]})
    decision = router.route("what is a court", constraints=turnout.Constraints(deny=deny), budget_usd=1.0)
    assert decision.usd_bound == pytest.approx(sum(node.usd_bound for node in decision.plan), rel=1e-6, abs=0)
    small_change = router.route("what is a court", constraints=turnout.Constraints(deny=deny), budget_usd=1e-7)
    assert not small_change.feasible and "budget_infeasible" in small_change.reasons


def test_an_operator_that_no_llm_may_run_makes_no_alternatives(small: turnout.Router) -> None:
    decision = small.route("what is the capital of a")
    assert decision.plan[0].operator == "react"  # which needs tools, and tiny has none
    assert {a.llm: a.rule for a in decision.alternatives}["tiny"] == "policy"


def test_empty_batches(small: turnout.Router) -> None:
    assert len(small.route_batch([])) == 0
    assert len(small.route_batch(np.ones((0, bundles.DIM), np.float32))) == 0


# Columns ------------------------------------------------------------------------------------------------------------


def test_columns_are_those_of_the_decisions(small: turnout.Router) -> None:
    batch = small.route_batch(QUERIES, budget_usd=0.001)
    for i, decision in enumerate(batch[j] for j in range(len(batch))):
        assert batch.difficulty[i] == decision.difficulty and batch.usd[i] == decision.usd
        assert batch.llms[batch.llm_index[i]] == decision.llm and bool(batch.feasible[i]) == decision.feasible
        assert batch.depth[i] == decision.depth and batch.p_correct[i] == decision.p_correct
    assert batch[-1] == batch[len(batch) - 1]
    with pytest.raises(IndexError):
        batch[len(batch)]
    with pytest.raises(ValueError, match="read-only"):
        batch.usd[0] = 1.0


def test_columns_outlive_the_batch(small: turnout.Router) -> None:
    usd = small.route_batch(QUERIES).usd
    assert usd.sum() > 0 and usd.base is not None


def test_arrow_capsules(small: turnout.Router) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    batch = small.route_batch(QUERIES * 3, constraints=turnout.Constraints(grants=[]))
    table = pyarrow.table(batch)
    assert table.num_rows == 33 and table["usd"].to_pylist() == batch.usd.tolist()
    assert table["llm"].to_pylist() == [batch[i].llm for i in range(33)]
    assert table["reasons"].to_pylist() == [", ".join(batch[i].reasons) for i in range(33)]
    assert table["tool"].null_count == 6  # the empty texts
    array = pyarrow.array(batch)
    assert array.to_pylist() == table.to_pylist()
    array.validate(full=True)
    empty = pyarrow.table(small.route_batch([]))
    assert empty.num_rows == 0 and empty.schema == table.schema


# Embedders ----------------------------------------------------------------------------------------------------------


def test_a_callable_embedder(tmp_path: Any) -> None:
    rng = np.random.default_rng(0)
    table = {q: rng.normal(size=48).astype(np.float32) for q in QUERIES[:5]}
    table = {q: v / np.linalg.norm(v) for q, v in table.items()}
    bundle = bundles.make(tmp_path, external=("house-embedder", 48))
    mine = turnout.CallableEmbedder(table.__getitem__, name="house-embedder", dim=48)
    router = turnout.Router.load(bundle, embedder=mine)
    for query in QUERIES[:5]:
        assert router.route(query, in_tokens=7) == router.route(table[query], in_tokens=7)
        assert asyncio.run(router.aroute(query, in_tokens=7)) == router.route(query, in_tokens=7)
    assert np.array_equal(router.embed(QUERIES[0]), table[QUERIES[0]])
    with pytest.raises(turnout.InputError, match="embed them"):
        router.route_batch(QUERIES[:2])

    async def later(text: str) -> np.ndarray:
        await asyncio.sleep(0)
        return table[text]

    awaited = turnout.Router.load(bundle, embedder=turnout.CallableEmbedder(later, name="house-embedder", dim=48))
    assert asyncio.run(awaited.aroute(QUERIES[1], in_tokens=7)) == router.route(QUERIES[1], in_tokens=7)


def test_an_embedder_of_another_space_is_refused(small_bundle: Any, tmp_path: Any) -> None:
    other = turnout.CallableEmbedder(lambda text: GOOD, name="other", dim=bundles.DIM)
    with pytest.raises(turnout.ConfigError, match=r"trained on 'planted' \(32 dimensions\), got 'other'"):
        turnout.Router.load(small_bundle, embedder=other)
    with pytest.raises(TypeError, match="CallableEmbedder"):
        turnout.Router.load(small_bundle, embedder=lambda text: GOOD)  # type: ignore[arg-type]
    vectors_only = turnout.Router.load(bundles.make(tmp_path, external=("house", 48)))
    with pytest.raises(turnout.InputError, match="no text embedder"):
        vectors_only.route("text")


def test_a_callable_that_misbehaves_is_named(tmp_path: Any) -> None:
    bundle = bundles.make(tmp_path, external=("house", 48))
    for wrong in (np.ones(47, np.float32), np.full(48, np.nan, np.float32), "text", None):
        router = turnout.Router.load(
            bundle, embedder=turnout.CallableEmbedder(lambda _, w=wrong: w, name="house", dim=48)
        )
        with pytest.raises((turnout.InputError, TypeError), match="house"):
            router.route("text")


# Own tools ----------------------------------------------------------------------------------------------------------


def test_own_capabilities(small_bundle: Any, tmp_path: Any) -> None:
    path = tmp_path / "tools.toml"
    path.write_text(
        """
[[capabilities]]
id = "court_search"
kind = "tool"
description = "search law and court"
requires = ["network"]

[[capabilities]]
id = "matrix_solver"
kind = "code"
description = "solve matrix and integral"
"""
    )
    router = turnout.Router.load(small_bundle, capabilities=path)
    assert router.capabilities == ["court_search", "matrix_solver"]
    assert router.route("court search. search law and court").tools[0][0] == "court_search"
    path.write_text('[[capabilities]]\nid = "x"\nkind = "robot"\ndescription = "y"\n')
    with pytest.raises(turnout.ConfigError) as error:
        turnout.Router.load(small_bundle, capabilities=path)
    assert error.value.path.startswith("capabilities")


# Measured operators -------------------------------------------------------------------------------------------------


def operators_of(decision: turnout.Decision) -> set[str]:
    return {node.operator for node in decision.plan}


def test_priors_are_told_of_where_the_plan_holds_them(small: turnout.Router) -> None:
    seen = set()
    for text in QUERIES:
        for value in (1e-5, 0.01, 1.0):
            decision = small.route(text, value_usd=value)
            priors = bool(operators_of(decision) - {"direct", "ensemble"})
            assert ("prior_operators" in decision.reasons) == priors
            seen.add(priors)
    assert seen == {False, True}
