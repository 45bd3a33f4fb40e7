"""The Redis store against a real server that is killed, restarted, emptied and set up badly."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import redis_servers
from memories import abandon, keep, report, weight
from turnout.core import ConfigError
from turnout.state import RedisStore, StoreError, redis_server

pytestmark = pytest.mark.skipif(bool(redis_servers.MISSING), reason=redis_servers.MISSING)

ALWAYS = ("--appendonly", "yes", "--appendfsync", "always")
EVERY_SECOND = ("--appendonly", "yes", "--appendfsync", "everysec")
Start = Callable[..., redis_servers.Server]


@pytest.fixture
def start() -> Iterator[Start]:
    servers = []
    with tempfile.TemporaryDirectory(prefix="turnout-") as folder:

        def make(*options: str) -> redis_servers.Server:
            servers.append(redis_servers.Server(Path(folder), *options))
            return servers[-1]

        yield make
        for server in servers:
            if server.process.returncode is None:
                server.end()


def version(server: redis_servers.Server) -> tuple[int, ...]:
    return tuple(map(int, server.client().info("server")["redis_version"].split(".")[:2]))


def expire(server: redis_servers.Server) -> None:
    """Ends the lease, as time does."""
    assert server.client().delete("{turnout}:lock") == 1


def recovered(server: redis_servers.Server) -> float:
    with keep(RedisStore(server.url)) as keeper:
        return weight(keeper.memory)


def test_the_server_is_killed_and_comes_back(start: Start) -> None:
    server = start(*ALWAYS)
    keeper = keep(RedisStore(server.url), compact_bytes=2000)
    kept = 0
    for round in range(5):
        for _ in range(7):
            report(keeper.memory)
            kept += 1
            keeper.flush(sync=True)
        server.end(signal.SIGKILL)
        report(keeper.memory)
        kept += 1
        with pytest.raises(StoreError, match="redis key 'turnout': "):
            keeper.flush()
        assert keeper.status().errors == round + 1 and keeper.status().failing_since is not None
        server.start()
    keeper.flush()
    assert keeper.status().failing_since is None and keeper.status().waiting_bytes == 0
    abandon(keeper)
    assert recovered(server) == kept


def test_what_was_synced_survives_a_kill_of_both(start: Start) -> None:
    server = start(*ALWAYS)
    keeper = keep(RedisStore(server.url))
    report(keeper.memory, 9)
    keeper.flush(sync=True)
    server.end(signal.SIGKILL)
    abandon(keeper)
    server.start()
    expire(server)
    assert recovered(server) == 9


@pytest.mark.parametrize("options", [(), EVERY_SECOND])
def test_no_sync_where_the_server_does_not_sync(start: Start, options: tuple[str, ...]) -> None:
    server = start(*options)
    if version(server) >= (7, 2) and options:
        pytest.skip("this server can be asked to wait until it has synced")
    with keep(RedisStore(server.url)) as keeper:
        report(keeper.memory)
        with pytest.raises(StoreError, match=r"appendonly"):
            keeper.flush(sync=True)
        keeper.flush()


def test_wait_for_a_server_that_syncs_every_second(start: Start) -> None:
    server = start(*EVERY_SECOND)
    if version(server) < (7, 2):
        pytest.skip("WAITAOF came with Redis 7.2; TURNOUT_REDIS_SERVER names another server")
    keeper = keep(RedisStore(server.url))
    report(keeper.memory, 3)
    keeper.flush(sync=True)
    server.end(signal.SIGKILL)
    abandon(keeper)
    server.start()
    expire(server)
    assert recovered(server) == 3
    late = keep(RedisStore(server.client(), timeout_seconds=0.01))  # less than the server takes
    report(late.memory)
    with pytest.raises(StoreError, match=r"not synced within 0\.008 seconds"):
        late.flush(sync=True)
    late.close()


def test_a_server_that_lost_all_is_told_again(start: Start) -> None:
    server = start()  # in memory only
    keeper = keep(RedisStore(server.url))
    report(keeper.memory, 5)
    keeper.flush()
    keeper.compact()
    report(keeper.memory, 2)
    keeper.flush()
    server.end(signal.SIGKILL)
    server.start()
    report(keeper.memory)
    with pytest.raises(StoreError, match="the server has lost a part of the log"):
        keeper.flush()
    keeper.flush()
    assert keeper.status().snapshots == 2
    abandon(keeper)
    assert recovered(server) == 8


def test_a_part_that_was_lost_is_noticed(start: Start) -> None:
    server = start()
    keeper = keep(RedisStore(server.url))
    for _ in range(4):
        report(keeper.memory)
        keeper.flush()
    server.client().ltrim("{turnout}:log:0", 0, 1)  # as after a restart from an older file
    report(keeper.memory)
    with pytest.raises(StoreError, match="has lost a part"):
        keeper.flush()
    keeper.flush()
    abandon(keeper)
    assert recovered(server) == 5


def test_a_damaged_snapshot_falls_back(start: Start) -> None:
    server = start()
    for _ in range(3):
        with keep(RedisStore(server.url)) as keeper:
            report(keeper.memory)
    server.client().setrange("{turnout}:snapshot:3", 40, b"????")
    with keep(RedisStore(server.url)) as keeper:
        assert weight(keeper.memory) == 3 and keeper.recovery.damaged == ("snapshot:3",)


def test_an_answer_that_got_lost_costs_nothing(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server did what it was told, and the caller cannot know."""
    server = start(*ALWAYS)
    store = RedisStore(server.url)
    keeper = keep(store, compact_bytes=1000)
    run, lose = store._run, iter(range(1, 1000))

    def lossy(*arguments: Any) -> tuple[int, int]:
        answer = run(*arguments)
        if next(lose) % 3 == 0:
            raise StoreError("the line is dead")
        return answer

    monkeypatch.setattr(store, "_run", lossy)
    failures = 0
    for _ in range(40):
        report(keeper.memory)
        try:
            keeper.flush()
        except StoreError as error:
            assert str(error) == "the line is dead"
            failures += 1
    assert failures > 10
    monkeypatch.undo()
    keeper.flush()
    abandon(keeper)
    assert recovered(server) == 40


