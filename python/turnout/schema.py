"""Decoding of text from outside into typed structs, with the path to the culprit in every error."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec

from turnout.core import ConfigError, TurnoutError

T = TypeVar("T")

_AT = re.compile(r"^(?P<what>.*) - at `\$(?P<at>.*)`$", re.DOTALL)


def fail(kind: type[TurnoutError], path: str, message: str) -> TurnoutError:
    """An error of `kind` that names `path`, to be raised by the caller."""
    error = kind(f"{path}: {message}" if path else message)
    error.path = path
    return error


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The names of `known` that look like `name`, as the end of a message; empty where none does."""
    import difflib  # only an error needs it

    close = difflib.get_close_matches(name, list(known), n=3)
    return f"; did you mean {' or '.join(map(repr, close))}?" if close else ""


def check_name(name: str, path: str, kind: type[TurnoutError] = ConfigError) -> None:
    """Raises unless `name` can stand in a log line: not blank, no control characters, no half of a character."""
    if not name.strip() or not name.isprintable():
        raise fail(kind, path, f"expected a name of printable characters, got {name!r}")


def _shown(value: float) -> str:
    try:
        return f"{value:g}"
    except OverflowError:  # an integer beyond every float
        return "an integer of more than 300 digits"


def check_positive(value: float, path: str) -> None:
    """Raises a ConfigError unless `value` > 0."""
    if not value > 0:
        raise fail(ConfigError, path, f"expected a number > 0, got {_shown(value)}")


def check_at_most(value: float, limit: float, path: str, hint: str = "") -> None:
    """Raises a ConfigError, which ends with `hint`, if `value` is beyond `limit`. NaN passes: the core refuses it."""
    if value > limit:
        raise fail(ConfigError, path, f"expected at most {limit:g}, got {_shown(value)}{hint}")


def _explain(error: msgspec.ValidationError, root: str, kind: type[TurnoutError]) -> TurnoutError:
    match = _AT.match(str(error))
    what, at = (match["what"], match["at"]) if match else (str(error), "")
    return fail(kind, root + at, what[:1].lower() + what[1:].replace("`", ""))


def convert(data: Any, cls: type[T], root: str, kind: type[TurnoutError] = ConfigError) -> T:
    """Checks plain data (dicts, lists, numbers) against the struct `cls`.

    Raises
    ------
    TurnoutError
        Of `kind`; its path starts with `root`, as in ``pool.llms[2].usd_per_mtok_in``.
    """
    try:
        return msgspec.convert(data, cls)
    except msgspec.ValidationError as error:
        raise _explain(error, root, kind) from None


def from_toml(data: bytes, cls: type[T], root: str, kind: type[TurnoutError] = ConfigError) -> T:
    """Decodes TOML into the struct `cls`; see `convert`. A byte order mark, as some editors write it, is skipped."""
    try:
        plain = tomllib.loads(data.decode("utf-8-sig"))
    except ValueError as error:  # of the encoding, the syntax, or an integer of thousands of digits
        raise fail(kind, root, f"not a TOML file: {error}") from None
    return convert(plain, cls, root, kind)


def from_json(data: bytes, cls: type[T], root: str, kind: type[TurnoutError] = ConfigError) -> T:
    """Decodes JSON into the struct `cls`; see `convert`."""
    try:
        return msgspec.json.decode(data, type=cls)
    except msgspec.ValidationError as error:
        raise _explain(error, root, kind) from None
    except msgspec.DecodeError as error:
        raise fail(kind, root, f"not a JSON file: {error}") from None
    except RecursionError:
        raise fail(kind, root, "nested too deeply") from None
