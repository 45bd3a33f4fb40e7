"""What a file store costs: recovery of a long log, flushes, and how many callers share a sync.

python bench/state_store.py
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from turnout.state import FileStore, Keeper

DIM = 32


def opened(folder: Path) -> Keeper:
    return Keeper.open(FileStore(folder), dim=DIM, space="bench", flush_seconds=None, compact_bytes=1 << 40)


def report(keeper: Keeper, context: np.ndarray) -> None:
    memory = keeper.memory
    arm = memory.arm("llm")
    ticket = memory.open(
        context,
        candidates=[(arm, 1.0, 0.5, 0.0, 0.0)],
        chosen=0,
        steps=[(arm, 0.5, 0.0)],
        prior=0.5,
        value_usd=1.0,
        usd_per_second=0.0,
        state_version=0,
    )
    memory.report(ticket, score=1.0)


def recovery(folder: Path, outcomes: int, each: int) -> None:
    """A log of outcomes that were flushed some at a time."""
    context = np.ones(DIM, np.float32)
    keeper = opened(folder)
    for i in range(outcomes):
        report(keeper, context)
        if i % each == each - 1:
            keeper.flush()
    keeper.flush(sync=True)
    keeper.store.close()
    again = opened(folder)
    print(f"recovery of {outcomes} outcomes, {each} a flush: {again.recovery}")
    again.store.close()


def flushes(folder: Path, sync: bool, count: int) -> None:
    keeper, context = opened(folder), np.ones(DIM, np.float32)
    times = []
    for _ in range(count):
        report(keeper, context)
        start = time.perf_counter()
        keeper.flush(sync=sync)
        times.append(time.perf_counter() - start)
    p50, p99 = (float(x) * 1e6 for x in np.quantile(times, [0.5, 0.99]))
    print(f"flush(sync={sync}) of one outcome: p50 {p50:.0f} us, p99 {p99:.0f} us")
    keeper.store.close()


def crowd(folder: Path, threads: int, each: int) -> None:
    keeper, context = opened(folder), np.ones(DIM, np.float32)

    def work() -> None:
        for _ in range(each):
            report(keeper, context)
            keeper.flush(sync=True)

    crew = [threading.Thread(target=work) for _ in range(threads)]
    start = time.perf_counter()
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
    seconds, syncs = time.perf_counter() - start, keeper.status().syncs
    print(f"{threads} threads, {threads * each} calls of flush(sync=True): {syncs} syncs, {seconds:.2f} s")
    keeper.store.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--outcomes", type=int, default=1_000_000)
    parser.add_argument("--folder", help="where to work; default: where temporary files go")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        recovery(folder / "long", arguments.outcomes, 1000)
        recovery(folder / "many", arguments.outcomes, 1)
        flushes(folder / "written", False, 2000)
        flushes(folder / "synced", True, 200)
        crowd(folder / "crowd", 64, 10)


if __name__ == "__main__":
    main()
