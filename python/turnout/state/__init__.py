"""State: what was learned, kept so that it survives, and merged between replicas.

A store keeps bytes; it is never on the way of a decision. Page: docs/state.md.
"""

from __future__ import annotations

from turnout.state.file_store import FileStore, read_history
from turnout.state.keeper import Keeper, Status
from turnout.state.memory_store import MemoryStore
from turnout.state.recovery import Recovery
from turnout.state.redis_store import RedisStore
from turnout.state.store import Identity, Loaded, StateStore, StoreError

__all__ = [
    "FileStore",
    "Identity",
    "Keeper",
    "Loaded",
    "MemoryStore",
    "Recovery",
    "RedisStore",
    "StateStore",
    "Status",
    "StoreError",
    "read_history",
]
