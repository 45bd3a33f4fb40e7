"""Memories with outcomes in them."""

from __future__ import annotations

import atexit
from typing import Any

import numpy as np

from turnout._native import Memory
from turnout.state import Keeper, StateStore

SPACE = "four features"


def report(memory: Memory, count: int = 1, arm: str = "llm", score: float = 1.0) -> int:
    """Opens tickets and reports an outcome of each; returns the last."""
    ticket = 0
    for _ in range(count):
        i = memory.arm(arm)
        ticket = memory.open(
            np.ones(4, np.float32),
            candidates=[(i, 1.0, 0.5, 0.0, 0.0)],
            chosen=0,
            steps=[(i, 0.5, 0.0)],
            prior=0.5,
            value_usd=1.0,
            usd_per_second=0.0,
            state_version=memory.version,
        )
        assert memory.report(ticket, score=score) == "accepted"
    return ticket


def weight(memory: Memory, arm: str = "llm") -> float:
    """How many outcomes of an arm it has."""
    return float(memory.totals(memory.arm(arm))["weight"])


def keep(store: StateStore, **options: Any) -> Keeper:
    """A keeper without threads."""
    return Keeper.open(store, **{"dim": 4, "space": SPACE, "flush_seconds": None, **options})


def abandon(keeper: Keeper) -> None:
    """Ends a keeper as SIGKILL would: without a last word."""
    atexit.unregister(keeper._at_exit)
    keeper.store.close()
