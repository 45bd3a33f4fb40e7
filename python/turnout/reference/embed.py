"""Twin of the embed room: WordPiece on `unicodedata`, and the static embedding in whole numbers.

The steps are those of BERT's uncased tokenizer as Hugging Face `tokenizers` runs it, whose Unicode tables are of
several versions; `unicode_data` holds where they differ from Python's.
"""

from __future__ import annotations

import itertools
import math
import re
import string
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from turnout.reference.core import float32
from turnout.reference.unicode_data import CATEGORY, LOWER, UNKNOWN

MAX_CHARS = 100  # of a word; longer ones are unknown
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
# Blocks of Chinese characters, each its own word. (2B920: the authors' slip for 2B820, and so it stays.)
CHINESE = (
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B920, 0x2CEAF),
    (0x2F800, 0x2FA1F),
)
_STARTS = [low for low, _ in UNKNOWN]


def unknown(c: str) -> bool:
    """Whether the tokenizer's Unicode tables lack the character."""
    i = bisect_right(_STARTS, ord(c)) - 1
    return i >= 0 and ord(c) <= UNKNOWN[i][1]


def category(c: str) -> str:
    if unknown(c):
        return "Cn"
    return CATEGORY.get(ord(c)) or unicodedata.category(c)


def is_space(c: str) -> bool:
    return c in "\t\n\r " or unicodedata.category(c) in ("Zs", "Zl", "Zp")


def is_removed(c: str) -> bool:
    return c in "\0\N{REPLACEMENT CHARACTER}" or (c not in "\t\n\r" and category(c) in ("Cc", "Cf", "Co"))


def is_punctuation(c: str) -> bool:
    return c in string.punctuation or category(c).startswith("P")


def is_chinese(c: str) -> bool:
    return any(low <= ord(c) <= high for low, high in CHINESE)


def decompose(text: str) -> str:
    """Canonical decomposition (NFD). What the tables lack neither decomposes nor moves, and nothing moves across it."""
    parts, known = [], ""
    for c in text:
        if unknown(c):
            parts += [unicodedata.normalize("NFD", known), c]
            known = ""
        else:
            known += c
    return "".join([*parts, unicodedata.normalize("NFD", known)])


def normalize(text: str) -> str:
    """Clean, put spaces around Chinese characters, strip accents, lower the case (character by character)."""
    text = "".join(" " if is_space(c) else c for c in text if not is_removed(c))
    text = "".join(f" {c} " if is_chinese(c) else c for c in text)
    text = "".join(c for c in decompose(text) if category(c) != "Mn")
    return "".join(chr(LOWER[ord(c)]) if ord(c) in LOWER else c.lower() for c in text)


def words(text: str) -> list[str]:
    """Splits normalised text at white space and around punctuation."""
    return "".join(f" {c} " if is_punctuation(c) else " " if is_space(c) else c for c in text).split(" ")


class Tokenizer:
    """BERT's uncased WordPiece without ``[CLS]`` and ``[SEP]``.

    Parameters
    ----------
    vocab : bytes
        One token a line; the line number is its id.
    """

    def __init__(self, vocab: bytes) -> None:
        tokens = vocab.decode("utf-8").removesuffix("\n").split("\n")
        self.ids = {token: i for i, token in enumerate(tokens)}
        self.unknown = self.ids["[UNK]"]
        special = [re.escape(token) for token in SPECIAL if token in self.ids]
        self._special = re.compile("(" + "|".join(special) + ")")

    def pieces(self, word: str) -> list[int]:
        """The longest token that the rest of the word begins with, until nothing is left."""
        found: list[int] = []
        start = 0
        while start < len(word) <= MAX_CHARS:
            prefix = "##" if start else ""
            ends = (end for end in range(len(word), start, -1) if prefix + word[start:end] in self.ids)
            end = next(ends, None)
            if end is None:
                return [self.unknown]
            found.append(self.ids[prefix + word[start:end]])
            start = end
        return found if start == len(word) else [self.unknown]

    def _tokens(self, text: str) -> Iterator[int]:
        for i, part in enumerate(self._special.split(text)):
            if i % 2 == 1:
                yield self.ids[part]
                continue
            for word in words(normalize(part)):
                yield from self.pieces(word)

    def encode(self, text: str | bytes) -> list[int]:
        """Every token of the text. What is not UTF-8, and lone surrogates, become U+FFFD."""
        return list(self._tokens(utf8(text).decode("utf-8", "replace")))


