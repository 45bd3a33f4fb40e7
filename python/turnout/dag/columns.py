"""Columns from what callers have: arrays of exactly the right dtype pass, sequences are read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turnout.core import InputError
from turnout.schema import fail

COUPLING: Mapping[str, float] = {"none": 0.0, "weak": 0.25, "strong": 0.75}
"""What the labels of an edge stand for; both thresholds of `choose_topology` lie between weak and strong."""


def column(values: Sequence[Any] | NDArray[Any] | None, dtype: type, path: str) -> NDArray[Any] | None:
    """An array as it is, for the core to check, or a sequence as an array."""
    if values is None or isinstance(values, np.ndarray):
        return values
    try:
        kind = np.asarray(values).dtype.kind
        if kind in ("USf" if issubclass(dtype, np.integer) else "US") and np.size(values):
            raise TypeError("got text" if kind in "US" else "got fractions, or integers beyond 64 bits")
        return np.array(values, dtype=dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise fail(InputError, path, f"expected {np.dtype(dtype).name}: {error}") from None


def floats(values: Any, path: str) -> NDArray[np.float64] | None:
    """A column or a matrix of numbers."""
    return column(values, np.float64, path)


def edge_rows(edges: Iterable[tuple[int, int]] | NDArray[np.int32]) -> NDArray[np.int32]:
    """int32[E, 2]: (from, to) a row."""
    if isinstance(edges, np.ndarray):
        return edges
    rows = column(list(edges), np.int32, "edges")
    assert rows is not None
    return rows.reshape(0, 2) if rows.size == 0 else rows


def coupling(value: float | str, path: str = "coupling") -> float:
    """A number, or the one that a label stands for."""
    if not isinstance(value, str):
        return value
    if value not in COUPLING:
        raise fail(InputError, path, f"expected a number in [0, 1] or one of {', '.join(COUPLING)}, got {value!r}")
    return COUPLING[value]
