"""Replays logged decisions: with the state that each of them read, or over another bundle, pool or configuration."""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import msgspec

from turnout import _native
from turnout.core import InputError
from turnout.learning import Learning, native_learner
from turnout.router import Router
from turnout.schema import fail
from turnout.state import read_history

_HEAD, _ARM, _NOTE = 1, 2, 7
_FRAME = struct.Struct("<IIB")  # length of the payload, its CRC-32C, type
_SETTINGS = b"learning"  # begins the note of ticket 0: how it was learned


class Replayed(NamedTuple):
    """A logged decision beside the same question asked again."""

    ticket: int
    recorded: _native.Decision
    again: _native.Decision

    @property
    def identical(self) -> bool:
        """To the last bit, but for names of bundles."""
        return _plain(self.recorded) == _plain(self.again)

    @property
    def same_plan(self) -> bool:
        """Operators, LLMs and order."""
        return _plan(self.recorded) == _plan(self.again)


@dataclass
class Log:
    """What a replay needs of a feedback log.

    Attributes
    ----------
    records : list of bytes
        In order; each can be applied by itself.
    notes : dict
        Of each state version: (ticket, note) of the decisions that read it.
    dim, space, replica
        Of the memory that wrote it.
    learning : Learning or None
        As logged last.
    torn_bytes : int
        That were not written to their end.
    """

    records: list[bytes]
    notes: dict[int, list[tuple[int, bytes]]]
    dim: int
    space: str
    replica: int
    learning: Learning | None
    torn_bytes: int


def _plain(decision: _native.Decision) -> dict[str, object]:
    said = decision.to_dict()
    for name in ("ticket", "microseconds", "bundle", "bundle_version"):
        del said[name]
    return said


def _plan(decision: _native.Decision) -> list[tuple[str, str, tuple[int, ...]]]:
    return [(node.operator, node.llm, node.depends_on) for node in decision.plan]


def _frames(chunk: bytes) -> Iterator[tuple[int, bytes, memoryview]]:
    """(type, whole record, payload)."""
    at, view = 0, memoryview(chunk)
    while at + _FRAME.size <= len(chunk):
        length, _, kind = _FRAME.unpack_from(chunk, at)
        end = at + _FRAME.size + length
        yield kind, chunk[at:end], view[at + _FRAME.size : end]
        at = end


def read(folder: str | Path) -> Log:
    """The decisions that a state folder's log still has.

    Raises
    ------
    InputError
        None is there: decisions are logged with ``Learning(log="vectors")`` or ``"texts"``.
    StoreError
        There is no such folder, or a file cannot be read.
    """
    history = read_history(folder)
    log = Log([], defaultdict(list), 0, "", 0, None, 0)
    for chunk in history.log:
        _read_chunk(chunk, log)
    log.torn_bytes = history.torn_bytes
    if not log.notes:
        raise fail(InputError, str(folder), 'no decision is logged: learn with log="vectors" or log="texts"')
    return log


def _read_chunk(chunk: bytes, log: Log) -> None:
    before = b""  # head and names, which every record needs
    for kind, record, payload in _frames(chunk):
        if kind == _HEAD:
            before = record
            _, log.dim, log.replica = struct.unpack_from("<IIQ", payload)
            log.space = bytes(payload[18:]).decode()
        elif kind == _ARM:
            before += record
        elif kind == _NOTE:
            _read_note(payload, log)
        else:
            log.records.append(before + record)


def _read_note(payload: memoryview, log: Log) -> None:
    ticket = int.from_bytes(payload[8:16], "little")
    note = bytes(payload[16:])
    if ticket == 0:
        if note.startswith(_SETTINGS):
            log.learning = msgspec.json.decode(note[len(_SETTINGS) :], type=Learning)
        return
    log.notes[_native.note_state_version(note)].append((ticket, note))


def replay(log: Log, router: Router, learning: Learning | None = None) -> Iterator[Replayed]:
    """Asks every logged question again, in the order of the states that their decisions read.

    Parameters
    ----------
    log : Log
    router : Router
        Without a learner of its own. Over a bundle of another space nothing that was learned applies.
    learning : Learning, optional
        Other settings than the logged ones.
    """
    memory = _native.Memory(dim=log.dim, space=log.space, replica=log.replica, ticket_prefix=0)
    settings = learning or log.learning
    attached = None if settings is None else router.parts.native.attach(native_learner(memory, settings))
    waiting = dict(log.notes)
    for record in _then_none(log.records):
        for ticket, note in waiting.pop(memory.version, ()):
            yield Replayed(ticket, *router.parts.native.replay(note, attached))
        if record is not None:
            memory.apply(record)
    for notes in waiting.values():  # states that the log no longer leads to
        for ticket, note in notes:
            yield Replayed(ticket, *router.parts.native.replay(note, None))


def _then_none(records: Iterable[bytes]) -> Iterator[bytes | None]:
    yield from records
    yield None
