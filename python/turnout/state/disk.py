"""Writing files so that they survive: whole or not at all, and with errors that say which file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from turnout.schema import fail
from turnout.state.store import StoreError


def shown(path: Path) -> str:
    """A path as text that can be printed, whatever bytes its name has."""
    return str(path).encode("utf-8", "backslashreplace").decode()


@contextmanager
def disk_errors(path: Path, what: str) -> Iterator[None]:
    """What goes wrong with a file becomes a StoreError that names it."""
    try:
        yield
    except OSError as error:
        raise fail(StoreError, shown(path), f"cannot be {what}: {error.strerror or error}") from error


def write_all(fd: int, data: bytes) -> None:
    """Writes every byte: one write may take a part only."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]


def sync_file(path: Path) -> None:
    """Makes what is in a file survive a loss of power."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_folder(folder: Path) -> None:
    """Makes names that were created, renamed or removed in a folder survive a loss of power."""
    sync_file(folder)


def _write_synced(path: Path, data: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        write_all(fd, data)
        os.fsync(fd)
    finally:
        os.close(fd)


def write_whole(path: Path, data: bytes) -> None:
    """Makes `data` the content of `path`, all or nothing: written beside it, synced, renamed, and the name synced.

    Raises
    ------
    StoreError
        Names the file. The content is the old or the new one then.
    """
    part = path.with_name(path.name + ".tmp")
    with disk_errors(path, "written"):
        try:
            _write_synced(part, data)
            os.rename(part, path)
        except OSError:
            remove(part)
            raise
        sync_folder(path.parent)


def remove(path: Path) -> None:
    """Unlinks a file where that works; what stays is removed when the folder is opened next."""
    try:
        os.unlink(path)
    except OSError:
        return


def close_quietly(fd: int) -> None:
    """Closes a file whose content is synced, or whose loss was reported: an error has nothing new to say."""
    try:
        os.close(fd)
    except OSError:
        return


def read(path: Path) -> bytes:
    with disk_errors(path, "read"):
        return path.read_bytes()
