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
from turnout.learning import Learning, native_learner, space_of
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
        In order, up to the first one that is missing; each can be applied by itself.
    notes : dict
        Of each state version: (ticket, note, learning) of the decisions that read it; as it was set at the time, or
        None where the log no longer says.
    dim, space, replica
        Of the memory that wrote it.
    learning : Learning or None
        As it was set last.
    torn_bytes : int
        That were not written to their end.
    """

    records: list[bytes]
    notes: dict[int, list[tuple[int, bytes, Learning | None]]]
    dim: int
    space: str
    replica: int
    learning: Learning | None
    torn_bytes: int

    @property
    def decisions(self) -> int:
        """How many are logged."""
        return sum(map(len, self.notes.values()))


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
    reader = _Reader()
    for chunk in history.log:
        reader.read(chunk)
    reader.log.torn_bytes = history.torn_bytes
    if not reader.log.notes:
        raise fail(InputError, str(folder), 'no decision is logged: learn with log="vectors" or log="texts"')
    return reader.log


class _Reader:
    """Reads chunks in their order. Records behind a gap, as where the oldest files have gone, lead to other states than
    those that decisions read: they are left out."""

    def __init__(self) -> None:
        self.log = Log([], defaultdict(list), 0, "", 0, None, 0)
        self._last = 0  # sequence number; each record has the next one
        self._whole = True  # no gap so far

    def read(self, chunk: bytes) -> None:
        before = b""  # head and names, which every record needs
        for kind, record, payload in _frames(chunk):
            if kind == _HEAD:
                before = record
                _, self.log.dim, self.log.replica = struct.unpack_from("<IIQ", payload)
                self.log.space = bytes(payload[18:]).decode()
            elif kind == _ARM:
                before += record
            elif self._is_next(int.from_bytes(payload[:8], "little")):
                if kind == _NOTE:
                    self._note(payload)
                elif self._whole:
                    self.log.records.append(before + record)

    def _is_next(self, sequence: int) -> bool:
        """False: it was there already."""
        if sequence <= self._last:
            return False
        self._whole = self._whole and sequence == self._last + 1
        self._last = sequence
        return True

    def _note(self, payload: memoryview) -> None:
        ticket = int.from_bytes(payload[8:16], "little")
        note = bytes(payload[16:])
        if ticket == 0:
            if note.startswith(_SETTINGS):
                self.log.learning = msgspec.json.decode(note[len(_SETTINGS) :], type=Learning)
            return
        self.log.notes[_native.note_state_version(note)].append((ticket, note, self.log.learning))


def replay(log: Log, router: Router, learning: Learning | None = None) -> Iterator[Replayed]:
    """Asks logged questions again, in the order of the states that their decisions read.

    Decisions of a state that the log no longer leads to, or whose settings it no longer says, are left out: fewer come
    than `Log.decisions`.

    Parameters
    ----------
    log : Log
    router : Router
        Without a learner of its own. Over a bundle of another space nothing that was learned applies.
    learning : Learning, optional
        Other settings than the logged ones.
    """
    memory = _memory(log, learning or log.learning or Learning())
    attached: dict[Learning, _native.Attachment | None] = {}
    waiting = dict(log.notes)
    for record in _then_none(log.records):
        for ticket, note, logged in waiting.pop(memory.version, ()):
            settings = learning or logged
            if settings is None:
                continue
            if settings not in attached:
                attached[settings] = _attach(memory, router, settings, log.space)
            yield Replayed(ticket, *router.parts.native.replay(note, attached[settings]))
        if record is not None:
            memory.apply(record)


def _memory(log: Log, learning: Learning) -> _native.Memory:
    return _native.Memory(
        dim=log.dim,
        space=log.space,
        replica=log.replica,
        ticket_prefix=0,
        tickets=learning.tickets,
        discount=learning.discount,
        epochs=learning.epochs,
    )


def _attach(memory: _native.Memory, router: Router, learning: Learning, space: str) -> _native.Attachment | None:
    if space_of(router.parts.bundle, learning) != space:
        return None
    return router.parts.native.attach(native_learner(memory, learning))


def _then_none(records: Iterable[bytes]) -> Iterator[bytes | None]:
    yield from records
    yield None
