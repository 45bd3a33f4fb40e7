"""Files of rows: CSV, JSON lines, Parquet."""

from __future__ import annotations

import csv
import gzip
import io
import os
import shutil
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from turnout.core import InputError, TurnoutError
from turnout.schema import fail

MAX_TEXT_BYTES = 1 << 20  # of one query
csv.field_size_limit(1 << 24)

Table = dict[str, list[Any]]
"""Columns by name, all as long; a cell is as the file has it: text of CSV, None or \"\" where there is none."""


def kind_of(path: Path) -> str:
    """Its suffix in lower case, without that of compression."""
    return Path(path.stem).suffix.lower() if is_compressed(path) else path.suffix.lower()


def is_compressed(path: Path) -> bool:
    return path.suffix.lower() == ".gz"


def open_text(path: Path, mode: str = "rt") -> io.TextIOWrapper:
    """Opens a text file, compressed if its name ends in ``.gz``; skips a byte order mark, as spreadsheets write."""
    opener: Any = gzip.open if is_compressed(path) else open
    encoding = "utf-8-sig" if mode == "rt" else "utf-8"
    return opener(path, mode, encoding=encoding, errors="replace", newline="")  # type: ignore[no-any-return]


@contextmanager
def file_errors(path: Path, what: str) -> Iterator[None]:
    """What goes wrong with a file becomes an InputError that names it."""
    try:
        yield
    except EOFError:
        raise fail(InputError, str(path), f"cannot be {what}: its compressed data end too early") from None
    except (OSError, zlib.error, csv.Error) as error:
        why = getattr(error, "strerror", None) or error
        raise fail(InputError, str(path), f"cannot be {what}: {why}") from None


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A place to write a file that becomes `path` at the end, whole or not at all: after an error or an interruption
    `path` is as it was.

    Raises
    ------
    InputError
        `path` cannot be written; raised before anything is, where that can be known.
    """
    whole = path.resolve()  # a link stays, what it leads to is replaced
    if whole.exists() and not whole.is_file():
        what = "Is a directory" if whole.is_dir() else "not a regular file"
        raise fail(InputError, str(path), f"cannot be written: {what}")
    with file_errors(path, "written"):
        folder = tempfile.TemporaryDirectory(prefix=".turnout-", dir=whole.parent)
    with folder as name:
        part = Path(name) / whole.name
        yield part
        with file_errors(path, "written"):
            if whole.exists():
                shutil.copymode(whole, part)
            os.replace(part, whole)


def same_file(a: Path, b: Path) -> bool:
    """Whether two paths lead to one file that exists."""
    try:
        return a.samefile(b)
    except OSError:
        return False


def import_pyarrow(path: Path) -> Any:
    """pyarrow with Parquet, or an error that says how to get it."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise fail(InputError, str(path), "Parquet needs pyarrow: pip install 'turnout[data]'") from None
    return pyarrow


def _missing(path: Path, column: str, have: list[str]) -> TurnoutError:
    known = f"it has {', '.join(have)}" if have else "the file is empty"
    return fail(InputError, str(path), f"no column {column!r}; {known}")


def _present(path: Path, have: list[str], required: Sequence[str], optional: Sequence[str]) -> list[str]:
    for column in required:
        if column not in have:
            raise _missing(path, column, have)
    return [*required, *(column for column in optional if column in have)]


def _csv_table(path: Path, required: Sequence[str], optional: Sequence[str]) -> Table:
    with open_text(path) as file:
        reader = csv.reader(file)
        header = next(reader, [])
        names = _present(path, header, required, optional)
        rows = [row for row in reader if row]
    longest = max((header.index(name) for name in names), default=0) + 1
    rows = [row if len(row) >= longest else row + [""] * longest for row in rows]
    return {name: [row[at] for row in rows] for name, at in ((name, header.index(name)) for name in names)}


