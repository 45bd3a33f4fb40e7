"""What a store of learned state must do: keep a log of bytes and snapshots, and pass slots between replicas."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from turnout.core import ConfigError, InputError, TurnoutError
from turnout.schema import fail

MAX_CHUNK_BYTES = 1 << 28
"""Of one `append`, `compact` or `publish`."""


class StoreError(TurnoutError):
    """A store that cannot be opened, read or written. What is in memory is unharmed."""


@dataclass(frozen=True)
class Identity:
    """Who writes to a store.

    Attributes
    ----------
    replica : int
        1 to 2**64 - 1, drawn once for a store and kept in it.
    run : int
        How often the store was opened, from 1.
    """

    replica: int
    run: int

    @property
    def ticket_prefix(self) -> int:
        """24 bits: another one in each of 2**24 runs of a replica."""
        return (self.replica ^ self.run) & 0xFFFFFF


@dataclass
class Loaded:
    """What a store holds.

    Attributes
    ----------
    snapshot : bytes or None
        The newest that is whole.
    log : iterable of bytes
        What was appended since that snapshot, or a little before it, in order. Pieces may have been joined, never cut.
    torn_bytes : int
        Of the log, that were not written to their end; complete when `log` has been read.
    damaged : list of str
        Snapshots that were skipped.
    """

    snapshot: bytes | None
    log: Iterable[bytes]
    torn_bytes: int = 0
    damaged: list[str] = field(default_factory=list)


@runtime_checkable
class StateStore(Protocol):
    """Where learned state lives. Write your own: anything with these methods will do.

    A `Keeper` calls `open`, then `load`, then the others, and `close` at the end. It never calls two of `append`,
    `sync` and `compact` at once; `publish` and `peers` may come from another thread. A method that fails raises, best a
    `StoreError`. After any failure the keeper sends everything again, the log first and then a snapshot: the same bytes
    may arrive twice, and that is harmless, because records carry numbers.
    """

    def open(self, space: str) -> Identity:
        """Takes the store for this process.

        Parameters
        ----------
        space : str
            What the state's features mean. A store that holds another space is refused with a ConfigError.
        """
        ...

    def load(self) -> Loaded:
        """What was kept; called once, after `open`."""
        ...

    def append(self, data: bytes) -> None:
        """Adds records to the log. When it returns they survive the end of this process, by SIGKILL too."""
        ...

    def sync(self) -> None:
        """When it returns, all that was appended survives a loss of power. Where that cannot be promised, it raises.

        After a failure, what was appended since the last success may be gone until `compact` succeeds.
        """
        ...

    def compact(self, snapshot: bytes) -> None:
        """Replaces the log by a snapshot that covers all that was appended: all or nothing, and as durable as `append`
        until `sync`.

        The snapshot before and the log since then must stay, so that a damaged snapshot loses nothing.
        """
        ...

    def publish(self, replica: int, slot: bytes) -> None:
        """Shows other replicas this one's slot; replaces the one before."""
        ...

    def peers(self) -> dict[int, bytes]:
        """The slots of other replicas, by replica."""
        ...

    def close(self) -> None:
        """Gives the store up. Harmless when it is not open."""
        ...


def draw_replica() -> int:
    """64 random bits that are not 0."""
    return int.from_bytes(os.urandom(8), "little") or 1


def check_bytes(data: bytes, path: str) -> None:
    """Raises an InputError unless `data` can be stored in one piece."""
    if not isinstance(data, bytes):
        raise fail(InputError, path, f"expected bytes, got {type(data).__name__}")
    if len(data) > MAX_CHUNK_BYTES:
        raise fail(InputError, path, f"expected at most {MAX_CHUNK_BYTES} bytes, got {len(data)}")


def check_space(kept: str, wanted: str, path: str) -> None:
    """Raises a ConfigError unless what is kept has the wanted space."""
    if kept != wanted:
        raise fail(ConfigError, path, f"holds state of the space {kept!r}, expected {wanted!r}")
