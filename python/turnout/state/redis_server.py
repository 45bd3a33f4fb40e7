"""What a store asks of a Redis server beside its data: a client, errors, who holds a lock, what a sync means."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from turnout.core import ConfigError
from turnout.schema import fail
from turnout.state.store import StoreError


def import_redis(path: str) -> Any:
    try:
        return importlib.import_module("redis")
    except ImportError:
        raise fail(ConfigError, path, "needs redis: pip install 'turnout[redis]'") from None


def connect(server: Any, timeout: float) -> Any:
    """A client for a URL, or the caller's own."""
    if not isinstance(server, str):
        if server.get_encoder().decode_responses:
            raise fail(ConfigError, "server", "expected a client that decodes no responses")
        return server
    redis = import_redis("server")
    try:
        return redis.Redis.from_url(server, socket_timeout=timeout, socket_connect_timeout=timeout)
    except ValueError as error:
        raise fail(ConfigError, "server", f"expected the URL of a Redis server: {error}") from None


@contextmanager
def redis_errors(name: str) -> Iterator[None]:
    """What goes wrong with a server becomes a StoreError."""
    redis = import_redis(name)
    try:
        yield
    except redis.RedisError as error:
        text = str(error) or type(error).__name__
        why = f"is in use by {text[5:]}" if text.startswith("HELD ") else text
        raise fail(StoreError, name, why) from error


def is_dead(holder: bytes, host: str) -> bool:
    """Whether a holder, as in ``pid 7 on host``, was a process of this machine that has ended."""
    words = holder.decode("utf-8", "replace").split()
    if len(words) != 4 or words[3] != host or not words[1].isdigit():
        return False
    try:
        os.kill(int(words[1]), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def can_wait(client: Any, name: str) -> bool:
    """Whether WAITAOF says when writes are synced (Redis 7.2 and newer). Where it does not exist, the server must sync
    its append-only file before it answers.

    Raises
    ------
    StoreError
        It does not: ``appendonly yes`` and ``appendfsync always`` are needed.
    """
    version = str(client.info("server")["redis_version"])
    if tuple(map(int, version.split(".")[:2])) >= (7, 2):
        return True
    config = client.config_get("append*")
    if config["appendonly"] == "yes" and config["appendfsync"] == "always":
        return False
    shown = f"appendonly {config['appendonly']}, appendfsync {config['appendfsync']}"
    raise fail(StoreError, name, f"Redis {version} syncs only with appendonly yes and appendfsync always, not {shown}")
