"""Recorded outcomes: a table of queries, and what LLMs did on them, from files in the user's own shape.

Two files make a set. One has a row a query: ``query_id, text`` and where known ``domain, split``. The other has a row
an outcome: ``query_id, model, score``, where known ``cost_usd, in_tokens, out_tokens, latency_s, answer, cost_kind``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from turnout.core import InputError
from turnout.files import Table, check_lengths, read_table
from turnout.schema import did_you_mean, fail

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

QUERY_COLUMNS = ("query_id", "text", "domain", "split")
OUTCOME_COLUMNS = (
    *("query_id", "model", "score", "cost_usd", "in_tokens", "out_tokens", "latency_s", "answer", "cost_kind"),
)
REQUIRED = ("query_id", "text", "model", "score")
SPLITS = ("train", "test")
MISSING, UNSTATED = "missing", "unstated"  # kinds of cost: there is none; there is one, and the file says no more
TRAIN_TENTHS = 7  # of the queries, where the file has no split


@dataclass(frozen=True)
class Outcomes:
    """Queries and what LLMs did on them.

    Attributes
    ----------
    set_names, llms : tuple of str
    query_ids, texts, domains, splits : list of str, [Q]
        A domain is "" where there is none; a split is "train" or "test".
    sets : int64 [Q]
        Index into `set_names`.
    query, llm : int64 [N]
        The cell of each outcome: a row of the queries, a column of `llms`.
    score : float64 [N]
        In [0, 1].
    usd, in_tokens, out_tokens, seconds : float64 [N]
        USD, tokens and seconds of the call; NaN where the set has none.
    answer : list of str, [N]
        What the LLM answered; "" where the set does not say.
    usd_kind : list of str, [N]
        How the cost is known: the file's ``cost_kind``, "unstated", or "missing" where there is no cost.
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
    seconds: FloatArray
    answer: list[str]
    usd_kind: list[str]

    @property
    def queries(self) -> int:
        return len(self.texts)

    def keep(self, mask: npt.NDArray[np.bool_]) -> Outcomes:
        """The queries where `mask` [Q] is true, with their outcomes; the LLMs keep their columns."""
        rows = np.flatnonzero(mask)
        new_row = np.full(self.queries, -1, np.int64)
        new_row[rows] = np.arange(len(rows))
        pick = rows.tolist()
        return Outcomes(
            self.set_names,
            self.llms,
            [self.query_ids[i] for i in pick],
            [self.texts[i] for i in pick],
            [self.domains[i] for i in pick],
            [self.splits[i] for i in pick],
            self.sets[rows],
            *self._cells(np.asarray(mask, bool)[self.query], new_row[self.query], self.llm),
        )

    def _cells(self, mask: npt.NDArray[np.bool_], query: IntArray, llm: IntArray) -> tuple[Any, ...]:
        """The fields of the outcomes where `mask` [N] is true, with new rows and columns."""
        pick = np.flatnonzero(mask).tolist()
        numbers = (query, llm, self.score, self.usd, self.in_tokens, self.out_tokens, self.seconds)
        texts = (self.answer, self.usd_kind)
        return (*(column[mask] for column in numbers), *([column[i] for i in pick] for column in texts))

    def split(self, name: str) -> Outcomes:
        """The queries of one split."""
        return self.keep(np.array([s == name for s in self.splits], bool))

    def select_llms(self, ids: Sequence[str]) -> Outcomes:
        """The outcomes of these LLMs, whose columns come in this order; all queries stay.

        Raises
        ------
        InputError
            An LLM has no outcomes, or is named twice.
        """
        at = {name: i for i, name in enumerate(self.llms)}
        for i, name in enumerate(ids):
            if name not in at:
                raise fail(InputError, f"llms[{i}]", f"{name!r} has no outcomes{did_you_mean(name, self.llms)}")
            if name in ids[:i]:
                raise fail(InputError, f"llms[{i}]", f"{name!r} is named twice")
        new_column = np.full(len(self.llms), -1, np.int64)
        new_column[[at[name] for name in ids]] = np.arange(len(ids))
        column = new_column[self.llm]
        queries = (self.query_ids, self.texts, self.domains, self.splits, self.sets)
        return Outcomes(self.set_names, tuple(ids), *queries, *self._cells(column >= 0, self.query, column))

    def matrix(self, column: str = "score") -> FloatArray:
        """A column (``score``, ``usd``, ``in_tokens``, ``out_tokens``, ``seconds``) as [Q, M], NaN where absent."""
        out = np.full((self.queries, len(self.llms)), np.nan)
        out[self.query, self.llm] = getattr(self, column)
        return out


