"""The folder of a file store: one process has it, and it knows which replica it belongs to."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import msgspec

from turnout.core import ConfigError, TurnoutError
from turnout.schema import fail, from_json
from turnout.state.disk import close_quietly, disk_errors, read, shown, sync_folder, write_whole
from turnout.state.store import Identity, StoreError, check_space, draw_replica

FORMAT = 1


class Meta(msgspec.Struct):
    """The file `meta`."""

    format: int
    replica: str  # 16 hexadecimal digits
    space: str
    run: int


def _holder(lock: Path) -> str:
    """Who wrote its name into the lock."""
    try:
        return lock.read_text("utf-8").strip() or "another process"
    except (OSError, ValueError):
        return "another process"


class Folder:
    """A folder that is locked while it is open.

    Parameters
    ----------
    path : Path
        Made where it is missing, for its owner only.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = -1
        self._meta: Meta | None = None
        self._stat: os.stat_result | None = None

    def open(self, space: str) -> Identity:
        self._make()
        self._take()
        try:
            meta = self._read() or self._new(space)
            check_space(meta.space, space, shown(self.path))
            meta.run += 1
            self._own(meta)
        except BaseException:
            self.close()
            raise
        return Identity(int(meta.replica, 16), meta.run)

    def _make(self) -> None:
        with disk_errors(self.path, "made"):
            missing = [x for x in (self.path, *self.path.parents) if not x.exists()]
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            for made in missing:
                sync_folder(made.parent)

    def _own(self, meta: Meta) -> None:
        write_whole(self.path / "meta", msgspec.json.encode(meta))
        with disk_errors(self.path, "found"):
            self._meta, self._stat = meta, os.stat(self.path)

    def _take(self) -> None:
        """Locks the folder: for as long as this process has the file open, however it ends."""
        import fcntl  # not everywhere

        path = self.path / "lock"
        with disk_errors(path, "opened"):
            self._lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            with disk_errors(path, "locked"):
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.ftruncate(self._lock, 0)
                os.pwrite(self._lock, f"pid {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
        except BaseException as error:
            self.close()
            if isinstance(error.__cause__, BlockingIOError):
                raise fail(StoreError, shown(self.path), f"is in use by {_holder(path)}") from None
            raise

    def _read(self) -> Meta | None:
        path = self.path / "meta"
        if not path.exists():
            return None
        try:
            meta = from_json(read(path), Meta, shown(path), ConfigError)
            known = meta.format == FORMAT and 0 < int(meta.replica, 16) < 1 << 64
        except ValueError as error:
            if isinstance(error, TurnoutError):
                raise
            known = False
        if not known:
            raise fail(ConfigError, shown(path), f"expected a replica and format {FORMAT}, got format {meta.format}")
        return meta

    def _new(self, space: str) -> Meta:
        with disk_errors(self.path, "read"):
            kept = [x for x in os.listdir(self.path) if x.startswith(("log-", "snapshot-"))]
        if kept:
            raise fail(ConfigError, shown(self.path / "meta"), f"is missing beside {min(kept)}: put it back")
        return Meta(format=FORMAT, replica=f"{draw_replica():016x}", space=space, run=0)

    def check(self) -> None:
        """Raises a StoreError unless the folder is where it was. One that was made anew on the same disk is taken, as
        the same replica; one on another disk is not, because there something is not mounted."""
        with disk_errors(self.path, "found"):
            now = os.stat(self.path)
        if self._stat is None or self._meta is None or os.path.samestat(now, self._stat):
            return
        if now.st_dev != self._stat.st_dev:
            raise fail(StoreError, shown(self.path), "is on another disk than it was")
        self._retake(self._meta)

    def _retake(self, meta: Meta) -> None:
        close_quietly(self._lock)
        self._take()
        there = self._read()
        if there is not None and there.replica != meta.replica:
            self.close()
            raise fail(StoreError, shown(self.path), f"was replaced by the folder of replica {there.replica}")
        self._own(meta)

    def close(self) -> None:
        """Gives the lock back."""
        lock, self._lock = self._lock, -1
        if lock >= 0:
            close_quietly(lock)
