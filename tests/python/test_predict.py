"""Router.predict and Router.assess: what route decides with, on many queries at once."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import bundles
import turnout
from turnout.reference.router import ReferenceRouter

TEXTS = [
    "what is the capital of history",
    "prove the integral of a matrix",
    "",
    "law court contract " * 40,
    "2 + 2",
    "!",
]
GOOD = np.full(bundles.DIM, bundles.DIM**-0.5, np.float32)
NO_CHOICE = turnout.Constraints(disable_operators=["cot", "ensemble", "react", "review", "early_stop"])


def alternatives(decision: turnout.Decision) -> dict[str, turnout.Alternative]:
    return {a.llm: a for a in decision.alternatives}


@pytest.mark.parametrize("in_tokens", [None, 700])
def test_it_predicts_what_route_reports(small: turnout.Router, in_tokens: int | None) -> None:
    found = small.predict(TEXTS, in_tokens=in_tokens)
    assert found.llms == small.llms
    assert found.correct.shape == found.usd.shape == (len(TEXTS), len(small.llms))
    assert found.correct.dtype == found.usd.dtype == found.usd_p90.dtype == np.float32
    assert (found.usd_p90 >= found.usd).all() and (found.usd_p90 > found.usd).any()
    for i, text in enumerate(TEXTS):
        said = alternatives(small.route(text, constraints=NO_CHOICE, in_tokens=in_tokens))
        for m, llm in enumerate(found.llms):
            assert found.correct[i, m] == pytest.approx(said[llm].p_correct, rel=1e-6), (text, llm)
            assert found.usd[i, m] == np.float32(said[llm].usd), (text, llm)


def test_it_assesses_what_route_reports(small: turnout.Router) -> None:
    found = small.assess(TEXTS)
    assert found.logit.dtype == np.float64 and found.skills.shape == (len(TEXTS), bundles.SKILLS)
    for i, text in enumerate(TEXTS):
        decision = small.route(text)
        assert 1 / (1 + np.exp(-found.logit[i])) == pytest.approx(decision.difficulty, rel=1e-6)
        assert found.domain_similarity[i] == decision.domain_similarity
        assert found.out_of_domain[i] == ("out_of_domain" in decision.reasons)


def test_predictions_follow_from_assessments(router: turnout.Router) -> None:
    texts = ["What is the capital of Australia?", "Prove that there are infinitely many primes.", "hi"]
    a, found = router.assess(texts), router.predict(texts)
    ability = np.array([llm.ability for llm in router.parts.pool])
    skill = np.array([llm.skill or [0.0] * a.skills.shape[1] for llm in router.parts.pool])
    sharp = np.array([llm.discrimination for llm in router.parts.pool])
    logits = ability + a.skills @ skill.T - sharp * a.logit[:, None]
    p = a.floor[:, None] + (1 - a.floor[:, None]) / (1 + np.exp(-logits))
    np.testing.assert_allclose(found.correct, p, atol=1e-6)


def test_the_twin_agrees(small: turnout.Router) -> None:
    twin = ReferenceRouter(small.parts)
    found, assessed = small.predict(TEXTS, in_tokens=31), small.assess(TEXTS)
    for i, text in enumerate(TEXTS):
        correct, usd, p90 = twin.predict(text, 31)
        np.testing.assert_allclose(found.correct[i], correct, atol=1e-5)
        np.testing.assert_allclose(found.usd[i], usd, rtol=1e-6)
        np.testing.assert_allclose(found.usd_p90[i], p90, rtol=1e-6)
        a = twin.assess(text)
        assert assessed.logit[i] == pytest.approx(a.logit, abs=1e-5)
        np.testing.assert_allclose(assessed.skills[i], a.skills, atol=1e-5)
        assert assessed.out_of_domain[i] == a.out_of_domain


def test_text_without_tokens_has_the_mean_difficulty(small: turnout.Router) -> None:
    found = small.assess(["", "prove it", " \n"])
    for i in (0, 2):
        assert found.logit[i] == np.log(0.45 / 0.55) and not found.skills[i].any() and found.domain_similarity[i] == 1.0
    assert found.logit[1] != found.logit[0]


def test_vectors_are_those_of_their_texts(small: turnout.Router) -> None:
    rows = np.stack([small.embed(text) for text in TEXTS[:2]])
    tokens = [small.route(text).in_tokens for text in TEXTS[:2]]
    np.testing.assert_array_equal(small.predict(rows, in_tokens=tokens).usd, small.predict(TEXTS[:2]).usd)
    np.testing.assert_array_equal(small.predict(rows).correct, small.predict(TEXTS[:2]).correct)
    np.testing.assert_array_equal(small.predict(rows).usd, small.predict(TEXTS[:2], in_tokens=0).usd)
    np.testing.assert_array_equal(small.assess(rows).logit, small.assess(TEXTS[:2]).logit)


def test_threads_and_chunks_change_nothing(small: turnout.Router) -> None:
    texts = [f"{TEXTS[i % len(TEXTS)]} {bundles.WORDS[i % 31]}" for i in range(333)]
    one, many = small.predict(texts, threads=1), small.predict(texts, threads=5)
    np.testing.assert_array_equal(one.correct, many.correct)
    np.testing.assert_array_equal(one.usd, many.usd)
    alone = np.concatenate([small.predict([text]).correct for text in texts])
    np.testing.assert_allclose(one.correct, alone, atol=1e-6)
    np.testing.assert_array_equal(small.assess(texts, threads=1).logit, small.assess(texts, threads=4).logit)


def test_no_queries(small: turnout.Router) -> None:
    for queries in ([], np.zeros((0, small.dim), np.float32)):
        assert small.predict(queries).correct.shape == (0, len(small.llms))
        assert small.assess(queries).skills.shape == (0, bundles.SKILLS)


def test_chat_messages_are_read_as_route_reads_them(small: turnout.Router) -> None:
    chat = [{"role": "system", "content": "solve law"}, {"role": "user", "content": "prove energy"}]
    found = small.predict(["prove energy", chat])
    said = alternatives(small.route(chat, constraints=NO_CHOICE))
    np.testing.assert_array_equal(found.correct[0], found.correct[1])
    assert (found.usd[1] > found.usd[0]).all()
    assert found.usd[1].tolist() == [np.float32(said[llm].usd) for llm in found.llms]
    assert small.assess([chat]).logit[0] == small.assess(["prove energy"]).logit[0]


def bad_vector(value: float) -> np.ndarray:
    x = GOOD.copy()
    x[3] = value
    return x


WRONG = [
    ("one", {}, TypeError, "queries: expected a list of queries"),
    ({"a"}, {}, TypeError, "queries: expected a list of queries"),
    (["a", 3], {}, TypeError, r"queries\[1\]: expected str or bytes, got int"),
    ([[{"role": "user", "content": 3}]], {}, turnout.InputError, r"queries\[0\]\[0\]\.content: expected a string"),
    (["a", "b" * ((1 << 20) + 1)], {}, turnout.InputError, r"queries\[1\]: expected at most 1048576 bytes"),
    (np.ones((2, 31), np.float32), {}, turnout.InputError, r"queries: expected float32\[N, 32\]"),
    (np.ones((2, 32)), {}, TypeError, "queries: .*float64"),
    (np.stack([GOOD, bad_vector(float("nan"))]), {}, turnout.InputError, r"queries\[1\]\[3\]: expected a finite"),
    (np.stack([GOOD] * 130 + [2 * GOOD]), {}, turnout.InputError, r"queries\[130\]: expected a vector of norm 1"),
    (["a"], {"threads": 0}, turnout.InputError, "threads: expected 1 to"),
]
WRONG_TOKENS = [
    (["a", "b"], -1, turnout.InputError, "in_tokens: expected 0 to 2147483647, got -1"),
    (["a", "b"], [1, -1], turnout.InputError, r"in_tokens\[1\]: expected 0 to 2147483647, got -1"),
    (["a", "b"], [1, 2**31], turnout.InputError, r"in_tokens\[1\]"),
    (["a", "b"], [1, 2, 3], turnout.InputError, "in_tokens: expected 2 numbers, one a query, got 3"),
    (["a", "b"], 1.5, TypeError, "in_tokens: expected an int"),
    (["a", "b"], np.ones((2, 1), int), TypeError, "in_tokens: expected an int"),
    (np.stack([GOOD]), [[1]], TypeError, "in_tokens: expected an int"),
]


@pytest.mark.parametrize(("queries", "options", "error", "message"), WRONG)
def test_wrong_queries_are_clear_errors(
    small: turnout.Router, queries: Any, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    for call in (small.predict, small.assess):
        with pytest.raises(error, match=message):
            call(queries, **options)


@pytest.mark.parametrize(("queries", "in_tokens", "error", "message"), WRONG_TOKENS)
def test_wrong_lengths_are_clear_errors(
    small: turnout.Router, queries: Any, in_tokens: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        small.predict(queries, in_tokens=in_tokens)


def test_a_router_of_vectors_says_that_it_takes_no_text(tmp_path: Any) -> None:
    only = turnout.Router.load(bundles.make(tmp_path, external=("mine", 16)))
    with pytest.raises(turnout.InputError, match="no text embedder"):
        only.predict(["a"])
    assert only.predict(np.eye(2, 16, dtype=np.float32), in_tokens=[5, 6]).usd.shape == (2, 4)


def test_a_callable_embedder_wants_vectors(tmp_path: Any) -> None:
    mine = turnout.CallableEmbedder(lambda text: np.ones(16), name="mine", dim=16)
    routed = turnout.Router.load(bundles.make(tmp_path, external=("mine", 16)), embedder=mine)
    with pytest.raises(turnout.InputError, match=r"embed them and pass float32\[N, D\]"):
        routed.assess(["a"])
    assert routed.assess(routed.embed("a")[None]).logit.shape == (1,)


# Guess floor and output scale -----------------------------------------------------------------------------------------

MANY = [f"{a} {b} {c}" for a in bundles.WORDS[:6] for b in bundles.WORDS[6:14] for c in bundles.WORDS[20:24]]


def test_the_floor_and_the_scale_enter_every_number(guessing: turnout.Router) -> None:
    a, found = guessing.assess(MANY), guessing.predict(MANY, in_tokens=50)
    assert a.floor.min() == 0.0 and 0.3 < a.floor.max() <= 0.95
    assert a.output_scale.max() > 1.5 * a.output_scale.min()
    llms = guessing.parts.pool
    logits = np.array([m.ability for m in llms]) + a.skills @ np.array([m.skill for m in llms]).T - a.logit[:, None]
    floor = a.floor.astype(float)[:, None]
    np.testing.assert_allclose(found.correct, floor + (1 - floor) / (1 + np.exp(-logits)), atol=1e-6)
    for m, llm in enumerate(llms):
        out = np.minimum(llm.output_tokens_mean * a.output_scale.astype(float), llm.entry.max_output_tokens)
        usd = (50 * llm.entry.usd_per_mtok_in + out * llm.entry.usd_per_mtok_out) / 1e6
        np.testing.assert_allclose(found.usd[:, m], usd, rtol=1e-6)


def test_route_says_what_it_used(guessing: turnout.Router) -> None:
    a, found = guessing.assess(MANY), guessing.predict(MANY)
    row = int(np.argmax(a.floor * (a.output_scale != 1)))
    decision = guessing.route(MANY[row], constraints=NO_CHOICE)
    assert (decision.floor, decision.output_scale) == (a.floor[row], a.output_scale[row])
    assert f"guess floor {decision.floor:.3f}, answers x {decision.output_scale:.2f}, domain" in decision.trace
    for llm, said in alternatives(decision).items():
        m = found.llms.index(llm)
        assert said.p_correct == pytest.approx(found.correct[row, m], rel=1e-6)
        assert np.float32(said.usd) == found.usd[row, m]
    again = guessing.route_batch([MANY[row]], constraints=NO_CHOICE)[0]
    assert again == decision and again.floor == decision.floor


def test_output_limits_follow_the_scale(guessing: turnout.Router) -> None:
    a = guessing.assess(MANY)
    llms = {llm.entry.id: llm for llm in guessing.parts.pool}
    seen = 0
    for row in (int(np.argmax(a.output_scale)), int(np.argmin(a.output_scale))):
        decision = guessing.route(MANY[row], constraints=NO_CHOICE, statistic="cap")
        for node in decision.plan:
            llm = llms[node.llm]
            cap = min(np.ceil(1.5 * llm.output_tokens_p90 * float(a.output_scale[row])), llm.entry.max_output_tokens)
            assert node.max_output_tokens == cap
            seen += 1
    assert seen == 2


def test_a_scale_of_one_and_no_floor_change_no_bit(small: turnout.Router, tmp_path: Any) -> None:
    neutral = turnout.Router.load(bundles.make(tmp_path, answers=(0.0, 0.0)))
    for text in [*TEXTS, *MANY[:40]]:
        for options in ({}, {"budget_usd": 1e-3, "value_usd": 0.1}, {"seed": 4, "statistic": "cap"}):
            expected, got = (r.route(text, **options).to_dict() for r in (small, neutral))
            for volatile in ("ticket", "microseconds"):
                expected.pop(volatile), got.pop(volatile)
            assert got == expected


def test_sampling_moves_neither_floor_nor_scale(guessing: turnout.Router) -> None:
    plain, drawn = guessing.route(MANY[3]), guessing.route(MANY[3], seed=11)
    assert drawn.difficulty != plain.difficulty
    assert (drawn.floor, drawn.output_scale) == (plain.floor, plain.output_scale)


# Domains, discrimination and length of an LLM -------------------------------------------------------------------------


def test_skills_end_with_the_posterior(regions: turnout.Router, small: turnout.Router) -> None:
    a, plain = regions.assess(MANY), small.assess(MANY)
    assert (a.domains, plain.domains) == (4, 0)
    posterior = a.skills[:, -4:].astype(float)
    assert posterior.min() > 0 and posterior.max() < 1
    np.testing.assert_allclose(posterior.sum(1), 1, atol=1e-6)
    assert len(set(posterior.argmax(1))) > 1
    np.testing.assert_array_equal(a.skills[:, :-4], plain.skills)
    offsets, floors = bundles.domain_rows(4).astype(float)
    np.testing.assert_allclose(a.logit, plain.logit + posterior @ offsets, atol=1e-9)
    alone = a.floor == np.float32(posterior @ floors)  # where the column is below 0, it is not clamped before
    assert not alone.any() and a.floor.min() == 0.0


def test_domains_alone_give_a_floor(tmp_path: Any) -> None:
    routed = turnout.Router.load(bundles.make(tmp_path, domains=(3, 1.0)))
    a = routed.assess(MANY)
    floors = bundles.domain_rows(3)[1].astype(float)
    np.testing.assert_allclose(a.floor, a.skills[:, -3:].astype(float) @ floors, atol=1e-7)
    assert (a.output_scale == 1).all() and a.floor.min() > 0
    empty = routed.assess([""])
    assert empty.logit[0] == np.log(0.45 / 0.55) and empty.floor[0] == 0 and not empty.skills.any()


def response_of(router: turnout.Router) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    llms, width = router.parts.pool, router.parts.difficulty.skills
    return (
        np.array([m.discrimination for m in llms]),
        np.array([m.length_gain for m in llms]),
        np.array([m.length_skill or [0.0] * width for m in llms]),
    )


def test_each_llm_has_its_discrimination_and_length(regions: turnout.Router) -> None:
    a, found, llms = regions.assess(MANY), regions.predict(MANY, in_tokens=50), regions.parts.pool
    discrimination, gain, length = response_of(regions)
    assert discrimination.tolist() == [1.0, 0.75, 1.0, 1.25] and gain.tolist() == [1.0, 0.5, 1.0, 1.5]
    able = np.array([m.ability for m in llms]) + a.skills @ np.array([m.skill for m in llms]).T
    logits = able - discrimination * a.logit[:, None]
    floor = a.floor.astype(float)[:, None]
    np.testing.assert_allclose(found.correct, floor + (1 - floor) / (1 + np.exp(-logits)), atol=1e-6)
    scale = np.exp(gain * np.log(a.output_scale.astype(float))[:, None] + a.skills.astype(float) @ length.T)
    assert scale[:, 3].max() > 1.5 * scale[:, 3].min()
    for m, llm in enumerate(llms):
        out = np.minimum(llm.output_tokens_mean * scale[:, m].clip(1 / 16, 16), llm.entry.max_output_tokens)
        usd = (50 * llm.entry.usd_per_mtok_in + out * llm.entry.usd_per_mtok_out) / 1e6
        np.testing.assert_allclose(found.usd[:, m], usd, rtol=1e-5)


def test_route_decides_with_what_is_predicted(regions: turnout.Router) -> None:
    a, found = regions.assess(MANY), regions.predict(MANY)
    for row in range(0, len(MANY), 16):
        decision = regions.route(MANY[row], constraints=NO_CHOICE)
        assert (decision.floor, decision.output_scale) == (a.floor[row], a.output_scale[row])
        for llm, said in alternatives(decision).items():
            m = found.llms.index(llm)
            assert said.p_correct == pytest.approx(found.correct[row, m], rel=1e-6)
            assert np.float32(said.usd) == found.usd[row, m]
        again = regions.route_batch([MANY[row]], constraints=NO_CHOICE)[0]
        assert again == decision


def test_the_twins_agree_on_domains(regions: turnout.Router) -> None:
    twin = ReferenceRouter(regions.parts)
    found, assessed = regions.predict(MANY[:40], in_tokens=31), regions.assess(MANY[:40])
    for i, text in enumerate(MANY[:40]):
        correct, usd, p90 = twin.predict(text, 31)
        np.testing.assert_allclose(found.correct[i], correct, atol=1e-5)
        np.testing.assert_allclose(found.usd[i], usd, rtol=1e-5)
        np.testing.assert_allclose(found.usd_p90[i], p90, rtol=1e-5)
        a = twin.assess(text)
        assert assessed.logit[i] == pytest.approx(a.logit, abs=1e-5)
        assert assessed.floor[i] == pytest.approx(a.floor, abs=1e-6)
        np.testing.assert_allclose(assessed.skills[i], a.skills, atol=1e-5)


def test_the_numpy_twin_decides_alike(regions: turnout.Router) -> None:
    from turnout.bench.numpy_twin import NumpyRouter

    assert regions.parts.index is not None
    twin = NumpyRouter(regions.parts, regions.parts.index.vectors, value_usd=0.05)
    constraints = turnout.Constraints(grants=["network", "code_execution", "private_data"])
    for text in MANY[::8]:
        native, plan = regions.route(text, value_usd=0.05, constraints=constraints), twin.route(text)
        assert plan.difficulty == pytest.approx(native.difficulty, abs=1e-5)
        assert (plan.quality, plan.usd) == pytest.approx((native.p_correct, native.usd), rel=1e-4), text


def test_sampling_leaves_the_posterior(regions: turnout.Router) -> None:
    model, x = regions.parts.difficulty, regions.embed(MANY[3])
    plain = model.assess(x)
    drawn = model.sample(plain, turnout._native.Philox(11))
    skills = model.skills
    assert drawn.skills[skills - 4 : skills] == plain.skills[skills - 4 : skills]
    assert drawn.skills[: skills - 4] != plain.skills[: skills - 4]
    assert drawn.logit != plain.logit and drawn.floor == plain.floor


def test_neutral_responses_change_no_bit(guessing: turnout.Router, tmp_path: Any) -> None:
    files = bundles.files(answers=(0.1, 0.1))
    table = json.loads(files["llms.json"])
    for llm in table["llms"]:
        llm |= {"discrimination": 1.0, "length_gain": 1.0, "length_skill": [0.0, 0.0]}
    neutral = turnout.Router.load(bundles.write(tmp_path, files | {"llms.json": json.dumps(table).encode()}))
    for text in [*TEXTS, *MANY[:40]]:
        for options in ({}, {"budget_usd": 1e-3, "value_usd": 0.1}, {"seed": 4, "statistic": "cap"}):
            expected, got = (r.route(text, **options).to_dict() for r in (guessing, neutral))
            for volatile in ("ticket", "microseconds"):
                expected.pop(volatile), got.pop(volatile)
            assert got == expected