def stem(text: str) -> str:
    """A question without its options, case and punctuation: the same question in two sets has one stem."""
    head = re.split(r"\n\s*\(?A[.)]", text, maxsplit=1)[0]
    words = re.findall(r"\w+", head.lower())
    return " ".join(words) if len(words) >= 4 else " ".join(re.findall(r"\w+", text.lower()))


def _hashes(texts: Sequence[str]) -> list[bytes]:
    return [hashlib.sha256(stem(text).encode("utf-8", "surrogatepass")).digest() for text in texts]


def folds(texts: Sequence[str], count: int = 5) -> IntArray:
    """A fold for each text [Q], by a hash of its stem, so that a repeated question stays in one fold."""
    return np.array([int.from_bytes(key[:8], "big") % count for key in _hashes(texts)], np.int64)


def split_by_hash(texts: Sequence[str]) -> list[str]:
    """ "train" for 70 % of the texts and "test" for the others, by a hash of the stem that `folds` does not use."""
    return [SPLITS[0] if int.from_bytes(key[8:16], "big") % 10 < TRAIN_TENTHS else SPLITS[1] for key in _hashes(texts)]


def concat(parts: Sequence[Outcomes]) -> Outcomes:
    """Several sets as one: queries below each other, the columns of an LLM of several sets joined by its name.

    Raises
    ------
    InputError
        There is none, or two sets have one name.
    """
    if not parts:
        raise fail(InputError, "outcomes", "expected at least one set, got none")
    names = [name for part in parts for name in part.set_names]
    for name in names:
        if names.count(name) > 1:
            raise fail(InputError, "outcomes", f"two sets are named {name!r}")
    llms = tuple(sorted({llm for part in parts for llm in part.llms}))
    at = {llm: i for i, llm in enumerate(llms)}
    first_set = np.cumsum([0, *(len(part.set_names) for part in parts)]).tolist()
    first_row = np.cumsum([0, *(part.queries for part in parts)]).tolist()

    def joined(field: str, shift: Sequence[Any] | None = None) -> Any:
        columns = [getattr(part, field) for part in parts]
        return np.concatenate(columns if shift is None else [c + by for c, by in zip(columns, shift, strict=False)])

    def texts(field: str) -> list[str]:
        return [text for part in parts for text in getattr(part, field)]

    return Outcomes(
        tuple(names),
        llms,
        texts("query_ids"),
        texts("texts"),
        texts("domains"),
        texts("splits"),
        joined("sets", first_set),
        joined("query", first_row),
        np.concatenate([np.array([at[llm] for llm in part.llms], np.int64)[part.llm] for part in parts]),
        joined("score"),
        joined("usd"),
        joined("in_tokens"),
        joined("out_tokens"),
        joined("seconds"),
        texts("answer"),
        texts("usd_kind"),
    )


# Reading --------------------------------------------------------------------------------------------------------------


