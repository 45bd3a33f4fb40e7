"""One memory's way into one store: log, sync, snapshot. One thread at a time; `GroupCommit` sees to that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from turnout._native import Memory
from turnout.state.health import Health
from turnout.state.store import StateStore


class Journal:
    """Writes what a memory has learned.

    After any failure, and after records were lost because too many waited, the next write ends with a snapshot: it
    holds all that is in memory, so whatever the store has lost is made good.

    Parameters
    ----------
    memory : Memory
    store : StateStore
        Open and loaded.
    compact_bytes : int
        Of log, at which a snapshot is due; at least as many as the last snapshot had.
    logged_bytes, snapshot_bytes : int
        That the store holds.
    """

    def __init__(
        self,
        memory: Memory,
        store: StateStore,
        health: Health,
        *,
        compact_bytes: int,
        logged_bytes: int = 0,
        snapshot_bytes: int = 0,
    ) -> None:
        self._memory, self._store, self._health = memory, store, health
        self._compact_bytes = compact_bytes
        self._due = max(compact_bytes, snapshot_bytes)
        self._waiting = b""  # taken from the memory, not in the store
        self._lost = memory.counts()["lost_records"]  # that the last snapshot has made good
        self._synced = False  # what an earlier process wrote may not be
        self._owed = self._paid = 0  # the last call for a snapshot, and the last that was answered
        self.changed = logged_bytes > 0  # since the last snapshot
        self.logged_bytes = logged_bytes
        self.appends = self.syncs = self.snapshots = 0

    def owe(self) -> None:
        """Lets the next write end with a snapshot."""
        self._owed += 1

    @property
    def waiting_bytes(self) -> int:
        return len(self._waiting)

    def write(self) -> None:
        """Puts all that the memory has accepted into the store."""
        with self._owing():
            self._append()  # what a failure left
            self._waiting = self._memory.take()
            self._append()
            if self._paid < self._owed or self._memory.counts()["lost_records"] > self._lost:
                self._snapshot()
        self._health.fine()
        if self.logged_bytes >= self._due:
            self._compact()

    @contextmanager
    def _owing(self) -> Iterator[None]:
        """After an error of the block a snapshot is owed."""
        try:
            with self._health.watch():
                yield
        except BaseException:
            self.owe()
            raise

    def _append(self) -> None:
        if not self._waiting:
            return
        self._synced, self.changed = False, True
        self._store.append(self._waiting)
        self.appends += 1
        self.logged_bytes += len(self._waiting)
        self._waiting = b""

    def sync(self) -> None:
        """Makes what was written survive a loss of power."""
        if self._synced:
            return
        with self._owing():
            self._store.sync()
        self.syncs += 1
        self._synced = True

    def _snapshot(self) -> None:
        owed, lost = self._owed, self._memory.counts()["lost_records"]
        self.changed = self._synced = False
        snapshot = self._memory.snapshot()
        self._store.compact(snapshot)
        self._paid, self._lost = owed, lost
        self.snapshots += 1
        self.logged_bytes, self._due = 0, max(self._compact_bytes, len(snapshot))

    def _compact(self) -> None:
        """A snapshot that is due. Where it fails, all is in the log still: only the next write has to say so."""
        try:
            with self._owing():
                self._snapshot()
        except Exception:
            return
