"""Group commit: calls that come while a write is under way share the next one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from turnout.core import TurnoutError


@dataclass
class _Level:
    """How far something has got, in numbers of calls."""

    done: int = 0
    failed: int = 0  # the last call of the latest round that failed
    error: Exception | None = None


class GroupCommit:
    """Runs `write`, and `sync` after it where a caller wants it, for all waiting callers at once.

    One caller leads: it runs both for everyone who came before it began. The others wait for it; of those who come
    later one leads next.

    Parameters
    ----------
    write : callable
        Writes all that was accepted before it was called.
    sync : callable
        Syncs all that was written. Neither is ever called twice at once.
    """

    def __init__(self, write: Callable[[], None], sync: Callable[[], None]) -> None:
        self._steps = (write, sync)
        self._levels = (_Level(), _Level())
        self._changed = threading.Condition()
        self._calls = 0
        self._sync_until = 0  # the last call that wants a sync
        self._led = False

    def __call__(self, sync: bool = False) -> None:
        """Returns when what was accepted before this call is written, or synced.

        Raises
        ------
        Exception
            What `write` or `sync` raised in the round of this call, for each caller of it.
        """
        level = self._levels[sync]
        with self._changed:
            self._calls += 1
            number = self._calls
            if sync:
                self._sync_until = number
            while level.done < number:
                if level.failed >= number and level.error is not None:
                    raise _copy(level.error)
                if self._led:
                    self._changed.wait()
                else:
                    self._lead()

    def _lead(self) -> None:
        """One round, without the lock."""
        until, reached, error = self._calls, 0, None
        synced = self._levels[1]
        sync = self._sync_until > max(synced.done, synced.failed)  # who was told of a failure waits no longer
        self._led = True
        try:
            self._changed.release()
            for step in self._steps[: 1 + sync]:
                step()
                reached += 1
        except Exception as raised:
            error = raised
        finally:  # an interruption too: others must be able to lead
            self._changed.acquire()
            self._led = False
            self._settle(until, reached, error)
            self._changed.notify_all()

    def _settle(self, until: int, reached: int, error: Exception | None) -> None:
        for level in self._levels[:reached]:
            level.done = until
        if error is not None:
            for level in self._levels[reached:]:
                level.failed, level.error = until, error


def _copy(error: Exception) -> Exception:
    """An error for each thread: a traceback belongs to one."""
    if not isinstance(error, TurnoutError):
        return error
    copy = type(error)(*error.args)
    copy.path, copy.__cause__ = error.path, error.__cause__
    return copy