def read(
    queries: str | Path,
    outcomes: str | Path,
    columns: Mapping[str, str] | None = None,
    name: str | None = None,
    aliases: Mapping[str, str] | None = None,
    min_llms: int = 2,
) -> Outcomes:
    """Reads a set: a file of queries and one of outcomes, each a .csv, .jsonl (both may be .gz) or .parquet file.

    Parameters
    ----------
    columns : mapping, optional
        What a column is called in the files, by our name (module docstring); of the others, our names hold.
    name : str, optional
        Of the set; default: the queries' file without its suffixes.
    aliases : mapping, optional
        Another name of an LLM -> the name to use.
    min_llms : int
        How many LLMs the outcomes must have at least.

    Returns
    -------
    Outcomes
        LLMs are sorted by name. Without a column ``split`` the texts are split 70/30 by `split_by_hash`.

    Raises
    ------
    InputError
        Names the file, and the row (from 0) and column where one is at fault.
    """
    files = Path(queries), Path(outcomes)
    called = _called(columns or {})
    asked = _QueryFile(files[0], called)
    row_of = asked.first_rows()
    kept = sorted(row_of.values())
    new_row = {asked.ids[row]: i for i, row in enumerate(kept)}
    texts = [asked.texts[row] for row in kept]
    splits = split_by_hash(texts) if asked.splits is None else [asked.splits[row] for row in kept]
    llms, cells = _read_outcomes(files[1], called, new_row, aliases or {}, min_llms)
    return Outcomes(
        (name or set_name(files[0]),),
        llms,
        [asked.ids[row] for row in kept],
        texts,
        [asked.domains[row] for row in kept],
        splits,
        np.zeros(len(kept), np.int64),
        *cells,
    )


def set_name(queries: Path) -> str:
    """The name of a set by its file of queries: ``logs.queries.csv.gz`` -> ``logs``."""
    return queries.name.split(".")[0] or queries.name


def _called(columns: Mapping[str, str]) -> dict[str, str]:
    known = dict.fromkeys([*QUERY_COLUMNS, *OUTCOME_COLUMNS])
    for ours in columns:
        if ours not in known:
            raise fail(InputError, f"columns.{ours}", f"expected one of {', '.join(known)}{did_you_mean(ours, known)}")
    return {ours: columns.get(ours, ours) for ours in known}


def _table(path: Path, wanted: Sequence[str], called: Mapping[str, str]) -> Table:
    """Columns by our names. A column that the caller has named must be there."""
    required = [called[n] for n in wanted if n in REQUIRED or called[n] != n]
    found = read_table(path, required, [called[n] for n in wanted if called[n] not in required])
    if not next(iter(found.values())):
        raise fail(InputError, str(path), "it has no rows")
    return {ours: found[called[ours]] for ours in wanted if called[ours] in found}


def _at(path: Path, row: int, column: str) -> str:
    return f"{path}: row {row}, column {column!r}"


def _strings(values: list[Any]) -> list[str]:
    return [value if type(value) is str else "" if value is None else str(value) for value in values]


def _ids(path: Path, values: list[Any], column: str) -> list[str]:
    ids = _strings(values)
    if "" in ids:
        raise fail(InputError, _at(path, ids.index(""), column), "expected a name, got none")
    return ids


def _numbers(path: Path, values: list[Any] | None, column: str, rows: int, most: float, needed: bool) -> FloatArray:
    """Numbers from 0 to `most`, NaN where a cell is empty and need not be there."""
    if values is None:
        return np.full(rows, np.nan)
    try:
        out = np.array([np.nan if v is None or v == "" else float(v) for v in values])
    except (TypeError, ValueError):
        out = np.array([_number(path, v, column, row) for row, v in enumerate(values)])
    empty = np.array([v is None or v == "" for v in values], bool)
    wrong = ~((out >= 0.0) & (out <= most)) & (needed | ~empty)
    if wrong.any():
        row = int(wrong.argmax())
        end = f"to {most:g}" if most < np.finfo(float).max else "up"
        kind = "" if needed else ", or nothing where it is not known"
        raise fail(InputError, _at(path, row, column), f"expected a number from 0 {end}{kind}, got {values[row]!r}")
    return out


_TRUTHS = {"true": 1.0, "false": 0.0}