def test_the_one_whose_lease_ran_out_is_shut_out(start: Start) -> None:
    server = start()
    old = keep(RedisStore(server.url))
    report(old.memory)
    old.flush()
    expire(server)  # as when a process hangs
    new = keep(RedisStore(server.url))
    report(old.memory)
    for call in (old.flush, lambda: old.exchange(), old.compact):
        with pytest.raises(StoreError, match=f"is in use by pid {os.getpid()} on {socket.gethostname()}"):
            call()
    report(new.memory)
    new.flush()
    abandon(old)
    new.close()
    assert recovered(server) == 2


def test_a_lease_is_kept_alive_and_ends(start: Start) -> None:
    server = start()
    store = RedisStore(server.url, lease_seconds=0.3)
    store.open("s")
    for _ in range(10):  # longer than the lease, and nothing is written
        server.client().blpop("nothing", 0.1)
        assert server.client().get("{turnout}:lock") is not None
    store.close()
    assert server.client().get("{turnout}:lock") is None


HOLDER = """
import os, sys
sys.path.insert(0, sys.argv[1])
from memories import keep, report
from turnout.state import RedisStore
keeper = keep(RedisStore(sys.argv[2], lease_seconds=10000))
report(keeper.memory, 6)
keeper.flush()
os.kill(os.getpid(), 9)
"""


def test_a_holder_that_was_killed_is_not_waited_for(start: Start) -> None:
    server = start()
    done = subprocess.run([sys.executable, "-c", HOLDER, str(Path(__file__).parent), server.url])
    assert done.returncode == -signal.SIGKILL
    assert recovered(server) == 6


def test_holders_of_other_machines_are_believed() -> None:
    assert not redis_server.is_dead(b"pid 999999999 on elsewhere", "here")
    assert not redis_server.is_dead(b"", "here")
    assert not redis_server.is_dead(b"pid 1 on here", "here")
    assert redis_server.is_dead(b"pid 999999999 on here", "here")


def test_replicas_merge_through_a_server(start: Start) -> None:
    server = start(*ALWAYS)
    keepers = [keep(RedisStore(server.url, key=key, exchange="fleet")) for key in "abc"]
    for i, keeper in enumerate(keepers):
        report(keeper.memory, i + 1)
    for _ in range(2):
        for keeper in keepers:
            keeper.exchange()
    assert [weight(x.memory) for x in keepers] == [6, 6, 6]
    assert len({x.memory.version for x in keepers}) == 1
    for keeper in keepers:
        keeper.close()


def test_a_client_of_ones_own_stays_open(start: Start) -> None:
    import redis

    server = start()
    client = server.client()
    with keep(RedisStore(client)) as keeper:
        report(keeper.memory)
    assert client.ping()
    with pytest.raises(ConfigError, match="a client that decodes no responses"):
        RedisStore(redis.Redis.from_url(server.url, decode_responses=True))


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"server": "ftp://x"}, "server: expected the URL of a Redis server"),
        ({"key": ""}, "key: expected text without braces, got ''"),
        ({"key": "a{b}"}, "key: expected text without braces"),
        ({"exchange": "{"}, "key: expected text without braces"),
        ({"history_bytes": -1}, "history_bytes: expected a number >= 0, got -1"),
        ({"lease_seconds": 0}, r"lease_seconds: expected a number >= 0\.001, got 0"),
        ({"timeout_seconds": float("nan")}, r"timeout_seconds: expected a number >= 0\.001, got nan"),
    ],
)
def test_bad_options(options: dict[str, Any], what: str) -> None:
    with pytest.raises(ConfigError, match=what):
        RedisStore(**{"server": "redis://localhost", **options})


def test_no_server_is_an_error_that_names_the_key(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="redis key 'k': "):
        keep(RedisStore(f"unix://{tmp_path}/none.sock", key="k"))


def test_another_format_is_refused(start: Start) -> None:
    server = start()
    server.client().hset("{turnout}:meta", mapping={"format": 2, "space": "four features"})
    with pytest.raises(ConfigError, match="expected format 1, got 2"):
        keep(RedisStore(server.url))


def test_the_extra_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(ConfigError, match=r"needs redis: pip install 'turnout\[redis\]'"):
        RedisStore("redis://localhost")
