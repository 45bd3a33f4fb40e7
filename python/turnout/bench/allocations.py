"""Heap allocations of a call, ours and the engines' apart: measured in a process of its own with a preloaded counter.

``python -m turnout.bench.allocations`` reads {"bundle", "routing", "rooms", "only"} as JSON from its standard input and
prints {case: [ours, engines]} per call.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from turnout.bench.cases import Case

CALLS = 200


def counter_library() -> Path:
    """The library that wraps malloc."""
    return Path(__file__).parent.parent / "_allocation_counter.so"


def measure_allocations(
    bundle: Path | None, *, routing: bool = True, rooms: bool = True, only: str | None = None
) -> dict[str, list[float]]:
    """{case: [ours, engines]} per call, from Python; empty where the counter cannot be preloaded.

    `routing` and `rooms` say which cases: of decisions, of the rooms beside them.
    """
    asked = {"bundle": str(bundle) if bundle else None, "routing": routing, "rooms": rooms, "only": only}
    done = subprocess.run(
        [sys.executable, "-m", "turnout.bench.allocations"],
        env={**os.environ, "LD_PRELOAD": str(counter_library())},
        input=json.dumps(asked),
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        print(f"allocations were not counted: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return {}
    result: dict[str, list[float]] = json.loads(done.stdout)
    return result


def _per_call(call: Callable[[], Any]) -> list[float]:
    """After warm-up, and less what the loop itself allocates."""
    from turnout import _native

    def loop(f: Callable[[], Any]) -> tuple[int, int]:
        for _ in range(10):
            f()
        before, engines = _native.allocation_count(), _native.engine_allocation_count()
        for _ in range(CALLS):
            f()
        return _native.allocation_count() - before, _native.engine_allocation_count() - engines

    empty, _ = loop(lambda: None)
    total, engines = loop(call)
    return [(total - engines - empty) / CALLS, engines / CALLS]


def _count(case: Case) -> list[float]:
    if case.counted is not None:
        return [case.counted(), 0.0]
    return _per_call(functools.partial(case.call, case.inputs[0]))


def _main() -> None:
    from turnout import _native
    from turnout.bench.cases import native_calls
    from turnout.bench.learning import learning_calls
    from turnout.bench.rooms import room_calls
    from turnout.bench.workload import make_workload

    if not _native.watch_allocations():
        raise SystemExit("the counter is not preloaded")
    asked = json.load(sys.stdin)
    cases: list[Case] = []
    if asked["routing"]:
        cases += native_calls(make_workload(Path(asked["bundle"]) if asked["bundle"] else None, None, True))
    if asked["rooms"]:
        cases += [*room_calls(True, asked["only"]), *learning_calls(True, asked["only"], recovery=False)]
    print(json.dumps({case.key: _count(case) for case in cases}))


if __name__ == "__main__":
    _main()
