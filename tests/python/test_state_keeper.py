"""A keeper: what was learned is kept, whatever becomes of the store, and the memory never waits for it."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import disks
from memories import SPACE, abandon, keep, report, weight
from turnout.core import ConfigError, InputError
from turnout.state import FileStore, Keeper, Loaded, MemoryStore, StoreError, read_history


def recovered(path: Path) -> float:
    with keep(FileStore(path)) as keeper:
        return weight(keeper.memory)


def test_what_was_flushed_is_there_again(tmp_path: Path) -> None:
    keeper = keep(FileStore(tmp_path))
    ticket = report(keeper.memory, 5)
    keeper.flush()
    late = report(keeper.memory)
    abandon(keeper)
    again = keep(FileStore(tmp_path))
    assert weight(again.memory) == 5 and again.recovery.log_bytes > 0 and again.recovery.torn_bytes == 0
    assert again.memory.report(ticket, score=1.0) == "duplicate"
    assert again.memory.report(late, score=1.0) == "unknown"
    again.close()


def test_close_writes_a_snapshot_where_there_is_news(tmp_path: Path) -> None:
    with keep(FileStore(tmp_path)) as keeper:
        report(keeper.memory, 3)
    for _ in range(3):  # no news: no snapshot
        with keep(FileStore(tmp_path)) as keeper:
            assert weight(keeper.memory) == 3
            assert keeper.recovery.log_bytes == 0 and keeper.recovery.snapshot_bytes > 0
    assert len(list(tmp_path.glob("snapshot-*"))) == 1
    assert str(keeper.recovery).startswith(f"{keeper.recovery.snapshot_bytes} bytes of snapshot and 0 of log in 0.")


def test_a_flush_without_news_touches_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with keep(FileStore(tmp_path)) as keeper:
        report(keeper.memory)
        keeper.flush(sync=True)
        disk = disks.Disk(monkeypatch)
        keeper.flush()
        keeper.flush(sync=True)
        assert disk.calls == 0


def test_snapshots_follow_the_size_of_the_log(tmp_path: Path) -> None:
    with keep(FileStore(tmp_path, history_bytes=0), compact_bytes=2000, tickets=8) as keeper:
        for _ in range(200):
            report(keeper.memory)
            keeper.flush()
        status = keeper.status()
        assert 15 <= status.snapshots < 25 and status.logged_bytes < 4000
    size = sum(x.stat().st_size for x in tmp_path.iterdir())
    assert size < 30_000  # of 200 outcomes, about 170 bytes each
    assert recovered(tmp_path) == 200


def test_history_is_kept_for_evaluations(tmp_path: Path) -> None:
    from turnout._native import read_log

    with keep(FileStore(tmp_path), compact_bytes=2000) as keeper:
        for _ in range(100):
            report(keeper.memory, score=0.25)
            keeper.flush()
    columns = read_log(list(read_history(tmp_path).log))
    assert len(columns["score"]) == 100 and set(columns["score"]) == {0.25}


def test_many_threads_share_syncs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each sync takes until every thread that has work left has come."""
    crew, each, syncs = 64, 10, 0
    finished = [False] * crew
    keeper = keep(FileStore(tmp_path))

    class SlowDisk(disks.Disk):
        def call(self, name: str, *arguments: Any, **options: Any) -> Any:
            nonlocal syncs
            if name == "fsync":
                syncs += 1
                while keeper._commit._calls - keeper._commit._levels[1].done < crew - sum(finished):
                    threading.Event().wait(0.0005)
            return super().call(name, *arguments, **options)

    SlowDisk(monkeypatch)

    def work(i: int) -> None:
        for _ in range(each):
            report(keeper.memory)
            keeper.flush(sync=True)
        finished[i] = True

    threads = [threading.Thread(target=work, args=(i,)) for i in range(crew)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert weight(keeper.memory) == crew * each
    assert each <= syncs <= 2 * each + 4  # of 640 calls
    monkeypatch.undo()
    keeper.close()
    assert recovered(tmp_path) == crew * each


def test_a_dead_store_is_counted_and_comes_back(tmp_path: Path) -> None:
    now = 100.0
    keeper = keep(FileStore(tmp_path), clock=lambda: now)
    report(keeper.memory)
    keeper.flush()
    assert keeper.status().failing_since is None and keeper.status().errors == 0
    with pytest.MonkeyPatch.context() as patch:
        disks.FailingDisk(patch, 1, 10**9, only=("write", "fsync"))
        for i in range(3):
            report(keeper.memory)
            with pytest.raises(StoreError, match="No space left on device"):
                keeper.flush(sync=i == 1)
            now += 1
        status = keeper.status()
        assert (status.errors, status.failing_since) == (3, 100.0)
        assert status.waiting_bytes > 300 and "No space left" in str(status.last_error)
        assert weight(keeper.memory) == 4  # learning goes on
    keeper.flush()
    status = keeper.status()
    assert (status.errors, status.failing_since, status.waiting_bytes) == (3, None, 0)
    assert status.snapshots == 1  # whatever the failures did to the log
    abandon(keeper)
    assert recovered(tmp_path) == 4


def test_records_that_found_no_room_are_made_good_by_a_snapshot(tmp_path: Path) -> None:
    keeper = keep(FileStore(tmp_path), log_bytes=4096)
    with pytest.MonkeyPatch.context() as patch:
        disks.FailingDisk(patch, 1, 10**9)
        report(keeper.memory, 10)
        with pytest.raises(StoreError):
            keeper.flush()
        report(keeper.memory, 200)
        with pytest.raises(StoreError):
            keeper.flush()
    assert keeper.status().lost_records > 100 and keeper.status().waiting_bytes < 2 * 4096
    keeper.flush()
    assert keeper.status().snapshots == 1
    report(keeper.memory)
    keeper.flush()
    assert keeper.status().snapshots == 1  # once
    abandon(keeper)
    assert recovered(tmp_path) == 211


@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC])
def test_a_failed_sync_is_made_good_by_a_snapshot(tmp_path: Path, error: int) -> None:
    """After a failed fsync a second one may succeed although the first one's data are gone."""
    with pytest.MonkeyPatch.context() as patch:
        disk = disks.PoweredDisk(patch, tmp_path / "state", 10**9)
        keeper = keep(FileStore(tmp_path / "state"))
        report(keeper.memory, 7)
        fsync = disk._fsync

        def failing(_: None, fd: int) -> None:
            raise OSError(error, os.strerror(error))

        disk._fsync = failing  # type: ignore[method-assign]
        with pytest.raises(StoreError, match="cannot be synced"):
            keeper.flush(sync=True)
        disk._fsync = fsync  # type: ignore[method-assign]
        keeper.flush(sync=True)
        assert keeper.status().snapshots == 1
        disk.after(tmp_path / "left", names="synced", zeros=False)
        abandon(keeper)
    assert recovered(tmp_path / "left") == 7


