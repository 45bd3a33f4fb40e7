"""What every store promises: the same tests for memory, files and Redis."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import redis_servers
import turnout.state.store
from turnout.core import ConfigError, InputError
from turnout.state import FileStore, MemoryStore, RedisStore, StateStore, StoreError
from turnout.state.store import Identity

SPACE = "latent, d = 4"
Make = Callable[..., Any]
WITH_REDIS = pytest.mark.skipif(bool(redis_servers.MISSING), reason=redis_servers.MISSING)
KINDS = ["memory", "file", pytest.param("redis", marks=WITH_REDIS)]


@pytest.fixture(scope="module")
def server() -> Iterator[redis_servers.Server]:
    with tempfile.TemporaryDirectory(prefix="turnout-") as folder:
        running = redis_servers.Server(Path(folder), "--appendonly", "yes", "--appendfsync", "always")
        yield running
        running.end()


@pytest.fixture(params=KINDS)
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """Makes stores by name; the same name is the same place, and all of them exchange slots."""
    if request.param == "file":
        return lambda name="a", **options: FileStore(tmp_path / name, exchange=tmp_path / "slots", **options)
    if request.param == "redis":
        url, test = request.getfixturevalue("server").url, request.node.name
        return lambda name="a", **options: RedisStore(url, key=f"{test}:{name}", exchange=f"{test}:slots", **options)
    places: dict[str, MemoryStore] = {}
    slots: dict[int, bytes] = {}
    return lambda name="a": places.setdefault(name, MemoryStore(exchange=slots))


def held(store: StateStore) -> tuple[bytes | None, bytes]:
    loaded = store.load()
    return loaded.snapshot, b"".join(loaded.log)


def reopened(make: Make) -> tuple[bytes | None, bytes]:
    store = make()
    store.open(SPACE)
    try:
        return held(store)
    finally:
        store.close()


def test_it_is_a_store(make: Make) -> None:
    assert isinstance(make(), StateStore)


def test_a_new_store_is_empty(make: Make) -> None:
    assert reopened(make) == (None, b"")


def test_the_log_comes_back_in_order(make: Make) -> None:
    pieces = [bytes([i % 256]) * (i % 70) for i in range(600)]
    store = make()
    store.open(SPACE)
    store.load()
    for piece in pieces:
        store.append(piece)
    store.close()
    assert reopened(make) == (None, b"".join(pieces))


def test_a_snapshot_replaces_the_log(make: Make) -> None:
    store = make()
    store.open(SPACE)
    store.load()
    store.append(b"before")
    store.compact(b"snapshot 1")
    store.append(b"after")
    assert held(store) == (b"snapshot 1", b"after")
    store.compact(b"snapshot 2")
    store.compact(b"snapshot 3")
    store.append(b"last")
    store.close()
    assert reopened(make) == (b"snapshot 3", b"last")


def test_any_bytes_are_kept(make: Make) -> None:
    anything = bytes(range(256)) * 300 + b"\r\n\0" + b"log-0000000001"
    store = make()
    store.open(SPACE)
    store.append(anything)
    store.compact(anything)
    store.append(anything[::-1])
    store.close()
    assert reopened(make) == (anything, anything[::-1])


def test_who_writes_is_drawn_once_and_runs_are_counted(make: Make) -> None:
    found = []
    for _ in range(3):
        store = make()
        found.append(store.open(SPACE))
        store.close()
    assert [x.run for x in found] == [1, 2, 3]
    assert len({x.replica for x in found}) == 1 and 0 < found[0].replica < 1 << 64
    assert len({x.ticket_prefix for x in found}) == 3 and all(x.ticket_prefix < 1 << 24 for x in found)
    other = make("b")
    assert other.open(SPACE).replica != found[0].replica
    other.close()


def test_prefixes_of_runs_differ() -> None:
    replica = 0xFFFF_FFFF_FFFF_FFFF
    assert len({Identity(replica, run).ticket_prefix for run in range(1 << 12)}) == 1 << 12


def test_another_space_is_refused_and_changes_nothing(make: Make) -> None:
    store = make()
    store.open(SPACE)
    store.append(b"kept")
    store.close()
    with pytest.raises(ConfigError, match="holds state of the space 'latent, d = 4', expected 'other'"):
        make().open("other")
    assert reopened(make) == (None, b"kept")


def test_one_at_a_time(make: Make) -> None:
    store = make()
    store.open(SPACE)
    with pytest.raises(StoreError, match=r"is (in use by pid|open already)"):
        make().open(SPACE)
    store.append(b"still mine")
    store.close()
    assert reopened(make) == (None, b"still mine")


def test_nothing_works_on_a_closed_store(make: Make) -> None:
    store = make()
    calls = [
        store.load,
        lambda: store.append(b"x"),
        store.sync,
        lambda: store.compact(b"x"),
        lambda: store.publish(1, b"x"),
        store.peers,
    ]
    store.close()
    for call in calls:
        with pytest.raises(StoreError, match="is not open"):
            call()
    store.open(SPACE)
    store.close()
    store.close()
    for call in calls:
        with pytest.raises(StoreError, match="is not open"):
            call()


def test_slots_are_exchanged(make: Make) -> None:
    a, b = make("a"), make("b")
    one, two = a.open(SPACE).replica, b.open(SPACE).replica
    assert a.peers() == {}
    a.publish(one, b"slot of a")
    b.publish(two, b"first of b")
    b.publish(two, b"slot of b")
    assert a.peers() == {two: b"slot of b"} and b.peers() == {one: b"slot of a"}
    a.close()
    assert b.peers() == {one: b"slot of a"}  # it outlives its replica
    b.close()


@pytest.mark.parametrize("call", ["append", "compact"])
def test_only_bytes_of_a_stated_size(make: Make, call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turnout.state.store, "MAX_CHUNK_BYTES", 100)
    store = make()
    store.open(SPACE)
    with pytest.raises(InputError, match="expected at most 100 bytes, got 101"):
        getattr(store, call)(bytes(101))
    with pytest.raises(InputError, match="expected bytes, got str"):
        getattr(store, call)("text")
    getattr(store, call)(bytes(100))
    store.close()
    assert len(b"".join(filter(None, reopened(make)))) == 100


def test_sync_keeps_its_word_or_says_so(make: Make) -> None:
    store = make()
    store.open(SPACE)
    store.append(b"synced")
    if isinstance(store, MemoryStore):
        with pytest.raises(StoreError, match="cannot survive a loss of power"):
            store.sync()
    else:
        store.sync()
        store.compact(b"snapshot")
        store.sync()
    store.close()


@pytest.mark.parametrize("make", KINDS[1:], indirect=True)  # memory keeps no history
@pytest.mark.parametrize("history", [0, 250, 1000, 1 << 20])
def test_history_is_bounded(make: Make, history: int) -> None:
    store = make(history_bytes=history)
    store.open(SPACE)
    for i in range(30):
        store.append(b"%100d" % i)
        store.compact(b"snapshot %d" % i)
    log = b"".join(store.history())
    kept = [int(x) for x in [log[i : i + 100] for i in range(0, len(log), 100)]]
    assert kept == list(range(30 - len(kept), 30))  # the oldest went first
    needed = 1  # since the snapshot before the last
    assert needed <= len(kept) <= needed + history // 100
    store.close()
    assert reopened(make) == (b"snapshot 29", b"")


def test_an_import_is_light() -> None:
    heavy = ["asyncio", "concurrent.futures", "fcntl", "redis", "multiprocessing"]
    code = f"import sys, turnout.state; print([x for x in {heavy} if x in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"
