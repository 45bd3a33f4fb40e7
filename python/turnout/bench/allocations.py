"""Heap allocations of a call, ours and the engines' apart: measured in a process of its own with a preloaded counter.

``python -m turnout.bench.allocations [BUNDLE]`` prints JSON: {case: [ours, engines]} per call.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

CALLS = 200


def counter_library() -> Path:
    """The library that wraps malloc."""
    return Path(__file__).parent.parent / "_allocation_counter.so"


def measure_allocations(bundle: Path | None) -> dict[str, list[float]]:
    """{case: [ours, engines]} per call, from Python; empty where the counter cannot be preloaded."""
    environment = {**os.environ, "LD_PRELOAD": str(counter_library())}
    command = [sys.executable, "-m", "turnout.bench.allocations", *([str(bundle)] if bundle else [])]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
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


def _main() -> None:
    from turnout import _native
    from turnout.bench.cases import native_calls
    from turnout.bench.workload import make_workload

    if not _native.watch_allocations():
        raise SystemExit("the counter is not preloaded")
    workload = make_workload(Path(sys.argv[1]) if len(sys.argv) > 1 else None, None, True)
    counts = {c.key: _per_call(functools.partial(c.call, c.inputs[0])) for c in native_calls(workload)}
    print(json.dumps(counts))


if __name__ == "__main__":
    _main()
