"""The default store: a folder of one process, with a log, snapshots and slots."""

from __future__ import annotations

import os
import re
import weakref
from collections.abc import Iterator
from pathlib import Path

from turnout.core import ConfigError
from turnout.schema import fail
from turnout.state.disk import disk_errors, read, remove, shown, write_whole
from turnout.state.folder import Folder
from turnout.state.frames import frames, seal, unseal
from turnout.state.log_writer import LogWriter, segment
from turnout.state.slots import Slots
from turnout.state.store import Identity, Loaded, StoreError, check_bytes

_NAME = re.compile(r"(log|snapshot)-(\d{10,})")
_SNAPSHOTS = 2  # that are kept


def _numbers(folder: Path) -> dict[str, list[int]]:
    """Numbers of the segments and of the snapshots in a folder, ascending."""
    numbers: dict[str, list[int]] = {"log": [], "snapshot": []}
    with disk_errors(folder, "read"):
        for match in filter(None, map(_NAME.fullmatch, os.listdir(folder))):
            numbers[match[1]].append(int(match[2]))
    return {kind: sorted(found) for kind, found in numbers.items()}


def _snapshot(folder: Path, number: int) -> Path:
    return folder / f"snapshot-{number:010d}"


def _segments(folder: Path, numbers: list[int], loaded: Loaded, *, shared: bool = False) -> Iterator[bytes]:
    """`shared`: another process has the folder, and may remove segments meanwhile."""
    for number in numbers:
        path = segment(folder, number)
        try:
            data = read(path)
        except StoreError as error:
            if shared and isinstance(error.__cause__, FileNotFoundError):
                continue
            raise
        payloads, whole = frames(data)
        loaded.torn_bytes += len(data) - whole
        if payloads:
            yield b"".join(payloads)


def read_history(path: str | os.PathLike[str]) -> Loaded:
    """All that a folder still has of the log, snapshots or not: for replays and evaluations.

    Needs no lock, and may read a folder that is in use.

    Raises
    ------
    StoreError
        There is no such folder, or a file cannot be read.
    """
    folder = Path(path)
    loaded = Loaded(None, ())
    loaded.log = _segments(folder, _numbers(folder)["log"], loaded, shared=True)
    return loaded


class FileStore:
    """Keeps state in a folder on a local disk or NFS.

    Parameters
    ----------
    path : path
        The folder; made where it is missing. One process has it at a time.
    exchange : path, optional
        A folder that replicas share, each with a `path` of its own; default: ``slots`` in `path`.
    history_bytes : int
        Of the log before the snapshots, kept for evaluations and replays; the oldest segments go first.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        exchange: str | os.PathLike[str] | None = None,
        history_bytes: int = 256 << 20,
    ) -> None:
        if history_bytes < 0:
            raise fail(ConfigError, "history_bytes", f"expected a number >= 0, got {history_bytes}")
        self.path = Path(os.path.abspath(path))
        self._history_bytes = history_bytes
        self._folder = Folder(self.path)
        self._slots = Slots(self.path / "slots" if exchange is None else Path(os.path.abspath(exchange)))
        self._writer: LogWriter | None = None
        self._identity = Identity(0, 0)
        self._pid = 0

    def __repr__(self) -> str:
        return f"FileStore({shown(self.path)!r})"

    def open(self, space: str) -> Identity:
        if self._writer is not None:
            raise fail(StoreError, shown(self.path), "is open already")
        self._identity = self._folder.open(space)
        try:
            with disk_errors(self.path, "read"):
                for name in os.listdir(self.path):
                    if name.endswith(".tmp"):
                        remove(self.path / name)
            numbers = _numbers(self.path)
        except BaseException:
            self._folder.close()
            raise
        number = max([0, *numbers["log"], *numbers["snapshot"]]) + 1
        self._writer = LogWriter(self.path, number, [segment(self.path, x) for x in numbers["log"]])
        self._pid = os.getpid()
        _OPEN.add(self)
        return self._identity

    def _use(self) -> LogWriter:
        if self._writer is None:
            why = "is not open" if self._pid in (0, os.getpid()) else f"belongs to process {self._pid}, the parent"
            raise fail(StoreError, shown(self.path), why)
        return self._writer

    def load(self) -> Loaded:
        self._use()
        numbers = _numbers(self.path)
        loaded = Loaded(None, ())
        begin = 0
        for number in reversed(numbers["snapshot"]):
            loaded.snapshot = unseal(read(_snapshot(self.path, number)))
            if loaded.snapshot is not None:
                begin = number
                break
            self._set_aside(number, loaded)
        loaded.log = _segments(self.path, [x for x in numbers["log"] if x >= begin], loaded)
        return loaded

    def history(self) -> Iterator[bytes]:
        """All that is left of the log, as `read_history`."""
        self._use()
        yield from read_history(self.path).log

    def _set_aside(self, number: int, loaded: Loaded) -> None:
        """So that a damaged snapshot does not count as one of those that are kept."""
        path = _snapshot(self.path, number)
        with disk_errors(path, "renamed"):
            os.rename(path, path.with_suffix(".damaged"))
        loaded.damaged.append(path.name)

    def append(self, data: bytes) -> None:
        writer = self._use()
        check_bytes(data, "data")
        if not writer.writing:
            self._folder.check()
        writer.append(data)

    def sync(self) -> None:
        self._use().sync()

    def compact(self, snapshot: bytes) -> None:
        writer = self._use()
        check_bytes(snapshot, "snapshot")
        self._folder.check()
        number = writer.rotate()  # from its name on, the snapshot stands for all segments before it
        writer.sync()  # should this snapshot be damaged one day, they are needed
        self._prune()  # now, too: where nothing can be removed, nothing is added
        write_whole(_snapshot(self.path, number), seal(snapshot))
        self._prune()

    def _prune(self) -> None:
        """Removes snapshots but the last two, and of the segments that neither needs the oldest beyond the limit."""
        numbers = _numbers(self.path)
        for number in numbers["snapshot"][:-_SNAPSHOTS]:
            self._unlink(_snapshot(self.path, number))
        kept = numbers["snapshot"][-_SNAPSHOTS:]
        old = [x for x in numbers["log"] if len(kept) == _SNAPSHOTS and x < kept[0]]
        sizes = [self._size(segment(self.path, x)) for x in old]
        excess = sum(sizes) - self._history_bytes
        for number, size in zip(old, sizes, strict=True):
            if excess > 0:
                self._unlink(segment(self.path, number))
            excess -= size

    def _size(self, path: Path) -> int:
        with disk_errors(path, "found"):
            return os.stat(path).st_size

    def _unlink(self, path: Path) -> None:
        with disk_errors(path, "removed"):
            os.unlink(path)

    def publish(self, replica: int, slot: bytes) -> None:
        self._use()
        check_bytes(slot, "slot")
        self._slots.publish(replica, slot)

    def peers(self) -> dict[int, bytes]:
        self._use()
        return self._slots.peers(self._identity.replica)

    def close(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
        self._folder.close()


_OPEN: weakref.WeakSet[FileStore] = weakref.WeakSet()


def _forked() -> None:
    """A child has its parent's files open, and with them the lock: it lets them go, and the parent keeps them."""
    for store in list(_OPEN):
        store.close()


os.register_at_fork(after_in_child=_forked)
