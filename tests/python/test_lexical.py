"""The lexical block: a static embedder's scores beside the unit vector, from the table to the decision."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bundles
import turnout
from test_parity import assert_close, compare
from turnout.embed import StaticEmbedder
from turnout.reference import embed as twin
from turnout.reference.router import ReferenceRouter

UNIT, R = bundles.DIM, 32
TEXTS = [
    "what is the capital of history",
    "a",
    "a a a a a a a a a a a",
    "???",
    "$x^2 + y_1 = \\frac{3}{4}$\nA. 1\nB. 2\n (C) 3",
    "Prove THE energy, 12345 photon 99",
    "é字\ud800 energy",
    "law court contract " * 40,
    "solve 7\n" * 3000,
    "zebra " * 90 + "?" * 70,
]


@pytest.fixture(scope="module")
def reference(lexical: turnout.Router) -> ReferenceRouter:
    return ReferenceRouter(lexical.parts)


@pytest.mark.parametrize(("width", "bits"), [(16, 10), (32, 12), (48, 15), (64, 18)])
def test_scores_have_the_bits_of_the_twin(width: int, bits: int) -> None:
    tokens = bundles.vocab()
    vocab = "\n".join(tokens).encode()
    rng = np.random.default_rng(width)
    rows = rng.integers(-127, 128, (len(tokens), UNIT)).astype(np.int8)
    weights = rng.integers(200, 2048, len(tokens)).astype(np.int16)
    tables = bundles.lexical_tables(width, bits, seed=bits)
    native = StaticEmbedder(vocab, rows, weights, name="x", head=8, tail=24, lexical=tables)
    plain = StaticEmbedder(vocab, rows, weights, name="x", head=8, tail=24)
    assert (native.dim, native.lexical, plain.dim, plain.lexical) == (UNIT + width, width, UNIT, 0)
    tokenizer, block = twin.Tokenizer(vocab), twin.Lexical(*tables)
    words = [*bundles.WORDS, "?", "$", "\n", "7", "Z", "(B)", "\n(A) ", "é", "_"]
    random = [" ".join(rng.choice(words, rng.integers(1, 80))) for _ in range(60)]
    for text in [*TEXTS, *random, b"\xff\xfe energy", b"\x00 7 a"]:
        x = native.embed(text)
        ids = tokenizer.encode(text)
        assert x[:UNIT].tolist() == plain.embed(text).tolist()
        assert x[UNIT:].tolist() == block.scores(text, twin.keep_head_and_tail(ids, 8, 24), len(ids)), text
        assert np.abs(x[UNIT:]).max() > 0


def test_text_without_tokens_scores_nothing(lexical: turnout.Router) -> None:
    for text in ("", " \n\n ", "\u200d\x07"):
        assert lexical.embed(text).shape == (UNIT + R,) and not lexical.embed(text).any()
        assert "no_text" in lexical.route(text).reasons


def test_scores_are_cut(tmp_path: Path) -> None:
    files = bundles.files(lexical=16)
    files["embed/ngram_scale.npy"] = bundles._npy(np.full(16, 1e30, np.float32))
    steep = turnout.Router.load(bundles.write(tmp_path, files))
    x = steep.embed("prove the energy")
    assert set(np.abs(x[UNIT:]).tolist()) <= {64.0, 0.0} and np.abs(x[UNIT:]).max() == 64.0
    assert steep.route(x, in_tokens=3).plan


def test_the_numpy_twin_embeds_alike(lexical: turnout.Router) -> None:
    from turnout.bench.numpy_twin import NumpyRouter

    vectors = np.zeros((len(bundles.CAPABILITIES), UNIT), np.float32)
    other = NumpyRouter(lexical.parts, vectors)
    for text in [t for t in TEXTS if "\ud800" not in t] + [""]:
        x, tokens = other.embed(text)
        np.testing.assert_allclose(x, lexical.embed(text), rtol=0, atol=1e-6)
        assert x[:UNIT].tolist() == lexical.embed(text)[:UNIT].tolist()
        assert tokens == lexical.route(text).in_tokens


def test_the_whole_decision_is_that_of_the_twin(lexical: turnout.Router, reference: ReferenceRouter) -> None:
    for i, text in enumerate([*TEXTS, "", "what is 2 + 2?"]):
        compare(lexical, reference, text)
        compare(lexical, reference, text, budget_usd=1e-3 * i, seed=i, value_usd=0.2, statistic="cap")
        assert reference.embed(text) == lexical.embed(text).tolist()


def test_scores_change_what_is_decided(lexical: turnout.Router) -> None:
    a, b = lexical.assess(["prove the energy", "prove the energy" + "?" * 70]).logit
    assert a != b
    x = lexical.embed("prove the energy").copy()
    before = lexical.assess(x[None])
    x[UNIT:] += 1
    after = lexical.assess(x[None])
    assert after.logit[0] != before.logit[0] and after.domain_similarity[0] == before.domain_similarity[0]


def test_batches_and_vectors_agree_with_single_texts(lexical: turnout.Router) -> None:
    texts = [f"{TEXTS[i % 6]} {bundles.WORDS[i % 30]}" for i in range(150)]
    rows = np.stack([lexical.embed(text) for text in texts])
    assert rows.shape == (150, lexical.dim) and lexical.dim == UNIT + R
    batch, vectors = lexical.route_batch(texts), lexical.route_batch(rows, in_tokens=7)
    for i, text in enumerate(texts):
        assert batch[i] == lexical.route(text)
        assert vectors[i] == lexical.route(rows[i], in_tokens=7)
        assert vectors[i].tools == batch[i].tools and vectors[i].difficulty == batch[i].difficulty
    np.testing.assert_array_equal(lexical.predict(texts).correct, lexical.predict(rows).correct)


def changed(x: np.ndarray, at: int, value: float) -> np.ndarray:
    y = x.copy()
    y[at] = value
    return y


GOOD = np.full(UNIT + R, UNIT**-0.5, np.float32)
WRONG = [
    (changed(GOOD, UNIT + 3, float("nan")), r"\[35\]: expected a lexical score from -64 to 64, got -?nan"),
    (changed(GOOD, UNIT, float("inf")), r"\[32\]: expected a lexical score"),
    (changed(GOOD, UNIT + R - 1, -64.1), r"\[63\]: expected a lexical score from -64 to 64, got -64\.1"),
    (changed(GOOD, 2, 3.0), "expected a vector whose first 32 numbers are of norm 1, as embed.. gives, got one of"),
    (changed(GOOD, 2, float("inf")), r"\[2\]: expected a finite number"),
]


@pytest.mark.parametrize(("x", "message"), WRONG)
def test_wrong_vectors_are_clear_errors(lexical: turnout.Router, x: np.ndarray, message: str) -> None:
    with pytest.raises(turnout.InputError, match="query" + message if message[0] == "\\" else message):
        lexical.route(x)
    rows = np.stack([GOOD, x])
    for call in (lexical.route_batch, lexical.predict, lexical.assess):
        with pytest.raises(turnout.InputError, match=r"queries\[1\]"):
            call(rows)


def test_scores_at_the_limit_are_taken(lexical: turnout.Router) -> None:
    for value in (-64.0, 64.0):
        assert lexical.route(changed(GOOD, UNIT + 1, value), in_tokens=1).plan


def test_a_vector_of_the_unit_part_alone_is_refused(lexical: turnout.Router) -> None:
    with pytest.raises(turnout.InputError, match=r"expected float32\[64\], as 'planted' gives, got shape \(32,\)"):
        lexical.route(np.full(UNIT, UNIT**-0.5, np.float32))


def test_an_embedder_without_the_block_is_refused(tmp_path: Path) -> None:
    folder = bundles.make(tmp_path, lexical=16)
    wanted = r"'planted' \(48 dimensions, the last 16 of them lexical scores\), got 'planted'"
    for dim in (32, 48):
        mine = turnout.CallableEmbedder(lambda text: np.ones(dim), name="planted", dim=dim)  # noqa: B023
        with pytest.raises(turnout.ConfigError, match=rf"{wanted} \({dim} dimensions\)"):
            turnout.Router.load(folder, embedder=mine)


def test_a_callable_that_gives_the_scores_is_taken(lexical: turnout.Router, tmp_path: Path) -> None:
    scale = np.array([3.0] * UNIT + [1.0] * R)  # only the unit part is scaled back
    mine = turnout.CallableEmbedder(lambda t: lexical.embed(t) * scale, name="planted", dim=UNIT + R, lexical=R)
    routed = turnout.Router.load(bundles.make(tmp_path, answers=(0.1, 0.0), lexical=R), embedder=mine)
    x = routed.embed("prove the energy")
    np.testing.assert_allclose(x, lexical.embed("prove the energy"), atol=1e-6)
    assert routed.route("prove the energy", in_tokens=9).llm == lexical.route("prove the energy", in_tokens=9).llm


def test_own_capabilities_are_compared_without_scores(tmp_path: Path) -> None:
    toml = tmp_path / "tools.toml"
    toml.write_text(bundles._capabilities_toml())
    folder = bundles.make(tmp_path / "bundle", lexical=16)
    own = turnout.Router.load(folder, capabilities=toml)
    assert own.parts.index is not None and own.parts.index.vectors.shape == (5, UNIT)
    assert own.route("search the web").tools


# Damage ---------------------------------------------------------------------------------------------------------------


def load(tmp_path: Path, **changes: Any) -> turnout.Router:
    files = bundles.files(lexical=16)
    for name, content in changes.items():
        key = f"embed/{name}.npy" if name != "config" else "embed/config.json"
        if content is None:
            del files[key]
        else:
            files[key] = content if isinstance(content, bytes) else bundles._npy(content)
    return turnout.Router.load(bundles.write(tmp_path, files))


def config(**more: Any) -> bytes:
    return json.dumps({"kind": "static", "name": "planted", "dim": UNIT, "head": 8, "tail": 24} | more).encode()


NGRAMS, WEIGHTS, SCALE, MARKS = bundles.lexical_tables(16)


def spoilt(table: np.ndarray, at: Any, value: float) -> np.ndarray:
    copy = table.copy()
    copy[at] = value
    return copy


DAMAGED = [
    ({"ngrams": None}, "ngrams.npy: the manifest does not list"),
    ({"ngram_weights": None}, "ngram_weights.npy: the manifest does not list"),
    ({"ngram_scale": None}, "ngram_scale.npy: the manifest does not list"),
    ({"marks": None}, "marks.npy: the manifest does not list"),
    ({"ngrams": b"garbage"}, "ngrams.npy: not a .npy file"),
    ({"marks": bundles._npy(MARKS)[:900]}, "marks.npy: not a .npy file"),
    ({"ngrams": NGRAMS[:, :8]}, r"ngrams.npy: expected int8\['any', 16\] in C order"),
    ({"ngrams": NGRAMS.astype(np.int16)}, r"ngrams.npy: expected int8\['any', 16\] in C order, got int16"),
    ({"ngrams": NGRAMS[:1000]}, r"ngram_weights.npy: expected int16\[1000\]"),
    ({"ngrams": NGRAMS[:1000], "ngram_weights": WEIGHTS[:1000]}, "ngram_weights: expected a power of two"),
    ({"ngrams": NGRAMS[:512], "ngram_weights": WEIGHTS[:512]}, "ngram_weights: expected a power of two from 1024"),
    ({"ngrams": NGRAMS[:0], "ngram_weights": WEIGHTS[:0]}, "ngram_weights: expected a power of two"),
    ({"ngram_weights": spoilt(WEIGHTS, 77, 2048)}, r"ngram_weights\[77\]: expected 0 to 2047, got 2048"),
    ({"ngram_weights": spoilt(WEIGHTS, 5, -1)}, r"ngram_weights\[5\]: expected 0 to 2047, got -1"),
    ({"ngram_scale": SCALE[:15]}, r"ngram_scale.npy: expected float32\[16\]"),
    ({"ngram_scale": spoilt(SCALE, 2, np.nan)}, r"ngram_scale\[2\]: expected a finite number"),
    ({"marks": MARKS[:115]}, r"marks.npy: expected float32\[116, 16\]"),
    ({"marks": spoilt(MARKS, (3, 1), np.inf)}, r"marks\[49\]: expected a finite number, got inf"),
    ({"config": config(lexical=24)}, r"config.json.lexical: expected 0 or 16 or 32 or 48 or 64 for a static embedder"),
    ({"config": config(lexical=-16)}, r"config.json.lexical: expected 0 or 16"),
    ({"config": config(lexical="x")}, r"config.json.lexical"),
    ({"config": config(lexical=32)}, r"ngrams.npy: expected int8\['any', 32\]"),
    ({"config": config()}, r"centroids.npy: expected \[K, 48\], K >= 1"),
    ({"config": config(kind="external", lexical=16)}, "lexical: expected 0 for a external embedder, got 16"),
]


@pytest.mark.parametrize(("changes", "message"), DAMAGED)
def test_damaged_tables_are_clear_errors(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(turnout.TurnoutError, match=message) as error:
        load(tmp_path, **changes)
    assert error.value.path


def test_the_network_must_take_the_scores(tmp_path: Path) -> None:
    files = bundles.files(lexical=16) | {"difficulty/network.onnx": bundles.files()["difficulty/network.onnx"]}
    with pytest.raises(turnout.TurnoutError, match="the difficulty network takes 32 dimensions") as error:
        turnout.Router.load(bundles.write(tmp_path, files))
    assert error.value.path


def test_centroids_are_of_the_unit_part(tmp_path: Path) -> None:
    files = bundles.files(lexical=16) | {"difficulty/centroids.npy": bundles._npy(np.ones((8, UNIT + 16), np.float32))}
    with pytest.raises(turnout.BundleError, match=r"centroids.npy: expected float32\['any', 32\]"):
        turnout.Router.load(bundles.write(tmp_path, files))


def test_a_bundle_without_a_block_is_as_before(small: turnout.Router, tmp_path: Path) -> None:
    files = bundles.files() | {"embed/config.json": config(lexical=0)}
    again = turnout.Router.load(bundles.write(tmp_path, files))
    assert again.embed("prove it").tolist() == small.embed("prove it").tolist()
    assert_close(again.route("prove it").to_dict()["plan"], small.route("prove it").to_dict()["plan"])
