"""Outcome sets on disk -> one table of queries and one of outcomes, with folds that keep near-duplicates together."""

from __future__ import annotations

import csv
import gzip
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from turnout.core import ConfigError

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

SETS = ("mmlupro29", "llmrouter9", "routellm2")

# The same LLM under another name in another set: what links the sets' scales.
ALIASES = {
    "mistralai/Mixtral-8x7B-Instruct-v0.1": "Mixtral-8x7B-Instruct-v0.1",
    "llama-3.1-8b-instruct": "Meta-Llama-3_1-8B-Instruct",
}

# Domains whose scores are not outcomes. trivia_qa: 74 % of its training questions are scored 0 for all nine LLMs, "What
# became the 50th U.S. state?" among them, while on the others every able LLM is right: the scoring failed, not the
# LLMs.
DEFECTIVE = frozenset({("llmrouter9", "trivia_qa")})


@dataclass(frozen=True)
class Outcomes:
    """Queries and what LLMs did on them.

    Attributes
    ----------
    query_ids, texts, domains, splits : list of str, [Q]
    sets : int64 [Q]
        Index into `set_names`.
    query, llm : int64 [N]
        The cell of each outcome: a row of the queries, a column of `llms`.
    score : float64 [N]
        In [0, 1].
    usd, in_tokens, out_tokens : float64 [N]
        USD and tokens of the call; NaN where the set has none.
    """

    set_names: tuple[str, ...]
    llms: tuple[str, ...]
    query_ids: list[str]
    texts: list[str]
    domains: list[str]
    splits: list[str]
    sets: IntArray
    query: IntArray
    llm: IntArray
    score: FloatArray
    usd: FloatArray
    in_tokens: FloatArray
    out_tokens: FloatArray

    @property
    def queries(self) -> int:
        return len(self.texts)

    def keep(self, mask: npt.NDArray[np.bool_]) -> Outcomes:
        """The queries where `mask` [Q] is true, with their outcomes; the LLMs keep their columns."""
        rows = np.flatnonzero(mask)
        new_row = np.full(self.queries, -1, np.int64)
        new_row[rows] = np.arange(len(rows))
        cells = mask[self.query]
        pick = rows.tolist()
        return Outcomes(
            self.set_names,
            self.llms,
            [self.query_ids[i] for i in pick],
            [self.texts[i] for i in pick],
            [self.domains[i] for i in pick],
            [self.splits[i] for i in pick],
            self.sets[rows],
            new_row[self.query[cells]],
            self.llm[cells],
            self.score[cells],
            self.usd[cells],
            self.in_tokens[cells],
            self.out_tokens[cells],
        )

    def split(self, name: str) -> Outcomes:
        return self.keep(np.array([s == name for s in self.splits], bool))

    def matrix(self) -> FloatArray:
        """Scores as [Q, M], NaN where there is no outcome."""
        out = np.full((self.queries, len(self.llms)), np.nan)
        out[self.query, self.llm] = self.score
        return out


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        raise ConfigError(f"{path}: no such file; DATA is the folder that holds outcomes/<set>.queries.csv.gz")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _number(text: str) -> float:
    return float(text) if text else float("nan")


def load(folder: str | Path, sets: tuple[str, ...] = SETS, exclude: frozenset[tuple[str, str]] = DEFECTIVE) -> Outcomes:
    """Reads ``<folder>/outcomes/<set>.{queries,outcomes}.csv.gz`` of every set, without the (set, domain) pairs of
    `exclude`.

    Raises
    ------
    ConfigError
        A file is missing or an outcome names an unknown query.
    """
    base = Path(folder) / "outcomes"
    queries = [(i, row) for i, name in enumerate(sets) for row in _rows(base / f"{name}.queries.csv.gz")]
    outcomes = [row for name in sets for row in _rows(base / f"{name}.outcomes.csv.gz")]
    row_of = {row["query_id"]: i for i, (_, row) in enumerate(queries)}
    names = [ALIASES.get(row["model"], row["model"]) for row in outcomes]
    llms = tuple(sorted(set(names)))
    column = {name: i for i, name in enumerate(llms)}
    try:
        query = np.array([row_of[row["query_id"]] for row in outcomes], np.int64)
    except KeyError as error:
        raise ConfigError(f"{base}: outcome of an unknown query {error}") from None
    kept = np.array([(sets[i], row["domain"]) not in exclude for i, row in queries], bool)
    return Outcomes(
        tuple(sets),
        llms,
        [row["query_id"] for _, row in queries],
        [row["text"] for _, row in queries],
        [row["domain"] for _, row in queries],
        [row["split"] for _, row in queries],
        np.array([i for i, _ in queries], np.int64),
        query,
        np.array([column[name] for name in names], np.int64),
        np.array([float(row["score"]) for row in outcomes]),
        np.array([_number(row["cost_usd"]) for row in outcomes]),
        np.array([_number(row["in_tokens"]) for row in outcomes]),
        np.array([_number(row["out_tokens"]) for row in outcomes]),
    ).keep(kept)


def stem(text: str) -> str:
    """A question without its options, case and punctuation: the same question in two sets has one stem."""
    head = re.split(r"\n\s*\(?A[.)]", text, maxsplit=1)[0]
    words = re.findall(r"\w+", head.lower())
    return " ".join(words) if len(words) >= 4 else " ".join(re.findall(r"\w+", text.lower()))


def folds(texts: list[str], count: int = 5) -> IntArray:
    """A fold for each text [Q], by a hash of its stem, so that a repeated question stays in one fold."""
    keys = (hashlib.sha256(stem(text).encode()).digest() for text in texts)
    return np.array([int.from_bytes(key[:8], "big") % count for key in keys], np.int64)