def _jsonl_table(path: Path, required: Sequence[str], optional: Sequence[str]) -> Table:
    rows = []
    for where, row in _json_lines(path):
        if not isinstance(row, dict):
            raise fail(InputError, where, "expected an object")
        rows.append(row)
    names = _present(path, list(dict.fromkeys(key for row in rows for key in row)), required, optional)
    return {name: [row.get(name) for row in rows] for name in names}


def _parquet_table(path: Path, required: Sequence[str], optional: Sequence[str]) -> Table:
    pyarrow = import_pyarrow(path)
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            names = _present(path, file.schema_arrow.names, required, optional)
            table = file.read(columns=names)
            return {name: table[name].to_pylist() for name in names}
    except pyarrow.ArrowException as error:
        raise fail(InputError, str(path), f"cannot be read: {str(error).splitlines()[0]}") from None


TABLES = {".csv": _csv_table, ".jsonl": _jsonl_table, ".parquet": _parquet_table}


def read_table(path: Path, required: Sequence[str], optional: Sequence[str] = ()) -> Table:
    """Columns of a .csv, .jsonl (both may be .gz) or .parquet file; of the `optional` ones those that it has.

    Raises
    ------
    InputError
        The file cannot be read or lacks a required column.
    """
    with file_errors(path, "read"):
        table: Table = _reader(path, TABLES)(path, required, optional)
    return table


def _read_csv(path: Path, column: str) -> list[str]:
    return _csv_table(path, [column], [])[column]


def _json_lines(path: Path) -> Iterator[tuple[str, Any]]:
    """Where each JSON value stands, and the value."""
    with open_text(path) as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                yield f"{path}:{number}", msgspec.json.decode(line)
            except msgspec.DecodeError as error:
                raise fail(InputError, f"{path}:{number}", f"not JSON: {error}") from None


def _text_of(row: Any, column: str, where: str) -> str:
    text = row.get(column) if isinstance(row, dict) else row
    if not isinstance(text, str):
        raise fail(InputError, where, f"expected a string, or an object with a string {column!r}")
    return text


def _read_jsonl(path: Path, column: str) -> list[str]:
    return [_text_of(row, column, where) for where, row in _json_lines(path)]


def _read_parquet(path: Path, column: str) -> list[str]:
    pyarrow = import_pyarrow(path)
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            if column not in file.schema_arrow.names:
                raise _missing(path, column, file.schema_arrow.names)
            texts = file.read(columns=[column])[column]
            return [text or "" for text in texts.cast(pyarrow.large_string()).to_pylist()]
    except pyarrow.ArrowException as error:
        raise fail(InputError, str(path), f"cannot be read: {str(error).splitlines()[0]}") from None


READERS = {".csv": _read_csv, ".jsonl": _read_jsonl, ".parquet": _read_parquet}


def _reader(path: Path, readers: dict[str, Any]) -> Any:
    reader = readers.get(kind_of(path))
    if reader is None:
        raise fail(InputError, str(path), f"expected a file of {', '.join(readers)}, got {kind_of(path)!r}")
    return reader


def check_lengths(texts: list[str], path: Path) -> None:
    """Raises an InputError that names the row of a text of more than 1 MiB."""
    for row, text in enumerate(texts):
        if len(text) * 4 <= MAX_TEXT_BYTES:
            continue
        size = len(text.encode("utf-8", "surrogatepass"))
        if size > MAX_TEXT_BYTES:
            raise fail(InputError, f"{path}: row {row}", f"expected at most {MAX_TEXT_BYTES} bytes, got {size}")


def read_column(path: Path, column: str) -> list[str]:
    """The texts of one column of a .csv, .jsonl (both may be .gz) or .parquet file.

    Raises
    ------
    InputError
        The file cannot be read, lacks the column, or holds a text of more than 1 MiB; names the file and the row.
    """
    reader = _reader(path, READERS)
    with file_errors(path, "read"):
        texts: list[str] = reader(path, column)
    check_lengths(texts, path)
    return texts