def test_a_failure_at_any_call_of_a_keeper_loses_nothing(tmp_path: Path) -> None:
    for first in range(1, 200):
        path = tmp_path / str(first)
        with pytest.MonkeyPatch.context() as patch:
            disks.Disk(patch)
            keeper = keep(FileStore(path), compact_bytes=1000)
        with pytest.MonkeyPatch.context() as patch:
            disk = disks.FailingDisk(patch, first, first)
            for i in range(8):
                report(keeper.memory)
                try:
                    keeper.flush(sync=i % 3 == 0)
                except StoreError:
                    keeper.flush(sync=True)
        abandon(keeper)
        with pytest.MonkeyPatch.context() as patch:
            disks.Disk(patch)
            assert recovered(path) == 8, first
        if disk.calls < first:
            return
    raise AssertionError("that many calls?")


def test_a_power_cut_at_any_call_of_a_keeper_loses_nothing_that_was_synced(tmp_path: Path) -> None:
    for cut in range(1, 400):
        synced, root = 0, tmp_path / str(cut)
        with pytest.MonkeyPatch.context() as patch:
            disk = disks.PoweredDisk(patch, root, 10**9)
            store = FileStore(root)
            keeper = keep(store, compact_bytes=1000)
            disk.cut = disk.calls + cut
            try:
                for i in range(8):
                    report(keeper.memory)
                    keeper.flush(sync=i % 3 == 1)
                    synced = i + 1 if i % 3 == 1 else synced
            except disks.PowerCutError:
                pass
            done = disk.calls + 1 < disk.cut
            disk.after(left := tmp_path / f"left-{cut}", names="removed", zeros=bool(cut % 2))
            disks.Disk(patch)
            abandon(keeper)
            assert synced <= recovered(left) <= 8, cut
        if done:
            assert synced == 8
            return
    raise AssertionError("that many calls?")


