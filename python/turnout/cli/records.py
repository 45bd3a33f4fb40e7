"""Files of decisions: CSV, JSON lines, Parquet, with the same columns everywhere."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import msgspec

from turnout import _native
from turnout.cli.output import operators_of
from turnout.core import InputError
from turnout.files import import_pyarrow, is_compressed, kind_of, open_text
from turnout.schema import fail

NUMBERS = "difficulty depth calls p_correct usd usd_bound seconds utility".split()
COLUMNS = ("file", "row", "llm", "operators", "tool", *NUMBERS, "feasible", "reasons")
KINDS = (".csv", ".jsonl", ".parquet")


class Part(NamedTuple):
    """Decisions of consecutive rows of a file, from row `start` on."""

    file: str
    start: int
    batch: _native.DecisionBatch


def check_kind(path: Path) -> None:
    """Raises an InputError unless `write_parts` can write such a file; asked before the work is done."""
    if kind_of(path) not in KINDS or (kind_of(path) == ".parquet" and is_compressed(path)):
        raise fail(InputError, str(path), f"expected a file of {', '.join(KINDS)}, got {kind_of(path)!r}")
    if not path.parent.is_dir():
        raise fail(InputError, str(path), "cannot be written: no such folder")
    if kind_of(path) == ".parquet":
        import_pyarrow(path)


def _rows(part: Part) -> Iterator[dict[str, Any]]:
    batch = part.batch
    columns = {name: getattr(batch, name).tolist() for name in NUMBERS}
    for i in range(len(batch)):
        decision = batch[i]
        yield {
            "file": part.file,
            "row": part.start + i,
            "llm": decision.llm,
            "operators": " > ".join(operators_of(decision)),
            "tool": decision.tools[0][0] if decision.tools else None,
            **{name: values[i] for name, values in columns.items()},
            "feasible": decision.feasible,
            "reasons": ", ".join(decision.reasons),
        }


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.9g}" if isinstance(value, float) else value


def write_csv(file: TextIO, parts: list[Part]) -> None:
    """Writes a header and one line a decision; numbers with nine digits."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for part in parts:
        writer.writerows([_cell(value) for value in row.values()] for row in _rows(part))


def write_jsonl(file: TextIO, parts: list[Part]) -> None:
    """Writes one JSON object a decision, each on its line."""
    for part in parts:
        file.writelines(msgspec.json.encode(row).decode() + "\n" for row in _rows(part))


def _write_parquet(path: Path, parts: list[Part]) -> None:
    pyarrow = import_pyarrow(path)
    tables = []
    for part in parts:
        rows = range(part.start, part.start + len(part.batch))
        table = pyarrow.table(part.batch).add_column(0, "row", pyarrow.array(rows, pyarrow.int64()))
        tables.append(table.add_column(0, "file", pyarrow.array([part.file] * len(rows), pyarrow.string())))
    pyarrow.parquet.write_table(pyarrow.concat_tables(tables), path)


def write_parts(path: Path, parts: list[Part]) -> None:
    """Writes one row a decision to a .csv, .jsonl (both may be .gz) or .parquet file that `check_kind` has passed."""
    if kind_of(path) == ".parquet":
        _write_parquet(path, parts)
        return
    with open_text(path, "wt") as file:
        (write_csv if kind_of(path) == ".csv" else write_jsonl)(file, parts)
