"""Tools, and queries with the tools that fit them, from the user's files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from turnout import _native
from turnout.assemble import capability_text
from turnout.catalog import PolicyNames, load_capabilities
from turnout.core import InputError
from turnout.files import check_lengths, file_errors, kind_of, read_table
from turnout.schema import check_name, did_you_mean, fail

TOOL_COLUMNS = ("tool_id", "tool_text")
QUERY_COLUMNS = ("query_id", "text", "relevant", "split")
NAMES = {"tool_text": "text"}  # what a column is called in a file where the caller does not say; else our own name
TRAIN = "train"
MIN_TRAIN = 20  # queries with a tool, so that each fold has some


@dataclass(frozen=True)
class Tools:
    """Tools and agents in the order of their file.

    Attributes
    ----------
    toml : bytes
        As `capability/capabilities.toml` holds them.
    ids, texts : list of str
        A text is what is embedded of a tool: its name as words, then its description.
    """

    toml: bytes
    ids: list[str]
    texts: list[str]


@dataclass(frozen=True)
class Queries:
    """Queries with the tools that fit them.

    Attributes
    ----------
    texts : list of str, [N]
    relevant : bool [N, T]
        A row without any: no tool fits the query.
    train : bool [N]
        Whether the row is of the split ``train``.
    """

    texts: list[str]
    relevant: npt.NDArray[np.bool_]
    train: npt.NDArray[np.bool_]

    def keep(self, mask: npt.NDArray[np.bool_]) -> Queries:
        """The rows where `mask` [N] is true."""
        texts = [self.texts[i] for i in np.flatnonzero(mask).tolist()]
        return Queries(texts, self.relevant[mask], self.train[mask])


def called(columns: Mapping[str, str] | None) -> dict[str, str]:
    """What each of our columns is called in the files.

    Raises
    ------
    InputError
        `columns` names one that we do not know.
    """
    known = (*TOOL_COLUMNS, *QUERY_COLUMNS)
    for ours in columns or {}:
        if ours not in known:
            raise fail(InputError, f"columns.{ours}", f"expected one of {', '.join(known)}{did_you_mean(ours, known)}")
    return {ours: (columns or {}).get(ours, NAMES.get(ours, ours)) for ours in known}


def at(path: Path, row: int, column: str) -> str:
    """Where a cell stands, for messages."""
    return f"{path}: row {row}, column {column!r}"


def _texts(path: Path, values: list[Any], column: str) -> list[str]:
    for row, value in enumerate(values):
        if not isinstance(value, str) or not value.strip():
            raise fail(InputError, at(path, row, column), f"expected a text, got {value!r}")
    check_lengths(values, path)
    return values


def _ids(path: Path, values: list[Any], column: str) -> list[str]:
    first: dict[str, int] = {}
    for row, value in enumerate(values):
        name = "" if value is None else str(value)
        check_name(name, at(path, row, column), InputError)
        seen = first.setdefault(name, row)
        if seen != row:
            raise fail(InputError, at(path, row, column), f"{name!r} stands in row {seen} too")
    return list(first)


# Tools ----------------------------------------------------------------------------------------------------------------


def _quoted(text: str) -> str:
    """A basic string of TOML; JSON's escapes are TOML's, but for U+007F."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def to_toml(ids: Sequence[str], descriptions: Sequence[str]) -> bytes:
    """`capabilities.toml` of tools without prices."""
    pairs = zip(ids, descriptions, strict=True)
    entries = (f'[[capabilities]]\nid = {_quoted(i)}\nkind = "tool"\ndescription = {_quoted(d)}\n' for i, d in pairs)
    return "\n".join(entries).encode()


def _described(capabilities: list[_native.Capability], toml: bytes) -> Tools:
    ids = [capability.id for capability in capabilities]
    return Tools(toml, ids, [capability_text(c.id, c.description) for c in capabilities])


def read_tools(path: str | Path, columns: Mapping[str, str] | None = None) -> Tools:
    """Tools from ``capabilities.toml``, or from a table (.csv, .jsonl, .parquet) of ``tool_id, text``.

    Raises
    ------
    InputError, ConfigError
        The file cannot be read, has no tools, an id twice, or an empty text; names the row and column.
    """
    path = Path(path)
    if kind_of(path) == ".toml":
        with file_errors(path, "read"):
            toml = path.read_bytes()
    else:
        name, text = (called(columns)[column] for column in TOOL_COLUMNS)
        table = read_table(path, [name, text])
        toml = to_toml(_ids(path, table[name], name), _texts(path, table[text], text))
    capabilities = load_capabilities(toml, PolicyNames(), str(path))
    if not capabilities:
        raise fail(InputError, str(path), "it has no tools")
    return _described(capabilities, toml)


# Queries --------------------------------------------------------------------------------------------------------------


def _names(value: Any, where: str) -> list[str]:
    """The ids of one cell: a list, a JSON list, or names with ``;`` between them."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except ValueError as error:
            raise fail(InputError, where, f"not a JSON list: {error}") from None
    elif isinstance(value, str):
        value = [name.strip() for name in value.split(";") if name.strip()]
    if not isinstance(value, list | None):
        raise fail(InputError, where, f"expected a list of tools, got {value!r}")
    return [str(name) for name in value or []]


def _relevant(path: Path, cells: list[Any], column: str, ids: list[str]) -> npt.NDArray[np.bool_]:
    number = {name: i for i, name in enumerate(ids)}
    out = np.zeros((len(cells), len(ids)), bool)
    for row, cell in enumerate(cells):
        for name in _names(cell, at(path, row, column)):
            if name not in number:
                where = at(path, row, column)
                raise fail(InputError, where, f"no tool is called {name!r}{did_you_mean(name, ids)}")
            out[row, number[name]] = True
    return out


def read_queries(path: str | Path, ids: list[str], columns: Mapping[str, str] | None = None) -> Queries:
    """Queries from a table (.csv, .jsonl, .parquet) of ``query_id, text, relevant`` and where known ``split``.

    Parameters
    ----------
    ids : list of str
        The tools that ``relevant`` may name, as a JSON list or with ``;`` between them. None: no tool fits.

    Raises
    ------
    InputError
        Names the file, and the row (from 0) and column where one is at fault. Without a column ``split`` all rows are
        for training.
    """
    path, name = Path(path), called(columns)
    required = [name[column] for column in ("query_id", "text", "relevant")]
    table = read_table(path, required, [name["split"]])
    _ids(path, table[name["query_id"]], name["query_id"])
    texts = _texts(path, table[name["text"]], name["text"])
    relevant = _relevant(path, table[name["relevant"]], name["relevant"], ids)
    splits = table.get(name["split"], [TRAIN] * len(texts))
    train = np.array([split == TRAIN for split in splits], bool)
    found = int((train & relevant.any(1)).sum())
    if found < MIN_TRAIN:
        what = f"expected at least {MIN_TRAIN} queries of the split {TRAIN!r} that name a tool, got {found}"
        raise fail(InputError, str(path), what)
    return Queries(texts, relevant, train)
