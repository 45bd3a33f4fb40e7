"""Cases of what a router learns: a bandit's step, an outcome taken in, a log recovered."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from turnout import _native
from turnout.bench.bandit_case import bandit_calls
from turnout.bench.cases import Case
from turnout.bench.rooms import looped
from turnout.learning import Outcome
from turnout.router import Router
from turnout.state import FileStore, Keeper

NAMES = ("bandit_64x32", "feedback", "state_recover_1m")
OUTCOMES = 1_000_000
_DIM, _SPACE = 32, "bench"


def _tickets(memory: _native.Memory) -> Iterator[int]:
    """As many as are asked for."""
    arm, x = memory.arm("llm"), np.zeros(memory.dim, np.float32)
    x[0] = 1.0
    while True:
        yield memory.open(
            x,
            candidates=[(arm, 1.0, 0.5, 0.001, 1.0)],
            chosen=0,
            steps=[(arm, 0.5, 0.001)],
            prior=0.5,
            value_usd=0.01,
            usd_per_second=0.0,
            state_version=0,
        )


def feedback(samples: int) -> list[Case]:
    """An outcome of a decision, from C++ and by `Router.feedback`."""
    operations = 1000
    router = Router.load(learning=True)
    assert router.learner is not None
    tickets, outcome = _tickets(router.learner.memory), Outcome(score=1.0, usd=0.001, seconds=0.5)
    waiting = [next(tickets) for _ in range(60_000)]

    def report(_: Any) -> None:
        if router.feedback(waiting.pop(), outcome) != "accepted":
            raise AssertionError("feedback: an outcome was not accepted")

    def loop() -> tuple[Any, int, int]:
        micros, counted, accepted = _native.time_feedback(samples, operations)
        return micros, counted, accepted

    return [
        looped("feedback", "native", loop, samples * operations, lambda n: n == (samples + 1) * operations),
        Case("feedback", "native_python", report, [None] * (samples * 20)),
    ]


def recover(outcomes: int) -> list[Case]:
    """A folder whose log holds so many decisions and outcomes, opened: read, checked, applied."""
    kept = tempfile.TemporaryDirectory(prefix="turnout-bench-")  # as long as the case lives
    folder = Path(kept.name)
    store = FileStore(folder)
    identity = store.open(_SPACE)
    for part in _native.feedback_log(identity.replica, outcomes):
        store.append(part)
    store.close()

    def run(_: Any) -> None:
        again = FileStore(kept.name)
        keeper = Keeper.open(again, dim=_DIM, space=_SPACE, flush_seconds=None)
        again.close()  # without the snapshot that closing the keeper would write
        if keeper.memory.version != outcomes:
            raise AssertionError(f"state_recover_1m: {keeper.memory.version} of {outcomes} outcomes were recovered")

    return [Case("state_recover_1m", "native_python", run, [None])]


def learning_calls(quick: bool, only: str | None = None, recovery: bool = True) -> list[Case]:
    """Every case of ours whose name contains `only`; `recovery`: that which takes seconds a call, too."""
    makers: dict[str, Callable[[], list[Case]]] = {
        "bandit_64x32": lambda: bandit_calls(quick),
        "feedback": lambda: feedback(50 if quick else 250),
        "state_recover_1m": lambda: recover(OUTCOMES),
    }
    if not recovery:
        del makers["state_recover_1m"]
    return [case for name, make in makers.items() if only is None or only in name for case in make()]
