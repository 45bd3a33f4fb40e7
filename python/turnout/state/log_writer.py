"""The log on a disk: numbered segments, of which the last is written."""

from __future__ import annotations

import os
from pathlib import Path

from turnout.schema import fail
from turnout.state.disk import close_quietly, disk_errors, remove, shown, sync_file, sync_folder, write_all
from turnout.state.frames import SEGMENT_MAGIC, frame
from turnout.state.store import StoreError


def segment(folder: Path, number: int) -> Path:
    return folder / f"log-{number:010d}"


class LogWriter:
    """Appends to the newest segment. After a failed write the next one begins, so that a torn frame is always the last
    of its segment.

    Parameters
    ----------
    folder : Path
    number : int
        Of the next segment, above all that are there.
    older : list of Path
        Segments of earlier processes, to be synced with the rest.
    """

    def __init__(self, folder: Path, number: int, older: list[Path]) -> None:
        self._folder, self._next = folder, number
        self._file, self._fd = segment(folder, number), -1
        self._whole = 0  # frames in the segment
        self._dirty = False  # some of them are not synced
        self._left: list[int] = []  # ended segments that are not synced
        self._older = older
        self._named = False  # the names of all segments are synced

    @property
    def writing(self) -> bool:
        """Whether a segment is under way."""
        return self._fd >= 0

    def append(self, data: bytes) -> None:
        try:
            if self._fd < 0:
                self._begin()
            with disk_errors(self._file, "written"):
                write_all(self._fd, frame(data))
                there = self._is_there()
            if not there:
                raise fail(StoreError, shown(self._file), "was deleted or replaced while it was written")
        except BaseException:  # an interruption may have cut the frame, too
            self._leave()
            raise
        self._whole += 1
        self._dirty = True

    def _begin(self) -> None:
        self._file, self._whole = segment(self._folder, self._next), 0
        with disk_errors(self._file, "written"):
            self._fd = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            self._next += 1
            self._named = False
            write_all(self._fd, SEGMENT_MAGIC)

    def _is_there(self) -> bool:
        """Writes to a file that was deleted succeed; this is where they are found out."""
        try:
            return os.path.samestat(os.stat(self._file), os.fstat(self._fd))
        except FileNotFoundError:
            return False

    def _is_mine(self) -> bool:
        try:
            return self._is_there()
        except OSError:
            return False

    def _leave(self) -> None:
        """Ends the segment. One without a whole frame is removed, so that a full disk does not fill with them."""
        if self._fd < 0:
            return
        if not self._whole and self._is_mine():
            remove(self._file)
        if self._dirty:
            self._left.append(self._fd)
        else:
            close_quietly(self._fd)
        self._fd, self._dirty = -1, False

    def sync(self) -> None:
        """Syncs all frames and names. What a failed sync was to cover no later one vouches for."""
        left, self._left = self._left, []
        try:
            self._sync_older()
            with disk_errors(self._file, "synced"):
                for fd in [*left, self._fd] if self._dirty else left:
                    os.fsync(fd)
                if not self._named:
                    sync_folder(self._folder)
                    self._named = True
        except BaseException:
            self._dirty = False
            self._leave()
            raise
        finally:
            for fd in left:
                close_quietly(fd)
        self._dirty = False

    def _sync_older(self) -> None:
        while self._older:
            path = self._older.pop()
            with disk_errors(path, "synced"):
                sync_file(path)

    def rotate(self) -> int:
        """Ends the segment; returns a number above its own and below those of all later ones."""
        self._leave()
        self._next += 1
        return self._next - 1

    def close(self) -> None:
        """Closes all files; syncs nothing."""
        fds = self._left if self._fd < 0 else [*self._left, self._fd]
        self._left, self._fd, self._dirty = [], -1, False
        for fd in fds:
            close_quietly(fd)