def test_a_folder_that_is_made_anew_gets_all(tmp_path: Path) -> None:
    path = tmp_path / "state"
    keeper = keep(FileStore(path))
    report(keeper.memory, 4)
    keeper.flush(sync=True)
    shutil.rmtree(path)
    report(keeper.memory)
    for _ in range(2):
        with pytest.raises(StoreError, match=r"was deleted or replaced|cannot be found"):
            keeper.flush()
    path.mkdir()
    keeper.flush(sync=True)
    abandon(keeper)
    assert recovered(path) == 5


def test_a_damaged_snapshot_is_followed_by_a_good_one(tmp_path: Path) -> None:
    for _ in range(3):
        with keep(FileStore(tmp_path)) as keeper:
            report(keeper.memory)
    newest = max(tmp_path.glob("snapshot-*"))
    newest.write_bytes(newest.read_bytes()[:-1])
    with keep(FileStore(tmp_path)) as keeper:
        assert weight(keeper.memory) == 3
        assert keeper.recovery.damaged == (newest.name,) and f"damaged: {newest.name}" in str(keeper.recovery)
        keeper.flush()
        assert keeper.status().snapshots == 1
    assert newest.with_suffix(".damaged").exists()
    assert recovered(tmp_path) == 3


def test_a_torn_tail_is_reported(tmp_path: Path) -> None:
    keeper = keep(FileStore(tmp_path))
    report(keeper.memory)
    keeper.flush()
    abandon(keeper)
    with next(tmp_path.glob("log-*")).open("ab") as file:
        file.write(b"\xff" * 10)
    with keep(FileStore(tmp_path)) as keeper:
        assert keeper.recovery.torn_bytes == 10 and "10 bytes torn" in str(keeper.recovery)
        assert weight(keeper.memory) == 1


def test_a_state_of_something_else_is_refused_and_unharmed(tmp_path: Path) -> None:
    with keep(FileStore(tmp_path)) as keeper:
        report(keeper.memory)
    with pytest.raises(ConfigError, match="holds state of the space 'four features', expected 'others'"):
        keep(FileStore(tmp_path), space="others")
    with pytest.raises(InputError):
        keep(FileStore(tmp_path), dim=5)
    with pytest.raises(ConfigError, match=r"memory\.tickets"):
        keep(FileStore(tmp_path), tickets=0)
    with pytest.raises(ConfigError, match="flush_seconds: expected a number > 0 or None, got 0"):
        keep(FileStore(tmp_path), flush_seconds=0)
    with pytest.raises(ConfigError, match=f"log_bytes: expected at most {1 << 28}"):
        keep(FileStore(tmp_path), log_bytes=(1 << 28) + 1)
    assert recovered(tmp_path) == 1  # and the lock was given back each time


