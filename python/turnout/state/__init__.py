"""State: what was learned, kept so that it survives, and merged between replicas.

A store keeps bytes; it is never on the way of a decision. Page: docs/state.md.
"""

from __future__ import annotations

from turnout.state.file_store import FileStore, read_log
from turnout.state.memory_store import MemoryStore
from turnout.state.redis_store import RedisStore
from turnout.state.store import Identity, Loaded, StateStore, StoreError

__all__ = [
    "FileStore",
    "Identity",
    "Loaded",
    "MemoryStore",
    "RedisStore",
    "StateStore",
    "StoreError",
    "read_log",
]
