"""Changes to a pool's TOML file that keep its comments and its order, shown as a diff before anything is written."""

from __future__ import annotations

import datetime
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Table, Whitespace

from turnout.core import ConfigError
from turnout.files import replacing
from turnout.learned import Learned
from turnout.pool import LlmEntry, Pool, Routing
from turnout.schema import fail, from_toml

BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True)
class PoolFile:
    """A pool's file as it is, and as it is to be.

    Attributes
    ----------
    path : Path
    before, after : str
        The texts, lines ended by a newline alone.
    line_end, mark : str
        How the file ends its lines; its byte order mark, if it has one.
    """

    path: Path
    before: str
    after: str
    line_end: str = "\n"
    mark: str = ""

    @staticmethod
    def read(path: str | Path) -> PoolFile:
        """Reads a file to change it.

        Raises
        ------
        ConfigError
            It cannot be read, is no pool, or is written in a way that cannot be changed without moving its comments.
        """
        path = Path(path)
        pool = Pool.load(path)  # says what is wrong with a field
        text = path.read_bytes().decode("utf-8")
        mark = BYTE_ORDER_MARK if text.startswith(BYTE_ORDER_MARK) else ""
        text = text.removeprefix(mark)
        line_end = "\r\n" if "\r\n" in text else "\n"
        text = text.replace("\r\n", "\n")
        _check_shape(text, pool, str(path))
        return PoolFile(path, text, text, line_end, mark)

    @property
    def pool(self) -> Pool:
        """What the file is to say."""
        return _pool(self.after, str(self.path))

    def add(self, llm: LlmEntry) -> PoolFile:
        """With one LLM more, after the others.

        Raises
        ------
        ConfigError
            There is one of its id.
        """
        expected = self.pool.add(llm)
        document = self._document()
        llms: Any = document["llms"]
        block = "[[llms]]\n" + "".join(f"{key} = {_literal(value)}\n" for key, value in _fields(llm).items())
        fresh: Any = tomlkit.parse(block)["llms"]
        fresh[0].value.body.extend(_cut_end(llms[-1]))  # what leads to a table that follows stays before that
        _last_body(llms[-1]).append((None, Whitespace("\n")))
        llms.append(fresh[0])
        return self._changed(tomlkit.dumps(document), expected)

    def set(self, id: str, fields: Mapping[str, Any]) -> PoolFile:
        """With these fields of one LLM; a field that is None is removed.

        Raises
        ------
        ConfigError
            No LLM is called `id`.
        """
        pool = self.pool
        at = pool.index(id)
        llms = [*pool.llms]
        llms[at] = msgspec.structs.replace(llms[at], **fields)
        document = self._document()
        table: Any = document["llms"][at]
        for key, value in fields.items():
            _put(table, key, value)
        return self._changed(tomlkit.dumps(document), msgspec.structs.replace(pool, llms=llms))

    def set_value_usd(self, value_usd: float) -> PoolFile:
        """With this ``value_usd`` in ``[routing]``."""
        document = self._document()
        if "routing" in document:
            _put(document["routing"], "value_usd", value_usd)
            text = tomlkit.dumps(document)
        else:
            text = f"{self.after.rstrip()}\n\n[routing]\nvalue_usd = {_literal(value_usd)}\n"
        return self._changed(text, msgspec.structs.replace(self.pool, routing=Routing(value_usd)))

    def diff(self) -> str:
        """The change as a unified diff; empty where there is none."""
        import difflib

        old, new = self.before.splitlines(keepends=True), self.after.splitlines(keepends=True)
        lines = difflib.unified_diff(old, new, str(self.path), str(self.path))
        return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)

    def write(self) -> None:
        """Puts the change in the file's place, whole or not at all.

        Raises
        ------
        InputError
            The file cannot be written.
        """
        with replacing(self.path) as target:
            target.write_bytes((self.mark + self.after.replace("\n", self.line_end)).encode())

    def _document(self) -> Any:
        return tomlkit.parse(self.after if self.after.endswith("\n") else self.after + "\n")

    def _changed(self, text: str, expected: Pool) -> PoolFile:
        if _pool(text, str(self.path)) != expected or not _comments(self.after) <= _comments(text):
            raise fail(ConfigError, str(self.path), "cannot be changed in place; change it by hand")
        return replace(self, after=text)


