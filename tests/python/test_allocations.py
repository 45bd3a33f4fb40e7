"""From Python a warm decision costs one block and the registration of its object; engines apart."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import turnout

COUNT = """
import turnout
from turnout import _native

assert _native.watch_allocations()
router = turnout.Router.load()
text = "Which doctrine takes an oral promise to sell land out of the statute of frauds?"
rules = turnout.Constraints(deny=["gpt-4-1106-preview"])
calls = [lambda: router.route(text), lambda: router.route(text, budget_usd=1e-4, seed=3, constraints=rules)]
for call in calls * 50:
    call()
for call in calls:
    before, engines = _native.allocation_count(), _native.engine_allocation_count()
    decision = call()
    engines = _native.engine_allocation_count() - engines
    print(_native.allocation_count() - before - engines, engines)
"""


def test_a_warm_decision_is_one_block_and_one_object() -> None:
    counters = list(Path(turnout.__file__).parent.glob("_allocation_counter*.so"))
    assert counters, "the allocation counter is part of every build"
    done = subprocess.run(
        [sys.executable, "-c", COUNT],
        env=os.environ | {"LD_PRELOAD": str(counters[0])},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    ours, engines = zip(*(map(int, line.split()) for line in done.stdout.splitlines()), strict=True)
    assert ours == (2, 2)
    assert min(engines) > 0  # else nothing was counted
