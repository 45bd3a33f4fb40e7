"""A store in this process: survives nothing; for tests, and for replicas that only merge."""

from __future__ import annotations

from collections.abc import MutableMapping

from turnout.schema import fail
from turnout.state.store import Identity, Loaded, StoreError, check_bytes, check_space, draw_replica


class MemoryStore:
    """Keeps state as long as the object lives.

    Parameters
    ----------
    exchange : mutable mapping of int to bytes, optional
        Slots by replica; stores that share one see each other.

    Notes
    -----
    `sync` refuses: nothing here survives a loss of power.
    """

    def __init__(self, *, exchange: MutableMapping[int, bytes] | None = None) -> None:
        self._exchange = {} if exchange is None else exchange
        self._replica, self._run = draw_replica(), 0
        self._space: str | None = None
        self._snapshot: bytes | None = None
        self._log: list[bytes] = []
        self._open = False

    def __repr__(self) -> str:
        return "MemoryStore()"

    def open(self, space: str) -> Identity:
        if self._open:
            raise fail(StoreError, "MemoryStore", "is open already")
        if self._space is not None:
            check_space(self._space, space, "MemoryStore")
        self._space, self._open, self._run = space, True, self._run + 1
        return Identity(self._replica, self._run)

    def _use(self) -> None:
        if not self._open:
            raise fail(StoreError, "MemoryStore", "is not open")

    def load(self) -> Loaded:
        self._use()
        return Loaded(self._snapshot, list(self._log))

    def append(self, data: bytes) -> None:
        self._use()
        check_bytes(data, "data")
        self._log.append(data)

    def sync(self) -> None:
        self._use()
        raise fail(StoreError, "MemoryStore", "cannot survive a loss of power: use a FileStore")

    def compact(self, snapshot: bytes) -> None:
        self._use()
        check_bytes(snapshot, "snapshot")
        self._snapshot = snapshot
        self._log.clear()

    def publish(self, replica: int, slot: bytes) -> None:
        self._use()
        check_bytes(slot, "slot")
        self._exchange[replica] = slot

    def peers(self) -> dict[int, bytes]:
        self._use()
        return {replica: slot for replica, slot in list(self._exchange.items()) if replica != self._replica}

    def close(self) -> None:
        self._open = False
