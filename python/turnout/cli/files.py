"""Files of queries and of decisions: CSV, JSON lines, Parquet."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path
from typing import Any

import msgspec

from turnout import _native
from turnout.core import InputError
from turnout.schema import fail

csv.field_size_limit(1 << 24)


def _open_text(path: Path) -> io.TextIOWrapper:
    opener: Any = gzip.open if path.suffix == ".gz" else open
    try:
        return opener(path, "rt", encoding="utf-8", errors="replace", newline="")  # type: ignore[no-any-return]
    except OSError as error:
        raise fail(InputError, str(path), f"cannot be read: {error.strerror}") from None


def _pyarrow(path: Path) -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise fail(InputError, str(path), "Parquet needs pyarrow: pip install 'turnout[data]'") from None
    return pyarrow


def _missing(path: Path, column: str, have: list[str]) -> Exception:
    return fail(InputError, str(path), f"no column {column!r}; it has {have}")


def _read_csv(path: Path, column: str) -> list[str]:
    with _open_text(path) as file:
        reader = csv.DictReader(file)
        if column not in (reader.fieldnames or []):
            raise _missing(path, column, list(reader.fieldnames or []))
        return [row[column] or "" for row in reader]


def _read_jsonl(path: Path, column: str) -> list[str]:
    texts = []
    with _open_text(path) as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = msgspec.json.decode(line)
            except msgspec.DecodeError as error:
                raise fail(InputError, f"{path}:{number}", f"not JSON: {error}") from None
            if isinstance(row, str):
                texts.append(row)
            elif isinstance(row, dict) and isinstance(row.get(column), str):
                texts.append(row[column])
            else:
                raise fail(InputError, f"{path}:{number}", f"expected a string, or an object with a string {column!r}")
    return texts


def _read_parquet(path: Path, column: str) -> list[str]:
    pyarrow = _pyarrow(path)
    try:
        table = pyarrow.parquet.read_table(path)
    except (OSError, pyarrow.ArrowInvalid) as error:
        raise fail(InputError, str(path), f"cannot be read: {error}") from None
    if column not in table.column_names:
        raise _missing(path, column, table.column_names)
    return [text or "" for text in table[column].cast(pyarrow.string()).to_pylist()]


def _kind(path: Path) -> str:
    return Path(path.stem).suffix if path.suffix == ".gz" else path.suffix


def read_column(path: Path, column: str) -> list[str]:
    """The texts of one column of a .csv, .jsonl (both may be .gz) or .parquet file.

    Raises
    ------
    InputError
        The file cannot be read or lacks the column; names the file and, in JSON lines, the line.
    """
    readers = {".csv": _read_csv, ".jsonl": _read_jsonl, ".parquet": _read_parquet}
    if _kind(path) not in readers:
        raise fail(InputError, str(path), f"expected one of {sorted(readers)}, got {_kind(path)!r}")
    return readers[_kind(path)](path, column)


COLUMNS = "llm operators tool difficulty depth calls p_correct usd usd_bound seconds utility feasible reasons".split()


def _records(batches: list[_native.DecisionBatch]) -> list[dict[str, Any]]:
    records = []
    for batch in batches:
        for i in range(len(batch)):
            decision = batch[i].to_dict()
            operators = list(dict.fromkeys((node["layer"], node["operator"]) for node in decision["plan"]))
            row = {name: decision.get(name) for name in COLUMNS}
            row["operators"] = " > ".join(name for _, name in operators)
            row["tool"] = decision["tools"][0][0] if decision["tools"] else None
            row["calls"] = sum(node["calls"] for node in decision["plan"])
            row["reasons"] = ", ".join(decision["reasons"])
            records.append(row)
    return records


def write_batches(path: Path, batches: list[_native.DecisionBatch]) -> None:
    """Writes one row a Decision to a .csv, .jsonl or .parquet file.

    Raises
    ------
    InputError
        Another kind of file, or Parquet without pyarrow.
    """
    if path.suffix == ".parquet":
        pyarrow = _pyarrow(path)
        tables = [pyarrow.table(batch) for batch in batches]
        pyarrow.parquet.write_table(pyarrow.concat_tables(tables) if tables else pyarrow.table({}), path)
    elif path.suffix == ".jsonl":
        path.write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in _records(batches)))
    elif path.suffix == ".csv":
        with open(path, "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(_records(batches))
    else:
        raise fail(InputError, str(path), f"expected .csv, .jsonl or .parquet, got {path.suffix!r}")
