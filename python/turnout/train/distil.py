"""MiniLM -> static token table: each vocabulary token through the encoder, PCA, frequency weights, int8 rows.

Method: Model2Vec (Tulkens and van Dongen 2024, https://github.com/MinishLab/model2vec): a token's vector is the
encoder's mean-pooled output for ``[CLS] token [SEP]``. Frequency weights follow SIF (Arora et al. 2017, a / (a + p))
with Zipf's law for p: BERT's WordPiece vocabulary is roughly in order of frequency. Weights are folded so that a
text's vector is a sum of exact integers, the same bits in C++, in Python and on every machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer

from turnout.train.distil_table import StaticTable, chunks, sums
from turnout.train.encoder import Encoder, Progress, load_tokenizer, token_id

MAX_WEIGHT = 2047
Float32Array = npt.NDArray[np.float32]
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def token_vectors(encoder: Encoder, tokenizer: Tokenizer, progress: Progress | None = None) -> Float32Array:
    """The teacher's vector of every vocabulary token alone, [V, 384], mean-pooled, not normalised."""
    cls, sep = token_id(tokenizer, "[CLS]"), token_id(tokenizer, "[SEP]")
    size = tokenizer.get_vocab_size()
    out = []
    for start in range(0, size, 1024):
        ids = torch.arange(start, min(start + 1024, size))
        rows = torch.stack([torch.full_like(ids, cls), ids, torch.full_like(ids, sep)], 1)
        out.append(encoder.pool(rows, torch.ones_like(rows, dtype=torch.bool)).numpy())
        if progress is not None:
            progress(min(start + 1024, size), size)
    return np.concatenate(out)


def cached_token_vectors(cache: Path | None, progress: Progress | None = None) -> tuple[Float32Array, list[str]]:
    """`token_vectors` of the packaged teacher with its vocabulary; kept in `cache` if one is given."""
    encoder, tokenizer = Encoder.load(), load_tokenizer()
    vocabulary = sorted(tokenizer.get_vocab(), key=lambda token: token_id(tokenizer, token))
    path = cache / f"tokens-{encoder.fingerprint()}.npy" if cache is not None else None
    if path is not None and path.is_file():
        return np.asarray(np.load(path), np.float32), vocabulary
    vectors = token_vectors(encoder, tokenizer, progress)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, vectors)
    return vectors, vocabulary


def project(vectors: Float32Array, dim: int) -> FloatArray:
    """Principal components [V, dim] of the centred vectors; each axis' sign is fixed by its largest loading."""
    centred = vectors.astype(np.float64) - vectors.mean(0, dtype=np.float64)
    _, axes = np.linalg.eigh(centred.T @ centred)
    axes = axes[:, ::-1][:, :dim]
    signs = np.sign(axes[np.abs(axes).argmax(0), np.arange(axes.shape[1])])
    return np.asarray(centred @ (axes * signs))


def frequency_weights(size: int, a: float = 1e-3) -> FloatArray:
    """SIF weights a / (a + p) [V], with Zipf's p of rank = id + 2."""
    p = 1.0 / np.arange(2, size + 2)
    return np.asarray(a / (a + p / p.sum()))


def quantise(table: FloatArray) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int16]]:
    """int8 rows and int16 weights with weights[t] * rows[t] proportional to table[t], each row using all of int8."""
    largest = np.abs(table).max(1)
    rows = np.rint(table / np.where(largest > 0, largest, 1.0)[:, None] * 127.0).astype(np.int8)
    weights = np.rint(largest / largest.max() * MAX_WEIGHT).astype(np.int16)
    return rows, weights


def distil(vectors: Float32Array, vocabulary: list[str], dim: int = 256) -> tuple[StaticTable, FloatArray]:
    """The table, and the float64 table [V, dim] that it quantises."""
    exact = project(vectors, dim) * frequency_weights(len(vectors))[:, None]
    rows, weights = quantise(exact)
    digest = hashlib.sha256(rows.tobytes() + weights.tobytes()).hexdigest()[:8]
    return StaticTable(f"minilm-l6-static-{dim}-{digest}", vocabulary, rows, weights), exact


def exact_vectors(table: FloatArray, ids: Sequence[IntArray]) -> FloatArray:
    """What the table would give without quantisation: unit vectors float64 [Q, dim]."""
    out = np.zeros((len(ids), table.shape[1]))
    for part in chunks([len(row) for row in ids]):
        total = np.asarray(sums(table, [ids[i] for i in part]), np.float64)
        out[part] = total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)
    return out