def keep_head_and_tail(ids: Sequence[int], head: int, tail: int) -> list[int]:
    """The first `head` and the last `tail` ids."""
    return list(ids) if len(ids) <= head + tail else [*ids[:head], *ids[len(ids) - tail :]]


def embed_ids(ids: Sequence[int], rows: Sequence[Sequence[int]], weights: Sequence[int]) -> list[float]:
    """The weighted sum of rows, exact, scaled to norm 1 in double and rounded to float32 once. [D] numbers."""
    dim = len(rows[0])
    sums = [sum(weights[t] * rows[t][j] for t in ids) for j in range(dim)]
    squares = sum(s * s for s in sums)
    scale = 1.0 / math.sqrt(squares) if squares else 0.0
    return [float32(s * scale) for s in sums]


# The lexical block ----------------------------------------------------------------------------------------------------

MATHS, CODE = rb"\$^{}=+*/<>", rb'_();[]"`#'
OPTION = re.compile(rb"\n[ \t]*\(?[A-Z][.)]")
MAX_SCORE = 64.0


def fmix64(x: int) -> int:
    """MurmurHash3's finaliser."""
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        x ^= x >> 33
        x = x * factor % 2**64
    return x ^ x >> 33


def buckets(ids: Sequence[int], bits: int) -> list[int]:
    """The distinct buckets of all unigrams and bigrams, ascending."""
    keys = [t + 1 for t in ids] + [(a + 1) << 32 | (b + 1) for a, b in itertools.pairwise(ids)]
    return sorted({fmix64(key) >> (64 - bits) for key in keys})


def share_row(c: int, n: int) -> int:
    return 0 if c == 0 else next((k for k in range(1, 8) if (2**k - 1) * n >= 64 * c), 7)


def count_row(c: int) -> int:
    return min(7, c.bit_length())


def counts_of(data: bytes) -> dict[str, int]:
    """How many bytes are of each class."""
    return {
        "digits": sum(0x30 <= b <= 0x39 for b in data),
        "upper": sum(0x41 <= b <= 0x5A for b in data),
        "maths": sum(b in MATHS for b in data),
        "code": sum(b in CODE for b in data),
        "newlines": data.count(b"\n"),
        "questions": data.count(b"?"),
        "high": sum(b >= 0x80 for b in data),
    }


def utf8(text: str | bytes) -> bytes:
    """Bytes as they are, lone surrogates and what is not UTF-8 included."""
    return text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text


def mark_rows(text: str | bytes, tokens: int) -> list[int]:
    """The rows of the marks' table that are on; `tokens` of the whole text."""
    return rows_of_counts(utf8(text), counts_of(utf8(text)), tokens)


def rows_of_counts(data: bytes, c: Mapping[str, int], tokens: int) -> list[int]:
    """The same from the counts of its bytes."""
    shares = [share_row(c[name], len(data)) for name in ("digits", "upper", "maths", "code", "high")]
    counts = [count_row(c[name]) for name in ("newlines", "questions", "maths", "digits")]
    blocks = [*shares[:4], *counts[:2], shares[4], *counts[2:]]
    options = min(11, len(OPTION.findall(data)))
    length = min(31, ((1 + tokens) ** 3).bit_length() - 1)
    return [length, *(32 + 8 * i + row for i, row in enumerate(blocks)), 104 + options]


@dataclass(frozen=True)
class Lexical:
    """The lexical block's tables, as lists or arrays; what they mean is in docs/bundle-format.md."""

    ngrams: Any  # [B][R] whole numbers
    weights: Any  # [B] whole numbers
    scale: Any  # [R]
    marks: Any  # [116][R]

    def scores(self, text: str | bytes, kept: Sequence[int], tokens: int) -> list[float]:
        """R numbers, from the kept ids and the length of the whole text."""
        found = buckets(kept, len(self.weights).bit_length() - 1)
        weights = [int(self.weights[b]) for b in found]
        squares = sum(w * w for w in weights)
        inverse = 1.0 / math.sqrt(squares) if squares else 0.0
        rows = [[int(x) for x in self.ngrams[b]] for b in found]
        on = mark_rows(text, tokens)
        scores = []
        for j, scale in enumerate(self.scale):
            ngrams = sum(w * row[j] for w, row in zip(weights, rows, strict=True)) * inverse * float(scale)
            marks = 0.0
            for i in on:
                marks += float(self.marks[i][j])
            scores.append(float32(min(max(ngrams + marks, -MAX_SCORE), MAX_SCORE)))
        return scores
