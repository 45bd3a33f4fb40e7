"""A store in a Redis server. Needs the extra ``redis``."""

from __future__ import annotations

import math
import os
import socket
from collections.abc import Iterable, Iterator
from typing import Any

from turnout.core import ConfigError
from turnout.schema import fail
from turnout.state import redis_scripts as scripts
from turnout.state.folder import FORMAT
from turnout.state.frames import seal, unseal
from turnout.state.redis_server import can_wait, connect, import_redis, is_dead, redis_errors
from turnout.state.store import Identity, Loaded, StoreError, check_bytes, check_space, draw_replica
from turnout.state.ticker import Ticker

_PAGE = 256  # pieces of the log that are read at once


class RedisStore:
    """Keeps state in a Redis server.

    Parameters
    ----------
    server : str or redis.Redis
        A URL, as in ``redis://host:6379/0``, or a client that decodes no responses.
    key : str
        Begins all keys. One process has it at a time: give each replica its own.
    exchange : str, optional
        The key of the slots, shared by replicas; default: ``key``.
    history_bytes : int
        Of the log before the snapshots, kept for evaluations and replays; the oldest go first.
    lease_seconds : float
        How long the key stays taken when its process ends without `close`. On the same machine that is found out at
        once.
    timeout_seconds : float
        Of a call, where `server` is a URL.

    Notes
    -----
    What was appended is in the memory of the server: it survives the end of this process. What survives the end of the
    server is its own affair, but a loss is noticed by the next `append`, `sync` or `compact`, which raises. `sync`
    needs an append-only file: from Redis 7.2 on it waits until the file is synced (WAITAOF), before that the server
    must be set to ``appendfsync always``. Where neither can be had it raises.
    """

    def __init__(
        self,
        server: Any,
        *,
        key: str = "turnout",
        exchange: str | None = None,
        history_bytes: int = 256 << 20,
        lease_seconds: float = 30.0,
        timeout_seconds: float = 5.0,
    ) -> None:
        self._name = f"redis key {key!r}"
        if not key or set("{}") & set(key + (exchange or "")):
            raise fail(ConfigError, "key", f"expected text without braces, got {key!r}")
        if history_bytes < 0:
            raise fail(ConfigError, "history_bytes", f"expected a number >= 0, got {history_bytes}")
        for name, seconds in [("lease_seconds", lease_seconds), ("timeout_seconds", timeout_seconds)]:
            if not 0.001 <= seconds < math.inf:
                raise fail(ConfigError, name, f"expected a number >= 0.001, got {seconds}")
        import_redis(self._name)
        self._client: Any = connect(server, timeout_seconds)
        self._owns = isinstance(server, str)
        prefix = f"{{{key}}}:"  # braces: one slot of a cluster
        self._keys = [prefix + "meta", prefix + "lock", prefix + "sizes", prefix]
        self._slots = f"{{{exchange or key}}}:slots"
        self._history_bytes, self._lease, self._timeout = history_bytes, lease_seconds, timeout_seconds
        self._host = socket.gethostname()
        self._mine: list[Any] = []  # first arguments of the scripts; empty: not open
        self._seen = (0, 0)  # generation and pieces of the log, at least, on the server
        self._replica = self._pid = 0
        self._ticker: Ticker | None = None

    def __repr__(self) -> str:
        return f"RedisStore(key={self._keys[3][1:-2]!r})"

    def open(self, space: str) -> Identity:
        if self._mine:
            raise fail(StoreError, self._name, "is open already")
        holder = f"pid {os.getpid()} on {self._host}"
        with redis_errors(self._name):
            self._check(space)
            before = self._client.get(self._keys[1]) or b""
            dead = before if is_dead(before, self._host) else b""
            lease, drawn = math.ceil(1000 * self._lease), f"{draw_replica():016x}"
            arguments = [dead, holder, lease, FORMAT, space, drawn]
            replica, run = self._client.eval(scripts.OPEN, 2, *self._keys[:2], *arguments)
            self._seen = (int(self._client.hget(self._keys[0], "generation")), 0)
        self._replica, self._pid = int(replica, 16), os.getpid()
        self._mine = [replica, run, space, FORMAT, holder, lease]
        self._ticker = Ticker("turnout-lease", self._lease / 3, self._renew)
        return Identity(self._replica, run)

    def _check(self, space: str) -> None:
        kept, format = self._client.hmget(self._keys[0], "space", "format")
        if format is not None and int(format) != FORMAT:
            raise fail(ConfigError, self._name, f"expected format {FORMAT}, got {int(format)}")
        if kept is not None:
            check_space(kept.decode(), space, self._name)

    def _use(self) -> None:
        if not self._mine:
            raise fail(StoreError, self._name, "is not open")
        if self._pid != os.getpid():
            raise fail(StoreError, self._name, f"belongs to process {self._pid}, the parent")

    def _run(self, script: str, *arguments: bytes | int) -> tuple[int, int]:
        self._use()
        with redis_errors(self._name):
            generation, length = self._client.eval(script, 4, *self._keys, *self._mine, *arguments)
        return int(generation), int(length)

    def _note(self, now: tuple[int, int], added: int = 0) -> None:
        """Raises where the server has less than it had."""
        (generation, length), self._seen = self._seen, now
        if now < (generation, length + added):
            raise fail(StoreError, self._name, "the server has lost a part of the log")

    def _renew(self) -> None:
        """Keeps the lock alive; what goes wrong shows in the next call."""
        try:
            self._client.eval(scripts.LEASE, 2, *self._keys[:2], *self._mine[4:])
        except import_redis(self._name).RedisError:
            return

    def load(self) -> Loaded:
        self._use()
        loaded = Loaded(None, ())
        with redis_errors(self._name):
            generation = int(self._client.hget(self._keys[0], "generation"))
            begin = self._load_snapshot(generation, loaded)
            self._seen = (generation, self._client.llen(self._list(generation)))
        loaded.log = self._log(range(begin, generation + 1))
        return loaded

    def history(self) -> Iterator[bytes]:
        """All that is left of the log, snapshots or not."""
        self._use()
        with redis_errors(self._name):
            kept = sorted(map(int, self._client.hkeys(self._keys[2])))
        yield from self._log(kept)

    def _load_snapshot(self, generation: int, loaded: Loaded) -> int:
        """Loads the newest one that is whole; returns its generation."""
        for number in range(generation, max(0, generation - 2), -1):
            data = self._client.get(f"{self._keys[3]}snapshot:{number}")
            loaded.snapshot = unseal(data or b"")
            if loaded.snapshot is not None:
                return number
            loaded.damaged.append(f"snapshot:{number}")
        return 0

    def _list(self, generation: int) -> str:
        return f"{self._keys[3]}log:{generation}"

    def _log(self, generations: Iterable[int]) -> Iterator[bytes]:
        for generation in generations:
            at = 0
            while True:
                with redis_errors(self._name):
                    page = self._client.lrange(self._list(generation), at, at + _PAGE - 1)
                if not page:
                    break
                at += len(page)
                yield b"".join(page)

    def append(self, data: bytes) -> None:
        check_bytes(data, "data")
        self._note(self._run(scripts.APPEND, data), added=1)

    def sync(self) -> None:
        self._use()
        with redis_errors(self._name):
            waits = can_wait(self._client, self._name)
            pipe = self._client.pipeline(transaction=False)  # one connection: WAITAOF is about its writes
            pipe.eval(scripts.RENEW, 4, *self._keys, *self._mine)
            if waits:
                pipe.execute_command("WAITAOF", 1, 0, math.ceil(800 * self._timeout))
            answers = pipe.execute()
        self._note((int(answers[0][0]), int(answers[0][1])))
        if waits and answers[1][0] < 1:
            raise fail(StoreError, self._name, f"not synced within {0.8 * self._timeout:g} seconds")

    def compact(self, snapshot: bytes) -> None:
        check_bytes(snapshot, "snapshot")
        self._note(self._run(scripts.COMPACT, seal(snapshot), self._history_bytes))

    def publish(self, replica: int, slot: bytes) -> None:
        check_bytes(slot, "slot")
        self._run(scripts.RENEW)
        with redis_errors(self._name):
            self._client.hset(self._slots, f"{replica:016x}", slot)

    def peers(self) -> dict[int, bytes]:
        self._use()
        with redis_errors(self._name):
            slots = self._client.hgetall(self._slots)
        return {int(name, 16): slot for name, slot in slots.items() if int(name, 16) != self._replica}

    def close(self) -> None:
        mine, self._mine = self._mine, []
        if not mine or self._pid != os.getpid():
            return
        if self._ticker is not None:
            self._ticker.stop()
        try:
            self._client.eval(scripts.CLOSE, 2, *self._keys[:2], mine[4])
        except import_redis(self._name).RedisError:
            return  # the lock ends by itself
        finally:
            if self._owns:
                self._client.close()