def _pool(text: str, path: str) -> Pool:
    return from_toml(text.encode(), Pool, path)


def _check_shape(text: str, pool: Pool, path: str) -> None:
    """Raises unless the LLMs are [[llms]] tables in one run, which is what tomlkit writes back as it was."""
    if not pool.llms:
        raise fail(ConfigError, f"{path}: llms", "expected at least one LLM, got none")
    try:
        document = tomlkit.parse(text)
        whole = isinstance(document["llms"], AoT) and tomlkit.dumps(document) == text
    except TOMLKitError as error:
        raise fail(ConfigError, path, f"cannot be changed in place: {error}") from None
    if not whole or not isinstance(document.get("routing", tomlkit.table()), Table):
        raise fail(
            ConfigError, path, "cannot be changed in place: write each LLM as [[llms]], all before a table [routing]"
        )


def _last_body(table: Any) -> list[Any]:
    """The entries of a table, or of its last sub-table: the ones that end it."""
    body: list[Any] = table.value.body
    while body and isinstance(body[-1][1], Table):
        body = body[-1][1].value.body
    return body


def _cut_end(table: Any) -> list[Any]:
    """Takes off what ends a table from its first blank line after the last key on: comments there lead to the next."""
    body = _last_body(table)
    end = len(body)
    while end and body[end - 1][0] is None:
        end -= 1
    while end < len(body) and not isinstance(body[end][1], Whitespace):
        end += 1
    rest = body[end:]
    del body[end:]
    return rest


def _put(table: Any, key: str, value: Any) -> None:
    """Sets a key in its place, or at the table's end; None removes it."""
    rest = _cut_end(table)
    if value is None or isinstance(table.get(key), Table):
        table.pop(key, None)
    if value is not None:
        item = tomlkit.parse(f"{key} = {_literal(value)}\n")[key]
        if key in table:
            table[key] = item
        else:
            table.append(key, item)
    _last_body(table).extend(rest)


def _comments(text: str) -> Counter[str]:
    """Lines that are comments alone."""
    return Counter(line.strip() for line in text.splitlines() if line.lstrip().startswith("#"))


FIRST = ("id", "ability", "like", "scores")  # of an entry's keys; the others come as `LlmEntry` has them


def _fields(llm: LlmEntry) -> dict[str, Any]:
    """What of an entry is worth writing: all but defaults; what was learned last."""
    fields = {field.name: field for field in msgspec.structs.fields(llm)}
    names = dict.fromkeys([*FIRST, *(name for name in fields if name != "learned"), "learned"])
    return {
        name: getattr(llm, name)
        for name in names
        if fields[name].required or getattr(llm, name) != _default(fields[name])
    }


def _default(field: msgspec.structs.FieldInfo) -> Any:
    factory: Any = field.default_factory
    return field.default if factory is msgspec.NODEFAULT else factory()


def _literal(value: Any) -> str:
    """A value as TOML."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, Learned):
        return _learned(value)
    if isinstance(value, dict):
        return (
            "{ " + ", ".join(f"{json.dumps(k) if not _bare(k) else k} = {_literal(v)}" for k, v in value.items()) + " }"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(_literal, value)) + "]"
    return repr(value)


def _bare(key: str) -> bool:
    return key.isascii() and key.replace("_", "").replace("-", "").isalnum()


def _learned(value: Learned) -> str:
    """One inline table; the triangle has a line a row."""
    names = ("ability", "ability_se", "outcomes", "bundle", "skill")
    parts = [f"{name} = {_literal(getattr(value, name))}" for name in names]
    if value.covariance is not None:
        rows: list[str] = []
        start = 0
        while start < len(value.covariance):
            row = value.covariance[start : start + len(rows) + 1]
            rows.append("  " + ", ".join(map(repr, row)) + ",\n")
            start += len(row)
        parts.append("covariance = [\n" + "".join(rows) + "]")
    return "{ " + ", ".join(parts) + " }"
