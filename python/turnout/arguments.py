"""Which option the native router could not read: found after the fact, so that good calls pay nothing for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from turnout._native import Account
from turnout.core import InputError
from turnout.schema import fail

Check = Callable[[str, object], Exception | None]

_MAX_INT = 2**31 - 1


def _wrong_type(name: str, expected: str, value: object) -> TypeError:
    return TypeError(f"{name}: expected {expected}, got {type(value).__name__} {value!r}")


def wrong_number(name: str, value: object, optional: bool = False) -> Exception | None:
    """The error of a value that is no number."""
    if isinstance(value, int | float | np.number) or (optional and value is None):
        return None
    return _wrong_type(name, "a number or None" if optional else "a number", value)


def _wrong_count(name: str, value: object, least: int, most: int, optional: bool = False) -> Exception | None:
    if optional and value is None:
        return None
    if not isinstance(value, int | np.integer):
        return _wrong_type(name, "an int or None" if optional else "an int", value)
    if not least <= value <= most:
        return fail(InputError, name, f"expected {least} to {most}, got {value}")
    return None


def _fine(name: str, value: object) -> None:
    """Checked by who made it."""


def _wrong_account(name: str, value: object) -> Exception | None:
    if value is None or isinstance(value, Account):
        return None
    return _wrong_type(name, "an account of turnout.budget.Ledger or None", value)


# In the order of the native router's tuple.
_CHECKS: tuple[tuple[str, Check], ...] = (
    ("value_usd", wrong_number),
    ("budget_usd", partial(wrong_number, optional=True)),
    ("max_seconds", partial(wrong_number, optional=True)),
    ("in_tokens", partial(_wrong_count, least=0, most=_MAX_INT, optional=True)),
    ("statistic", _fine),
    ("constraints", _fine),
    ("seed", partial(_wrong_count, least=0, most=2**64 - 1, optional=True)),
    ("tools", partial(_wrong_count, least=0, most=8)),
    ("usd_per_second", wrong_number),
    ("max_calls", partial(_wrong_count, least=0, most=2**63 - 1, optional=True)),
    ("max_tokens", partial(wrong_number, optional=True)),
    ("telemetry", _fine),
    ("account", _wrong_account),
    ("ttl", wrong_number),
    ("learning", _fine),
)


def wrong_option(options: Sequence[object]) -> Exception | None:
    """The first option that cannot be read, as the error to raise; None where all can be."""
    found = (check(name, value) for (name, check), value in zip(_CHECKS, options, strict=True))
    return next((error for error in found if error is not None), None)


def wrong_threads(threads: object) -> Exception | None:
    """The same for a number of threads."""
    return _wrong_count("threads", threads, 1, _MAX_INT)
