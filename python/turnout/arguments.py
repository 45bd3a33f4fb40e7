"""What is wrong with a call of the native router that it could not read: found after the fact, so that good calls pay
nothing for it."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

from turnout.core import InputError
from turnout.schema import fail

MAX_SEED = 2**64 - 1
_MAX_TOKENS = 2**31 - 1
_MAX_TOOLS = 8
_MAX_THREADS = 2**31 - 1

_NUMBERS = ("value_usd", "usd_per_second")
_LIMITS = ("budget_usd", "max_seconds")
_COUNTS = {"seed": (0, MAX_SEED), "in_tokens": (0, _MAX_TOKENS)}  # or None
_SIZES = {"tools": (0, _MAX_TOOLS), "threads": (1, _MAX_THREADS)}


def _wrong_type(name: str, expected: str, value: object) -> TypeError:
    return TypeError(f"{name}: expected {expected}, got {type(value).__name__} {value!r}")


def _wrong_number(name: str, value: object, optional: bool) -> Exception | None:
    if isinstance(value, numbers.Real) or (optional and value is None):
        return None
    return _wrong_type(name, "a number or None" if optional else "a number", value)


def _wrong_count(name: str, value: object, span: tuple[int, int], optional: bool) -> Exception | None:
    if optional and value is None:
        return None
    if not isinstance(value, int | np.integer):
        return _wrong_type(name, "an int or None" if optional else "an int", value)
    if not span[0] <= value <= span[1]:
        return fail(InputError, name, f"expected {span[0]} to {span[1]}, got {value}")
    return None


def wrong_option(**options: Any) -> Exception | None:
    """The first option that is of no use, as the error to raise; None where all can be read."""
    for name, value in options.items():
        error: Exception | None = None
        if name in _NUMBERS or name in _LIMITS:
            error = _wrong_number(name, value, optional=name in _LIMITS)
        elif name in _COUNTS:
            error = _wrong_count(name, value, _COUNTS[name], optional=True)
        elif name in _SIZES:
            error = _wrong_count(name, value, _SIZES[name], optional=False)
        if error is not None:
            return error
    return None
