"""How long a call takes: median and 99th percentile, best of five runs."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

RUNS = 5


@dataclass(frozen=True)
class Timing:
    """Microseconds a call, and decisions a second (a call of a batch counts its rows)."""

    p50_us: float
    p99_us: float
    per_second: float


def one_run(call: Callable[[Any], Any], inputs: Sequence[Any], idle_s: float) -> np.ndarray:
    """Microseconds of each call."""
    clock = time.perf_counter_ns
    times = np.empty(len(inputs))
    for i, item in enumerate(inputs):
        if idle_s:
            time.sleep(idle_s)
        start = clock()
        call(item)
        times[i] = clock() - start
    return times / 1e3


def measure(
    call: Callable[[Any], Any], inputs: Sequence[Any], *, batch: int = 1, runs: int = RUNS, idle_s: float = 0.0
) -> Timing:
    """Calls `call` on every input, `runs` times over; of each statistic the best run counts.

    Parameters
    ----------
    batch : int
        Rows of one call; `per_second` counts rows.
    idle_s : float
        Sleep before each call, for a cold measurement. A warm-up call is made before the first run only.
    """
    call(inputs[0])
    collected = gc.isenabled()
    gc.disable()  # a collection in the middle would time the collector
    try:
        samples = [one_run(call, inputs, idle_s) for _ in range(runs)]
    finally:
        if collected:
            gc.enable()
    return Timing(
        float(min(np.median(s) for s in samples)),
        float(min(np.percentile(s, 99) for s in samples)),
        float(max(batch * len(s) / (s.sum() * 1e-6) for s in samples)),
    )
