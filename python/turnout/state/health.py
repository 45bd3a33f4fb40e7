"""Whether something outside answers: errors are counted here, not raised into the way of decisions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Health:
    """Errors of one thing.

    Attributes
    ----------
    errors : int
        Ever.
    last_error : str or None
        Kept when all is well again.
    failing_since : float or None
        Seconds of the clock at the first of the errors that no success has followed; None: all is well.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.errors = 0
        self.last_error: str | None = None
        self.failing_since: float | None = None

    def failed(self, error: BaseException) -> None:
        self.errors += 1
        self.last_error = str(error) or type(error).__name__
        if self.failing_since is None:
            self.failing_since = self._clock()

    def fine(self) -> None:
        self.failing_since = None

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Counts an error of the block, and lets it go on."""
        try:
            yield
        except BaseException as error:
            self.failed(error)
            raise
