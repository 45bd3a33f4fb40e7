"""The static token table as training sees it: texts -> unit vectors, the same bits as the core's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
Float32Array = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class StaticTable:
    """A static embedder: the vector of a text is normalise(sum over its kept tokens of weights[t] * rows[t]).

    Attributes
    ----------
    name : str
    vocabulary : list of str, [V]
    rows : int8 [V, dim]
    weights : int16 [V]
        In 0 .. 2047.
    head, tail : int
        A longer text keeps its first `head` and last `tail` tokens.
    """

    name: str
    vocabulary: list[str]
    rows: npt.NDArray[np.int8]
    weights: npt.NDArray[np.int16]
    head: int = 128
    tail: int = 384

    def ids(self, texts: list[str]) -> list[IntArray]:
        """Token ids of each text, at most head + tail of them."""
        encoded = wordpiece(self.vocabulary).encode_batch(texts, add_special_tokens=False)
        return [_cut(np.array(e.ids, np.int64), self.head, self.tail) for e in encoded]

    def embed(self, ids: Sequence[IntArray]) -> Float32Array:
        """Unit vectors float32 [Q, dim] of token ids (already cut to head and tail); zeros for a text without
        tokens.
        """
        table = self.rows.astype(np.int32) * self.weights.astype(np.int32)[:, None]
        out = np.zeros((len(ids), self.rows.shape[1]), np.float32)
        for part in chunks([len(row) for row in ids]):
            out[part] = _normalised(sums(table, [ids[i] for i in part]))
        return out


def chunks(lengths: list[int], tokens: int = 1 << 16) -> Iterator[list[int]]:
    """Runs of non-empty texts of about `tokens` tokens, so that memory stays small."""
    part: list[int] = []
    held = 0
    for i, length in enumerate(lengths):
        if length == 0:
            continue
        part.append(i)
        held += length
        if held >= tokens:
            yield part
            part, held = [], 0
    if part:
        yield part


def sums(table: npt.NDArray[np.generic], ids: list[IntArray]) -> npt.NDArray[np.generic]:
    starts = np.concatenate([[0], np.cumsum([len(row) for row in ids])[:-1]])
    return np.asarray(np.add.reduceat(table[np.concatenate(ids)], starts, axis=0))


def _normalised(sums: npt.NDArray[np.generic]) -> Float32Array:
    """float32(sum / sqrt(sum of squares)): the squares add up exactly in int64, one rounding a step after that."""
    wide = sums.astype(np.int64)
    norm = np.sqrt((wide * wide).sum(1).astype(np.float64))
    return np.asarray(wide / np.where(norm > 0, norm, 1.0)[:, None], np.float32)


def wordpiece(vocabulary: list[str]) -> Tokenizer:
    """BERT's uncased tokenizer over a vocabulary, without truncation, padding or added tokens; specials match
    literally."""
    ids = {token: i for i, token in enumerate(vocabulary)}
    tokenizer = Tokenizer(WordPiece(ids, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.add_special_tokens([token for token in SPECIAL if token in ids])
    return tokenizer


def _cut(ids: IntArray, head: int, tail: int) -> IntArray:
    return ids if len(ids) <= head + tail else np.concatenate([ids[:head], ids[-tail:]])
