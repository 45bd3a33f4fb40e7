"""Keeps a memory in a store, beside the decisions and never in their way."""

from __future__ import annotations

import atexit
import math
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from turnout._native import Memory
from turnout.core import ConfigError
from turnout.schema import fail
from turnout.state.group_commit import GroupCommit
from turnout.state.health import Health
from turnout.state.journal import Journal
from turnout.state.recovery import recover
from turnout.state.store import MAX_CHUNK_BYTES, StateStore, StoreError
from turnout.state.ticker import Ticker


@dataclass(frozen=True)
class Status:
    """How durable what was learned is.

    Attributes
    ----------
    errors : int
        Of the store, ever; a call that many threads shared counts once.
    last_error : str or None
    failing_since : float or None
        Seconds of the keeper's clock; None: the store works.
    waiting_bytes : int
        Of records that are in memory only.
    lost_records : int
        That never reached the log, because too many waited. A snapshot makes up for what they taught; a replay of the
        log misses them.
    logged_bytes : int
        Since the last snapshot.
    appends, syncs, snapshots : int
        By this keeper.
    peers : int
        Other replicas whose slots were merged at the last exchange.
    exchange_errors : int
    last_exchange_error : str or None
    exchange_failing_since : float or None
    """

    errors: int
    last_error: str | None
    failing_since: float | None
    waiting_bytes: int
    lost_records: int
    logged_bytes: int
    appends: int
    syncs: int
    snapshots: int
    peers: int
    exchange_errors: int
    last_exchange_error: str | None
    exchange_failing_since: float | None


