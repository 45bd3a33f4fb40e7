"""The file store on disks that fail: nothing that it promised is lost, and what is left can always be read."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import disks
from turnout.core import ConfigError
from turnout.state import FileStore, StoreError, read_history

SPACE = "space"
LOST = 7  # a token that found no room in the log: only snapshots have it
Change = Callable[[bytes], Iterator[bytes]]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    disks.Disk(monkeypatch)


class Writer:
    """Writes tokens into a store as a keeper does: after a failure everything again, then a snapshot."""

    def __init__(self, store: FileStore) -> None:
        self.store = store
        self.all: list[int] = []  # that were tried
        self.written: set[int] = set()  # that an append or a snapshot has returned for
        self.synced: set[int] = set()
        self.failures = 0
        self.owed = False

    def run(self) -> None:
        for step in range(12):
            self.all.append(step)
            if step != LOST:
                self.again(lambda step=step: self.append(step))
            if step % 4 == 1:
                self.again(self.sync)
            if step % 3 == 1:
                self.again(self.compact)

    def again(self, call: Callable[[], None]) -> None:
        for _ in range(40):
            try:
                if self.owed:
                    self.compact()
                return call()
            except StoreError:
                self.failures += 1
                self.owed = True
        raise AssertionError("the disk never came back")

    def append(self, token: int) -> None:
        self.store.append(b"%d;" % token)
        self.written.add(token)

    def sync(self) -> None:
        self.store.sync()
        self.synced |= self.written

    def compact(self) -> None:
        self.store.compact(b"".join(b"%d;" % x for x in self.all))
        self.owed = False
        self.written = set(self.all)
        self.synced = set(self.all)


def tokens(data: bytes) -> list[int]:
    return [int(x) for x in data.split(b";")[:-1]]


def recovered(path: Path) -> set[int]:
    """Tokens that a folder gives; asserts that there is nothing else in it."""
    store = FileStore(path)
    store.open(SPACE)
    loaded = store.load()
    snapshot, log = tokens(loaded.snapshot or b""), tokens(b"".join(loaded.log))
    store.append(b"1000;")  # goes on
    store.close()
    assert snapshot == sorted(snapshot)
    found = set(snapshot) | set(log)
    assert 1000 in tokens(b"".join(read_history(path).log))
    assert found <= set(range(12))
    return found


def written(path: Path) -> Writer:
    store = FileStore(path)
    store.open(SPACE)
    writer = Writer(store)
    writer.run()
    store.close()
    return writer


@pytest.mark.parametrize("length", [1, 2, 7])
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
def test_a_failure_at_any_call_loses_nothing(tmp_path: Path, length: int, error: int) -> None:
    """Of append, sync and compact: every system call fails once, or with those after it."""
    tried = 0
    for first in range(1, 1000):
        path = tmp_path / str(first)
        store = FileStore(path)
        store.open(SPACE)
        with pytest.MonkeyPatch.context() as patch:
            disk = disks.FailingDisk(patch, first, first + length - 1, error)
            writer = Writer(store)
            writer.run()
        store.close()
        assert recovered(path) == set(range(12)), first
        tried += 1
        if disk.calls < first:
            break
        assert writer.failures or length == 1
    assert tried > 60  # calls of a run


def test_a_disk_that_is_full_for_long_does_not_fill_with_files(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    store.open(SPACE)
    store.append(b"0;")
    with pytest.MonkeyPatch.context() as patch:
        disks.FailingDisk(patch, 1, 10**9, only=("write",))
        for _ in range(50):
            with pytest.raises(StoreError, match=r"log-\d+: cannot be written: No space left on device"):
                store.append(b"1;")
    store.append(b"1;")
    store.close()
    assert len(list(tmp_path.glob("log-*"))) == 2
    assert recovered(tmp_path) == {0, 1}


def cuts(tmp_path: Path) -> Iterator[tuple[disks.PoweredDisk, Writer]]:
    """A run for each call that the power can go before."""
    for cut in range(1, 1000):
        root = tmp_path / f"run-{cut}"
        with pytest.MonkeyPatch.context() as patch:
            disk = disks.PoweredDisk(patch, root, cut)
            store = FileStore(root, history_bytes=0)
            writer = Writer(store)
            try:
                store.open(SPACE)
                writer.run()
            except disks.PowerCutError:
                pass
            else:
                return
            finally:
                disk.cut = 0
        for fd in list(disk.files):
            os.close(fd)
        yield disk, writer


def test_a_power_cut_at_any_call_loses_nothing_that_was_synced(tmp_path: Path) -> None:
    count = 0
    for disk, writer in cuts(tmp_path):
        for names in ("synced", "removed", "all"):
            for zeros in (False, True):
                left = tmp_path / f"left-{disk.calls}-{names}-{zeros}"
                disk.after(left, names=names, zeros=zeros)
                assert recovered(left) >= writer.synced, left
        count += 1
    assert count > 60


def test_an_end_at_any_call_loses_nothing_that_was_written(tmp_path: Path) -> None:
    """The same without a loss of power: the process ended there."""
    for disk, writer in cuts(tmp_path):
        assert recovered(disk.root) >= writer.written


def test_what_an_earlier_process_wrote_is_synced_with_the_rest(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        disk = disks.PoweredDisk(patch, tmp_path / "a", 10**9)
        first = FileStore(tmp_path / "a")
        first.open(SPACE)
        first.append(b"0;")
        first.close()
        second = FileStore(tmp_path / "a")
        second.open(SPACE)
        second.sync()
        disk.after(tmp_path / "left", names="synced", zeros=False)
        second.close()
    assert recovered(tmp_path / "left") == {0}


def copies(path: Path, changed: Change, glob: str) -> Iterator[tuple[Path, str]]:
    for file in sorted(path.glob(glob)):
        for i, data in enumerate(changed(file.read_bytes())):
            copy = path.with_name(f"{file.name}-{i}")
            shutil.copytree(path, copy)
            (copy / file.name).write_bytes(data)
            yield copy, file.name
            shutil.rmtree(copy)


def cut_off(data: bytes) -> Iterator[bytes]:
    return (data[:length] for length in range(len(data)))


def flipped(data: bytes) -> Iterator[bytes]:
    return (data[:i] + bytes([data[i] ^ 1 << i % 8]) + data[i + 1 :] for i in range(len(data)))


@pytest.mark.parametrize("change", [cut_off, flipped])
def test_a_snapshot_that_is_damaged_anywhere_loses_nothing(
    tmp_path: Path, change: Callable[..., Iterator[bytes]]
) -> None:
    path = tmp_path / "state"
    written(path)
    count = 0
    for copy, name in copies(path, change, "snapshot-*"):
        assert recovered(copy) == set(range(12)), copy
        assert (copy / f"{name}.damaged").exists() == (name == max(x.name for x in path.glob("snapshot-*")))
        count += 1
    assert count > 60


@pytest.mark.parametrize("change", [cut_off, flipped])
def test_a_segment_that_is_damaged_anywhere_can_be_read(tmp_path: Path, change: Change) -> None:
    path = tmp_path / "state"
    written(path)
    for copy, name in copies(path, change, "log-*"):
        whole, broken = tokens(b"".join(read_history(path).log)), read_history(copy)
        kept = tokens(b"".join(broken.log))
        assert [x for x in whole if x in kept] == kept  # in order, nothing made up
        cut_at_a_frame = (copy / name).stat().st_size in frame_ends((path / name).read_bytes())
        assert len(kept) < len(whole)
        assert (broken.torn_bytes > 0) != (change is cut_off and cut_at_a_frame), copy
        assert recovered(copy) >= set(range(9))  # the snapshot's


def frame_ends(data: bytes) -> set[int]:
    at, ends = 8, {0, 8}
    while at < len(data):
        at += 8 + int.from_bytes(data[at : at + 4], "little")
        ends.add(at)
    return ends


def test_a_torn_tail_stays_and_is_counted(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    store.open(SPACE)
    store.append(b"0;")
    store.close()
    file = next(tmp_path.glob("log-*"))
    torn = file.read_bytes() + b"\x05\0\0\0torn"
    file.write_bytes(torn)
    for _ in range(2):
        store.open(SPACE)
        loaded = store.load()
        assert (list(loaded.log), loaded.torn_bytes) == ([b"0;"], 8)
        store.close()
    assert recovered(tmp_path) == {0}
    assert file.read_bytes() == torn


def test_two_damaged_snapshots_are_set_aside_and_the_log_is_read(tmp_path: Path) -> None:
    written(tmp_path)
    for file in tmp_path.glob("snapshot-*"):
        file.write_bytes(b"nothing")
    store = FileStore(tmp_path)
    store.open(SPACE)
    loaded = store.load()
    assert loaded.snapshot is None and len(loaded.damaged) == 2
    assert tokens(b"".join(loaded.log)) == [x for x in range(12) if x != LOST]  # all of it is history still
    store.close()


@pytest.mark.parametrize(
    "bad", [b"", b"{", b'{"format":1}', b"\xff", b'{"format":1,"replica":"zz","space":"","run":1}']
)
def test_a_damaged_meta_is_an_error_that_names_it(tmp_path: Path, bad: bytes) -> None:
    written(tmp_path)
    (tmp_path / "meta").write_bytes(bad)
    with pytest.raises(ConfigError, match="meta") as raised:
        FileStore(tmp_path).open(SPACE)
    assert raised.value.path.startswith(str(tmp_path))


def test_a_newer_format_and_a_lost_meta_are_refused(tmp_path: Path) -> None:
    written(tmp_path)
    meta = (tmp_path / "meta").read_text()
    (tmp_path / "meta").write_text(meta.replace('"format":1', '"format":2,"more":0'))
    with pytest.raises(ConfigError, match="expected a replica and format 1, got format 2"):
        FileStore(tmp_path).open(SPACE)
    (tmp_path / "meta").unlink()
    with pytest.raises(ConfigError, match="is missing beside log-0000000001: put it back"):
        FileStore(tmp_path).open(SPACE)
    (tmp_path / "meta").write_text(meta)
    assert recovered(tmp_path) == set(range(12))


def test_only_the_owner_may_read(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        written(tmp_path / "deep" / "state")
        store = FileStore(tmp_path / "deep" / "state")
        store.publish(store.open(SPACE).replica, b"slot")
        store.close()
    finally:
        os.umask(old)
    root = tmp_path / "deep" / "state"
    files = [x for x in root.rglob("*") if x.is_file()]
    assert len(files) > 4 and {stat.S_IMODE(x.stat().st_mode) for x in files} == {0o600}
    assert {stat.S_IMODE(x.stat().st_mode) for x in (root, root / "slots")} == {0o700}


@pytest.mark.parametrize("name", ["with space", "línea\nnueva", "%s {x} [0-9]*", os.fsdecode(b"\xff\xfe"), "'\"$(x)"])
def test_any_name_will_do(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    assert written(path).failures == 0
    assert recovered(path) == set(range(12))
    print(FileStore(path))  # can be printed


def test_the_folder_is_deleted_and_comes_back(tmp_path: Path) -> None:
    path, away = tmp_path / "state", tmp_path / "away"
    store = FileStore(path)
    replica = store.open(SPACE).replica
    store.append(b"0;")
    path.rename(away)
    with pytest.raises(StoreError, match="was deleted or replaced while it was written"):
        store.append(b"1;")
    for call in (lambda: store.append(b"1;"), lambda: store.compact(b"0;1;")):
        with pytest.raises(StoreError, match="state: cannot be found: No such file or directory"):
            call()
    path.mkdir()  # made anew: empty, and no longer locked
    store.compact(b"0;1;")
    with pytest.raises(StoreError, match=f"is in use by pid {os.getpid()} on "):
        FileStore(path).open(SPACE)
    store.close()
    assert store.open(SPACE).replica == replica
    store.close()
    assert recovered(path) == {0, 1}


def test_a_file_of_the_same_name_in_a_folder_that_came_back_is_not_removed(tmp_path: Path) -> None:
    path, backup = tmp_path / "state", tmp_path / "backup"
    store = FileStore(path)
    store.open(SPACE)
    shutil.copytree(path, backup)
    (backup / "log-0000000001").write_bytes(b"precious")
    open_file = os.open

    def swapped(name: Path, *options: int) -> int:
        fd = open_file(name, *options)
        if Path(name).name == "log-0000000001":
            path.rename(tmp_path / "away")
            backup.rename(path)
        return fd

    with pytest.MonkeyPatch.context() as patch:
        disk = disks.Disk(patch)
        disk.open = swapped  # type: ignore[attr-defined]
        with pytest.raises(StoreError, match="was deleted or replaced"):
            store.append(b"0;")
    assert (path / "log-0000000001").read_bytes() == b"precious"
    store.close()


def test_the_folder_of_another_is_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "state"
    store, other = FileStore(path), FileStore(tmp_path / "other")
    store.open(SPACE)
    replica = other.open(SPACE).replica
    other.close()
    shutil.rmtree(path)
    (tmp_path / "other").rename(path)
    for _ in range(2):
        with pytest.raises(StoreError, match=f"was replaced by the folder of replica {replica:016x}"):
            store.append(b"0;")
    store.close()
    assert recovered(path) == set()


@pytest.mark.parametrize(
    ("path", "what"), [("file", "cannot be made: File exists"), ("file/x", "cannot be made: Not a dir")]
)
def test_no_folder(tmp_path: Path, path: str, what: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=what) as raised:
        FileStore(tmp_path / path).open(SPACE)
    assert raised.value.path == str(tmp_path / path)


@pytest.mark.parametrize("call", range(1, 30))
def test_a_folder_that_cannot_be_written(tmp_path: Path, call: int) -> None:
    """Each call of open fails, as in a folder that is mounted read-only; the next open works."""
    written(tmp_path)
    store = FileStore(tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        disk = disks.FailingDisk(patch, call, 10**9, errno.EROFS)
        try:
            store.open(SPACE)
        except StoreError as error:
            assert "Read-only file system" in str(error) and str(tmp_path) in str(error)
        else:
            assert disk.calls < call
    store.close()
    assert recovered(tmp_path) == set(range(12))


def test_history_must_be_a_size() -> None:
    with pytest.raises(ConfigError, match="history_bytes: expected a number >= 0, got -1"):
        FileStore("x", history_bytes=-1)


def test_history_may_be_read_while_old_segments_are_removed(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    store.open(SPACE)
    for data in (b"one", b"two", b"three"):
        store.append(data)
        store.compact(b"snapshot")
    history = iter(read_history(tmp_path).log)
    assert next(history) == b"one"
    sorted(tmp_path.glob("log-*"))[1].unlink()
    assert list(history) == [b"three"]
    store.close()
