"""`os` as turnout.state sees it, on disks that fail at stated calls, or lose what was not synced when power goes."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from turnout.state import disk, file_store, folder, log_writer

CALLS = ["open", "write", "fsync", "rename", "unlink", "stat", "fstat", "listdir", "close", "pwrite", "ftruncate"]


class Disk:
    """Stands for the module `os`, and counts calls. Nothing is really synced, which would take long.

    Attributes
    ----------
    calls : int
        So far, of those that touch the disk.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls = 0
        for module in (disk, file_store, folder, log_writer):
            monkeypatch.setattr(module, "os", self)

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        return (lambda *a, **k: self.call(name, *a, **k)) if name in CALLS else real

    def call(self, name: str, *arguments: Any, **options: Any) -> Any:
        self.calls += 1
        return None if name == "fsync" else getattr(os, name)(*arguments, **options)


class FailingDisk(Disk):
    """Fails at calls number `first` to `last`, or at those of them that are named. A write that fails has written a
    half."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        first: int,
        last: int,
        error: int = errno.ENOSPC,
        only: tuple[str, ...] = tuple(CALLS),
    ) -> None:
        super().__init__(monkeypatch)
        self.first, self.last, self.error, self.only = first, last, error, only

    def call(self, name: str, *arguments: Any, **options: Any) -> Any:
        failing = self.first <= self.calls + 1 <= self.last and name in self.only
        if failing:
            self.calls += 1
            if name == "write":
                fd, data = arguments
                os.write(fd, data[: len(data) // 2])
            if name == "close":  # closes and complains, as NFS does
                os.close(*arguments)
            raise OSError(self.error, os.strerror(self.error))
        return super().call(name, *arguments, **options)


class PowerCutError(BaseException):
    """The machine is off."""


class PoweredDisk(Disk):
    """Cuts the power before call number `cut`, and knows what of one folder was synced by then."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, root: Path, cut: int) -> None:
        super().__init__(monkeypatch)
        self.root, self.cut = root, cut
        self.files: dict[int, int] = {}  # number of the file, by descriptor
        self.live: dict[str, int] = {}  # by name
        self.named: dict[str, int] = {}  # by name, as the folder was synced
        self.synced: dict[int, bytes] = {}  # content
        self.count = 0

    def call(self, name: str, *arguments: Any, **options: Any) -> Any:
        if self.calls + 1 >= self.cut:
            if name == "close":
                os.close(*arguments)
                self.files.pop(*arguments, None)
            raise PowerCutError
        result = super().call(name, *arguments, **options)
        note = getattr(self, f"_{name}", None)
        if note is not None:
            note(result, *arguments)
        return result

    def _open(self, fd: int, path: Path, flags: int, mode: int = 0) -> None:
        if Path(path).parent == self.root:
            if flags & os.O_CREAT and path.name not in self.live:
                self.count += 1
                self.live[path.name] = self.count
            self.files[fd] = self.live.get(path.name, 0)
        elif Path(path) == self.root:
            self.files[fd] = -1

    def _close(self, _: None, fd: int) -> None:
        self.files.pop(fd, None)

    def _rename(self, _: None, a: Path, b: Path) -> None:
        self.live[b.name] = self.live.pop(a.name)

    def _unlink(self, _: None, path: Path) -> None:
        del self.live[path.name]

    def _fsync(self, _: None, fd: int) -> None:
        number = self.files.get(fd)
        if number == -1:
            self.named = dict(self.live)
        elif number is not None:
            self.synced[number] = Path(f"/proc/self/fd/{fd}").read_bytes()

    def after(self, to: Path, *, names: str, zeros: bool) -> None:
        """Writes into `to` what is left: names as they were "synced", those without the ones that were "removed" since,
        or "all"; behind what was synced of a file that is still there, zeros up to its length, or nothing."""
        to.mkdir()
        left = self.live if names == "all" else self.named
        for name, number in left.items():
            if names == "removed" and name not in self.live:
                continue
            data = self.synced.get(number, b"")
            if zeros and self.live.get(name) == number:
                data = data.ljust((self.root / name).stat().st_size, b"\0")
            (to / name).write_bytes(data)