class Keeper:
    """Keeps one memory in one store.

    Parameters
    ----------
    memory : Memory
        New, and of the store's replica: it is filled from the store here.
    store : StateStore
        Open; closed by `close`.
    flush_seconds : float or None
        How often a thread flushes; None: nothing is written but by `flush` and `close`.
    merge_seconds : float or None
        How often a thread calls `exchange`; None: never.
    compact_bytes : int
        Of log, after which a flush writes a snapshot too; or as many as the last snapshot had, if that is more.
    sync_slots : bool
        Whether `exchange` syncs before it publishes; see there.
    clock : callable
        Seconds, for `Status` only.

    Attributes
    ----------
    recovery : Recovery
        What was found in the store.

    Raises
    ------
    ConfigError
        With the path to the culprit.
    StoreError
        The store cannot be read.
    InputError
        It holds what is no state of such a memory.
    """

    def __init__(
        self,
        memory: Memory,
        store: StateStore,
        *,
        flush_seconds: float | None = 1.0,
        merge_seconds: float | None = None,
        compact_bytes: int = 16 << 20,
        sync_slots: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        for name, seconds in [("flush_seconds", flush_seconds), ("merge_seconds", merge_seconds)]:
            if seconds is not None and not 0 < seconds < math.inf:
                raise fail(ConfigError, name, f"expected a number > 0 or None, got {seconds}")
        self.memory, self.store = memory, store
        self._sync_slots = sync_slots
        self._pid, self._closed = os.getpid(), False
        self._health, self._exchange_health = Health(clock), Health(clock)
        self._peers, self._exchanging = 0, threading.Lock()
        self.recovery = recover(memory, store)
        self._journal = Journal(
            memory,
            store,
            self._health,
            compact_bytes=compact_bytes,
            logged_bytes=self.recovery.log_bytes,
            snapshot_bytes=self.recovery.snapshot_bytes,
        )
        if self.recovery.damaged:
            self._journal.owe()  # two good snapshots
        self._commit = GroupCommit(self._journal.write, self._journal.sync)
        atexit.register(self._at_exit)
        ticks: list[tuple[str, float | None, Callable[[], object]]]
        ticks = [("turnout-flush", flush_seconds, self.flush), ("turnout-merge", merge_seconds, self.exchange)]
        self._tickers = [Ticker(name, seconds, _quiet(call)) for name, seconds, call in ticks if seconds is not None]

    @classmethod
    def open(
        cls,
        store: StateStore,
        *,
        dim: int,
        space: str,
        tickets: int = 65536,
        discount: float = 1.0,
        epochs: int = 8,
        log_bytes: int = 16 << 20,
        **options: Any,
    ) -> Self:
        """Opens a store, makes a memory for it, and keeps the one in the other.

        Parameters
        ----------
        store : StateStore
            Not open yet.
        dim : int
            Features of a query.
        space : str
            What they mean.
        tickets, discount, epochs, log_bytes
            Of the memory.
        **options
            Of the keeper.

        Raises
        ------
        StoreError
            The store cannot be had or read; it is closed again.
        ConfigError, InputError
            It holds something else, or a parameter is out of range.
        """
        if log_bytes > MAX_CHUNK_BYTES:  # what waits is appended in one piece
            raise fail(ConfigError, "log_bytes", f"expected at most {MAX_CHUNK_BYTES}, got {log_bytes}")
        identity = store.open(space)
        try:
            memory = Memory(
                dim=dim,
                space=space,
                replica=identity.replica,
                ticket_prefix=identity.ticket_prefix,
                tickets=tickets,
                discount=discount,
                epochs=epochs,
                log_bytes=log_bytes,
            )
            return cls(memory, store, **options)
        except BaseException:
            store.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _check_process(self) -> None:
        """Comes before any lock: a child may have been forked while another thread held it."""
        if self._pid != os.getpid():
            why = f"belongs to process {self._pid}: a forked child must open a store of its own"
            raise fail(StoreError, "keeper", why)

    def _use(self) -> None:
        self._check_process()
        if self._closed:
            raise fail(StoreError, "keeper", "is closed")

    def flush(self, sync: bool = False) -> None:
        """Returns when everything that the memory accepted before this call is written.

        Calls of many threads share one write and one sync.

        Parameters
        ----------
        sync : bool
            False: it survives the end of this process, by SIGKILL too. True: it survives a loss of power.

        Raises
        ------
        StoreError
            Or what a store of your own raises. Everything stays in memory, and the next flush tries again.
        """
        self._use()
        self._commit(sync)

    def compact(self) -> None:
        """Flushes, and writes a snapshot whether one is due or not.

        Raises
        ------
        StoreError
            As `flush`.
        """
        self._use()
        self._journal.owe()
        self._commit()

    def exchange(self) -> bool:
        """Publishes this replica's slot and merges those of the others; returns whether they had something new.

        With `sync_slots` the slot is shown only when what it says is synced: else a loss of power could set this
        replica back behind what others have of it, and they would not listen until it has caught up.

        Raises
        ------
        StoreError
            The store fails. Whatever could be merged is merged.
        InputError
            A slot is damaged, or of another space; the others are merged.
        """
        self._use()
        with self._exchanging, self._exchange_health.watch():
            new, error = self._merge()
            slot = self.memory.slot()
            self._commit(self._sync_slots)
            self.store.publish(self.memory.replica, slot)
            if error is not None:
                raise error
        self._exchange_health.fine()
        return new

    def _merge(self) -> tuple[bool, Exception | None]:
        """Whether there was something new, and what is wrong with one of the slots."""
        new, merged, wrong = False, 0, None
        for replica, slot in self.store.peers().items():
            try:
                new |= self.memory.merge(slot)
                merged += 1
            except Exception as error:
                error.add_note(f"in the slot of replica {replica:016x}")
                wrong = error
        self._peers = merged
        return new, wrong

    def status(self) -> Status:
        """How the store is doing; never waits for it.

        Raises
        ------
        StoreError
            In a forked child.
        """
        self._check_process()
        counts = self.memory.counts()
        journal, store, exchange = self._journal, self._health, self._exchange_health
        return Status(
            errors=store.errors,
            last_error=store.last_error,
            failing_since=store.failing_since,
            waiting_bytes=journal.waiting_bytes + counts["pending_bytes"],
            lost_records=counts["lost_records"],
            logged_bytes=journal.logged_bytes,
            appends=journal.appends,
            syncs=journal.syncs,
            snapshots=journal.snapshots,
            peers=self._peers,
            exchange_errors=exchange.errors,
            last_exchange_error=exchange.last_error,
            exchange_failing_since=exchange.failing_since,
        )

    def close(self) -> None:
        """Stops the threads, writes a snapshot if there is news, and closes the store. Does nothing the second time, or
        in a forked child.

        Raises
        ------
        StoreError
            The last write failed; the store is closed all the same.
        """
        if self._closed or self._pid != os.getpid():
            return
        atexit.unregister(self._at_exit)
        for ticker in self._tickers:
            ticker.stop()
        try:
            self.flush()
            if self._journal.changed:
                self.compact()
        finally:
            self._closed = True
            self.store.close()

    def _at_exit(self) -> None:
        """A flush, no snapshot: an exit should not take long."""
        if not self._closed and self._pid == os.getpid():
            self.flush()


def _quiet(call: Callable[[], object]) -> Callable[[], None]:
    """For a thread: the error is in the status."""

    def run() -> None:
        try:
            call()
        except Exception:
            return

    return run