class Watched(MemoryStore):
    """Says when something was written."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.appended, self.published = threading.Event(), threading.Event()
        self.broken = False

    def append(self, data: bytes) -> None:
        if self.broken:
            raise RuntimeError("a store of the user's own")
        super().append(data)
        self.appended.set()

    def publish(self, replica: int, slot: bytes) -> None:
        super().publish(replica, slot)
        self.published.set()


def test_a_thread_flushes_and_exchanges() -> None:
    store = Watched()
    with keep(store, flush_seconds=0.001, merge_seconds=0.001, sync_slots=False) as keeper:
        report(keeper.memory)
        assert store.appended.wait(60) and store.published.wait(60)
    assert not [x for x in threading.enumerate() if x.name.startswith("turnout-")]


def test_a_thread_outlives_a_broken_store() -> None:
    store = Watched()
    keeper = keep(store, flush_seconds=0.001)
    store.broken = True
    report(keeper.memory)
    while keeper.status().errors < 3:
        store.appended.wait(0.001)
    assert keeper.status().last_error == "a store of the user's own"
    store.broken = False
    assert store.appended.wait(60)
    keeper.close()
    assert weight(keeper.memory) == 1


def test_sync_says_when_a_store_cannot() -> None:
    keeper = keep(MemoryStore())
    report(keeper.memory)
    with pytest.raises(StoreError, match="cannot survive a loss of power"):
        keeper.flush(sync=True)
    keeper.flush()
    with pytest.raises(StoreError, match="cannot survive a loss of power"):  # a snapshot is no better
        keeper.flush(sync=True)
    keeper.close()


def test_replicas_merge_through_a_folder(tmp_path: Path) -> None:
    names = "abc"
    keepers = [keep(FileStore(tmp_path / name, exchange=tmp_path / "slots")) for name in names]
    for i, keeper in enumerate(keepers):
        report(keeper.memory, i + 1)
    for _ in range(2):
        for keeper in keepers:
            keeper.exchange()
    assert [weight(x.memory) for x in keepers] == [6, 6, 6]
    assert len({x.memory.version for x in keepers}) == 1
    assert keepers[0].status().peers == 2
    assert not keepers[0].exchange()  # nothing new
    for keeper in keepers:
        keeper.close()
    assert recovered(tmp_path / "a") == 6  # the others' share is kept, too


def test_a_slot_is_shown_when_it_is_synced(tmp_path: Path) -> None:
    """Else a loss of power would set a replica back behind what others have of it."""
    keeper = keep(FileStore(tmp_path, exchange=tmp_path / "slots"))
    report(keeper.memory)
    with pytest.MonkeyPatch.context() as patch:
        disks.FailingDisk(patch, 1, 10**9, errno.EIO, only=("fsync",))
        with pytest.raises(StoreError, match="cannot be synced"):
            keeper.exchange()
    status = keeper.status()
    assert (status.exchange_errors, status.exchange_failing_since is not None) == (1, True)
    assert not (tmp_path / "slots").exists()
    keeper.exchange()
    assert keeper.status().exchange_failing_since is None
    assert len(list((tmp_path / "slots").iterdir())) == 1
    keeper.close()


def test_a_damaged_slot_harms_no_other(tmp_path: Path) -> None:
    a, b = (keep(FileStore(tmp_path / x, exchange=tmp_path / "slots")) for x in "ab")
    report(a.memory, 2)
    a.exchange()
    (tmp_path / "slots" / ("f" * 16)).write_bytes(b"no slot")
    (tmp_path / "slots" / "README").write_bytes(b"not a slot's name")
    with pytest.raises(InputError) as raised:
        b.exchange()
    assert raised.value.__notes__ == [f"in the slot of replica {'f' * 16}"]
    assert weight(b.memory) == 2 and b.status().peers == 1 and b.status().exchange_errors == 1
    assert len(list((tmp_path / "slots").iterdir())) == 4  # b's own was published all the same
    a.close()
    b.close()


def test_a_closed_keeper_says_so(tmp_path: Path) -> None:
    keeper = keep(FileStore(tmp_path))
    keeper.close()
    keeper.close()
    for call in (keeper.flush, keeper.exchange, keeper.compact):
        with pytest.raises(StoreError, match="keeper: is closed"):
            call()
    assert keeper.status().errors == 0


def test_a_close_that_fails_says_so_and_gives_the_store_back(tmp_path: Path) -> None:
    keeper = keep(FileStore(tmp_path))
    report(keeper.memory)
    with pytest.MonkeyPatch.context() as patch:
        disks.FailingDisk(patch, 1, 10**9, only=("write",))
        with pytest.raises(StoreError, match="No space left"):
            keeper.close()
    assert recovered(tmp_path) == 0


def test_a_store_of_ones_own_needs_no_base_class() -> None:
    from turnout.state import Identity

    class Own:
        kept = b""

        def open(self, space: str) -> Identity:
            return Identity(7, 1)

        def load(self) -> Loaded:
            return Loaded(None, [Own.kept])

        def append(self, data: bytes) -> None:
            Own.kept += data

        def sync(self) -> None: ...

        def compact(self, snapshot: bytes) -> None: ...

        def publish(self, replica: int, slot: bytes) -> None: ...

        def peers(self) -> dict[int, bytes]:
            return {}

        def close(self) -> None: ...

    keeper = keep(Own())
    report(keeper.memory, 2)
    keeper.flush(sync=True)
    abandon(keeper)
    again = keep(Own())
    assert weight(again.memory) == 2
    again.close()


SCRIPT = """
import os, sys
sys.path.insert(0, sys.argv[1])
from memories import keep, report, weight
from turnout.state import FileStore, StoreError
"""


def script(tmp_path: Path, code: str) -> str:
    here = str(Path(__file__).parent)
    done = subprocess.run([sys.executable, "-c", SCRIPT + code, here, str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_exit_flushes(tmp_path: Path) -> None:
    script(tmp_path, "keeper = keep(FileStore(sys.argv[2])); report(keeper.memory, 4)")
    with keep(FileStore(tmp_path)) as keeper:
        assert weight(keeper.memory) == 4 and keeper.recovery.snapshot_bytes == 0


def test_a_second_process_is_told_who_has_the_folder(tmp_path: Path) -> None:
    with keep(FileStore(tmp_path)) as keeper:
        said = script(tmp_path, "try: keep(FileStore(sys.argv[2]))\nexcept StoreError as error: print(error)")
        assert said.startswith(f"{tmp_path}: is in use by pid {os.getpid()} on ")
        report(keeper.memory)
    assert recovered(tmp_path) == 1


FORK = """
keeper = keep(FileStore(sys.argv[2]), flush_seconds=0.001)
report(keeper.memory, 2)
keeper.flush()
pid = os.fork()
if not pid:
    for call in (keeper.flush, keeper.exchange, keeper.status, lambda: keeper.store.append(b"x"), keeper.store.peers):
        try:
            call()
            print("no error")
        except StoreError as error:
            print(error)
    keeper.close()
    sys.exit()  # runs what is to run at exit, in the child
os.waitpid(pid, 0)
report(keeper.memory)
keeper.flush()
try:
    keep(FileStore(sys.argv[2]))
except StoreError as error:
    print(error)
print("parent", keeper._pid)
"""


def test_a_forked_child_does_not_write(tmp_path: Path) -> None:
    lines = script(tmp_path, FORK).splitlines()
    parent = lines[-1].split()[1]
    assert lines[:3] == [f"keeper: belongs to process {parent}: a forked child must open a store of its own"] * 3
    assert lines[3:5] == [f"{tmp_path}: belongs to process {parent}, the parent"] * 2
    assert f"is in use by pid {parent}" in lines[5]  # the child's end did not give the lock back
    assert recovered(tmp_path) == 3


def test_space_is_what_was_given(tmp_path: Path) -> None:
    with Keeper.open(FileStore(tmp_path), dim=4, space=SPACE) as keeper:
        assert keeper.memory.space == SPACE
