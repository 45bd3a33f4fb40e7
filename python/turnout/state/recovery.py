"""From what a store holds to a memory."""

from __future__ import annotations

import time
from dataclasses import dataclass

from turnout._native import Memory
from turnout.state.store import StateStore


@dataclass(frozen=True)
class Recovery:
    """What was found.

    Attributes
    ----------
    snapshot_bytes, log_bytes : int
        That were read and understood.
    torn_bytes : int
        Of the log: the ends of writes that a crash cut short, and no `flush` had returned for. They stay where they
        are until their segment is too old to be kept.
    damaged : tuple of str
        Snapshots that are not what was written; the one before and the log were used instead.
    seconds : float
        That it took.
    """

    snapshot_bytes: int
    log_bytes: int
    torn_bytes: int
    damaged: tuple[str, ...]
    seconds: float

    def __str__(self) -> str:
        found = f"{self.snapshot_bytes} bytes of snapshot and {self.log_bytes} of log in {self.seconds:.3f} s"
        torn = f", {self.torn_bytes} bytes torn" if self.torn_bytes else ""
        return found + torn + (f", damaged: {', '.join(self.damaged)}" if self.damaged else "")


def recover(memory: Memory, store: StateStore) -> Recovery:
    """Fills a new memory from an open store.

    Raises
    ------
    InputError
        The snapshot is whole, but of another space, dimension or format.
    """
    start = time.perf_counter()
    loaded = store.load()
    if loaded.snapshot is not None:
        memory.restore(loaded.snapshot)
    log = refused = 0
    for chunk in loaded.log:
        understood = memory.apply(chunk)
        log += understood
        refused += len(chunk) - understood
    return Recovery(
        snapshot_bytes=len(loaded.snapshot or b""),
        log_bytes=log,
        torn_bytes=loaded.torn_bytes + refused,
        damaged=tuple(loaded.damaged),
        seconds=time.perf_counter() - start,
    )