def _number(path: Path, value: Any, column: str, row: int) -> float:
    try:
        if value is None or value == "":
            return float("nan")
        return _TRUTHS[value.lower()] if isinstance(value, str) and value.lower() in _TRUTHS else float(value)
    except (TypeError, ValueError):
        raise fail(InputError, _at(path, row, column), f"expected a number, got {value!r}") from None


class _QueryFile:
    """The columns of a file of queries."""

    def __init__(self, path: Path, called: Mapping[str, str]) -> None:
        table = _table(path, QUERY_COLUMNS, called)
        self.path, self.called = path, called
        self.ids = _ids(path, table["query_id"], called["query_id"])
        self.texts = _strings(table["text"])
        check_lengths(self.texts, path)
        self.domains = _strings(table["domain"]) if "domain" in table else [""] * len(self.ids)
        self.splits = _strings(table["split"]) if "split" in table else None
        for row, split in enumerate(self.splits or []):
            if split not in SPLITS:
                where = _at(path, row, called["split"])
                raise fail(InputError, where, f"expected 'train' or 'test', got {split!r}")

    def first_rows(self) -> dict[str, int]:
        """Each query's first row; a query may be repeated, but not with another text."""
        first: dict[str, int] = {}
        for row, name in enumerate(self.ids):
            seen = first.setdefault(name, row)
            if seen != row and self._facts(seen) != self._facts(row):
                where = _at(self.path, row, self.called["query_id"])
                raise fail(InputError, where, f"{name!r} stands in row {seen} too, with another text, domain or split")
        return first

    def _facts(self, row: int) -> tuple[str, str, str]:
        return self.texts[row], self.domains[row], self.splits[row] if self.splits is not None else ""


def _read_outcomes(
    path: Path, called: Mapping[str, str], row_of: Mapping[str, int], aliases: Mapping[str, str], min_llms: int
) -> tuple[tuple[str, ...], tuple[Any, ...]]:
    """The LLMs, and the fields of `Outcomes` from `query` on."""
    table = _table(path, OUTCOME_COLUMNS, called)
    ids = _ids(path, table["query_id"], called["query_id"])
    names = [aliases.get(name, name) for name in _ids(path, table["model"], called["model"])]
    llms = tuple(sorted(set(names)))
    if len(llms) < min_llms:
        where = f"{path}: column {called['model']!r}"
        raise fail(InputError, where, f"expected at least {min_llms} LLMs, got {len(llms)}: {', '.join(llms)}")
    column = {name: i for i, name in enumerate(llms)}
    query = np.array([row_of.get(name, -1) for name in ids], np.int64)
    llm = np.array([column[name] for name in names], np.int64)
    if (query < 0).any():
        row = int((query < 0).argmax())
        raise fail(InputError, _at(path, row, called["query_id"]), f"no query is called {ids[row]!r}")
    _check_once(path, called, query * len(llms) + llm, ids, names)

    def numbers(ours: str, most: float = np.finfo(float).max) -> FloatArray:
        return _numbers(path, table.get(ours), called[ours], len(ids), most, ours in REQUIRED)

    usd = numbers("cost_usd")
    fields = (numbers("score", 1.0), usd, numbers("in_tokens"), numbers("out_tokens"), numbers("latency_s"))
    answer = _strings(table["answer"]) if "answer" in table else [""] * len(ids)
    kinds = _strings(table["cost_kind"]) if "cost_kind" in table else [""] * len(ids)
    known = (~np.isnan(usd)).tolist()
    kind = [(kind or UNSTATED) if has else MISSING for kind, has in zip(kinds, known, strict=True)]
    return llms, (query, llm, *fields, answer, kind)


def _check_once(path: Path, called: Mapping[str, str], cell: IntArray, ids: list[str], names: list[str]) -> None:
    _, first = np.unique(cell, return_index=True)
    if len(first) == len(cell):
        return
    again = np.ones(len(cell), bool)
    again[first] = False
    row = int(again.argmax())
    seen = int((cell == cell[row]).argmax())
    where = _at(path, row, called["model"])
    raise fail(InputError, where, f"{names[row]!r} on query {ids[row]!r} stands in row {seen} too")
