"""Files of queries: CSV, JSON lines, Parquet."""

from __future__ import annotations

import csv
import gzip
import io
import os
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from turnout.core import InputError, TurnoutError
from turnout.schema import fail

MAX_TEXT_BYTES = 1 << 20  # of one query
csv.field_size_limit(1 << 24)


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


def _read_csv(path: Path, column: str) -> list[str]:
    with open_text(path) as file:
        reader = csv.DictReader(file)
        if column not in (reader.fieldnames or []):
            raise _missing(path, column, list(reader.fieldnames or []))
        return [row[column] or "" for row in reader]


def _text_of(row: Any, column: str, where: str) -> str:
    text = row.get(column) if isinstance(row, dict) else row
    if not isinstance(text, str):
        raise fail(InputError, where, f"expected a string, or an object with a string {column!r}")
    return text


def _read_jsonl(path: Path, column: str) -> list[str]:
    texts = []
    with open_text(path) as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = msgspec.json.decode(line)
            except msgspec.DecodeError as error:
                raise fail(InputError, f"{path}:{number}", f"not JSON: {error}") from None
            texts.append(_text_of(row, column, f"{path}:{number}"))
    return texts


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


def _check_lengths(texts: list[str], path: Path) -> None:
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
    reader = READERS.get(kind_of(path))
    if reader is None:
        raise fail(InputError, str(path), f"expected a file of {', '.join(READERS)}, got {kind_of(path)!r}")
    with file_errors(path, "read"):
        texts = reader(path, column)
    _check_lengths(texts, path)
    return texts
