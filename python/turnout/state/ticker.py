"""A call every few seconds, in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Ticker:
    """Calls `call` every `seconds` until it is stopped or the process ends.

    Parameters
    ----------
    name : str
        Of the thread, a daemon.
    call : callable
        Must not raise.
    """

    def __init__(self, name: str, seconds: float, call: Callable[[], object]) -> None:
        self._seconds, self._call = seconds, call
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopped.wait(self._seconds):
            self._call()

    def stop(self) -> None:
        """Returns when the last call is over."""
        self._stopped.set()
        if self._thread is not threading.current_thread():
            self._thread.join()
